package provisioning

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
)

// settingLocation is the setting, of a plan or chosen by the customer, that names
// where the panel of a group is to be.
const settingLocation = "location"

// occupies is true in SQL for services that take room at their platform: those that
// it has, and those that are being built there.
const occupies = "(`status` IN ('active', 'suspended') OR `status` = 'provisioning' AND `placed_at` != '')"

// place gives the service its place before anything of it exists at a panel: in one
// transaction with what is counted, so that two orders at the same time cannot
// overfill one. Once it may exist somewhere, it stays there. Errors: those of
// provisioning.Place.
func (w *work) place() error {
	if w.rooted() {
		return nil
	}
	c, err := w.candidates(w.r.App)
	if err != nil {
		return err
	}
	if c.alone() {
		_, err := provisioning.Place(c.panels, "", "")
		return err
	}
	var none error
	err = w.r.App.RunInTransaction(func(tx core.App) error {
		svc, err := tx.FindRecordById(collections.Services, w.svc.Id)
		if err != nil {
			return fmt.Errorf("service %s: %w", w.svc.Id, err)
		}
		w.svc = svc
		if c, err = w.candidates(tx); err != nil {
			return err
		}
		preferred := ""
		if w.placed() {
			preferred = w.svc.GetString("platform")
		}
		chosen, err := provisioning.Place(c.panels, c.location, preferred)
		if err != nil {
			none = err
			return w.move(tx, c, c.home.Id, false)
		}
		return w.move(tx, c, chosen.ID, true)
	})
	if err == nil {
		err = none
	}
	return err
}

// rooted says that something of the service exists at its panel, or may.
func (w *work) rooted() bool {
	return w.r.InFlight || w.build.RemoteID != "" || w.svc.GetString("platform_service_id") != ""
}

// placed says that the service counts at its platform.
func (w *work) placed() bool { return !collections.Time(w.svc, "placed_at").IsZero() }

// move writes where the service is to be built. At another panel it begins anew: an
// account that was made at the first stays there, empty.
func (w *work) move(tx core.App, c candidates, to string, placed bool) error {
	from := w.svc.GetString("platform")
	if from == to && w.placed() == placed {
		return nil
	}
	now := w.r.Now()
	w.svc.Load(map[string]any{"platform": to, "panel_settings": c.words[to], "home_platform": "", "placed_at": ""})
	if to != c.home.Id {
		w.svc.Set("home_platform", c.home.Id)
	}
	if placed {
		w.svc.Set("placed_at", collections.Stamp(now))
	}
	if from != to {
		if err := w.anew(tx, from, to); err != nil {
			return err
		}
	}
	if err := collections.Save(tx, w.svc); err != nil {
		return fmt.Errorf("place service %s: %w", w.svc.Id, err)
	}
	return nil
}

// anew forgets what was begun at another panel.
func (w *work) anew(tx core.App, from, to string) error {
	steps := []step{}
	if err := collections.ReadJSON(w.svc, "steps", &steps); err != nil {
		return err
	}
	w.build = provisioning.Build{}
	w.svc.Load(map[string]any{"build": nil, "platform_user_id": "", "steps": steps[:min(1, len(steps))]})
	return audit.Write(tx, w.r.Now(), audit.Entry{
		ActorKind: audit.System, Action: "service.placed", Resource: collections.Services, ResourceID: w.svc.Id,
		Changes: map[string]any{"platform": map[string]string{"before": from, "after": to}},
	})
}

// candidates are the panels that may take a service.
type candidates struct {
	home     *core.Record // the platform in whose settings the service was sold
	location string       // where it is to be; "" is anywhere
	panels   []provisioning.Panel
	words    map[string]provisioning.Translation // by panel
}

// alone says that there is nothing to choose and nothing to count.
func (c candidates) alone() bool { return len(c.panels) == 1 && c.panels[0].Capacity == 0 }

// candidates finds the group of the plan's platform. A service that was sold before
// its plan was given another platform has settings of the former, and stays there.
func (w *work) candidates(app core.App) (candidates, error) {
	c := candidates{words: map[string]provisioning.Translation{}}
	plan, err := app.FindRecordById(collections.Plans, w.svc.GetString("plan"))
	if err != nil {
		return c, fmt.Errorf("service %s: plan: %w", w.svc.Id, err)
	}
	sold, err := collections.StringMap(w.svc, "order_settings")
	if err != nil {
		return c, errors.Join(provisioning.ErrPermanent, err)
	}
	differ, err := provisioning.ParsePanelSettings(plan.GetString("panel_settings"))
	if err != nil {
		return c, fmt.Errorf("plan %s: panel_settings: %w: %w", plan.GetString("name"), err, provisioning.ErrPermanent)
	}
	home := first(w.svc.GetString("home_platform"), w.svc.GetString("platform"))
	if c.home, err = app.FindRecordById(collections.Platforms, home); err != nil {
		return c, fmt.Errorf("service %s: platform: %w", w.svc.Id, err)
	}
	group := []*core.Record{c.home}
	if name := c.home.GetString("group"); name != "" && home == plan.GetString("platform") {
		c.location = sold[settingLocation]
		if group, err = collections.All(app, collections.Platforms, dbx.HashExp{"kind": c.home.GetString("kind"), "group": name}, "id ASC"); err != nil {
			return c, err
		}
	}
	used, err := w.used(app, group)
	if err != nil {
		return c, err
	}
	for _, one := range group {
		adapter, err := w.s.platform(app, one)
		if err != nil {
			adapter = nil // that its settings are wrong is said where they are used
		}
		p := w.s.panel(one, health(adapter), used[one.Id])
		p.Full = w.full[one.Id]
		if c.words[p.ID], err = differ[p.ID].For(sold); err != nil && p.ID != c.home.Id {
			p.Unfit = err.Error()
		}
		c.panels = append(c.panels, p)
	}
	return c, nil
}

// used counts the services of platforms, but for the one that looks for its place. It
// is nothing where no platform has a limit or another beside it.
func (w *work) used(app core.App, platforms []*core.Record) (map[string]int64, error) {
	if len(platforms) == 1 && platforms[0].GetInt64("capacity") == 0 {
		return nil, nil
	}
	ids := []any{}
	for _, p := range platforms {
		ids = append(ids, p.Id)
	}
	return occupied(app, dbx.In("platform", ids...), dbx.NewExp("`id` != {:self}", dbx.Params{"self": w.svc.Id}))
}

// panelOrder are the settings of a service as its panel has them.
func panelOrder(svc *core.Record) (map[string]string, error) {
	settings, err := inWords(svc.GetString("order_settings"), svc.GetString("panel_settings"))
	if err != nil {
		return nil, fmt.Errorf("service %s: settings: %w: %w", svc.Id, err, provisioning.ErrPermanent)
	}
	return settings, nil
}

// inWords puts settings as they were sold into those of the service's panel, both as
// they are stored.
func inWords(sold, words string) (map[string]string, error) {
	settings, err := collections.TextMap(sold)
	if err != nil || words == "" || words == "null" {
		return settings, err
	}
	t := provisioning.Translation{}
	if err := json.Unmarshal([]byte(words), &t); err != nil {
		return nil, fmt.Errorf("those of the panel: %w", err)
	}
	return t.Of(settings), nil
}
