package invoices

import (
	"fmt"
	"math"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

const (
	jobTopUp = "invoice.topup.expire"
	// topUpMargin lets the gateway's own page expire first.
	topUpMargin = 2 * time.Minute
	// topUpRetry is how long to wait while a payment may still arrive.
	topUpRetry = 10 * time.Minute
	// mostTopUp bounds a single top-up, in whole units of the currency.
	mostTopUp = 10_000
)

type topUpRequest struct {
	ClientKey string `json:"client_key"`
	Amount    int64  `json:"amount_minor"`
	Currency  string `json:"currency,omitzero"` // the customer's own unless they have none
	Gateway   string `json:"gateway,omitzero"`
	Method    string `json:"method,omitzero"` // a saved method's id; "" opens a page
}

// Check refuses what no top-up could be made from.
func (in topUpRequest) Check(f *op.Fields) {
	f.Check(len(in.ClientKey) >= 8 && len(in.ClientKey) <= 80, "client_key", "invalid", "client_key must have 8 to 80 characters; use a random one per top-up.")
	f.Check(in.Amount > 0, "amount_minor", "out_of_range", "The amount must be positive, in minor units of the currency.")
}

type topUpAnswer struct {
	Invoice invoiceView     `json:"invoice"`
	Payment billing.Payment `json:"payment"`
}

// buyCredit issues an invoice over credit and opens its payment. What is paid of
// it becomes credit; nothing is owed if it is not, and it is cancelled by itself.
func (s *subject) buyCredit(r *op.Request, in topUpRequest) (topUpAnswer, error) {
	if in.Method == "" {
		if err := s.checkGateway(r.App, in.Gateway); err != nil {
			return topUpAnswer{}, err
		}
	} else if _, err := s.ownMethod(r, in.Method); err != nil {
		return topUpAnswer{}, err
	}
	id := idOf("topup", r.Auth.Id+"\n"+in.ClientKey)
	err := r.App.RunInTransaction(func(tx core.App) error {
		if earlier, err := collections.First(tx, collections.Invoices, dbx.HashExp{"id": id}); err != nil || earlier != nil {
			return err
		}
		return s.issueTopUp(tx, r, id, in)
	})
	if err != nil {
		return topUpAnswer{}, err
	}
	inv, err := r.App.FindRecordById(collections.Invoices, id)
	if err != nil {
		return topUpAnswer{}, fmt.Errorf("top-up %s: %w", id, err)
	}
	paid, err := s.payOne(r, inv, in.Gateway, in.Method)
	if err != nil {
		return topUpAnswer{}, err
	}
	view, err := s.wholeInvoice(r.App, inv, r.Now())
	return topUpAnswer{view, paid.Payment}, err
}

func (s *subject) issueTopUp(tx core.App, r *op.Request, id string, in topUpRequest) error {
	user, err := tx.FindRecordById(collections.Users, r.Auth.Id)
	if err != nil {
		return fmt.Errorf("customer %s: %w", r.Auth.Id, err)
	}
	currency, err := currencyFor(user, in.Currency)
	if err != nil {
		return err
	}
	amount, err := topUpAmount(in.Amount, currency)
	if err != nil {
		return err
	}
	line, err := billing.NewLine("Credit", 1, amount, billing.Period{})
	if err != nil {
		return err
	}
	ordering, err := collections.LoadOrdering(tx)
	if err != nil {
		return err
	}
	hold := ordering.Hold(in.Gateway)
	due := r.Now()
	if in.Gateway == "manual" {
		due = due.Add(hold)
	}
	doc, err := s.issue(tx, draft{now: r.Now(), Invoice: books.Invoice{
		ID: id, User: user.Id, Kind: books.KindTopUp, Currency: currency, DueAt: due, Lines: []billing.Line{{InvoiceLine: line, Kind: billing.LineTopUp}},
	}})
	if err != nil {
		return err
	}
	_, err = jobs.Enqueue(tx, r.Now(), jobs.Job{
		Kind: jobTopUp, Key: jobTopUp + ":" + id, Serial: "invoice:" + id, User: user.Id, Actor: audit.System, At: r.Now().Add(hold + topUpMargin), Payload: topUpPayload{id},
	})
	if err != nil {
		return err
	}
	return s.record(tx, r, "credit.top_up", id, map[string]any{"number": doc.Number, "amount": amount})
}

// topUpAmount is the amount if a single top-up may be that large.
func topUpAmount(minor int64, currency string) (money.Amount, error) {
	exponent, _ := money.Exponent(currency)
	most := money.Must(mostTopUp*int64(math.Pow10(exponent)), currency)
	if minor > most.Minor() {
		return most, op.Fields{{Field: "amount_minor", Message: "At most " + most.Format("en") + " at a time.", Code: "out_of_range"}}.Problem()
	}
	return money.New(minor, currency)
}

type topUpPayload struct {
	Invoice string `json:"invoice"`
}

// expireTopUp cancels a top-up that nobody paid. As long as its page could still
// be paid, or money is on its way, it stays.
func (s *subject) expireTopUp(r *jobs.Run) error {
	p := topUpPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	inv, err := collections.First(r.App, collections.Invoices, dbx.HashExp{"id": p.Invoice})
	if err != nil || inv == nil || collections.InvoiceStatus(inv) != billing.InvoiceOpen {
		return err
	}
	closed, err := s.Close(r.Context(), r.App, inv)
	if err != nil {
		return fmt.Errorf("expire top-up %s: %w", inv.GetString("number"), err)
	}
	if !closed {
		return jobs.Later(topUpRetry)
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		d, err := books.Read(tx, inv.Id)
		if err != nil || d.Status != billing.InvoiceOpen {
			return err
		}
		if d.Paid.Sign() > 0 { // what was paid is credit already; the rest is not wanted
			err = s.Books.WriteOff(tx, r.Now(), inv.Id)
		} else {
			err = s.Books.Void(tx, r.Now(), inv.Id)
		}
		if err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.System, Action: "credit.top_up_expired", Resource: collections.Invoices, ResourceID: inv.Id, Changes: map[string]any{"number": d.Number}})
	})
}
