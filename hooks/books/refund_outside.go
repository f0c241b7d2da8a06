package books

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// OutsideRefund is a refund that somebody made at the gateway itself, past us.
type OutsideRefund struct {
	Gateway, ID string // the gateway's id of the refund is its identity
	Payment     string // our id of the payment
	Amount      money.Amount
	Report      RefundReport
	Reason      string
}

// RecordRefund takes a refund that was made past us into the books, once for each
// gateway and id. The money has gone, so it is made the customer's first: what
// the payment brought beyond its invoices is their credit already, the rest is
// credited on the invoices that it paid. gift is what neither covers; it is given
// as credit, so that the books agree with the gateway, and staff have to look.
// Errors: collections.ErrNotYours for a payment that does not exist,
// billing.ErrRefundTooMuch.
func (b *Books) RecordRefund(tx core.App, now time.Time, o OutsideRefund) (r Refund, gift money.Amount, err error) {
	gift = o.Amount.Zero()
	if err := inTransaction(tx); err != nil {
		return r, gift, err
	}
	key := "gateway:" + o.Gateway + ":" + o.ID
	if r, err = refundByKey(tx, key); err != nil {
		return r, gift, err
	}
	if r.ID == "" {
		payment, err := collections.First(tx, collections.PaymentTransactions, dbx.HashExp{"id": o.Payment})
		if err != nil {
			return r, gift, err
		}
		if payment == nil {
			return r, gift, fmt.Errorf("refund %s: payment %q: %w", o.ID, o.Payment, collections.ErrNotYours)
		}
		note := ""
		if note, gift, err = b.cover(tx, now, o, payment); err != nil {
			return r, gift, fmt.Errorf("refund %s: %w", o.ID, err)
		}
		r, err = b.BeginRefund(tx, now, Payout{
			User: payment.GetString("user"), Key: key, Amount: o.Amount, Gateway: o.Gateway, Payment: o.Payment, CreditNote: note, Reason: o.Reason, Actor: "system",
		})
		if err != nil {
			return r, gift, err
		}
	}
	return r, gift, b.SettleRefund(tx, now, r.ID, o.Report)
}

// cover makes the customer's credit hold what was refunded past us.
func (b *Books) cover(tx core.App, now time.Time, o OutsideRefund, payment *core.Record) (note string, gift money.Amount, err error) {
	user, currency := payment.GetString("user"), o.Amount.Currency()
	gift = o.Amount.Zero()
	credit, err := Credit(tx, user, currency)
	if err != nil {
		return "", gift, err
	}
	need := o.Amount.Minor() - min(credit.Minor(), payment.GetInt64("excess_minor"), o.Amount.Minor())
	invoices, err := paidBy(tx, payment)
	if err != nil {
		return "", gift, err
	}
	for _, invoice := range invoices {
		if need <= 0 {
			break
		}
		n, err := b.creditPaid(tx, now, invoice, money.Must(need, currency), o)
		if err != nil {
			return "", gift, err
		}
		if n.ID == "" {
			continue
		}
		if note == "" {
			note = n.ID
		}
		need -= n.ToCredit.Minor()
	}
	if credit, err = Credit(tx, user, currency); err != nil || credit.Minor() >= o.Amount.Minor() {
		return note, gift, err
	}
	if gift, err = o.Amount.Sub(credit); err != nil {
		return note, gift, err
	}
	_, err = b.Adjust(tx, now, Adjustment{User: user, Key: "outside:" + o.Gateway + ":" + o.ID, Amount: gift, Reason: o.Reason, Actor: "system"})
	return note, gift, err
}

// paidBy lists the invoices that a payment paid: its own, and those that shared
// its page.
func paidBy(tx core.App, payment *core.Record) ([]string, error) {
	found := []string{}
	err := collections.Statement(tx, "SELECT {:invoice} UNION ALL SELECT `invoice` FROM (SELECT `invoice` FROM `payment_transactions` WHERE `idempotency_key` >= {:from} AND `idempotency_key` < {:to} ORDER BY `idempotency_key`)").
		Bind(dbx.Params{"invoice": payment.GetString("invoice"), "from": "part:" + payment.Id + ":", "to": "part:" + payment.Id + ";"}).Column(&found)
	if err != nil {
		return nil, fmt.Errorf("invoices of payment %s: %w", payment.Id, err)
	}
	if found[0] == "" {
		found = found[1:]
	}
	return found, nil
}

// creditPaid credits as much of a paid invoice as most, by its lines in order. It
// returns no note where there is nothing to credit.
func (b *Books) creditPaid(tx core.App, now time.Time, invoice string, most money.Amount, o OutsideRefund) (CreditNote, error) {
	d, err := Read(tx, invoice)
	if err != nil || d.Status != billing.InvoicePaid {
		return CreditNote{}, err
	}
	c := Correction{Invoice: invoice, Key: "outside:" + o.Gateway + ":" + o.ID + ":" + invoice, Reason: o.Reason, Actor: "system"}
	all, err := Foresee(tx, c, nil)
	switch {
	case errors.Is(err, billing.ErrCreditTakes): // what is left was charged for unused time
		if c.Lines, err = linesUpTo(tx, c, most); err != nil || len(c.Lines) == 0 {
			return CreditNote{}, err
		}
	case nothingToCredit(err):
		return CreditNote{}, nil
	case err != nil:
		return CreditNote{}, err
	case all.ToCredit.Minor() > most.Minor():
		if c.Lines, err = linesUpTo(tx, c, most); err != nil || len(c.Lines) == 0 {
			return CreditNote{}, err
		}
	}
	return b.CreditNote(tx, now, c)
}

func nothingToCredit(err error) bool {
	return errors.Is(err, billing.ErrCreditNothing) || errors.Is(err, billing.ErrCreditTooMuch) || errors.Is(err, ErrState)
}

// linesUpTo picks lines whose credit, with its tax, comes as near to an amount as
// whole minor units allow and not above it: whole lines first, then a part of
// the next.
func linesUpTo(tx core.App, c Correction, most money.Amount) ([]billing.CreditRequest, error) {
	rows := []struct {
		Position int   `db:"position"`
		Net      int64 `db:"net"`
		Gross    int64 `db:"gross"`
	}{}
	err := collections.Statement(tx, "SELECT `l`.`position`, SUM(`g`.`net_minor` - `g`.`credited_minor`) AS `net`, SUM(`g`.`net_minor` - `g`.`credited_minor` + `g`.`tax_minor` - `g`.`credited_tax_minor`) AS `gross`"+
		" FROM `invoice_items` `l` JOIN `invoice_items` `g` ON `g`.`invoice` = `l`.`invoice` AND (`g`.`position` = `l`.`position` OR `g`.`parent` = `l`.`position`)"+
		" WHERE `l`.`invoice` = {:invoice} AND `l`.`parent` = 0 GROUP BY `l`.`position` HAVING `net` > 0 AND `gross` > 0 ORDER BY `l`.`position`").
		Bind(dbx.Params{"invoice": c.Invoice}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("lines of invoice %s: %w", c.Invoice, err)
	}
	left := most.Minor()
	for _, r := range rows {
		if r.Gross <= left {
			c.Lines, left = append(c.Lines, billing.CreditRequest{Position: r.Position}), left-r.Gross
		}
	}
	whole := len(c.Lines)
	for _, r := range rows {
		if r.Gross <= most.Minor() && taken(c.Lines[:whole], r.Position) || left == 0 {
			continue
		}
		net := money.Must(r.Net, most.Currency()).Prorate(min(left, r.Gross), r.Gross)
		for n := min(net.Minor()+1, r.Net); n > 0 && n >= net.Minor()-1; n-- {
			try := c
			try.Lines = append(append([]billing.CreditRequest{}, c.Lines...), billing.CreditRequest{Position: r.Position, Net: money.Must(n, most.Currency())})
			note, err := Foresee(tx, try, nil)
			if err == nil && note.Totals.Total.Minor() <= most.Minor() {
				return try.Lines, nil
			}
		}
		break
	}
	return c.Lines, nil
}

func taken(lines []billing.CreditRequest, position int) bool {
	for _, l := range lines {
		if l.Position == position {
			return true
		}
	}
	return false
}
