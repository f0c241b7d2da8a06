package renewals

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
)

// Mirror invoices period n of a subscription that a gateway bills: p is the period
// as the gateway counts it. Nobody is asked to pay the invoice, no method is
// charged for it and no credit is spent on it. The database refuses the same period
// twice.
func (s *Subject) Mirror(tx core.App, now time.Time, id string, n int, p billing.Period) (books.Document, error) {
	session, err := s.Books.Open(tx, now)
	if err != nil {
		return books.Document{}, err
	}
	sub, err := loadOne(tx, id, now)
	if err != nil {
		return books.Document{}, err
	}
	due, err := sub.renewal.Owed(n, p)
	if err != nil {
		return books.Document{}, fmt.Errorf("subscription %s, period %d: %w", id, n, err)
	}
	b := &bill{}
	b.add(sub, due)
	d, err := session.Issue(books.Invoice{User: sub.User, Kind: "renewal", Currency: sub.Currency, Lines: b.lines, DueAt: p.Start, NoCredit: true})
	if err != nil {
		return d, fmt.Errorf("subscription %s, period %d: %w", id, n, err)
	}
	return d, nil
}

// Price is what a period of a subscription that begins at start will cost, with
// today's taxes, whoever bills it.
func Price(app core.App, id string, start, now time.Time) (money.Amount, error) {
	sub, err := loadOne(app, id, now)
	if err != nil {
		return money.Amount{}, err
	}
	p, err := billing.PeriodAt(start, sub.renewal.Schedule.Cycle, 0)
	if err != nil {
		return money.Amount{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	due, err := sub.renewal.Owed(sub.NextPeriod, p)
	if err != nil {
		return money.Amount{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	return total(app, sub.User, due.Document(id, sub.renewal.Schedule.Cycle), now)
}

// Reanchor makes a subscription's periods be counted from start on, where the next
// one begins; discounts go on with what is left of them. It does not save.
func Reanchor(sub *core.Record, start time.Time) error {
	terms, err := billing.ParseDiscounts([]byte(sub.GetString("discounts")))
	if err != nil {
		return fmt.Errorf("subscription %s: %w", sub.Id, err)
	}
	left, err := json.Marshal(billing.RebaseAll(terms, sub.GetInt("next_period")))
	if err != nil {
		return fmt.Errorf("subscription %s: %w", sub.Id, err)
	}
	sub.Load(map[string]any{"anchor": collections.Stamp(start), "next_period": 0, "discounts": string(left)})
	return nil
}
