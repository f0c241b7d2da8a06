package provisioning

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const actionChangePlan = "change_plan"

// onChange follows a change of a subscription that takes effect, in the transaction
// in which it does.
func (s *Subject) onChange(app core.App) {
	app.OnRecordUpdateExecute(collections.SubscriptionChanges).Bind(&hook.Handler[*core.RecordEvent]{Id: "provisioningChange", Func: func(e *core.RecordEvent) error {
		applied := string(billing.ChangeApplied)
		before := e.Record.Original().GetString("status")
		if err := e.Next(); err != nil || before == applied || e.Record.GetString("status") != applied || e.Record.GetString("kind") == "price" {
			return err
		}
		services, err := collections.All(e.App, collections.Services, dbx.HashExp{"subscription": e.Record.GetString("subscription")}, "id ASC")
		if err != nil {
			return err
		}
		for _, svc := range services {
			if err := s.replan(e.App, svc); err != nil {
				return err
			}
		}
		return nil
	}})
}

// replan brings a service to what its subscription is for now. One that nothing
// stands behind yet is simply built so; for all others a job does it, and the
// service keeps its present plan until the platform has confirmed.
func (s *Subject) replan(tx core.App, svc *core.Record) error {
	status, now := statusOf(svc), s.Now()
	if status == provisioning.ServiceTerminated {
		return nil
	}
	w, err := wishNow(tx, svc)
	if err != nil {
		return err
	}
	switch {
	case w.idle() && !pendingChange(svc):
		return nil // another price or cycle: nothing that the platform knows of
	case status == provisioning.ServicePending:
		w.settle(svc, false)
	default:
		if !pendingChange(svc) {
			svc.Set("change_since", collections.Stamp(now))
		}
		if _, err := jobs.Enqueue(tx, now, serviceJob(provisioning.JobChangePlan, svc, audit.System, struct{}{})); err != nil {
			return err
		}
	}
	return collections.Update(tx, svc)
}

// pendingChange says that the platform has yet to follow a change.
func pendingChange(svc *core.Record) bool { return !collections.Time(svc, "change_since").IsZero() }

// resumeChange queues a change that waited for the service to run.
func (s *Subject) resumeChange(tx core.App, svc *core.Record) error {
	if !pendingChange(svc) {
		return nil
	}
	_, err := jobs.Enqueue(tx, s.Now(), serviceJob(provisioning.JobChangePlan, svc, audit.System, struct{}{}))
	return err
}

// dropChange forgets a change of a service that has ended; the caller saves it.
func (s *Subject) dropChange(tx core.App, svc *core.Record) error {
	endChange(svc)
	svc.Set("restart_needed", false)
	return jobs.Cancel(tx, s.Now(), string(provisioning.JobChangePlan)+":"+svc.Id)
}

func endChange(svc *core.Record) {
	svc.Load(map[string]any{"change_since": "", "change_tried": nil, "change_by_staff": false})
}

// mendChange queues again a change whose job is gone.
func (s *Subject) mendChange(tx core.App, svc, _ *core.Record, now time.Time) error {
	due, err := s.overdueJob(tx, svc, provisioning.JobChangePlan, now)
	if err != nil || !due {
		return err
	}
	return s.resumeChange(tx, svc)
}

// planWish is what a service is to become, with the plan's id.
type planWish struct {
	provisioning.PlanWish
	plan, toPlan string
	// words put the present settings into those of the panel, toWords the wanted ones;
	// unsaid says what of the wanted ones the panel has nothing for.
	words, toWords provisioning.Translation
	unsaid         error
	// tried are the settings that were last begun at the platform.
	tried tried
}

// tried is what is known of calls that were never confirmed.
type tried struct {
	Settings map[string]string `json:"settings"`
	Unsure   bool              `json:"unsure"` // there were others before
}

// idle says that nothing changes.
func (w planWish) idle() bool { return w.plan == w.toPlan && maps.Equal(w.From, w.To) }

// same says that two wishes end in the same.
func (w planWish) same(other planWish) bool {
	return w.toPlan == other.toPlan && maps.Equal(w.To, other.To)
}

// settle makes the service what was wished; the caller saves it.
func (w planWish) settle(svc *core.Record, restart bool) {
	endChange(svc)
	svc.Load(map[string]any{"plan": w.toPlan, "order_settings": w.To, "panel_settings": w.toWords})
	if restart {
		svc.Set("restart_needed", true)
	}
}

// there is the wish in the settings of the service's panel.
func (w planWish) there() (provisioning.PlanWish, error) {
	if w.unsaid != nil {
		return provisioning.PlanWish{}, fmt.Errorf("plan %s: its panel %w: %w", w.ToPlan, w.unsaid, provisioning.ErrPermanent)
	}
	return w.Of(w.words, w.toWords), nil
}

// changes are the differences as the log and the audit show them.
func (w planWish) changes() string { return strings.Join(w.Differences(), ", ") }

// wishNow is what a service's subscription is for now, compared with what its
// platform has confirmed: however many changes there were, the last one counts.
func wishNow(app core.App, svc *core.Record) (planWish, error) {
	sub, err := app.FindRecordById(collections.Subscriptions, svc.GetString("subscription"))
	if err != nil {
		return planWish{}, fmt.Errorf("subscription of service %s: %w", svc.Id, err)
	}
	options := map[string]string{}
	items, err := collections.All(app, collections.SubscriptionItems, dbx.HashExp{"subscription": sub.Id, "active": true}, "")
	if err != nil {
		return planWish{}, err
	}
	for _, it := range items {
		value := it.GetString("value")
		if value == "" {
			value = strconv.FormatInt(it.GetInt64("quantity"), 10)
		}
		options[it.GetString("name")] = value
	}
	return wishFor(app, svc, sub.GetString("plan"), options)
}

// wishFor is what a service becomes with a plan and options.
func wishFor(app core.App, svc *core.Record, plan string, options map[string]string) (planWish, error) {
	w := planWish{plan: svc.GetString("plan"), toPlan: plan}
	w.ServiceID, w.RemoteID = svc.Id, svc.GetString("platform_service_id")
	sold := provisioning.Sold{Options: options, Kept: w.plan == plan}
	var err error
	if sold.Stored, err = collections.StringMap(svc, "order_settings"); err != nil {
		return w, errors.Join(provisioning.ErrPermanent, err)
	}
	if w.FromPlan, sold.Before, err = planSettings(app, w.plan); err != nil {
		return w, err
	}
	if w.ToPlan, sold.Plan, err = planSettings(app, plan); err != nil {
		return w, err
	}
	if sold.Chosen, sold.Once, err = bought(app, svc.GetString("subscription")); err != nil {
		return w, err
	}
	w.From, w.To = sold.Stored, sold.Settings()
	if err := w.inWords(app, svc); err != nil {
		return w, err
	}
	if err := collections.ReadJSON(svc, "change_tried", &w.tried); err != nil {
		return w, err
	}
	w.Unsure = w.tried.Unsure || w.tried.Settings != nil && !maps.Equal(w.tried.Settings, w.To)
	return w, nil
}

// inWords finds how the wish is said at the service's panel: as it was when it was
// built there, and for another plan as that one says.
func (w *planWish) inWords(app core.App, svc *core.Record) error {
	if err := collections.ReadJSON(svc, "panel_settings", &w.words); err != nil {
		return errors.Join(provisioning.ErrPermanent, err)
	}
	if w.toWords = w.words; w.plan == w.toPlan {
		return nil
	}
	plan, err := app.FindRecordById(collections.Plans, w.toPlan)
	if err != nil {
		return fmt.Errorf("plan %s: %w", w.toPlan, err)
	}
	differ, err := provisioning.ParsePanelSettings(plan.GetString("panel_settings"))
	if err != nil {
		return fmt.Errorf("plan %s: panel_settings: %w: %w", w.ToPlan, err, provisioning.ErrPermanent)
	}
	w.toWords, w.unsaid = differ[svc.GetString("platform")].For(w.To)
	return nil
}

// planSettings are the name of a plan and what it tells its platform.
func planSettings(app core.App, id string) (string, map[string]string, error) {
	plan, err := app.FindRecordById(collections.Plans, id)
	if err != nil {
		return "", nil, fmt.Errorf("plan %s: %w", id, err)
	}
	settings, err := collections.StringMap(plan, "platform_settings")
	if err != nil {
		return "", nil, errors.Join(provisioning.ErrPermanent, err)
	}
	return plan.GetString("name"), settings, nil
}

// bought are the names of what was chosen when a subscription was ordered, and of
// all options it ever had.
func bought(app core.App, subscription string) (chosen, options []string, err error) {
	orders, err := collections.All(app, collections.OrderItems, dbx.HashExp{"subscription": subscription}, "")
	if err != nil {
		return nil, nil, err
	}
	for _, o := range orders {
		choices, err := collections.StringMap(o, "choices")
		if err != nil {
			return nil, nil, errors.Join(provisioning.ErrPermanent, err)
		}
		for name := range choices {
			chosen = append(chosen, name)
		}
	}
	items, err := collections.All(app, collections.SubscriptionItems, dbx.HashExp{"subscription": subscription}, "")
	for _, it := range items {
		options = append(options, it.GetString("name"))
	}
	return chosen, options, err
}
