package payments

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// A page may be opened over several invoices. It is an attempt of the first of
// them, for the sum; each of the others has an attempt that stands for the page,
// so that it too has one live attempt at most. The money is received once, on
// the first invoice; what is above its due becomes credit and pays the others in
// their order, in the same transaction.
const (
	massKey = "pages:" // of the attempt that holds the page; a random id follows
	partKey = "part:"  // of those that stand for it; its id and their place follow
)

// mass reports whether an attempt holds a page over several invoices.
func (a *attempt) mass() bool { return strings.HasPrefix(a.Key, massKey) }

// part reports whether an attempt stands for the page of another invoice's.
func (a *attempt) part() bool { return strings.HasPrefix(a.Key, partKey) }

// whole is the attempt that holds the page which a stands for, or a itself.
func (a *attempt) whole(app core.App) (*attempt, error) {
	if !a.part() {
		return a, nil
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(a.Key, partKey), ":")
	holder, err := findAttempt(app, "`id` = {:id}", dbx.Params{"id": id})
	if err == nil && holder == nil {
		err = fmt.Errorf("attempt %s stands for %s, which is gone", a.ID, id)
	}
	return holder, err
}

// parts is the condition for the attempts that stand for a page, a range of the
// index over keys.
const parts = "`idempotency_key` >= {:from} AND `idempotency_key` < {:to}"

func partsOf(id string) dbx.Params {
	return dbx.Params{"from": partKey + id + ":", "to": partKey + id + ";"}
}

// OpenMassPage returns a hosted page on which several open invoices of one
// customer are paid in one go; what is open for one of them is closed first.
// Errors: ErrPending, billing's gateway errors.
func (s *Subject) OpenMassPage(ctx context.Context, app core.App, invoices []*core.Record, kind string) (string, error) {
	gateway, err := s.gateway(app, kind)
	if err != nil {
		return "", err
	}
	for _, inv := range invoices {
		closed, err := s.CloseAll(ctx, app, inv)
		if err != nil {
			return "", err
		}
		if !closed {
			return "", fmt.Errorf("invoice %s: %w", inv.GetString("number"), ErrPending)
		}
	}
	var holder *attempt
	err = app.RunInTransaction(func(tx core.App) error {
		holder, err = s.beginMass(tx, invoices, kind)
		return err
	})
	if err != nil || holder == nil {
		return "", err
	}
	return s.open(ctx, app, gateway, holder)
}

// beginMass writes the intents: the attempt over the sum and those that stand
// for it. It returns nil when nothing is due any more.
func (s *Subject) beginMass(tx core.App, invoices []*core.Record, kind string) (*attempt, error) {
	now, owed := s.Now(), []*core.Record{}
	sum := int64(0)
	for _, inv := range invoices {
		fresh, err := tx.FindRecordById(collections.Invoices, inv.Id)
		if err != nil {
			return nil, fmt.Errorf("invoice %s: %w", inv.Id, err)
		}
		if collections.InvoiceStatus(fresh) != billing.InvoiceOpen {
			continue
		}
		if err := elsewhere(tx, fresh.Id); err != nil {
			return nil, err
		}
		if live, err := liveAttempt(tx, fresh.Id); err != nil || live != nil {
			return nil, errors.Join(err, fmt.Errorf("invoice %s: %w", fresh.GetString("number"), ErrPending))
		}
		owed, sum = append(owed, fresh), sum+fresh.GetInt64("due_minor")
	}
	if len(owed) == 0 {
		return nil, nil
	}
	holder := pageAttempt(owed[0], kind, now)
	holder.Key, holder.Minor = massKey+core.GenerateDefaultRandomId(), sum
	err := holder.checkSize()
	if err != nil {
		return nil, err
	}
	if holder.ID, _, err = collections.Row(tx, collections.PaymentTransactions, now, row(holder)); err != nil {
		return nil, err
	}
	for i, inv := range owed[1:] {
		a := pageAttempt(inv, kind, now)
		a.Key, a.Status = fmt.Sprintf("%s%s:%03d", partKey, holder.ID, i), attemptOpen
		if _, _, err := collections.Row(tx, collections.PaymentTransactions, now, row(a)); err != nil {
			return nil, err
		}
	}
	return &holder, nil
}

// title names the invoices of a page, as far as a gateway shows them.
func (a *attempt) title(app core.App, first string) (string, error) {
	others := []string{}
	err := app.DB().NewQuery("SELECT `number` FROM `invoices` WHERE `id` IN (SELECT `invoice` FROM `payment_transactions` WHERE " + parts + ") ORDER BY `issued_at`, `seq`").Bind(partsOf(a.ID)).Column(&others)
	if err != nil {
		return "", fmt.Errorf("invoices on the page of attempt %s: %w", a.ID, err)
	}
	all := strings.Join(append([]string{first}, others...), ", ")
	if len(all) > 120 {
		all = fmt.Sprintf("%s and %d more", first, len(others))
	}
	return all, nil
}

// opened lets the attempts that stand for a page lead to it.
func (a *attempt) opened(tx core.App, page billing.Page, now time.Time) error {
	if !a.mass() {
		return nil
	}
	params := partsOf(a.ID)
	params["url"], params["expires"], params["now"] = page.URL, collections.Stamp(page.ExpiresAt).String(), collections.Stamp(now).String()
	_, err := tx.DB().NewQuery("UPDATE `payment_transactions` SET `page_url` = {:url}, `page_expires_at` = {:expires}, `updated` = {:now} WHERE " + parts).Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("invoices on the page of attempt %s: %w", a.ID, err)
	}
	return nil
}

// lead makes the attempts that stand for a page stand as it does, as long as
// they are live.
func (a *attempt) lead(app core.App, now time.Time, status string) error {
	params := partsOf(a.ID)
	params["status"], params["now"] = status, collections.Stamp(now).String()
	if status == attemptSucceeded || status == attemptFailed {
		params["status"] = attemptCancelled // what they stood for is over
	}
	_, err := app.DB().NewQuery("UPDATE `payment_transactions` SET `status` = {:status}, `updated` = {:now} WHERE " + parts + " AND `status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')").Bind(params).Execute()
	if err == nil { // dunning looks at them at its next run
		_, err = app.DB().NewQuery("UPDATE `invoices` SET `next_step_at` = {:now} WHERE `status` = 'open' AND `id` IN (SELECT `invoice` FROM `payment_transactions` WHERE " + parts + ")").Bind(params).Execute()
	}
	if err != nil {
		return fmt.Errorf("invoices on the page of attempt %s: %w", a.ID, err)
	}
	return nil
}

// spread pays the other invoices of a page from what it brought beyond the first
// one's due, and returns what is left as credit.
func (s *Subject) spread(tx core.App, now time.Time, a *attempt, excess money.Amount) (money.Amount, error) {
	if !a.mass() {
		return excess, nil
	}
	others := []string{}
	if err := tx.DB().NewQuery("SELECT `invoice` FROM `payment_transactions` WHERE " + parts + " ORDER BY `idempotency_key`").Bind(partsOf(a.ID)).Column(&others); err != nil {
		return excess, fmt.Errorf("invoices on the page of attempt %s: %w", a.ID, err)
	}
	for _, id := range others {
		if excess.Sign() <= 0 {
			break
		}
		spent, err := s.Books.SpendCredit(tx, now, id, excess)
		if err != nil {
			return excess, err
		}
		if excess, err = excess.Sub(spent); err != nil {
			return excess, err
		}
	}
	return excess, a.lead(tx, now, attemptSucceeded)
}
