package books

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// Ahead asks for what is invoiced of a subscription for the time from a moment on.
type Ahead struct {
	Subscription string
	From         time.Time
}

// aheadRow is such a line; its discounts go with it.
type aheadRow struct {
	Invoice  string `db:"invoice"`
	Number   string `db:"number"`
	Status   string `db:"status"`
	Line     string `db:"line"`
	Position int    `db:"position"`
	Left     int64  `db:"left"`    // net, with its discounts, that is not credited
	Alone    bool   `db:"alone"`   // the invoice bills nothing else
	Touched  bool   `db:"touched"` // something was paid or credited on it, or it was written off
}

// aheadText finds lines of periods from a moment on. Set-up fees belong to them
// where the invoice bills no earlier period of the subscription, as after a trial.
const aheadText = "WITH `ahead` AS (SELECT `l`.* FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = {:subscription} AND `l`.`parent` = 0 AND `l`.`live` = TRUE AND `i`.`status` IN ('open', 'paid', 'uncollectible')" +
	" AND (`l`.`kind` IN ('period', 'option', 'charge') AND `l`.`period_start` >= {:from} OR `l`.`kind` = 'setup'" +
	" AND EXISTS (SELECT 1 FROM `invoice_items` `p` WHERE `p`.`invoice` = `l`.`invoice` AND `p`.`subscription` = `l`.`subscription` AND `p`.`kind` = 'period')" +
	" AND NOT EXISTS (SELECT 1 FROM `invoice_items` `p` WHERE `p`.`invoice` = `l`.`invoice` AND `p`.`subscription` = `l`.`subscription` AND `p`.`kind` != 'setup' AND `p`.`parent` = 0 AND `p`.`period_start` < {:from})))" +
	" SELECT `i`.`id` AS `invoice`, `i`.`number`, `i`.`status`, `a`.`id` AS `line`, `a`.`position`," +
	" (SELECT SUM(`net_minor` - `credited_minor`) FROM `invoice_items` WHERE `invoice` = `a`.`invoice` AND (`position` = `a`.`position` OR `parent` = `a`.`position`)) AS `left`," +
	" NOT EXISTS (SELECT 1 FROM `invoice_items` `o` WHERE `o`.`invoice` = `a`.`invoice` AND `o`.`parent` = 0 AND `o`.`id` NOT IN (SELECT `id` FROM `ahead`)) AS `alone`," +
	" `i`.`paid_minor` != 0 OR `i`.`credited_minor` != 0 OR `i`.`written_off_minor` != 0 AS `touched`" +
	" FROM `ahead` `a` CROSS JOIN `invoices` `i` ON `i`.`id` = `a`.`invoice` ORDER BY `i`.`seq`, `i`.`id`, `a`.`position`"

func aheadRows(app core.App, a Ahead) ([]aheadRow, error) {
	rows := []aheadRow{}
	err := collections.Statement(app, aheadText).Bind(dbx.Params{"subscription": a.Subscription, "from": stamp(a.From)}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("what is invoiced ahead of subscription %s: %w", a.Subscription, err)
	}
	return rows, nil
}

// AheadInvoice is an invoice that bills what is ahead.
type AheadInvoice struct {
	ID, Number string
	Open       bool
}

// InvoicedAhead lists the invoices that TakeBack would cancel or lower, so that
// people are told, and payment pages closed, first.
func InvoicedAhead(app core.App, a Ahead) ([]AheadInvoice, error) {
	rows, err := aheadRows(app, a)
	found := []AheadInvoice{}
	for _, r := range rows {
		if len(found) == 0 || found[len(found)-1].ID != r.Invoice {
			found = append(found, AheadInvoice{r.Invoice, r.Number, r.Status == string(billing.InvoiceOpen)})
		}
	}
	return found, err
}

// TakeBack takes back what is invoiced of a subscription for periods that start
// at a moment or later: they may be billed again, or never. An open invoice that
// bills nothing else and on which nothing was paid is void; on others the lines
// are credited, which lowers what is owed and gives the rest to the customer's
// credit. The key, one for each reason to take back, makes repeating harmless.
func (b *Books) TakeBack(tx core.App, now time.Time, a Ahead, key, reason, actor string) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	rows, err := aheadRows(tx, a)
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Invoice == rows[0].Invoice {
			n++
		}
		if err := b.takeBack(tx, now, rows[:n], Correction{Invoice: rows[0].Invoice, Key: key + ":" + rows[0].Invoice, Reason: reason, Actor: actor}); err != nil {
			return fmt.Errorf("take back invoice %s of subscription %s: %w", rows[0].Number, a.Subscription, err)
		}
		rows = rows[n:]
	}
	return nil
}

// takeBack takes back lines of one invoice.
func (b *Books) takeBack(tx core.App, now time.Time, rows []aheadRow, c Correction) error {
	if first := rows[0]; first.Status == string(billing.InvoiceOpen) && first.Alone && !first.Touched {
		return b.Void(tx, now, first.Invoice)
	}
	for _, r := range rows {
		if r.Left != 0 {
			c.Lines = append(c.Lines, billing.CreditRequest{Position: r.Position})
		}
	}
	if len(c.Lines) > 0 {
		if _, err := b.CreditNote(tx, now, c); err != nil {
			return err
		}
	}
	for _, r := range rows { // a line over nothing has nothing to credit
		if err := release(tx, r.Line, now); err != nil {
			return err
		}
	}
	return nil
}

// Release makes an invoiced line that is over nothing bill nothing any more, as
// crediting it whole does with any other.
func (b *Books) Release(tx core.App, now time.Time, line string) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	return release(tx, line, now)
}
