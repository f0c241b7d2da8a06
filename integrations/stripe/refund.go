package stripe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// metaRefund names our refund on Stripe's.
const metaRefund = "refund_id"

// refundPages bounds how many pages of 100 refunds of one payment are read.
const refundPages = 5

// refundIDs are the ids refunds have: re_ of cards, pyr_ of other methods.
var refundIDs = []string{"re_", "pyr_"}

// Refund gives money of a payment back (POST /v1/refunds). Stripe forgets keys
// after a day and then would pay again, so the payment's refunds are looked
// through for ours first, by its metadata; nothing is sent if it is there. A
// refund has no currency of its own at Stripe: the payment's is compared before.
// Stripe shows payers no note.
func (c *Client) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundReport, error) {
	what := refundTitle(r)
	if _, err := refundParams(what, r); err != nil {
		return billing.RefundReport{}, err
	}
	paid, err := c.ReadPayment(ctx, r.Payment)
	if err != nil {
		return billing.RefundReport{}, err
	}
	if paid.Amount.Currency() != r.Amount.Currency() {
		return billing.RefundReport{}, fmt.Errorf("stripe: %s: %w: the payment is in %s, not %s", what, billing.ErrGatewayRefused, paid.Amount.Currency(), r.Amount.Currency())
	}
	known, err := c.refundsOf(ctx, r.Payment)
	if err != nil {
		return billing.RefundReport{}, err
	}
	for _, k := range known {
		if k.RefundID == r.RefundID {
			return c.begin(what, false).same(r, k)
		}
	}
	return c.sendRefund(ctx, r)
}

func refundTitle(r billing.RefundRequest) string {
	return "refund " + r.RefundID + " of payment " + r.Payment
}

// sendRefund asks for a refund that the payment does not have yet.
func (c *Client) sendRefund(ctx context.Context, r billing.RefundRequest) (billing.RefundReport, error) {
	params, err := refundParams(refundTitle(r), r)
	if err != nil {
		return billing.RefundReport{}, err
	}
	x := c.begin(refundTitle(r), true)
	params.Params = x.params(ctx, r.Key)
	made, err := c.api.Refunds.New(params)
	if err := x.failure(err); err != nil {
		return billing.RefundReport{}, err
	}
	report, err := reportRefund(made)
	if err != nil {
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	}
	return x.same(r, report)
}

// same makes sure that a refund found is the one asked for.
func (x *exchange) same(r billing.RefundRequest, found billing.RefundReport) (billing.RefundReport, error) {
	if found.RefundID != r.RefundID || found.Payment != r.Payment || found.Amount != r.Amount {
		return billing.RefundReport{}, x.fail(billing.ErrGatewayRefused, "its id or key belongs to another refund, "+found.ID, nil)
	}
	return found, nil
}

func refundParams(what string, r billing.RefundRequest) (*stripe.RefundParams, error) {
	unit, _, err := toStripe(r.Amount)
	if err != nil {
		return nil, err
	}
	if err := checkKey(what, r.Key); err != nil {
		return nil, err
	}
	if err := checkID("payment", r.Payment, "pi_"); err != nil {
		return nil, err
	}
	if r.RefundID == "" || len(r.RefundID) > 500 {
		return nil, fmt.Errorf("stripe: %s: %w: a refund id of 1 to 500 characters is required", what, billing.ErrGatewayRefused)
	}
	return &stripe.RefundParams{
		PaymentIntent: &r.Payment, Amount: &unit, Metadata: map[string]string{metaRefund: r.RefundID},
		Reason: stripe.String(string(stripe.RefundReasonRequestedByCustomer)),
	}, nil
}

// refundsOf lists the refunds of a payment (GET /v1/refunds), newest first.
func (c *Client) refundsOf(ctx context.Context, payment string) ([]billing.RefundReport, error) {
	found := []billing.RefundReport{}
	var after *string
	for range refundPages {
		x := c.begin("list refunds of payment "+payment, false)
		list := c.api.Refunds.List(&stripe.RefundListParams{
			ListParams:    stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after},
			PaymentIntent: &payment,
		})
		if err := x.failure(list.Err()); err != nil {
			return nil, err
		}
		page := list.RefundList()
		if page.URL == "" { // an empty list is believed only with it
			return nil, x.incomplete("list")
		}
		for _, r := range page.Data {
			report, err := reportRefund(r)
			if err != nil {
				return nil, x.lost(err.Error(), ErrPayload)
			}
			found = append(found, report)
			after = &r.ID
		}
		if !page.HasMore || len(page.Data) == 0 {
			return found, nil
		}
	}
	return nil, fmt.Errorf("stripe: list refunds of payment %s: %w: more than %d", payment, billing.ErrGatewayRefused, refundPages*100)
}

// ReadRefund reads a refund back (GET /v1/refunds/{id}).
func (c *Client) ReadRefund(ctx context.Context, id string) (billing.RefundReport, error) {
	if err := checkID("refund", id, refundIDs...); err != nil {
		return billing.RefundReport{}, err
	}
	x := c.begin("read refund "+id, false)
	r, err := c.api.Refunds.Get(id, &stripe.RefundParams{Params: x.params(ctx, "")})
	if err := x.failure(err); err != nil {
		return billing.RefundReport{}, err
	}
	report, err := reportRefund(r)
	if err != nil {
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	}
	return report, nil
}

// refundStates are Stripe's states as ours. One that waits for the payer, who is
// asked where the money should go, is pending.
var refundStates = map[stripe.RefundStatus]billing.RefundStatus{
	stripe.RefundStatusSucceeded: billing.RefundSucceeded, stripe.RefundStatusPending: billing.RefundPending, stripe.RefundStatusRequiresAction: billing.RefundPending,
	stripe.RefundStatusFailed: billing.RefundFailed, stripe.RefundStatusCanceled: billing.RefundFailed,
}

// reportRefund says what became of a refund. Errors: ErrPayload as in
// reportIntent.
func reportRefund(r *stripe.Refund) (billing.RefundReport, error) {
	if r == nil || checkID("refund", r.ID, refundIDs...) != nil {
		return billing.RefundReport{}, fmt.Errorf("refund: %w: no id", ErrPayload)
	}
	amount, err := fromStripe(r.Amount, string(r.Currency))
	if err != nil {
		return billing.RefundReport{}, fmt.Errorf("refund %s: %w", r.ID, err)
	}
	state, known := refundStates[r.Status]
	if !known || amount.IsZero() || r.Created == 0 {
		return billing.RefundReport{}, fmt.Errorf("refund %s: %w: amount, time or status (%.20q) is missing", r.ID, ErrPayload, r.Status)
	}
	report := billing.RefundReport{ID: r.ID, RefundID: r.Metadata[metaRefund], State: state, Amount: amount, At: time.Unix(r.Created, 0).UTC()}
	if r.PaymentIntent != nil {
		report.Payment = r.PaymentIntent.ID
	}
	if state == billing.RefundFailed {
		report.Reason = firstOf(string(r.FailureReason), string(r.Status))
	}
	return report, nil
}

// RemoveMethod takes a saved method away from its customer
// (POST /v1/payment_methods/{id}/detach), for good. Whose it is is read first, as
// Stripe detaches without asking.
func (c *Client) RemoveMethod(ctx context.Context, customer, method string) error {
	if err := checkID("customer", customer, "cus_"); err != nil {
		return err
	}
	if err := checkID("payment method", method, "pm_", "card_", "src_"); err != nil {
		return err
	}
	x := c.begin("read payment method "+method, false)
	pm, err := c.api.PaymentMethods.Get(method, &stripe.PaymentMethodParams{Params: x.params(ctx, "")})
	failed := x.failure(err)
	switch {
	case missing(failed):
		return nil
	case failed != nil:
		return failed
	case pm.ID != method:
		return x.incomplete("id")
	case pm.Customer == nil || pm.Customer.ID == "":
		return nil // taken away before
	case pm.Customer.ID != customer:
		return fmt.Errorf("stripe: remove payment method %s: %w: it belongs to another customer", method, billing.ErrGatewayRefused)
	}
	return c.detach(ctx, method)
}

func (c *Client) detach(ctx context.Context, method string) error {
	x := c.begin("remove payment method "+method, true)
	_, err := c.api.PaymentMethods.Detach(method, &stripe.PaymentMethodDetachParams{Params: x.params(ctx, "")})
	return x.failure(err)
}

// missing reports an object that Stripe does not have.
func missing(err error) bool {
	var ce *callError
	return errors.As(err, &ce) && ce.code == stripe.ErrorCodeResourceMissing
}
