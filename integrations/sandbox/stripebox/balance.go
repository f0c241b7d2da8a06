package stripebox

import "fmt"

// Fees of the account: 1.5 % and 25 of the smallest unit for a payment, 1500 for a
// dispute. Refunds are free, and give no fee back.
const (
	feePermille = 15
	feeFixed    = 25
	feeDispute  = 1500
)

// movement is one line of the account's book (a balance transaction).
type movement struct {
	id, kind, currency, source string
	amount, fee, created       int64
}

func (m *movement) render() object {
	category := m.kind
	if m.kind == "adjustment" {
		if category = "dispute"; m.amount > 0 {
			category = "dispute_reversal"
		}
	}
	return object{
		"id": m.id, "object": "balance_transaction", "amount": m.amount, "currency": m.currency, "fee": m.fee, "net": m.amount - m.fee, "fee_details": []object{},
		"type": m.kind, "reporting_category": category, "source": null(m.source), "status": "available", "created": m.created, "available_on": m.created,
		"description": nil, "exchange_rate": nil,
	}
}

// move writes a line into the book.
func (b *Box) move(kind, source, currency string, amount, fee int64) *movement {
	m := &movement{id: b.newID("txn"), kind: kind, currency: currency, source: source, amount: amount, fee: fee, created: b.unix()}
	b.movements.put(m.id, m)
	return m
}

// book writes a charge that succeeded into the book.
func (b *Box) book(ch *charge) {
	kind := "charge"
	if m, ok := b.methods.get(ch.method); ok && m.card.kind == "sepa_debit" {
		kind = "payment"
	}
	b.move(kind, ch.id, ch.currency, ch.amount, (ch.amount*feePermille+500)/1000+feeFixed)
}

func listMovements(b *Box, c *call) (object, *apiError) {
	ids, items := []string{}, []*movement{}
	for _, m := range b.movements.all() {
		kind, source := c.form.str("type"), c.form.str("source")
		if (kind == "" || kind == m.kind) && (source == "" || source == m.source) && within(c.form, m.created) {
			ids, items = append(ids, m.id), append(items, m)
		}
	}
	return page(c, "/v1/balance_transactions", ids, items)
}

type payout struct {
	id, currency, status string
	amount, created      int64
}

func (p *payout) render() object {
	return object{
		"id": p.id, "object": "payout", "amount": p.amount, "currency": p.currency, "status": p.status, "created": p.created, "arrival_date": p.created,
		"automatic": true, "method": "standard", "type": "bank_account", "metadata": object{}, "livemode": false, "balance_transaction": nil,
	}
}

// PayOut sends money of the account to the bank and returns the payout's id.
func (b *Box) PayOut(amount int64, currency string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &payout{id: b.newID("po"), currency: currency, status: "paid", amount: amount, created: b.unix()}
	b.payouts.put(p.id, p)
	b.move("payout", p.id, currency, -amount, 0)
	b.emit("payout.created", p.render(), nil)
	b.emit("payout.paid", p.render(), nil)
	return p.id
}

// FailPayout brings a payout back that the bank did not take.
func (b *Box) FailPayout(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.payouts.get(id)
	if !ok || p.status != "paid" {
		return fmt.Errorf("fail payout %s: there is no such payout that was paid", id)
	}
	p.status = "failed"
	b.move("payout_failure", p.id, p.currency, p.amount, 0)
	b.emit("payout.failed", p.render(), nil)
	return nil
}

// Charged takes a fee of its own from the account, as for a month's use.
func (b *Box) Charged(amount int64, currency string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.move("stripe_fee", "", currency, -amount, 0)
}
