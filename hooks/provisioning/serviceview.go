package provisioning

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/provisioning"
)

type planRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// planChangeView is a change that is in effect and that the platform has yet to
// follow.
type planChangeView struct {
	Plan  planRef   `json:"plan"`  // the one to come; the same where options change
	State string    `json:"state"` // working, waiting until the service runs, staff
	Since time.Time `json:"since"`
}

type addressView struct {
	IP      string `json:"ip"`
	Primary bool   `json:"primary"`
}

type credentialsRef struct {
	Available bool   `json:"available"`
	Username  string `json:"username"`
}

type activityView struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	Actor  string    `json:"actor"`
	Status string    `json:"status"`
	Text   string    `json:"text"`
}

type serviceView struct {
	ID          string  `json:"id"`
	Sold        string  `json:"subscription_id"`
	Label       string  `json:"label"`
	Hostname    string  `json:"hostname"`
	ServiceType string  `json:"service_type"`
	Plan        planRef `json:"plan"`
	// Features are what the plan that it runs on promises.
	Features map[string]int64 `json:"features"`
	Change   *planChangeView  `json:"plan_change"`
	// Restart asks the customer to restart it, so that it gets what was added.
	Restart     bool           `json:"restart_needed"`
	Status      string         `json:"status"`
	Display     string         `json:"display"`
	Action      string         `json:"action"`
	ActionNote  string         `json:"action_note"`
	Power       string         `json:"power"`
	PowerAt     *time.Time     `json:"power_at"`
	Busy        bool           `json:"busy"`
	Usage       usage          `json:"usage"`
	Addresses   []addressView  `json:"addresses"`
	Credentials credentialsRef `json:"credentials"`
	Price       money.Amount   `json:"price"`
	Cycle       string         `json:"cycle"`
	NewPrice    *newPrice      `json:"price_change"`
	RenewsAt    *time.Time     `json:"renews_at"`
	// DeletesAt is when its data will be deleted, as things stand, or was.
	DeletesAt *time.Time     `json:"deletes_at"`
	Created   time.Time      `json:"created"`
	Updated   time.Time      `json:"updated"`
	Abilities []string       `json:"abilities"`
	Steps     []step         `json:"steps"`
	Activity  []activityView `json:"activity"`
}

// newPrice is a price that was announced and has not begun.
type newPrice struct {
	Price money.Amount `json:"price"`
	From  time.Time    `json:"from"`
}

type serviceList struct {
	Items []serviceView `json:"items"`
}

// view is a service as its customer sees it. Steps and activity are filled for
// a single service only.
func (s *Subject) view(app core.App, svc *core.Record, whole bool) (serviceView, error) {
	v := serviceView{
		ID: svc.Id, Sold: svc.GetString("subscription"), Label: svc.GetString("label"), Hostname: svc.GetString("hostname"), ServiceType: svc.GetString("service_type"),
		Status: svc.GetString("status"), Action: svc.GetString("action"), ActionNote: svc.GetString("action_note"),
		Power: first(svc.GetString("power"), "unknown"), PowerAt: optional(collections.Time(svc, "power_at")), Busy: svc.GetBool("busy"),
		Credentials: credentialsRef{svc.GetString("credentials") != "", svc.GetString("username")},
		Restart:     svc.GetBool("restart_needed"), Features: map[string]int64{},
		Created: collections.Time(svc, "created"), Updated: collections.Time(svc, "updated"),
		Addresses: []addressView{}, Abilities: []string{}, Steps: []step{}, Activity: []activityView{},
	}
	if err := collections.ReadJSON(svc, "usage", &v.Usage); err != nil {
		return v, err
	}
	if r, ok := s.watch.fresh(svc.Id, collections.Time(svc, "power_at")); ok {
		v.Power, v.PowerAt, v.Busy = string(r.Status.Power), optional(r.At), r.Status.Busy
		v.Usage.take(r)
	}
	steps := []step{}
	if err := collections.ReadJSON(svc, "steps", &steps); err != nil {
		return v, err
	}
	v.Display = display(svc, steps)
	if err := s.viewSale(app, svc, &v); err != nil {
		return v, err
	}
	addresses, err := collections.All(app, collections.IPAssignments, dbx.HashExp{"service": svc.Id, "valid_until": ""}, "is_primary DESC, created ASC, ip ASC")
	if err != nil {
		return v, err
	}
	for _, a := range addresses {
		v.Addresses = append(v.Addresses, addressView{a.GetString("ip"), a.GetBool("is_primary")})
	}
	if !whole {
		return v, nil
	}
	v.Steps = steps
	v.Abilities = s.abilities(app, svc)
	v.Activity, err = activity(app, svc)
	return v, err
}

// viewSale adds plan, price and renewal.
func (s *Subject) viewSale(app core.App, svc *core.Record, v *serviceView) error {
	sub, err := app.FindRecordById(collections.Subscriptions, svc.GetString("subscription"))
	if err != nil {
		return fmt.Errorf("service %s: subscription: %w", svc.Id, err)
	}
	plan, err := app.FindRecordById(collections.Plans, svc.GetString("plan"))
	if err != nil {
		return fmt.Errorf("service %s: plan: %w", svc.Id, err)
	}
	v.Plan, v.Cycle = planRef{plan.Id, plan.GetString("name")}, sub.GetString("cycle")
	if err := collections.ReadJSON(plan, "features", &v.Features); err != nil {
		return err
	}
	if v.Change, err = viewChange(app, svc, sub); err != nil {
		return err
	}
	if v.Status == string(provisioning.ServiceActive) || v.Status == string(provisioning.ServiceSuspended) {
		v.RenewsAt = optional(collections.Time(sub, "current_period_end"))
	}
	if v.Price, err = collections.Amount(sub, "amount_minor"); err != nil {
		return err
	}
	gone, err := s.deletion(app, svc, sub)
	if err != nil {
		return err
	}
	v.DeletesAt = optional(gone)
	announced, err := collections.AnnouncedPrice(app, sub.Id)
	if err == nil && announced != nil {
		v.NewPrice = &newPrice{announced.Amount, announced.At}
	}
	return err
}

// viewChange tells how a change of plan or options stands; nil when there is none.
func viewChange(app core.App, svc, sub *core.Record) (*planChangeView, error) {
	if !pendingChange(svc) {
		return nil, nil
	}
	to, err := app.FindRecordById(collections.Plans, sub.GetString("plan"))
	if err != nil {
		return nil, fmt.Errorf("service %s: plan to come: %w", svc.Id, err)
	}
	v := &planChangeView{planRef{to.Id, to.GetString("name")}, "working", collections.Time(svc, "change_since")}
	switch {
	case svc.GetBool("change_by_staff"):
		v.State = "staff"
	case statusOf(svc) != provisioning.ServiceActive:
		v.State = "waiting"
	}
	return v, nil
}

// display is the one word for a service's state that badges show.
func display(svc *core.Record, steps []step) string {
	switch provisioning.ServiceStatus(svc.GetString("status")) {
	case provisioning.ServicePending:
		return "waiting"
	case provisioning.ServiceProvisioning:
		for _, st := range steps {
			if st.State == "failed" {
				return "failed"
			}
		}
		return "building"
	case provisioning.ServiceSuspended:
		return "suspended"
	case provisioning.ServiceTerminated:
		return "terminated"
	case provisioning.ServiceActive:
		if svc.GetString("power") == string(provisioning.PowerStopped) {
			return "stopped"
		}
	}
	return "running"
}

// abilities lists what the platform of an active service can do.
func (s *Subject) abilities(app core.App, svc *core.Record) []string {
	list := []string{}
	a, err := s.adapter(app, svc)
	if err != nil || svc.GetString("platform_service_id") == "" {
		return list
	}
	if _, ok := a.(provisioning.Power); ok {
		list = append(list, "power")
	}
	if _, ok := a.(provisioning.PasswordResetter); ok {
		list = append(list, "reset_password")
	}
	if _, ok := a.(provisioning.Reinstaller); ok {
		list = append(list, actionReinstall)
	}
	if _, ok := a.(provisioning.SignInLinker); ok {
		list = append(list, "sign_in")
	}
	if _, ok := a.(provisioning.StatusReader); ok {
		list = append(list, "usage")
	}
	return list
}

// activity tells who did what, newest first. Failures are told in words of
// ours; the platform's own words are for staff.
func activity(app core.App, svc *core.Record) ([]activityView, error) {
	views := []activityView{}
	rows := []*core.Record{}
	err := app.RecordQuery(collections.ProvisioningLogs).AndWhere(dbx.HashExp{"service": svc.Id}).OrderBy("finished_at DESC", "rowid DESC").Limit(50).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("activity of service %s: %w", svc.Id, err)
	}
	for _, r := range rows {
		actor, _, _ := strings.Cut(r.GetString("actor"), ":")
		if actor == "customer" {
			actor = "you"
		}
		action := strings.TrimPrefix(r.GetString("action"), "service.")
		views = append(views, activityView{collections.Time(r, "finished_at"), action, actor, r.GetString("status"), ""})
	}
	return views, nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
