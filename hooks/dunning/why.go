package dunning

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

// Next is the next invoice of a subscription, if nothing changes until then.
type Next struct {
	Reason billing.RenewalReason // why there is none
	At     time.Time             // when it is made
	DueAt  time.Time
	Period billing.Period
	Total  money.Amount
	Auto   bool // whether a saved method is charged for it
}

type byID struct {
	ID string `json:"-" path:"id"`
}

// whyView explains one service: what was and what will be done about it, in
// order. What is planned happens if nothing changes until then.
type whyView struct {
	Service      string     `json:"service"`
	Subscription string     `json:"subscription"`
	Status       string     `json:"status"` // of the subscription
	Access       string     `json:"access"`
	Hold         string     `json:"hold"` // why the service is off, "" while it is on
	PaidThrough  *time.Time `json:"paid_through"`
	Biller       billerView `json:"billed_by"`
	Next         nextView   `json:"next_invoice"`
	Entries      []whyEntry `json:"entries"`
}

// billerView says who bills: we, or a gateway by its own calendar.
type billerView struct {
	Owner   string     `json:"owner"`   // "platform" or "gateway"
	Gateway string     `json:"gateway"` // "" where the owner is the platform
	NextAt  *time.Time `json:"next_payment_at"`
	Ends    bool       `json:"ends"` // the gateway takes no further payment
}

type nextView struct {
	At          *time.Time    `json:"at"`
	DueAt       *time.Time    `json:"due_at"`
	PeriodStart *time.Time    `json:"period_start"`
	PeriodEnd   *time.Time    `json:"period_end"`
	Total       *money.Amount `json:"total"`
	Reason      string        `json:"reason"` // why there is none
	Text        string        `json:"text"`
}

// whyEntry is one line of the story.
type whyEntry struct {
	At       *time.Time    `json:"at"` // null where it cannot be foretold
	Code     string        `json:"code"`
	Planned  bool          `json:"planned"`
	Invoice  string        `json:"invoice"` // id; "" for the next one and for what is about none
	Number   string        `json:"number"`
	N        int           `json:"n"`
	Amount   *money.Amount `json:"amount"`
	Method   string        `json:"method"`
	Result   string        `json:"result"`
	Hold     string        `json:"hold"` // what is in the way
	Until    *time.Time    `json:"until"`
	Text     string        `json:"text"`
	HoldText string        `json:"hold_text"`
}

func (s *Subject) whyOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "services.why", Method: http.MethodGet, Path: "/api/v1/services/{id}/why", Access: op.Customer, Summary: "What was and will be invoiced, charged and switched off, and when"}, s.whyService)
	op.Add(t, op.Spec{ID: "staff.services.why", Method: http.MethodGet, Path: "/api/v1/staff/services/{id}/why", Access: op.Staff, Summary: "The same for staff, of any service"}, s.whyForStaff)
	op.Add(t, op.Spec{ID: "subscriptions.why", Method: http.MethodGet, Path: "/api/v1/subscriptions/{id}/why", Access: op.Customer, Summary: "The same by subscription"}, s.whySubscription)
	op.Add(t, op.Spec{ID: "staff.subscriptions.why", Method: http.MethodGet, Path: "/api/v1/staff/subscriptions/{id}/why", Access: op.Staff, Summary: "The same for staff, of any subscription"}, s.whySubscriptionForStaff)
}

func (s *Subject) whyService(r *op.Request, in byID) (whyView, error) {
	svc, err := collections.Owned(r.App, collections.Services, in.ID, r.Auth.Id)
	if err != nil {
		return whyView{}, err
	}
	return s.why(r, svc.GetString("subscription"), r.Auth.GetString("locale"))
}

func (s *Subject) whySubscription(r *op.Request, in byID) (whyView, error) {
	sub, err := collections.Owned(r.App, collections.Subscriptions, in.ID, r.Auth.Id)
	if err != nil {
		return whyView{}, err
	}
	return s.why(r, sub.Id, r.Auth.GetString("locale"))
}

func (s *Subject) whyForStaff(r *op.Request, in byID) (whyView, error) {
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"id": in.ID})
	if err != nil || svc == nil {
		return whyView{}, orNotFound(err)
	}
	return s.why(r, svc.GetString("subscription"), locales.Default)
}

func (s *Subject) whySubscriptionForStaff(r *op.Request, in byID) (whyView, error) {
	sub, err := collections.First(r.App, collections.Subscriptions, dbx.HashExp{"id": in.ID})
	if err != nil || sub == nil {
		return whyView{}, orNotFound(err)
	}
	return s.why(r, sub.Id, locales.Default)
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return op.NotFound()
}

// why explains one subscription and its service.
func (s *Subject) why(r *op.Request, id, lang string) (whyView, error) {
	sub, err := r.App.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return whyView{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	svc, err := collections.First(r.App, collections.Services, dbx.HashExp{"subscription": id})
	if err != nil {
		return whyView{}, err
	}
	v := whyView{
		Subscription: id, Status: sub.GetString("status"), Access: sub.GetString("access"), PaidThrough: optional(collections.Time(sub, "current_period_end")), Entries: []whyEntry{},
	}
	if svc != nil {
		v.Service, v.Hold = svc.Id, svc.GetString("hold")
	}
	t := newTeller(r.App, lang, r.Now())
	t.staff = r.Auth != nil && r.Auth.IsSuperuser()
	if err := t.invoices(id); err != nil {
		return v, err
	}
	next, err := s.Foretell(r.App, id, r.Now())
	if err != nil {
		return v, err
	}
	if v.Next, err = t.next(sub, next); err != nil {
		return v, err
	}
	if v.Biller, err = t.biller(sub, &v.Next); err != nil {
		return v, err
	}
	if err := t.life(sub, svc); err != nil {
		return v, err
	}
	v.Entries = append(v.Entries, t.told...)
	slices.SortStableFunc(v.Entries, inOrder)
	return v, nil
}

// inOrder puts the past before the plan, each in order of time, and what has no
// date last.
func inOrder(a, b whyEntry) int {
	switch {
	case a.Planned != b.Planned && b.Planned:
		return -1
	case a.Planned != b.Planned:
		return 1
	case a.At == nil && b.At == nil:
		return 0
	case a.At == nil:
		return 1
	case b.At == nil:
		return -1
	}
	return a.At.Compare(*b.At)
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// biller tells who bills, and of a gateway when it charges next.
func (t *teller) biller(sub *core.Record, next *nextView) (billerView, error) {
	v := billerView{Owner: sub.GetString("billing_owner")}
	if v.Owner != "gateway" {
		return v, nil
	}
	v.Gateway = sub.GetString("gateway")
	row, err := collections.First(t.app, collections.Agreements, dbx.HashExp{"subscription": sub.Id, "status": "following"})
	if err != nil || row == nil {
		return v, err
	}
	v.Ends = row.GetBool("ends")
	at := collections.Time(row, "next_payment_at")
	if v.NextAt = optional(at); v.NextAt != nil && next.Reason == string(billing.RenewalGateway) {
		next.Text = t.text.Text("why.gateway.next", "gateway", collections.GatewayName(v.Gateway), "at", t.text.Date(at))
	}
	return v, nil
}

// next tells of the invoice to come, and of what will follow if nobody pays it.
func (t *teller) next(sub *core.Record, n Next) (nextView, error) {
	if n.Reason == billing.RenewalUnpaid {
		n.At = time.Time{} // a payment decides, not a date
	}
	if n.Reason != billing.RenewalDue {
		return nextView{At: optional(n.At), Reason: string(n.Reason), Text: t.text.Text("why.none." + string(n.Reason))}, nil
	}
	issued := whyEntry{At: optional(n.At), Code: "issued", Planned: true, Amount: &n.Total}
	issued.Text = t.text.Text("why.issued.plan", "invoice", t.text.Text("why.next"), "amount", t.text.Money(n.Total), "from", t.text.Date(n.Period.Start), "to", t.text.Date(n.Period.End))
	t.told = append(t.told, issued)
	v := nextView{
		At: optional(n.At), DueAt: optional(n.DueAt), PeriodStart: optional(n.Period.Start), PeriodEnd: optional(n.Period.End), Total: &n.Total, Text: issued.Text,
	}
	if n.Total.Sign() <= 0 {
		return v, nil
	}
	c, err := imagine(t.app, sub, n)
	if err != nil {
		return v, err
	}
	return v, t.plan(c, n.At)
}
