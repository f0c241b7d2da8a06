package paypalbox

import (
	"errors"
	"fmt"
)

// Payment is money that moved or is on its way, as tests and the control page
// see it.
type Payment struct {
	ID        string `json:"id"`
	Order     string `json:"order,omitempty"`
	Agreement string `json:"subscription,omitempty"`
	CustomID  string `json:"custom_id"`
	InvoiceID string `json:"invoice_id"`
	Payer     string `json:"payer"`
	Status    string `json:"status"`
	Currency  string `json:"currency"`
	Units     int64  `json:"units"` // the currency's smallest unit at PayPal
	Refunded  int64  `json:"refunded"`
	Display   string `json:"display"`
}

// Snapshot is the state of the sandbox at a moment.
type Snapshot struct {
	Orders     int       `json:"orders"`
	Tokens     int       `json:"tokens"`
	Refunds    int       `json:"refunds"`
	Disputes   int       `json:"disputes"`
	Agreements int       `json:"subscriptions"`
	Events     int       `json:"events"`
	Queued     int       `json:"queued_webhooks"`
	Payments   []Payment `json:"payments"`
	Complaints []string  `json:"complaints"`
}

// Payments lists all money that moved or is on its way, oldest first.
func (b *Box) Payments() []Payment { return b.Snapshot().Payments }

// Snapshot returns the state as it is now.
func (b *Box) Snapshot() Snapshot {
	b.courier.mu.Lock()
	queued := b.courier.open
	b.courier.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{
		Orders: len(b.orders.order), Refunds: len(b.refunds.order), Disputes: len(b.disputes.order), Agreements: len(b.agreements.order),
		Events: len(b.events.order), Queued: queued, Payments: []Payment{}, Complaints: append([]string{}, b.complaints...),
	}
	for _, t := range b.vault.all() {
		if !t.gone {
			s.Tokens++
		}
	}
	for _, c := range b.captures.all() {
		s.Payments = append(s.Payments, Payment{
			ID: c.id, Order: c.order, Agreement: c.agreement, CustomID: c.customID, InvoiceID: c.invoiceID, Payer: c.payer, Status: c.status,
			Currency: c.amount.currency, Units: c.amount.units, Refunded: c.refunded, Display: c.amount.String(),
		})
	}
	return s
}

var errNotOpen = errors.New("nothing waits for the payer")

// Approve does what a payer does on the hosted page of an order; the money moves
// when the merchant captures it. Errors: no such order or payer, an order that
// waits for nobody.
func (b *Box) Approve(orderID, payer string) error {
	p, known := payerByEmail(payer)
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.orders.get(orderID)
	if !known || !ok || !b.approve(o, p) {
		return fmt.Errorf("approve order %s as %s: %w", orderID, payer, errNotOpen)
	}
	return nil
}

// ApproveSetup agrees to being saved without a payment.
func (b *Box) ApproveSetup(id, payer string) error {
	p, known := payerByEmail(payer)
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.setups.get(id)
	if !known || !ok || s.status != "PAYER_ACTION_REQUIRED" {
		return fmt.Errorf("approve setup token %s as %s: %w", id, payer, errNotOpen)
	}
	s.status, s.payer = "APPROVED", p.Email
	return nil
}

// SaveToken keeps a payer's account for a customer without a page, as an import
// would, and returns the token.
func (b *Box) SaveToken(customer, payer string) (string, error) {
	p, known := payerByEmail(payer)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !known || customer == "" {
		return "", fmt.Errorf("save %q for %q: no such test payer or customer", payer, customer)
	}
	t := b.addToken(customer, p)
	b.emit("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", t.render(b.public))
	return t.id, nil
}

// RemoveToken takes a saved method away for good, as the payer does inside
// PayPal. It reports whether there was one.
func (b *Box) RemoveToken(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, err := b.token(id)
	if err != nil {
		return false
	}
	b.forget(t, b.public)
	return true
}
