package paypal

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// reportOrder says what became of an order. now decides whether a page that
// nobody paid has expired; the zero time leaves it open. Errors: ErrPayload.
func reportOrder(o wireOrder, now time.Time) (billing.PaymentReport, error) {
	none := billing.PaymentReport{}
	if !paymentShape.MatchString(o.ID) || len(o.Units) != 1 || o.Created.IsZero() {
		return none, fmt.Errorf("order %.60q: %w: id, creation time or purchase unit is missing", o.ID, ErrPayload)
	}
	unit := o.Units[0]
	asked, err := unit.Amount.positive()
	if err != nil {
		return none, fmt.Errorf("order %s: %w", o.ID, err)
	}
	m := readMark(unit.CustomID)
	r := billing.PaymentReport{AttemptID: m.attempt, InvoiceID: m.invoice, Amount: asked, At: firstTime(o.Updated, o.Created)}
	if m.page {
		r.PageReference = o.ID
	}
	if a := o.Source.PayPal.Attributes; a != nil && a.Vault != nil {
		if r.Method = a.Vault.ID; a.Vault.Customer != nil {
			r.Customer = a.Vault.Customer.ID
		}
	}
	if captures := unit.Payments.Captures; len(captures) > 0 {
		paid, err := reportCapture(decisive(captures))
		if err != nil {
			return none, fmt.Errorf("order %s: %w", o.ID, err)
		}
		paid.PageReference, paid.AttemptID, paid.InvoiceID, paid.Method, paid.Customer = r.PageReference, r.AttemptID, r.InvoiceID, r.Method, r.Customer
		return paid, nil
	}
	if r.State, err = openState(o, m, now); err != nil {
		return none, err
	}
	return r, nil
}

// decisive is the capture that says how an order ended: the last that did not
// fail, else the last.
func decisive(captures []wireCapture) wireCapture {
	for i := len(captures) - 1; i >= 0; i-- {
		if s := captures[i].Status; s != "DECLINED" && s != "FAILED" {
			return captures[i]
		}
	}
	return captures[len(captures)-1]
}

// openState is the state of an order without a capture.
func openState(o wireOrder, m mark, now time.Time) (billing.PaymentState, error) {
	switch o.Status {
	case "VOIDED":
		return billing.PaymentCancelled, nil
	case "CREATED", "SAVED", "APPROVED", "PAYER_ACTION_REQUIRED":
		if m.closed || m.page && !now.IsZero() && !now.Before(m.expiry(o.Created.Time)) {
			return billing.PaymentCancelled, nil
		}
		return billing.PaymentOpen, nil
	}
	return "", fmt.Errorf("order %s: %w: status %.40q without a capture", o.ID, ErrPayload, o.Status)
}

// reportCapture says what became of a capture: only COMPLETED moved money, and a
// refund afterwards does not undo that. Errors: ErrPayload.
func reportCapture(c wireCapture) (billing.PaymentReport, error) {
	none := billing.PaymentReport{}
	amount, err := c.Amount.positive()
	at := firstTime(c.Updated, c.Created)
	if !paymentShape.MatchString(c.ID) || at.IsZero() || err != nil {
		return none, fmt.Errorf("capture %.60q: %w: id, time or amount is missing", c.ID, ErrPayload)
	}
	m := readMark(c.CustomID)
	r := billing.PaymentReport{Reference: c.ID, AttemptID: m.attempt, InvoiceID: m.invoice, Amount: amount, At: at}
	if m.page {
		r.PageReference = c.Supplement.Related.OrderID
	}
	switch c.Status {
	case "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED":
		r.State = billing.PaymentSucceeded
	case "PENDING":
		r.State, r.Reason = billing.PaymentPending, c.StatusDetails.Reason
	case "DECLINED", "FAILED":
		r.State, r.Decline, r.Reason = billing.PaymentDeclined, billing.DeclineSoft, firstOf(c.StatusDetails.Reason, c.Status)
	default:
		return none, fmt.Errorf("capture %s: %w: status %.40q", c.ID, ErrPayload, c.Status)
	}
	return r, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
