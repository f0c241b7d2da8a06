package stripebox

import (
	"errors"
	"fmt"
)

// Charge is one try to take money, as tests and the control page see it.
type Charge struct {
	ID        string `json:"id"`
	Intent    string `json:"payment_intent"`
	InvoiceID string `json:"invoice_id"` // metadata of the payment
	AttemptID string `json:"attempt_id"` // metadata of the payment
	Customer  string `json:"customer"`
	Method    string `json:"payment_method"`
	Status    string `json:"status"` // "succeeded" or "failed"
	Code      string `json:"code,omitempty"`
	Currency  string `json:"currency"` // lower case
	Amount    int64  `json:"amount"`   // in Stripe's unit
	Refunded  int64  `json:"refunded"`
	Created   int64  `json:"created"`
	Display   string `json:"display"`
}

// Snapshot is the state of the sandbox at a moment.
type Snapshot struct {
	Customers  int            `json:"customers"`
	Sessions   int            `json:"sessions"`
	Intents    int            `json:"payment_intents"`
	Refunds    int            `json:"refunds"`
	Disputes   int            `json:"disputes"`
	Events     int            `json:"events"`
	Queued     int            `json:"queued_webhooks"`
	Charges    []Charge       `json:"charges"`
	Paid       map[string]int `json:"paid"` // succeeded charges by invoice id
	Complaints []string       `json:"complaints"`
}

// Charges lists every try to take money, oldest first.
func (b *Box) Charges() []Charge {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.chargesNow()
}

func (b *Box) chargesNow() []Charge {
	out := []Charge{}
	for _, c := range b.charges.all() {
		out = append(out, Charge{
			ID: c.id, Intent: c.intent, InvoiceID: c.metadata["invoice_id"], AttemptID: c.metadata["attempt_id"],
			Customer: c.customer, Method: c.method, Status: c.status, Code: c.code, Currency: c.currency,
			Amount: c.amount, Refunded: c.refunded, Created: c.created, Display: display(c.amount, c.currency),
		})
	}
	return out
}

// Paid counts the succeeded charges whose metadata names an invoice.
func (b *Box) Paid(invoiceID string) int { return b.Snapshot().Paid[invoiceID] }

// Snapshot returns the state as it is now.
func (b *Box) Snapshot() Snapshot {
	b.courier.mu.Lock()
	queued := b.courier.open
	b.courier.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	s := Snapshot{
		Customers: len(b.customers.order), Sessions: len(b.sessions.order), Intents: len(b.intents.order),
		Refunds: len(b.refunds.order), Disputes: len(b.disputes.order), Events: len(b.events.order), Queued: queued,
		Charges: b.chargesNow(), Paid: map[string]int{}, Complaints: append([]string{}, b.complaints...),
	}
	for _, c := range s.Charges {
		if c.Status == "succeeded" {
			s.Paid[c.InvoiceID]++
		}
	}
	return s
}

// PayPage pays an open page with a test card as the customer would, holder's
// confirmation included. declined is what the page tells the customer, "" after
// success. Errors: no such page or card, a page that is not open.
func (b *Box) PayPage(sessionID, number string) (declined string, err error) {
	card, known := cardByNumber(number)
	if !known {
		return "", fmt.Errorf("pay page %s: %q is not a test card", sessionID, number)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	s, ok := b.sessions.get(sessionID)
	if !ok || s.status != "open" {
		return "", fmt.Errorf("pay page %s: %w", sessionID, errNotOpen)
	}
	c := &call{req: b.newID("req")}
	if _, problem := b.pay(s, card, c); problem != "" {
		return problem, nil
	}
	p, paying := b.intents.get(s.intent)
	if !paying || p.status != "requires_action" {
		return "", nil
	}
	m, _ := b.methods.get(p.method)
	m.setUp = p.setup != ""
	if fault := b.take(p, m, false, c); fault != nil {
		return card.message(), nil
	}
	b.complete(s, p, c)
	return "", nil
}

var errNotOpen = errors.New("the page is not open")

// SaveCard keeps a test card for a customer without a page, as an import would,
// and returns its id. Errors: no such customer or card.
func (b *Box) SaveCard(customerID, number string) (string, error) {
	card, known := cardByNumber(number)
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.customers.get(customerID); !ok || !known {
		return "", fmt.Errorf("save card %q for %q: no such customer or test card", number, customerID)
	}
	m := b.addMethod(card)
	m.customer = customerID
	b.emit("payment_method.attached", m.render(), nil)
	return m.id, nil
}

// Refund is money that went back, as tests see it.
type Refund struct {
	ID, Payment, RefundID string // RefundID is ours, from the metadata
	Status, Currency      string
	Amount                int64
}

// Refunds lists every refund, oldest first.
func (b *Box) Refunds() []Refund {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Refund{}
	for _, r := range b.refunds.all() {
		out = append(out, Refund{r.id, r.intent, r.metadata["refund_id"], r.status, r.currency, r.amount})
	}
	return out
}

// ChargeByHand takes money from a saved card as the dashboard does: nothing on
// the payment says whose it is. It returns the payment's id.
func (b *Box) ChargeByHand(customerID string, amount int64, currency string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.methods.all() {
		if m.customer != customerID || customerID == "" {
			continue
		}
		p := &intent{id: b.newID("pi"), amount: amount, currency: currency, customer: customerID, method: m.id, metadata: map[string]string{}, created: b.unix()}
		b.intents.put(p.id, p)
		b.succeed(p, m, nil)
		return p.id, nil
	}
	return "", fmt.Errorf("charge customer %q: no saved card", customerID)
}
