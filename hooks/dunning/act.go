package dunning

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
)

const (
	kindFee = "late_fee" // of invoices and of their line
	// PaymentFailed is the step that tells a customer of a declined charge; N is
	// the number of the automatic attempt. It follows from the attempt alone, so
	// the engine does not plan it.
	PaymentFailed dunning.Kind = "payment_failed"
)

// detail is what a step remembers, for its mail and for people.
type detail struct {
	On       time.Time `json:"on,omitzero"`       // when what the mail announces will happen
	Method   string    `json:"method,omitzero"`   // gateway's id of the saved method
	Services []string  `json:"services,omitzero"` // subscriptions acted on
	Invoice  string    `json:"invoice,omitzero"`  // of a late fee
	Reason   string    `json:"reason,omitzero"`   // the gateway's code of a decline
	Skipped  bool      `json:"skipped,omitzero"`  // staff left it out
	Actor    string    `json:"actor,omitzero"`    // who asked for it, if not the calendar
	Note     string    `json:"note,omitzero"`     // staff's own words
}

// announces names the step whose date a mail announces.
var announces = map[dunning.Kind]dunning.Kind{
	dunning.Reminder: dunning.Charge, dunning.Notice: dunning.Suspend, dunning.FinalWarning: dunning.Terminate, dunning.Suspend: dunning.Terminate,
}

// claim records a step under its unique key; fresh is false when it was taken
// before. A mail has no time until it was sent.
func claim(tx core.App, c *Case, kind dunning.Kind, n int, at, now time.Time, d detail) (id string, fresh bool, err error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return "", false, fmt.Errorf("detail: %w", err)
	}
	id, fresh, err = collections.Row(tx, collections.DunningSteps, now, dbx.Params{
		"user": c.Invoice.User, "invoice": c.Invoice.ID, "kind": string(kind), "step": n, "at": collections.Stamp(at).String(), "detail": string(raw),
	})
	if fresh {
		c.Facts.Done = append(c.Facts.Done, dunning.Done{Kind: kind, N: n, At: at})
	}
	return id, fresh, err
}

// take carries out one step in the transaction of tx. done is false when it was
// taken before or cannot be taken yet.
func (s *Subject) take(tx core.App, c *Case, step dunning.Step, now time.Time) (done bool, err error) {
	switch step.Kind {
	case dunning.Charge:
		return s.charge(tx, c, step)
	case dunning.Reminder, dunning.Notice, dunning.FinalWarning, dunning.AskAuthentication, dunning.AskNewMethod:
		return s.write(tx, c, step.Kind, step.N, now, detail{})
	case dunning.LateFee:
		return s.lateFee(tx, c, step.N, now, detail{})
	case dunning.Suspend, dunning.Unsuspend, dunning.Terminate:
		return s.switchAccess(tx, c, step, now)
	}
	return false, fmt.Errorf("no such kind of step")
}

// charge queues the charge of a saved method.
func (s *Subject) charge(tx core.App, c *Case, step dunning.Step) (bool, error) {
	invoice, err := tx.FindRecordById(collections.Invoices, c.Invoice.ID)
	if err != nil {
		return false, fmt.Errorf("invoice: %w", err)
	}
	method, err := tx.FindRecordById(collections.PaymentMethods, c.methods[step.Method])
	if err != nil {
		return false, fmt.Errorf("payment method: %w", err)
	}
	return s.Charge(tx, invoice, method, fmt.Sprintf("dunning:%s:%d", c.Invoice.ID, step.N))
}

// write claims a step that is a mail and queues it.
func (s *Subject) write(tx core.App, c *Case, kind dunning.Kind, n int, now time.Time, d detail) (bool, error) {
	if next, ok := announces[kind]; ok {
		if on, known := dunning.When(c.Policy, c.Facts, now, next); known {
			d.On = on.UTC()
		}
	}
	id, fresh, err := claim(tx, c, kind, n, time.Time{}, now, d)
	if err != nil || !fresh {
		return false, err
	}
	return true, s.Mail(tx, id, kind, n, c.Invoice)
}

// tellFailures writes to the customer about each charge that was declined. One
// that ends with the question for another method says so itself.
func (s *Subject) tellFailures(tx core.App, c *Case, now time.Time) (told bool, err error) {
	n := 0
	for i, a := range c.Facts.Attempts {
		if a.ByCustomer {
			continue
		}
		n++
		if a.Result != dunning.Soft && a.Result != dunning.Hard || c.did(PaymentFailed, n) || c.did(dunning.AskNewMethod, n+1) || c.Invoice.Status != billing.InvoiceOpen {
			continue
		}
		did, err := s.write(tx, c, PaymentFailed, n, now, detail{Method: a.Method, Reason: c.reasons[i]})
		if err != nil {
			return told, fmt.Errorf("%s %d: %w", PaymentFailed, n, err)
		}
		told = told || did
	}
	return told, nil
}

func (c *Case) did(kind dunning.Kind, n int) bool {
	for _, d := range c.Facts.Done {
		if d.Kind == kind && d.N == n {
			return true
		}
	}
	return false
}

// lateFee issues an invoice for the fee, once per invoice: the step is claimed
// first, and the database keeps a second fee out as well.
func (s *Subject) lateFee(tx core.App, c *Case, n int, now time.Time, d detail) (bool, error) {
	fee, err := c.Policy.LateFee.Of(c.Facts.Open)
	if err != nil || fee.Sign() <= 0 {
		return false, err
	}
	d.Invoice = core.GenerateDefaultRandomId()
	if _, fresh, err := claim(tx, c, dunning.LateFee, n, now, now, d); err != nil || !fresh {
		return false, err
	}
	session, err := s.Books.Open(tx, now)
	if err != nil {
		return false, err
	}
	line, err := billing.NewLine("Late fee for invoice "+c.Invoice.Number, 1, fee, billing.Period{})
	if err != nil {
		return false, err
	}
	issued, err := session.Issue(books.Invoice{
		ID: d.Invoice, User: c.Invoice.User, Kind: kindFee, Parent: c.Invoice.ID, Currency: fee.Currency(), AutoCharge: len(c.Facts.Methods) > 0,
		DueAt: now.AddDate(0, 0, max(session.Invoicing().MinTermDays, 1)),
		Lines: []billing.Line{{InvoiceLine: line, Kind: billing.LineLateFee, Detail: billing.Detail{Invoice: c.Invoice.Number}}},
	})
	if err != nil {
		return false, err
	}
	return true, audit.Write(tx, now, audit.Entry{
		ActorKind: audit.System, Action: "dunning.late_fee", Resource: collections.Invoices, ResourceID: c.Invoice.ID,
		Changes: map[string]any{"invoice": c.Invoice.Number, "fee": fee, "on": issued.Number},
	})
}
