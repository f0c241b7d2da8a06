package stripe

import (
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// Keys of the metadata that our pages and charges carry. Session metadata does
// not reach the payment, so it is set on both.
const (
	metaAttempt = "attempt_id"
	metaInvoice = "invoice_id"
	// metaMethod names the saved method of a charge: a declined PaymentIntent
	// forgets which one was tried.
	metaMethod = "saved_method"
	metaUser   = "user_id"
)

// reportIntent says what became of a PaymentIntent. Errors: ErrPayload when a
// field is absent that the pinned version always has.
func reportIntent(pi *stripe.PaymentIntent) (billing.PaymentReport, error) {
	if pi == nil || pi.ID == "" {
		return billing.PaymentReport{}, fmt.Errorf("payment intent: %w: no id", ErrPayload)
	}
	asked, err := fromStripe(pi.Amount, string(pi.Currency))
	if err != nil {
		return billing.PaymentReport{}, fmt.Errorf("payment intent %s: %w", pi.ID, err)
	}
	if asked.IsZero() || pi.Created == 0 {
		return billing.PaymentReport{}, fmt.Errorf("payment intent %s: %w: no amount or creation time", pi.ID, ErrPayload)
	}
	r := billing.PaymentReport{
		Reference: pi.ID,
		AttemptID: pi.Metadata[metaAttempt],
		InvoiceID: pi.Metadata[metaInvoice],
		Method:    savedMethod(pi),
		Amount:    asked,
		At:        time.Unix(pi.Created, 0).UTC(),
	}
	if pi.Customer != nil {
		r.Customer = pi.Customer.ID
	}
	if pi.LatestCharge != nil && pi.LatestCharge.Created > 0 { // expanded
		r.At = time.Unix(pi.LatestCharge.Created, 0).UTC()
	}
	if err := intentState(&r, pi); err != nil {
		return billing.PaymentReport{}, err
	}
	return r, nil
}

// intentState fills the state and what belongs to it.
func intentState(r *billing.PaymentReport, pi *stripe.PaymentIntent) error {
	switch pi.Status {
	case stripe.PaymentIntentStatusSucceeded:
		received, err := fromStripe(pi.AmountReceived, string(pi.Currency))
		if err != nil {
			return fmt.Errorf("payment intent %s: %w", pi.ID, err)
		}
		if received.IsZero() {
			return fmt.Errorf("payment intent %s: %w: succeeded with nothing received", pi.ID, ErrPayload)
		}
		r.State, r.Amount = billing.PaymentSucceeded, received
	case stripe.PaymentIntentStatusProcessing:
		r.State = billing.PaymentPending
	case stripe.PaymentIntentStatusCanceled:
		r.State = billing.PaymentCancelled
	case stripe.PaymentIntentStatusRequiresAction:
		r.State, r.Decline, r.ActionURL = billing.PaymentNeedsAction, billing.DeclineAuthenticate, actionURL(pi)
	case stripe.PaymentIntentStatusRequiresPaymentMethod:
		r.State = billing.PaymentOpen
		if pi.LastPaymentError != nil {
			declined(r, pi.LastPaymentError)
		}
	case stripe.PaymentIntentStatusRequiresConfirmation:
		r.State = billing.PaymentOpen
	default: // requires_capture is for manual capture, which nothing here asks for
		return fmt.Errorf("payment intent %s: %w: status %.40q", pi.ID, ErrPayload, pi.Status)
	}
	return nil
}

// declined makes r the report of a failed try. A customer who must confirm is
// sent to a hosted page of the same invoice: Stripe gives no address for it,
// and the client secret of the failed payment never leaves us.
func declined(r *billing.PaymentReport, said *stripe.Error) {
	r.State = billing.PaymentDeclined
	r.Decline, r.Reason = declineOf(said)
	if r.Decline == billing.DeclineAuthenticate {
		r.State = billing.PaymentNeedsAction
	}
}

// savedMethod is the id of the method this payment used or saved, "" when the
// method was not kept.
func savedMethod(pi *stripe.PaymentIntent) string {
	if id := pi.Metadata[metaMethod]; id != "" {
		return id
	}
	kept := pi.Status == stripe.PaymentIntentStatusSucceeded || pi.Status == stripe.PaymentIntentStatusProcessing
	if kept && pi.PaymentMethod != nil && pi.SetupFutureUsage == stripe.PaymentIntentSetupFutureUsageOffSession {
		return pi.PaymentMethod.ID
	}
	return ""
}

func actionURL(pi *stripe.PaymentIntent) string {
	if pi.NextAction == nil || pi.NextAction.RedirectToURL == nil {
		return ""
	}
	return pi.NextAction.RedirectToURL.URL
}

// reportSession says what became of a hosted page and, where the payment came
// along expanded, of that payment. Errors: ErrPayload as in reportIntent.
func reportSession(s *stripe.CheckoutSession) (billing.PaymentReport, error) {
	if s == nil || s.ID == "" {
		return billing.PaymentReport{}, fmt.Errorf("checkout session: %w: no id", ErrPayload)
	}
	total, err := fromStripe(s.AmountTotal, string(s.Currency))
	if err != nil {
		return billing.PaymentReport{}, fmt.Errorf("checkout session %s: %w", s.ID, err)
	}
	if total.IsZero() || s.Created == 0 {
		return billing.PaymentReport{}, fmt.Errorf("checkout session %s: %w: no amount or creation time", s.ID, ErrPayload)
	}
	r := billing.PaymentReport{
		PageReference: s.ID,
		AttemptID:     s.Metadata[metaAttempt],
		InvoiceID:     s.Metadata[metaInvoice],
		Amount:        total,
		At:            time.Unix(s.Created, 0).UTC(),
	}
	if s.Customer != nil {
		r.Customer = s.Customer.ID
	}
	if s.PaymentIntent != nil {
		r.Reference = s.PaymentIntent.ID
	}
	if r.State, err = sessionState(s); err != nil {
		return billing.PaymentReport{}, err
	}
	if s.PaymentIntent == nil || s.PaymentIntent.Status == "" { // absent, or a bare id
		return r, nil
	}
	return withPayment(r, s.PaymentIntent)
}

// sessionState reads the state off the session alone.
func sessionState(s *stripe.CheckoutSession) (billing.PaymentState, error) {
	switch {
	case s.Status == stripe.CheckoutSessionStatusOpen:
		return billing.PaymentOpen, nil
	case s.Status == stripe.CheckoutSessionStatusExpired:
		return billing.PaymentCancelled, nil
	case s.Status != stripe.CheckoutSessionStatusComplete:
		return "", fmt.Errorf("checkout session %s: %w: status %.40q", s.ID, ErrPayload, s.Status)
	case s.PaymentIntent == nil || s.PaymentIntent.ID == "":
		return "", fmt.Errorf("checkout session %s: %w: complete without a payment", s.ID, ErrPayload)
	case s.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid:
		return billing.PaymentSucceeded, nil
	case s.PaymentStatus == stripe.CheckoutSessionPaymentStatusUnpaid:
		return billing.PaymentPending, nil
	}
	return "", fmt.Errorf("checkout session %s: %w: payment status %.40q", s.ID, ErrPayload, s.PaymentStatus)
}

// withPayment joins a page's report with that of its payment. The payment knows
// better, except that a failed try on a page that is still open can be followed
// by another, and on an expired page by none.
func withPayment(page billing.PaymentReport, pi *stripe.PaymentIntent) (billing.PaymentReport, error) {
	r, err := reportIntent(pi)
	if err != nil {
		return billing.PaymentReport{}, fmt.Errorf("checkout session %s: %w", page.PageReference, err)
	}
	r.PageReference = page.PageReference
	r.AttemptID = firstOf(r.AttemptID, page.AttemptID)
	r.InvoiceID = firstOf(r.InvoiceID, page.InvoiceID)
	r.Customer = firstOf(r.Customer, page.Customer)
	moved := r.State == billing.PaymentSucceeded || r.State == billing.PaymentPending
	if !moved && (page.State == billing.PaymentOpen || page.State == billing.PaymentCancelled) {
		r.State, r.Decline, r.ActionURL = page.State, billing.DeclineNone, ""
	}
	return r, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
