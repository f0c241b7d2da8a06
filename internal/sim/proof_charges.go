package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
)

// patience is how many days the product may take to learn of a charge: it may be
// off for nine, and its vendors for another.
const patience = 14

// chargesAreRecorded compares the gateway's own list of charges with our
// payments. A charge names the invoice it is for from the first moment; that it
// succeeded may be learned later, but it is learned. Nothing is recorded that the
// gateway has not taken, and no attempt is charged twice.
func chargesAreRecorded(w *world, p *proof) ([]string, error) {
	broken := []string{}
	charges := w.vendors.stripe.Charges()
	for _, c := range charges[p.charges:] {
		known := 0
		err := w.app.DB().NewQuery("SELECT COUNT(*) FROM `payment_transactions` `p` JOIN `invoices` `i` ON `i`.`id` = `p`.`invoice` WHERE `p`.`id` = {:attempt} AND `i`.`id` = {:invoice}").
			Bind(dbx.Params{"attempt": c.AttemptID, "invoice": c.InvoiceID}).Row(&known)
		if err != nil {
			return nil, err
		}
		if known != 1 {
			broken = append(broken, fmt.Sprintf("charge %s of %s names no attempt or invoice of ours", c.ID, c.Display))
		}
	}
	p.charges = len(charges)
	taken, paid := map[string]int64{}, map[string]int{}
	for _, c := range charges {
		if c.Status != "succeeded" {
			continue
		}
		if paid[c.InvoiceID]++; paid[c.InvoiceID] == 2 {
			broken = append(broken, fmt.Sprintf("invoice %s was charged twice, with %s at last", c.InvoiceID, c.Intent))
		}
		if _, twice := taken[c.Intent]; twice {
			broken = append(broken, fmt.Sprintf("payment %s was charged twice", c.Intent))
		}
		taken[c.Intent] = c.Amount
		if _, seen := p.payments[c.Intent]; !seen {
			p.payments[c.Intent] = c.Amount
			p.awaited[c.Intent] = w.counts.Days
		}
	}
	unrecorded, err := w.awaited(p)
	if err != nil {
		return nil, err
	}
	invented, err := w.invented(p, taken)
	return slices.Concat(broken, unrecorded, invented), err
}

// awaited strikes out what is recorded by now and returns what should be.
func (w *world) awaited(p *proof) ([]string, error) {
	broken := []string{}
	for _, reference := range slices.Sorted(maps.Keys(p.awaited)) {
		minor := []int64{}
		err := w.app.DB().NewQuery("SELECT `amount_minor` FROM `payment_transactions` WHERE `gateway` = 'stripe' AND `gateway_transaction_id` = {:reference} AND `gateway_transaction_id` != '' AND `status` = 'succeeded'").
			Bind(dbx.Params{"reference": reference}).Column(&minor)
		switch {
		case err != nil:
			return nil, err
		case len(minor) == 1 && minor[0] == p.payments[reference]:
			delete(p.awaited, reference)
		case len(minor) > 0:
			broken = append(broken, fmt.Sprintf("payment %s over %d is recorded as %v", reference, p.payments[reference], minor))
		case p.final || w.counts.Days-p.awaited[reference] > patience:
			broken = append(broken, fmt.Sprintf("payment %s over %d, taken on day %d, is not recorded", reference, p.payments[reference], p.awaited[reference]))
		}
	}
	return broken, nil
}

// invented are the recorded payments that the gateway has not taken.
func (w *world) invented(p *proof, taken map[string]int64) ([]string, error) {
	rows := []struct {
		Reference string `db:"gateway_transaction_id"`
		Minor     int64  `db:"amount_minor"`
	}{}
	err := w.app.DB().NewQuery("SELECT `gateway_transaction_id`, `amount_minor` FROM `payment_transactions` WHERE `gateway` = 'stripe' AND `status` = 'succeeded' AND `id` IN" +
		" (SELECT `payment` FROM `ledger_entries` WHERE `rowid` > {:ledger} AND `posting` LIKE 'payment:%')").
		Bind(dbx.Params{"ledger": p.marks["ledger"]}).All(&rows)
	if err != nil {
		return nil, err
	}
	broken := []string{}
	for _, r := range rows {
		if minor, there := taken[r.Reference]; !there || minor != r.Minor {
			broken = append(broken, fmt.Sprintf("payment %s over %d is recorded, the gateway took %d", r.Reference, r.Minor, minor))
		}
	}
	return broken, nil
}
