package dunning

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
)

// attemptRow is a payment attempt as payments stored it.
type attemptRow struct {
	Kind        string `db:"kind"`
	Status      string `db:"status"`
	Decline     string `db:"decline"`
	Reason      string `db:"reason"`
	Automatic   bool   `db:"automatic"`
	Method      string `db:"gateway_method_id"`
	Fingerprint string `db:"fingerprint"`
	Created     string `db:"created"`
}

// results are what became of an attempt, by its stored status.
var results = map[string]dunning.Result{
	"succeeded": dunning.Succeeded, "pending": dunning.Pending, "unknown": dunning.Unknown, "needs_action": dunning.Authenticate, "cancelled": dunning.Cancelled, "failed": dunning.Soft,
}

// result is what became of an attempt; ok is false for a page that is merely
// open or was closed unpaid: payments closes it before charging.
func (r attemptRow) result() (result dunning.Result, ok bool) {
	result, ok = results[r.Status]
	switch {
	case result == dunning.Cancelled && (r.Decline == "outage" || r.Decline == "unused"):
		return dunning.Outage, true // the gateway was never asked
	case result == dunning.Cancelled, result == dunning.Authenticate:
		return result, r.Kind != "page"
	case result == dunning.Soft && billing.DeclineKind(r.Decline) == billing.DeclineHard:
		return dunning.Hard, true
	}
	return result, ok
}

// readAttempts reads all tries to pay the invoice, oldest first.
func (c *Case) readAttempts(app core.App) error {
	rows := []attemptRow{}
	err := collections.Statement(app, "SELECT `p`.`kind`, `p`.`status`, `p`.`decline`, `p`.`reason`, `p`.`automatic`, `p`.`gateway_method_id`, `p`.`created`, IFNULL(`m`.`fingerprint`, '') AS `fingerprint`"+
		" FROM `payment_transactions` `p` LEFT JOIN `payment_methods` `m` ON `m`.`gateway` = `p`.`gateway` AND `m`.`gateway_method_id` = `p`.`gateway_method_id`"+
		" WHERE `p`.`invoice` = {:invoice} AND `p`.`kind` IN ('page', 'off_session') ORDER BY `p`.`created`, `p`.`rowid`").
		Bind(dbx.Params{"invoice": c.Invoice.ID}).All(&rows)
	if err != nil {
		return fmt.Errorf("payments of invoice %s: %w", c.Invoice.Number, err)
	}
	for _, r := range rows {
		result, ok := r.result()
		if !ok {
			continue
		}
		at, err := collections.ParseStamp(r.Created)
		if err != nil {
			return fmt.Errorf("payments of invoice %s: %w", c.Invoice.Number, err)
		}
		c.Facts.Attempts = append(c.Facts.Attempts, dunning.Attempt{Method: r.Method, Fingerprint: r.Fingerprint, Result: result, At: at, ByCustomer: !r.Automatic})
		c.reasons = append(c.reasons, r.Reason)
	}
	return nil
}

// readSteps reads what was done already. A mail counts from when it was sent.
func (c *Case) readSteps(app core.App) error {
	rows := []struct {
		Kind string `db:"kind"`
		N    int    `db:"step"`
		At   string `db:"at"`
	}{}
	err := collections.Statement(app, "SELECT `kind`, `step`, `at` FROM `dunning_steps` WHERE `invoice` = {:invoice} ORDER BY `rowid`").Bind(dbx.Params{"invoice": c.Invoice.ID}).All(&rows)
	if err != nil {
		return fmt.Errorf("steps of invoice %s: %w", c.Invoice.Number, err)
	}
	for _, r := range rows {
		at, err := collections.ParseStamp(r.At)
		if err != nil {
			return fmt.Errorf("steps of invoice %s: %w", c.Invoice.Number, err)
		}
		c.Facts.Done = append(c.Facts.Done, dunning.Done{Kind: dunning.Kind(r.Kind), N: r.N, At: at})
	}
	return nil
}

// readMethods reads what may be charged, the preferred method first, then the
// customer's default one.
func (c *Case) readMethods(app core.App, preferred string, now time.Time) error {
	rows := []struct {
		ID          string `db:"id"`
		Gateway     string `db:"gateway_method_id"`
		Fingerprint string `db:"fingerprint"`
		Year        int    `db:"exp_year"`
		Month       int    `db:"exp_month"`
	}{}
	err := collections.Statement(app, "SELECT `m`.`id`, `m`.`gateway_method_id`, `m`.`fingerprint`, `m`.`exp_year`, `m`.`exp_month` FROM `payment_methods` `m` JOIN `gateways` `g` ON `g`.`kind` = `m`.`gateway`"+
		" WHERE `m`.`user` = {:user} AND `m`.`active` AND `g`.`enabled` ORDER BY `m`.`id` = {:preferred} DESC, `m`.`is_default` DESC, `m`.`created`, `m`.`rowid`").
		Bind(dbx.Params{"user": c.Invoice.User, "preferred": preferred}).All(&rows)
	if err != nil {
		return fmt.Errorf("methods to pay invoice %s: %w", c.Invoice.Number, err)
	}
	for i, r := range rows {
		c.methods[r.Gateway] = r.ID
		c.Facts.Methods = append(c.Facts.Methods, dunning.Method{ID: r.Gateway, Fingerprint: r.Fingerprint, Default: i == 0, Expired: expired(r.Year, r.Month, now)})
	}
	return nil
}

// expired says whether a card's last month is over; what has no end never is.
func expired(year, month int, now time.Time) bool {
	return year > 0 && !now.Before(time.Date(year, time.Month(max(month, 1))+1, 1, 0, 0, 0, 0, time.UTC))
}

// readGateway reads the health of the gateway that the customer pays by: that of
// the first saved method, else of the last payment. Whoever transfers money
// depends on none.
func (c *Case) readGateway(app core.App) error {
	row := struct {
		Down string `db:"down_since"`
		Back string `db:"recovered_at"`
	}{}
	first := ""
	if len(c.Facts.Methods) > 0 {
		first = c.methods[c.Facts.Methods[0].ID]
	}
	err := collections.Statement(app, "SELECT `down_since`, `recovered_at` FROM `gateways` WHERE `kind` = IFNULL((SELECT `gateway` FROM `payment_methods` WHERE `id` = {:method}),"+
		" (SELECT `gateway` FROM `payment_transactions` WHERE `user` = {:user} ORDER BY `settled_at` DESC, `rowid` DESC LIMIT 1))").
		Bind(dbx.Params{"method": first, "user": c.Invoice.User}).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("gateway of invoice %s: %w", c.Invoice.Number, err)
	}
	if c.Facts.Gateway.DownSince, err = collections.ParseStamp(row.Down); err != nil {
		return fmt.Errorf("gateway of invoice %s: %w", c.Invoice.Number, err)
	}
	c.Facts.Gateway.RecoveredAt, err = collections.ParseStamp(row.Back)
	return err
}
