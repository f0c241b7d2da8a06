// Package taxes keeps what is known of customers' VAT ids: they are written in
// one form, and the register is asked about each new one. Its answer decides
// later documents; a register that could not answer never changes what was known.
// Where a tax service decides in place of the table of rates, it is asked here.
package taxes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Deps is what taxes needs from outside.
type Deps struct {
	Now func() time.Time
	// Register makes a client of the register of VAT ids that asks in the name of
	// the seller's own id, "" for none. Nil means that there is no register.
	Register func(requester string) (tax.IDChecker, error)
	// Service is the tax service of a name, see tax.Policy.Calculator.
	Service func(app core.App, name string) (tax.Service, error)
}

// Subject is taxes bound to one app.
type Subject struct{ Deps }

const (
	jobCheck = "tax.vat_check"
	// retryAfter is how long to wait before a busy register is asked again; for so
	// many times, then it is left to staff.
	retryAfter = 30 * time.Minute
	mostTries  = 48
)

type checkPayload struct {
	ID string `json:"id"`
}

// Register binds the checks, their job and operations.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) *Subject {
	s := &Subject{deps}
	table.Again = s.Again
	worker.OnceMore(func(ctx context.Context, app core.App, err error) bool {
		again, _ := s.Again(ctx, app, err)
		return again
	})
	for _, on := range []*hook.TaggedHook[*core.RecordEvent]{app.OnRecordCreate(collections.UserProfiles), app.OnRecordUpdate(collections.UserProfiles)} {
		on.Bind(&hook.Handler[*core.RecordEvent]{Id: "taxesNormalize", Func: normalize})
	}
	for _, on := range []*hook.TaggedHook[*core.RecordEvent]{app.OnRecordCreateExecute(collections.UserProfiles), app.OnRecordUpdateExecute(collections.UserProfiles)} {
		on.Bind(&hook.Handler[*core.RecordEvent]{Id: "taxesAsk", Func: s.ask})
	}
	worker.Handle(jobCheck, s.check)
	op.Add(table, op.Spec{ID: "staff.vat_check", Method: http.MethodPost, Path: "/api/v1/staff/customers/{id}/vat-check", Access: op.Staff, Summary: "Ask the register again about a customer's VAT id"}, s.again)
	op.Add(table, op.Spec{ID: "staff.tax_rates.seed", Method: http.MethodPost, Path: "/api/v1/staff/tax-rates/standard", Access: op.Staff, Summary: "Add the standard VAT rates of the Union's member states that the table lacks"}, s.seedRates)
	return s
}

// normalize writes a VAT id in its one form and refuses a mistyped one. Tax
// numbers of countries we know no rules for stay as they are typed.
func normalize(e *core.RecordEvent) error {
	text := e.Record.GetString("tax_id")
	if text == "" || text == e.Record.Original().GetString("tax_id") && e.Record.GetString("country") == e.Record.Original().GetString("country") {
		return e.Next()
	}
	id, err := vatid.Parse(text, e.Record.GetString("country"))
	switch {
	case err == nil:
		e.Record.Set("tax_id", id.String())
	case !errors.Is(err, vatid.ErrCountry):
		return apis.NewBadRequestError("tax_id: "+err.Error()+".", nil)
	}
	return e.Next()
}

// ask queues the question about a new VAT id, in the transaction that saves it.
func (s *Subject) ask(e *core.RecordEvent) error {
	before := e.Record.Original().GetString("tax_id")
	if err := e.Next(); err != nil {
		return err
	}
	id := e.Record.GetString("tax_id")
	if id == "" || id == before {
		return nil
	}
	return s.enqueue(e.App, e.Record.GetString("user"), id)
}

func (s *Subject) enqueue(app core.App, user, id string) error {
	parsed, err := vatid.Parse(id, "")
	if s.Register == nil || err != nil || !parsed.InVIES() {
		return nil //nolint:nilerr // an id that no register answers for is nobody's question
	}
	_, err = jobs.Enqueue(app, s.Now(), jobs.Job{Kind: jobCheck, Key: jobCheck + ":" + user + ":" + id, User: user, Actor: audit.System, Payload: checkPayload{id}})
	return err
}

// check asks the register and keeps what it says. Asking changes nothing there,
// so it may be repeated freely.
func (s *Subject) check(r *jobs.Run) error {
	p := checkPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	seller, err := collections.LoadSeller(r.App)
	if err != nil {
		return err
	}
	requester := ""
	if own, err := vatid.Parse(seller.VATID, seller.Country); err == nil && own.InVIES() {
		requester = own.String()
	}
	register, err := s.Register(requester)
	if err != nil {
		return fmt.Errorf("register of VAT ids: %w", err)
	}
	answer := register.CheckID(r.Context(), p.ID, r.Now())
	if err := s.keep(r.App, r.User, answer); err != nil {
		return err
	}
	if answer.Status == tax.IDUnchecked && answer.Retry && r.Now().Sub(r.Queued) < mostTries*retryAfter {
		return jobs.Later(retryAfter)
	}
	return nil
}

// keep stores an answer by the engine's rule: a verdict replaces what was known,
// "could not check" never does.
func (s *Subject) keep(app core.App, user string, answer tax.IDCheck) error {
	return app.RunInTransaction(func(tx core.App) error {
		customer, err := collections.LoadCustomer(tx, user)
		if err != nil {
			return err
		}
		if customer.Buyer.TaxID != answer.ID {
			return nil // the customer has another id by now
		}
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
		before := customer.Profile.VAT
		after := before.After(answer)
		profile.Set("vat_check", after)
		if err := collections.Save(tx, profile); err != nil {
			return fmt.Errorf("keep the answer about %s: %w", answer.ID, err)
		}
		if before.Status == after.Status && before.ID == after.ID {
			return nil
		}
		return audit.Write(tx, s.Now(), audit.Entry{
			ActorKind: audit.System, Action: "tax.vat_check", Resource: collections.Users, ResourceID: user,
			Changes: map[string]any{"vat_id": answer.ID, "status": map[string]string{"before": string(before.Status), "after": string(after.Status)}, "consultation": after.Consultation},
		})
	})
}

type againRequest struct {
	ID string `json:"-" path:"id"`
}

type againAnswer struct {
	Asked bool   `json:"asked"`
	VATID string `json:"vat_id"`
}

func (s *Subject) again(r *op.Request, in againRequest) (againAnswer, error) {
	customer, err := collections.LoadCustomer(r.App, in.ID)
	if errors.Is(err, collections.ErrNotYours) {
		return againAnswer{}, op.NotFound()
	}
	if err != nil {
		return againAnswer{}, err
	}
	answer := againAnswer{VATID: customer.Buyer.TaxID}
	if parsed, err := vatid.Parse(answer.VATID, ""); err != nil || !parsed.InVIES() || s.Register == nil {
		return answer, op.NewProblem(http.StatusConflict, "no_register", "No register answers for this customer's VAT id.")
	}
	answer.Asked = true
	return answer, s.enqueue(r.App, in.ID, answer.VATID)
}
