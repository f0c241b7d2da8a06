package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// Charge charges a saved method without the customer (POST /v1/payment_intents
// with off_session and confirm). The method is always named: left out, Stripe
// falls back to the customer's legacy default source, which may be an old card.
// A decline is a report. One that wants the customer's confirmation is
// PaymentNeedsAction without an ActionURL: send the customer to a page of the
// same invoice; the declined payment cannot succeed any more without a call of
// ours, as nobody else has its client secret.
//
// When Stripe replays a stored server error for the key, or knows the key with
// other parameters (a description that changed), repeating is useless; then the
// customer's payments are searched for this attempt and amount.
func (c *Client) Charge(ctx context.Context, r billing.ChargeRequest) (billing.PaymentReport, error) {
	what := "charge attempt " + r.AttemptID
	params, err := chargeParams(what, r)
	if err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin(what, true)
	params.Params = x.params(ctx, r.Key)
	pi, err := c.api.PaymentIntents.New(params)
	var said *stripe.Error
	if errors.As(err, &said) && said.HTTPStatusCode == http.StatusPaymentRequired {
		return c.declinedCharge(r, said), nil
	}
	failed := x.failure(err)
	switch {
	case failed == nil:
		return x.intentReport(pi)
	case mismatched(failed), errors.Is(failed, billing.ErrOutcomeUnknown) && x.replayed.Load():
		return c.findCharge(ctx, r, failed)
	}
	return billing.PaymentReport{}, failed
}

func chargeParams(what string, r billing.ChargeRequest) (*stripe.PaymentIntentParams, error) {
	unit, currency, err := toStripe(r.Amount)
	if err != nil {
		return nil, err
	}
	if err := checkKey(what, r.Key); err != nil {
		return nil, err
	}
	if err := checkID("customer", r.Customer, "cus_"); err != nil {
		return nil, err
	}
	if err := checkID("payment method", r.Method, "pm_", "card_", "src_"); err != nil {
		return nil, err
	}
	if r.AttemptID == "" || r.InvoiceID == "" {
		return nil, fmt.Errorf("stripe: %s: %w: attempt and invoice are required", what, billing.ErrGatewayRefused)
	}
	params := &stripe.PaymentIntentParams{
		Amount:        &unit,
		Currency:      &currency,
		Customer:      &r.Customer,
		PaymentMethod: &r.Method,
		OffSession:    stripe.Bool(true),
		Confirm:       stripe.Bool(true),
		Metadata:      map[string]string{metaAttempt: r.AttemptID, metaInvoice: r.InvoiceID, metaMethod: r.Method},
		Expand:        stripe.StringSlice([]string{"latest_charge"}),
		// Nobody is there to be redirected, so methods that redirect are out.
		AutomaticPaymentMethods: &stripe.PaymentIntentAutomaticPaymentMethodsParams{
			Enabled:        stripe.Bool(true),
			AllowRedirects: stripe.String("never"),
		},
	}
	if r.Description != "" {
		params.Description = &r.Description
	}
	return params, nil
}

// declinedCharge is the report of a 402.
func (c *Client) declinedCharge(r billing.ChargeRequest, said *stripe.Error) billing.PaymentReport {
	report := billing.PaymentReport{
		AttemptID: r.AttemptID, InvoiceID: r.InvoiceID, Customer: r.Customer, Method: r.Method,
		Amount: r.Amount, At: c.now().UTC(),
	}
	if said.PaymentIntent != nil {
		report.Reference = said.PaymentIntent.ID
	}
	declined(&report, said)
	return report
}

// findCharge looks for the payment of an attempt among the customer's newest
// 100 (GET /v1/payment_intents). A payment that is not there proves nothing: the
// call may still be running, so the failure stands.
func (c *Client) findCharge(ctx context.Context, r billing.ChargeRequest, failed error) (billing.PaymentReport, error) {
	x := c.begin("find payment of attempt "+r.AttemptID, false)
	list := c.api.PaymentIntents.List(&stripe.PaymentIntentListParams{
		ListParams: stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true},
		Customer:   &r.Customer,
	})
	if err := x.failure(list.Err()); err != nil {
		return billing.PaymentReport{}, failed
	}
	for _, pi := range list.PaymentIntentList().Data {
		if pi == nil || pi.Metadata[metaAttempt] != r.AttemptID || pi.Metadata[metaMethod] != r.Method {
			continue
		}
		found, err := reportIntent(pi)
		if err == nil && found.State != billing.PaymentOpen && found.Amount == r.Amount {
			return found, nil
		}
	}
	return billing.PaymentReport{}, failed
}

// ReadPayment reads a payment back (GET /v1/payment_intents/{id}). The id of a
// page reads that page, so that whatever a webhook is about can be read.
func (c *Client) ReadPayment(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if checkID("page", reference, "cs_") == nil {
		return c.ReadPage(ctx, reference)
	}
	if err := checkID("payment", reference, "pi_"); err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin("read payment "+reference, false)
	pi, err := c.api.PaymentIntents.Get(reference, &stripe.PaymentIntentParams{
		Params: x.params(ctx, ""),
		Expand: stripe.StringSlice([]string{"payment_method", "latest_charge"}),
	})
	if err := x.failure(err); err != nil {
		return billing.PaymentReport{}, err
	}
	return x.intentReport(pi)
}

func (x *exchange) intentReport(pi *stripe.PaymentIntent) (billing.PaymentReport, error) {
	r, err := reportIntent(pi)
	if err != nil {
		return billing.PaymentReport{}, x.lost(err.Error(), ErrPayload)
	}
	return r, nil
}
