package staff

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// checkPanelSettings refuses differences between panels that no order could be built
// with: of a platform that is none of the plan's, or one value in place of what
// customers choose.
func checkPanelSettings(app core.App, plan *core.Record) error {
	differ, err := provisioning.ParsePanelSettings(plan.GetString("panel_settings"))
	if err != nil {
		return fmt.Errorf("panel_settings: %w", err)
	}
	if len(differ) == 0 {
		return nil
	}
	home, err := collections.First(app, collections.Platforms, dbx.HashExp{"id": plan.GetString("platform")})
	if err != nil || home == nil {
		return err // that it needs a platform is said by the field
	}
	others, err := collections.All(app, collections.Platforms, dbx.HashExp{"kind": home.GetString("kind")}, "name ASC")
	if err != nil {
		return err
	}
	chosen, err := chosenNames(app, plan)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(differ)) {
		if id == home.Id {
			return fmt.Errorf("panel_settings: %s is the plan's own platform; what it is given stands in platform_settings", home.GetString("name"))
		}
		if !slices.ContainsFunc(others, func(p *core.Record) bool { return p.Id == id }) {
			return fmt.Errorf("panel_settings: %q is no platform of the plan's kind; its members are the ids of %s", id, listed(others, home.Id))
		}
		for _, name := range slices.Sorted(maps.Keys(differ[id].Instead)) {
			if slices.Contains(chosen, name) {
				return fmt.Errorf(`panel_settings: customers choose %s, so say what the panel is given for each value, such as {"8": "31"}`, name)
			}
		}
	}
	return nil
}

// chosenNames are the settings of a plan that customers choose.
func chosenNames(app core.App, plan *core.Record) ([]string, error) {
	names := []string{}
	choices := []struct {
		Name string `json:"name"`
	}{}
	if err := collections.ReadJSON(plan, "choices", &choices); err != nil {
		return nil, err
	}
	for _, c := range choices {
		names = append(names, c.Name)
	}
	options, err := collections.All(app, collections.PlanOptions, dbx.HashExp{"plan": plan.Id}, "")
	for _, o := range options {
		names = append(names, o.GetString("name"))
	}
	return names, err
}

// listed names platforms with their ids, for an error.
func listed(platforms []*core.Record, without string) string {
	parts := []string{}
	for _, p := range platforms {
		if p.Id != without {
			parts = append(parts, p.GetString("name")+" ("+p.Id+")")
		}
	}
	if len(parts) == 0 {
		return "other platforms, of which there is none yet"
	}
	return strings.Join(parts, ", ")
}
