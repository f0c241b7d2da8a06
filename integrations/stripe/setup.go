package stripe

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

const metaSetup = "setup_id"

// OpenSetup opens a Checkout page in setup mode (POST /v1/checkout/sessions;
// docs.stripe.com/payments/save-and-reuse?platform=checkout): a card is checked,
// confirmed by its holder where the bank wants that, and kept for Charge. Nothing
// is charged. Its expiry is bounded as that of OpenPage.
func (c *Client) OpenSetup(ctx context.Context, r billing.SetupRequest) (billing.Page, error) {
	what := "open setup " + r.SetupID
	err := checkPage(what, billing.PageRequest{
		Key: r.Key, Customer: r.Customer, AttemptID: r.SetupID, InvoiceID: r.SetupID, Description: r.Description, ReturnURL: r.ReturnURL, CancelURL: r.CancelURL,
	})
	if err != nil {
		return billing.Page{}, err
	}
	if r.Customer == "" {
		return billing.Page{}, fmt.Errorf("stripe: %s: %w: a customer is required", what, billing.ErrGatewayRefused)
	}
	meta := map[string]string{metaSetup: r.SetupID}
	params := stripe.CheckoutSessionParams{
		Mode:               stripe.String(string(stripe.CheckoutSessionModeSetup)),
		Customer:           &r.Customer,
		ClientReferenceID:  &r.SetupID,
		SuccessURL:         &r.ReturnURL,
		CancelURL:          &r.CancelURL,
		Locale:             stripe.String(locale(r.Locale)),
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		Metadata:           meta,
		SetupIntentData:    &stripe.CheckoutSessionSetupIntentDataParams{Description: &r.Description, Metadata: meta},
	}
	var known error
	for _, expiry := range expiries(r.ExpiresAt, c.now()) {
		page, err := c.openPage(ctx, what, r.Key, params, expiry)
		if !mismatched(err) {
			return page, err
		}
		known = firstError(known, err)
	}
	return billing.Page{}, known
}

// ReadSetup reads a page in setup mode back (GET /v1/checkout/sessions/{id}).
func (c *Client) ReadSetup(ctx context.Context, reference string) (billing.SetupReport, error) {
	if err := checkID("page", reference, "cs_"); err != nil {
		return billing.SetupReport{}, err
	}
	x := c.begin("read setup "+reference, false)
	s, err := c.api.CheckoutSessions.Get(reference, &stripe.CheckoutSessionParams{
		Params: x.params(ctx, ""),
		Expand: stripe.StringSlice([]string{"setup_intent"}),
	})
	if err := x.failure(err); err != nil {
		return billing.SetupReport{}, err
	}
	if s.Mode != stripe.CheckoutSessionModeSetup {
		return billing.SetupReport{}, x.fail(billing.ErrGatewayRefused, "this page takes a payment", nil)
	}
	report := billing.SetupReport{Reference: s.ID, State: billing.SetupOpen}
	if s.Customer != nil {
		report.Customer = s.Customer.ID
	}
	switch s.Status {
	case stripe.CheckoutSessionStatusExpired:
		report.State = billing.SetupCancelled
	case stripe.CheckoutSessionStatusComplete:
		if s.SetupIntent == nil {
			return billing.SetupReport{}, x.incomplete("setup_intent")
		}
		if s.SetupIntent.Status != stripe.SetupIntentStatusSucceeded { // a debit whose mandate is still being checked
			return report, nil
		}
		if s.SetupIntent.PaymentMethod == nil || s.SetupIntent.PaymentMethod.ID == "" {
			return billing.SetupReport{}, x.incomplete("payment_method")
		}
		report.State, report.Method = billing.SetupDone, s.SetupIntent.PaymentMethod.ID
	case stripe.CheckoutSessionStatusOpen:
	default:
		return billing.SetupReport{}, x.incomplete("status")
	}
	return report, nil
}

// savesOnly reports whether an event is about a page that saves a method, which
// is no payment.
func (e wireEvent) savesOnly() bool {
	var s struct {
		Mode string `json:"mode"`
	}
	return e.Data != nil && json.Unmarshal(e.Data.Object, &s) == nil && s.Mode == string(stripe.CheckoutSessionModeSetup)
}
