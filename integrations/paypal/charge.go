package paypal

import (
	"context"
	"net/http"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Charge takes money from a saved account without the payer: an order that names
// the vault's token is paid as it is created (POST /v2/checkout/orders). PayPal
// does not ask whose token it is, so we do, once. A decline is a report; it
// leaves no trace at PayPal, so that it has no Reference. One that wants the
// payer is PaymentNeedsAction without an ActionURL: send the customer to a page
// of the same invoice.
//
// PayPal remembers a request id for six hours. After that the attempt's unique
// invoice_id is refused, and the payment is looked for in transaction search.
func (c *Client) Charge(ctx context.Context, r billing.ChargeRequest) (billing.PaymentReport, error) {
	what := "charge attempt " + r.AttemptID
	order, err := chargeOrder(what, r)
	if err != nil {
		return billing.PaymentReport{}, err
	}
	report := billing.PaymentReport{
		AttemptID: r.AttemptID, InvoiceID: r.InvoiceID, Customer: r.Customer, Method: r.Method, Amount: r.Amount, At: c.now().UTC(),
	}
	if err := c.checkOwner(ctx, r.Customer, r.Method); missing(err) {
		declined(&report, "TOKEN_ID_NOT_FOUND")
		return report, nil
	} else if err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin(what, true)
	var o wireOrder
	err = x.send(ctx, http.MethodPost, "/v2/checkout/orders", r.Key, order, &o)
	issue := issueOf(err)
	_, isDecline := declines[issue]
	switch {
	case isDecline:
		declined(&report, issue)
		return report, nil
	case issue == "DUPLICATE_INVOICE_ID":
		return c.findPayment(ctx, r.AttemptID, r.Amount, err)
	case err != nil:
		return billing.PaymentReport{}, err
	}
	return c.charged(x, o, order.Units[0], report)
}

// charged reads the answer to a charge.
func (c *Client) charged(x *exchange, o wireOrder, asked wireUnit, report billing.PaymentReport) (billing.PaymentReport, error) {
	got, err := reportOrder(o, c.now())
	switch {
	case err != nil:
		return billing.PaymentReport{}, x.lost(err.Error(), ErrPayload)
	case !sameOrder(o, asked):
		return billing.PaymentReport{}, x.fail(billing.ErrGatewayRefused, "the key belongs to another order, "+o.ID, nil)
	case got.Reference == "" && o.Status == "PAYER_ACTION_REQUIRED":
		declined(&report, "PAYER_ACTION_REQUIRED")
		return report, nil
	case got.Reference == "":
		return billing.PaymentReport{}, x.lost("the order "+o.ID+" has the status "+o.Status+" and no capture", ErrPayload)
	}
	got.Customer, got.Method = report.Customer, report.Method
	return got, nil
}

func chargeOrder(what string, r billing.ChargeRequest) (wireOrderRequest, error) {
	none := wireOrderRequest{}
	amount, err := toPayPal(r.Amount)
	if err != nil {
		return none, err
	}
	m, err := newMark(what, r.AttemptID, r.InvoiceID)
	if err != nil {
		return none, err
	}
	if err := checkKey(what, r.Key); err != nil {
		return none, err
	}
	if err := checkID("customer", r.Customer, customerShape); err != nil {
		return none, err
	}
	if err := checkID("saved method", r.Method, tokenIDShape); err != nil {
		return none, err
	}
	wallet := wireWallet{
		VaultID: r.Method,
		Stored:  &wireStored{Initiator: "MERCHANT", Usage: "SUBSEQUENT", Pattern: "RECURRING_POSTPAID"},
	}
	return wireOrderRequest{Intent: "CAPTURE", Units: []wireUnit{unitOf(m, r.Description, amount)}, Source: wireSource{wallet}}, nil
}

// findPayment looks for the payment of an attempt among the account's last 31
// days. Transaction search lags by hours: what is not there proves nothing.
func (c *Client) findPayment(ctx context.Context, attempt string, amount money.Amount, refused error) (billing.PaymentReport, error) {
	x := c.begin("find the payment of attempt "+attempt, true)
	now := c.now()
	reference := ""
	_, err := c.Transactions(ctx, now.Add(-searchSpan), now, func(t billing.Transaction) error {
		if t.Kind == billing.TransactionPayment && t.AttemptID == attempt && t.Amount == amount && t.State != billing.PaymentDeclined {
			reference = t.ID
		}
		return nil
	})
	if err != nil {
		return billing.PaymentReport{}, x.lost("PayPal has a payment of it ("+refused.Error()+"), which cannot be searched for", err)
	}
	if reference == "" {
		return billing.PaymentReport{}, x.lost("PayPal has a payment of it, which its transaction search does not show yet", refused)
	}
	return c.ReadPayment(ctx, reference)
}

// ReadPayment reads a capture (GET /v2/payments/captures/{id}). The id of an order
// reads that order, so that whatever a webhook is about can be read: PayPal's ids
// do not tell.
func (c *Client) ReadPayment(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if err := checkID("payment", reference, paymentShape); err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin("read payment "+reference, false)
	var captured wireCapture
	err := x.send(ctx, http.MethodGet, "/v2/payments/captures/"+reference, "", nil, &captured)
	if missing(err) {
		r, failed := c.ReadPage(ctx, reference)
		if failed == nil && r.Amount.IsZero() {
			return billing.PaymentReport{}, err // not an order either
		}
		return r, failed
	}
	if err != nil {
		return billing.PaymentReport{}, err
	}
	r, err := reportCapture(captured)
	if err != nil {
		return billing.PaymentReport{}, x.lost(err.Error(), ErrPayload)
	}
	return r, nil
}
