package stripebox

import "net/http"

func detachMethod(b *Box, c *call) (object, *apiError) {
	m, ok := b.methods.get(c.id)
	switch {
	case !ok:
		return nil, noSuch("PaymentMethod", c.id, "payment_method", http.StatusNotFound)
	case m.customer == "":
		return nil, refusedNow("", "The payment method you provided is not attached to a customer so detachment is impossible.")
	}
	b.detach(m, c)
	return m.render(), nil
}

func (b *Box) detach(m *method, c *call) {
	owner := m.customer
	m.customer = ""
	b.emitChange("payment_method.detached", m.render(), object{"customer": owner}, c)
}

// DetachCard takes a saved card away for good, as the dashboard does. It reports
// whether there was one.
func (b *Box) DetachCard(methodID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.methods.get(methodID)
	if !ok || m.customer == "" {
		return false
	}
	b.detach(m, nil)
	return true
}

// RenewCard gives a saved card another expiry, as its issuer does when it sends a
// new one. It reports whether there is such a card.
func (b *Box) RenewCard(methodID string, month, year int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.methods.get(methodID)
	if !ok || m.card.kind == "sepa_debit" {
		return false
	}
	before := object{"card": object{"exp_month": m.month, "exp_year": m.year}}
	m.month, m.year = month, year
	b.emitChange("payment_method.automatically_updated", m.render(), before, nil)
	return true
}
