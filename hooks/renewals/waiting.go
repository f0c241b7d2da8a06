package renewals

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// waitingRow is something to be billed that is no period: overage, late usage,
// what staff entered.
type waitingRow struct {
	ID           string `db:"id"`
	Subscription string `db:"subscription"`
	Kind         string `db:"kind"`
	Description  string `db:"description"`
	Quantity     int64  `db:"quantity"`
	Currency     string `db:"currency"`
	Unit         int64  `db:"unit_minor"`
	Amount       int64  `db:"amount_minor"`
	Start        string `db:"period_start"`
	End          string `db:"period_end"`
	Detail       string `db:"detail"`
}

// waiting lists those of some customers for whom something waits to be billed.
func waiting(tx core.App, users []string) ([]string, error) {
	list, err := json.Marshal(users)
	if err != nil {
		return nil, fmt.Errorf("what waits to be billed: %w", err)
	}
	found := []string{}
	err = collections.Statement(tx, "SELECT DISTINCT `user` FROM `billable_items` WHERE `user` IN (SELECT `value` FROM json_each({:users})) AND `status` = 'pending'").
		Bind(dbx.Params{"users": string(list)}).Column(&found)
	if err != nil {
		return nil, fmt.Errorf("what waits to be billed: %w", err)
	}
	return found, nil
}

// addWaiting puts what waits to be billed of a customer on the first bill in its
// currency.
func (r *run) addWaiting(user string, bills []*bill) error {
	rows := []waitingRow{}
	err := collections.Statement(r.tx, "SELECT `id`, `subscription`, `kind`, `description`, `quantity`, `currency`, `unit_minor`, `amount_minor`, `period_start`, `period_end`, IFNULL(`detail`, '') AS `detail`"+
		" FROM `billable_items` WHERE `user` = {:user} AND `status` = 'pending' ORDER BY `rowid`").Bind(dbx.Params{"user": user}).All(&rows)
	if err != nil {
		return fmt.Errorf("what waits to be billed: %w", err)
	}
	for _, row := range rows {
		for _, b := range bills {
			if b.currency != row.Currency {
				continue
			}
			line, err := row.line()
			if err != nil {
				return fmt.Errorf("item %s: %w", row.ID, err)
			}
			b.lines, b.items = append(b.lines, line), append(b.items, row.ID)
			break
		}
	}
	return nil
}

var waitingKinds = map[string]billing.LineKind{"usage": billing.LineUsage, "hourly": billing.LineHourly, "manual": billing.LineManual, "setup": billing.LineSetup}

func (w waitingRow) line() (billing.Line, error) {
	unit, err := money.New(w.Unit, w.Currency)
	if err != nil {
		return billing.Line{}, err
	}
	amount, err := money.New(w.Amount, w.Currency)
	if err != nil {
		return billing.Line{}, err
	}
	l := billing.Line{
		InvoiceLine: billing.InvoiceLine{Description: w.Description, Quantity: w.Quantity, UnitPrice: unit, Amount: amount},
		Kind:        waitingKinds[w.Kind], Subscription: w.Subscription,
	}
	if l.Period.Start, err = collections.ParseStamp(w.Start); err != nil {
		return l, err
	}
	if l.Period.End, err = collections.ParseStamp(w.End); err != nil {
		return l, err
	}
	if w.Detail != "" && w.Detail != "null" {
		if err := json.Unmarshal([]byte(w.Detail), &l.Detail); err != nil {
			return l, fmt.Errorf("detail: %w", err)
		}
	}
	return l, nil
}

// billed notes on which invoice items are.
func (r *run) billed(items []string, invoice string) error {
	for _, id := range items {
		_, err := collections.Statement(r.tx, "UPDATE `billable_items` SET `status` = 'invoiced', `invoice` = {:invoice}, `updated` = {:now} WHERE `id` = {:id} AND `status` = 'pending'").
			Bind(dbx.Params{"id": id, "invoice": invoice, "now": collections.Stamp(r.now).String()}).Execute()
		if err != nil {
			return fmt.Errorf("item %s is invoiced: %w", id, err)
		}
	}
	return nil
}

// billWaiting invoices what waits and may wait no longer, for customers whose
// renewals did not take it along.
func (s *Subject) billWaiting(ctx context.Context, app core.App, now time.Time) error {
	const most = 100 // are listed at once
	for last := int64(0); ctx.Err() == nil; {
		users := []struct {
			User string `db:"user"`
			Row  int64  `db:"row"`
		}{}
		err := app.ConcurrentDB().NewQuery("SELECT `user`, MIN(`rowid`) AS `row` FROM `billable_items` WHERE `status` = 'pending' AND `due_from` <= {:now} GROUP BY `user` HAVING `row` > {:last} ORDER BY `row` LIMIT {:most}").
			Bind(dbx.Params{"now": collections.Stamp(now).String(), "last": last, "most": most}).All(&users)
		if err != nil {
			return fmt.Errorf("find what waits to be billed: %w", err)
		}
		if len(users) == 0 {
			return nil
		}
		names := []string{}
		for _, u := range users {
			names = append(names, u.User)
		}
		if err := s.Taxed(ctx, app, names); err != nil {
			return err
		}
		for _, u := range users {
			if err := s.billOne(app, now, u.User); err != nil {
				app.Logger().Error("What waits to be billed cannot be invoiced", "customer", u.User, "error", err)
			}
		}
		last = users[len(users)-1].Row
	}
	return nil
}

func (s *Subject) billOne(app core.App, now time.Time, user string) error {
	return app.RunInTransaction(func(tx core.App) error {
		session, err := s.Books.Open(tx, now)
		if err != nil {
			return err
		}
		r := &run{session: session, tx: tx, now: now}
		currencies := []string{}
		err = tx.DB().NewQuery("SELECT DISTINCT `currency` FROM `billable_items` WHERE `user` = {:user} AND `status` = 'pending' ORDER BY `currency`").Bind(dbx.Params{"user": user}).Column(&currencies)
		if err != nil {
			return fmt.Errorf("currencies of what waits: %w", err)
		}
		bills := []*bill{}
		for _, c := range currencies {
			bills = append(bills, &bill{currency: c, due: now.AddDate(0, 0, session.Invoicing().MinTermDays), auto: true})
		}
		if err := r.addWaiting(user, bills); err != nil {
			return err
		}
		for _, b := range bills {
			if err := r.issue(user, "usage", b); err != nil {
				return err
			}
		}
		return nil
	})
}
