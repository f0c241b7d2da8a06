package paypal

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ezscale/ezscale/engine/billing"
)

type wireRefundRequest struct {
	Amount   wireMoney `json:"amount"`
	CustomID string    `json:"custom_id"`
	Note     string    `json:"note_to_payer,omitempty"`
}

type wireRefund struct {
	ID            string     `json:"id"`
	Status        string     `json:"status"`
	StatusDetails wireWhy    `json:"status_details"`
	Amount        wireMoney  `json:"amount"`
	CustomID      string     `json:"custom_id"`
	Created       wireTime   `json:"create_time"`
	Updated       wireTime   `json:"update_time"`
	Links         []wireLink `json:"links"`
}

// Refund gives money of a capture back
// (POST /v2/payments/captures/{id}/refund), or of a subscription's payment, which
// PayPal keeps as a sale of version 1. PayPal remembers the request id 45 days.
func (c *Client) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundReport, error) {
	what := "refund " + r.RefundID + " of payment " + r.Payment
	amount, err := toPayPal(r.Amount)
	if err != nil {
		return billing.RefundReport{}, err
	}
	if err := checkKey(what, r.Key); err != nil {
		return billing.RefundReport{}, err
	}
	if err := checkID("payment", r.Payment, paymentShape); err != nil {
		return billing.RefundReport{}, err
	}
	if !ownIDShape.MatchString(r.RefundID) {
		return billing.RefundReport{}, fmt.Errorf("paypal: %s: %w: a refund id of 1 to 40 letters, digits, - and _ is required", what, billing.ErrGatewayRefused)
	}
	x := c.begin(what, true)
	ask := wireRefundRequest{Amount: amount, CustomID: r.RefundID, Note: cut(r.Note, 255)}
	var done wireRefund
	err = x.send(ctx, http.MethodPost, "/v2/payments/captures/"+r.Payment+"/refund", r.Key, ask, &done)
	if missing(err) {
		return c.refundSale(ctx, what, r, amount)
	}
	if err != nil {
		return billing.RefundReport{}, err
	}
	report, err := done.report()
	switch {
	case err != nil:
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	case report.RefundID != r.RefundID || report.Amount != r.Amount:
		return billing.RefundReport{}, x.fail(billing.ErrGatewayRefused, "the key belongs to another refund, "+done.ID, nil)
	}
	report.Payment = r.Payment
	return report, nil
}

var refundStates = map[string]billing.RefundStatus{
	"COMPLETED": billing.RefundSucceeded, "PENDING": billing.RefundPending, "FAILED": billing.RefundFailed, "CANCELLED": billing.RefundFailed,
}

func (w wireRefund) report() (billing.RefundReport, error) {
	amount, err := w.Amount.positive()
	state, known := refundStates[w.Status]
	at := firstTime(w.Updated, w.Created)
	if err != nil || !known || at.IsZero() || !paymentShape.MatchString(w.ID) {
		return billing.RefundReport{}, fmt.Errorf("refund %.60q: %w: id, time, amount or status (%.20q) is missing", w.ID, ErrPayload, w.Status)
	}
	r := billing.RefundReport{
		ID: w.ID, RefundID: w.CustomID, Payment: lastPart(link(w.Links, "up")), State: state, Amount: amount, At: at,
	}
	if state == billing.RefundFailed {
		r.Reason = firstOf(w.StatusDetails.Reason, w.Status)
	}
	return r, nil
}

// ReadRefund reads a refund (GET /v2/payments/refunds/{id}; the library asks at
// "refund", where nothing is), or one of a sale.
func (c *Client) ReadRefund(ctx context.Context, id string) (billing.RefundReport, error) {
	if err := checkID("refund", id, paymentShape); err != nil {
		return billing.RefundReport{}, err
	}
	x := c.begin("read refund "+id, false)
	var found wireRefund
	err := x.send(ctx, http.MethodGet, "/v2/payments/refunds/"+id, "", nil, &found)
	if missing(err) {
		return c.readSaleRefund(ctx, id)
	}
	if err != nil {
		return billing.RefundReport{}, err
	}
	r, err := found.report()
	if err != nil {
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	}
	return r, nil
}
