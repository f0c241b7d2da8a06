package dunning

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// longest is how far ahead staff may exempt or hold back: what is meant for ever
// is another policy, or a debt to write off.
const longest = 366 * 24 * time.Hour

type untilRequest struct {
	ID     string    `json:"-" path:"id"`
	Until  time.Time `json:"until,omitzero"` // absent ends it
	Reason string    `json:"reason"`
}

// Check wants a reason.
func (in untilRequest) Check(f *op.Fields) { needReason(f, in.Reason) }

// checkUntil bounds the end by the product's clock.
func (in untilRequest) checkUntil(now time.Time) error {
	if in.Until.IsZero() || in.Until.After(now) && in.Until.Before(now.Add(longest)) {
		return nil
	}
	return op.Fields{{Field: "until", Code: "out_of_range", Message: "The end must lie in the future, within a year; leave it out to end it now."}}.Problem()
}

type termsRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
	dunning.Overrides
}

// Check wants a reason.
func (in termsRequest) Check(f *op.Fields) { needReason(f, in.Reason) }

type stepRequest struct {
	ID     string `json:"-" path:"id"`
	Kind   string `json:"kind,omitzero"` // "" looks at the invoice now and does what is due
	Reason string `json:"reason"`
}

// Check knows the steps that staff may take before their time.
func (in stepRequest) Check(f *op.Fields) {
	f.Check(in.Kind == "" || early[dunning.Kind(in.Kind)], "kind", "unknown_kind", "kind must be charge, reminder, notice or late_fee, or be left out.")
	needReason(f, in.Reason)
}

// early are the steps that staff may take before their time. A suspension is not
// among them: staff suspends the service itself.
var early = map[dunning.Kind]bool{dunning.Charge: true, dunning.Reminder: true, dunning.Notice: true, dunning.LateFee: true}

type skipRequest struct {
	ID     string `json:"-" path:"id"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
}

// Check knows the steps that may be left out.
func (in skipRequest) Check(f *op.Fields) {
	f.Check(in.Kind != string(dunning.Charge) && early[dunning.Kind(in.Kind)], "kind", "unknown_kind", "kind must be reminder, notice or late_fee.")
	needReason(f, in.Reason)
}

func needReason(f *op.Fields, reason string) {
	f.Check(strings.TrimSpace(reason) != "" && len(reason) <= 500, "reason", "required", "Say why, in up to 500 characters; it is kept in the audit log.")
}

// storyView is what became of an invoice after an operation.
type storyView struct {
	Invoice string     `json:"invoice"`
	NextAt  *time.Time `json:"next_look_at"`
	Entries []whyEntry `json:"entries"`
}

func (s *Subject) staffOps(t *op.Table) {
	const invoice, customer = "/api/v1/staff/invoices/{id}/dunning", "/api/v1/staff/customers/{id}"
	op.Add(t, op.Spec{ID: "staff.dunning.show", Method: http.MethodGet, Path: invoice, Access: op.Staff, Summary: "What was and will be done to collect an invoice"}, s.showStory)
	op.Add(t, op.Spec{ID: "staff.dunning.pause", Method: http.MethodPost, Path: invoice + "/pause", Access: op.Staff, Summary: "Hold an invoice back until a date, or go on"}, s.pauseInvoice)
	op.Add(t, op.Spec{ID: "staff.dunning.run", Method: http.MethodPost, Path: invoice + "/run", Access: op.Staff, Summary: "Take the next step of a kind now, or all that is due"}, s.runStep)
	op.Add(t, op.Spec{ID: "staff.dunning.skip", Method: http.MethodPost, Path: invoice + "/skip", Access: op.Staff, Summary: "Leave the next reminder, notice or fee out"}, s.skipStep)
	op.Add(t, op.Spec{ID: "staff.customers.exempt", Method: http.MethodPost, Path: customer + "/exemption", Access: op.Staff, Summary: "Exempt a customer from fees, suspension and termination until a date, or end it"}, s.exempt)
	op.Add(t, op.Spec{ID: "staff.customers.terms", Method: http.MethodPut, Path: customer + "/dunning", Access: op.Staff, Summary: "Set the days agreed with one customer; what is left out follows the policy"}, s.setTerms)
}

func (s *Subject) showStory(r *op.Request, in byID) (storyView, error) { return s.story(r, in.ID) }

// story is an invoice's story as staff reads it.
func (s *Subject) story(r *op.Request, id string) (storyView, error) {
	inv, err := issuedInvoice(r.App, id)
	if err != nil {
		return storyView{}, err
	}
	c, err := Load(r.App, id, r.Now())
	if err != nil {
		return storyView{}, err
	}
	t := newTeller(r.App, "", r.Now())
	for _, e := range dunning.Timeline(c.Policy, c.Facts, r.Now()) {
		if err := t.tell(c, e); err != nil {
			return storyView{}, err
		}
	}
	return storyView{Invoice: id, NextAt: optional(collections.Time(inv, "next_step_at")), Entries: append([]whyEntry{}, t.told...)}, nil
}

// issuedInvoice finds an invoice that has left the state of a draft.
func issuedInvoice(app core.App, id string) (*core.Record, error) {
	inv, err := collections.First(app, collections.Invoices, dbx.HashExp{"id": id})
	if err != nil {
		return nil, err
	}
	if inv == nil || collections.InvoiceStatus(inv) == billing.InvoiceDraft {
		return nil, op.NotFound()
	}
	return inv, nil
}

// record writes the audit row of a staff operation.
func record(tx core.App, r *op.Request, action, resource, id string, changes map[string]any) error {
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: audit.Staff, Actor: r.Auth.Id, Action: action, Resource: resource, ResourceID: id, IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}

func (s *Subject) pauseInvoice(r *op.Request, in untilRequest) (storyView, error) {
	if err := in.checkUntil(r.Now()); err != nil {
		return storyView{}, err
	}
	inv, err := issuedInvoice(r.App, in.ID)
	if err != nil {
		return storyView{}, err
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().Update(collections.Invoices, dbx.Params{"pause_dunning_until": collections.Stamp(in.Until).String(), "next_step_at": collections.Stamp(r.Now()).String()},
			dbx.HashExp{"id": in.ID, "status": []any{string(billing.InvoiceOpen), string(billing.InvoiceUncollectible)}}).Execute()
		if err != nil {
			return fmt.Errorf("pause invoice %s: %w", in.ID, err)
		}
		return record(tx, r, "dunning.pause", collections.Invoices, in.ID, map[string]any{
			"until": map[string]any{"before": inv.GetString("pause_dunning_until"), "after": collections.Stamp(in.Until).String()}, "reason": in.Reason,
		})
	})
	if err != nil {
		return storyView{}, err
	}
	return s.storyAfter(r, in.ID)
}

// storyAfter looks at the invoice at once, so that staff sees what its change did.
func (s *Subject) storyAfter(r *op.Request, id string) (storyView, error) {
	if err := s.collect(r.Request.Context(), r.App, id, r.Now()); err != nil {
		return storyView{}, err
	}
	return s.story(r, id)
}

// planned finds the next step of a kind that is still to come.
func planned(c *Case, kind string, now time.Time) (dunning.Entry, error) {
	for _, e := range dunning.Timeline(c.Policy, c.Facts, now) {
		if e.Planned && e.Code == kind {
			if e.Hold != "" {
				return e, op.NewProblem(http.StatusConflict, "held", "This step cannot be taken now: "+strings.ReplaceAll(string(e.Hold), "_", " ")+".")
			}
			return e, nil
		}
	}
	return dunning.Entry{}, op.NewProblem(http.StatusConflict, "nothing_to_do", "There is no such step to come for this invoice.")
}

// runStep takes a step before its time, by the same path as the calendar.
func (s *Subject) runStep(r *op.Request, in stepRequest) (storyView, error) {
	inv, err := issuedInvoice(r.App, in.ID)
	if err != nil {
		return storyView{}, err
	}
	if in.Kind == string(dunning.Charge) { // a page that is open must not be paid as well
		if _, err := s.Close(r.Request.Context(), r.App, inv); err != nil {
			return storyView{}, op.NewProblem(http.StatusBadGateway, "gateway_unreachable", "The gateway did not answer, so nothing was charged. Please try again in a minute.").Because(err)
		}
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		if err := record(tx, r, "dunning.run", collections.Invoices, in.ID, map[string]any{"kind": in.Kind, "reason": in.Reason}); err != nil || in.Kind == "" {
			return err
		}
		c, err := Load(tx, in.ID, r.Now())
		if err != nil {
			return err
		}
		e, err := planned(c, in.Kind, r.Now())
		if err != nil {
			return err
		}
		done, err := s.take(tx, c, dunning.Step{Kind: dunning.Kind(in.Kind), N: e.N, Method: e.Method}, r.Now())
		if err == nil && !done {
			err = op.NewProblem(http.StatusConflict, "pending", "A payment for this invoice is under way; wait for its outcome.")
		}
		return err
	})
	if err != nil {
		return storyView{}, err
	}
	return s.storyAfter(r, in.ID)
}

// skipStep records a step as done without doing it. The notice that announces a
// suspension cannot be left out: nothing is suspended without it.
func (s *Subject) skipStep(r *op.Request, in skipRequest) (storyView, error) {
	if _, err := issuedInvoice(r.App, in.ID); err != nil {
		return storyView{}, err
	}
	err := r.App.RunInTransaction(func(tx core.App) error {
		c, err := Load(tx, in.ID, r.Now())
		if err != nil {
			return err
		}
		e, err := planned(c, in.Kind, r.Now())
		if err != nil {
			return err
		}
		if dunning.Kind(in.Kind) == dunning.Notice && c.announces(e.N) {
			return op.NewProblem(http.StatusConflict, "announcement", "This notice announces the suspension and cannot be left out. Pause the invoice, or exempt the customer until a date.")
		}
		d := detail{Skipped: true, Actor: "staff:" + r.Auth.Id, Note: in.Reason}
		if _, _, err := claim(tx, c, dunning.Kind(in.Kind), e.N, r.Now(), r.Now(), d); err != nil {
			return err
		}
		return record(tx, r, "dunning.skip", collections.Invoices, in.ID, map[string]any{"kind": in.Kind, "step": e.N, "reason": in.Reason})
	})
	if err != nil {
		return storyView{}, err
	}
	return s.storyAfter(r, in.ID)
}

// announces says whether overdue notice n is the one that a suspension waits for.
func (c *Case) announces(n int) bool {
	last := 1
	for i, day := range c.Policy.NoticeDays {
		if day <= c.Policy.SuspendDays {
			last = i + 1
		}
	}
	return c.Policy.SuspendDays > 0 && n == last
}

// customerView is what is agreed with a customer about collecting.
type customerView struct {
	Customer    string            `json:"customer"`
	ExemptUntil *time.Time        `json:"exempt_until"`
	Terms       dunning.Overrides `json:"terms"`
}

func (s *Subject) exempt(r *op.Request, in untilRequest) (customerView, error) {
	if err := in.checkUntil(r.Now()); err != nil {
		return customerView{}, err
	}
	return s.agree(r, in.ID, "dunning.exempt", in.Reason, func(profile *core.Record) { profile.Set("exempt_until", collections.Stamp(in.Until)) })
}

func (s *Subject) setTerms(r *op.Request, in termsRequest) (customerView, error) {
	policy, err := collections.LoadDunning(r.App)
	if err != nil {
		return customerView{}, err
	}
	if err := policy.With(in.Overrides).Check(); err != nil {
		field, _, _ := strings.Cut(err.Error(), " ")
		return customerView{}, op.Fields{{Field: strings.Trim(field, ":"), Code: "out_of_range", Message: err.Error() + "."}}.Problem()
	}
	return s.agree(r, in.ID, "dunning.terms", in.Reason, func(profile *core.Record) { profile.Set("dunning", in.Overrides) })
}

// agree changes a customer's billing profile, and what it had before goes into
// the audit log. The customer's open invoices are looked at again.
func (s *Subject) agree(r *op.Request, user, action, reason string, change func(profile *core.Record)) (customerView, error) {
	if known, err := collections.First(r.App, collections.Users, dbx.HashExp{"id": user}); err != nil || known == nil {
		return customerView{}, orNotFound(err)
	}
	err := r.App.RunInTransaction(func(tx core.App) error {
		profile, err := collections.First(tx, collections.BillingProfiles, dbx.HashExp{"user": user})
		if err != nil {
			return err
		}
		if profile == nil {
			if profile, err = collections.New(tx, collections.BillingProfiles); err != nil {
				return err
			}
			profile.Set("user", user)
		}
		before := map[string]string{"exempt_until": profile.GetString("exempt_until"), "dunning": profile.GetString("dunning")}
		change(profile)
		if err := collections.Save(tx, profile); err != nil {
			return fmt.Errorf("billing profile of %s: %w", user, err)
		}
		after := map[string]string{"exempt_until": profile.GetString("exempt_until"), "dunning": profile.GetString("dunning")}
		return record(tx, r, action, collections.BillingProfiles, profile.Id, map[string]any{"customer": user, "before": before, "after": after, "reason": reason})
	})
	if err != nil {
		return customerView{}, err
	}
	agreed, err := collections.LoadCollecting(r.App, user)
	return customerView{user, optional(agreed.ExemptUntil), agreed.Overrides}, err
}
