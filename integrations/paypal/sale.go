package paypal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/ezscale/ezscale/engine/billing"
)

// The payments of subscriptions are sales: resources of version 1 of the API,
// which writes amounts and states otherwise.

type wireTotal struct {
	Total    string `json:"total"`
	Currency string `json:"currency"`
}

func (t wireTotal) money() wireMoney { return wireMoney{t.Currency, t.Total} }

type wireSale struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Agreement string    `json:"billing_agreement_id"`
	Custom    string    `json:"custom"`
	Amount    wireTotal `json:"amount"`
	Fee       struct {
		Value    string `json:"value"`
		Currency string `json:"currency"`
	} `json:"transaction_fee"`
	Created wireTime `json:"create_time"`
}

type wireSaleRefund struct {
	ID      string    `json:"id"`
	State   string    `json:"state"`
	SaleID  string    `json:"sale_id"`
	Invoice string    `json:"invoice_number"`
	Amount  wireTotal `json:"amount"`
	Created wireTime  `json:"create_time"`
	Updated wireTime  `json:"update_time"`
}

var saleRefundStates = map[string]billing.RefundStatus{
	"completed": billing.RefundSucceeded, "pending": billing.RefundPending, "failed": billing.RefundFailed, "cancelled": billing.RefundFailed,
}

func (w wireSaleRefund) report() (billing.RefundReport, error) {
	amount, err := w.Amount.money().positive()
	state, known := saleRefundStates[w.State]
	at := firstTime(w.Updated, w.Created)
	if err != nil || !known || at.IsZero() || !paymentShape.MatchString(w.ID) {
		return billing.RefundReport{}, fmt.Errorf("refund %.60q: %w: id, time, amount or state (%.20q) is missing", w.ID, ErrPayload, w.State)
	}
	r := billing.RefundReport{ID: w.ID, RefundID: w.Invoice, Payment: w.SaleID, State: state, Amount: amount, At: at}
	if state == billing.RefundFailed {
		r.Reason = w.State
	}
	return r, nil
}

// refundSale is POST /v1/payments/sale/{id}/refund. Version 1 has no custom id; our
// id of the refund travels as its invoice number.
func (c *Client) refundSale(ctx context.Context, what string, r billing.RefundRequest, amount wireMoney) (billing.RefundReport, error) {
	x := c.begin(what, true)
	ask := map[string]any{"amount": wireTotal{amount.Value, amount.Currency}, "invoice_number": r.RefundID}
	if r.Note != "" {
		ask["description"] = cut(r.Note, 255)
	}
	var done wireSaleRefund
	if err := x.send(ctx, http.MethodPost, "/v1/payments/sale/"+r.Payment+"/refund", r.Key, ask, &done); err != nil {
		return billing.RefundReport{}, err
	}
	report, err := done.report()
	if err != nil {
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	}
	report.Payment, report.RefundID = r.Payment, r.RefundID
	return report, nil
}

// readSaleRefund is GET /v1/payments/refund/{id}.
func (c *Client) readSaleRefund(ctx context.Context, id string) (billing.RefundReport, error) {
	x := c.begin("read refund "+id, false)
	var found wireSaleRefund
	if err := x.send(ctx, http.MethodGet, "/v1/payments/refund/"+id, "", nil, &found); err != nil {
		return billing.RefundReport{}, err
	}
	r, err := found.report()
	if err != nil {
		return billing.RefundReport{}, x.lost(err.Error(), ErrPayload)
	}
	return r, nil
}

// saleStates are the states of a sale.
var saleStates = map[string]billing.PaymentState{
	"completed": billing.PaymentSucceeded, "partially_refunded": billing.PaymentSucceeded, "refunded": billing.PaymentSucceeded,
	"pending": billing.PaymentPending, "denied": billing.PaymentDeclined,
}

// AgreementPaymentOf reads a subscription's payment out of a stored event
// (PAYMENT.SALE.COMPLETED, PENDING, DENIED). Errors: ErrPayload.
func (c *Client) AgreementPaymentOf(body []byte) (billing.AgreementPayment, bool, error) {
	none := billing.AgreementPayment{}
	e, err := decodeEvent(body)
	if err != nil {
		return none, false, err
	}
	if e.Type != "PAYMENT.SALE.COMPLETED" && e.Type != "PAYMENT.SALE.PENDING" && e.Type != "PAYMENT.SALE.DENIED" {
		return none, false, nil
	}
	var s wireSale
	if err := json.Unmarshal(e.Resource, &s); err != nil {
		return none, true, fmt.Errorf("paypal: event %s (%s): %w: %w", e.ID, e.Type, ErrPayload, err)
	}
	if s.Agreement == "" {
		return none, false, nil // a sale without a subscription, of somebody else's making
	}
	p, err := s.payment()
	if err != nil {
		return none, true, fmt.Errorf("paypal: event %s (%s): %w", e.ID, e.Type, err)
	}
	return p, true, nil
}

func (s wireSale) payment() (billing.AgreementPayment, error) {
	amount, err := s.Amount.money().positive()
	state, known := saleStates[s.State]
	if err != nil || !known || !paymentShape.MatchString(s.ID) || s.Created.IsZero() {
		return billing.AgreementPayment{}, fmt.Errorf("sale %.60q: %w: id, time, amount or state (%.20q) is missing", s.ID, ErrPayload, s.State)
	}
	p := billing.AgreementPayment{
		Reference: s.ID, Agreement: s.Agreement, SubscriptionID: s.Custom, State: state, Amount: amount, Fee: amount.Zero(), At: s.Created.Time,
	}
	if s.Fee.Value != "" {
		if p.Fee, err = (wireMoney{s.Fee.Currency, s.Fee.Value}).amount(); err != nil {
			return billing.AgreementPayment{}, fmt.Errorf("fee of sale %s: %w", s.ID, err)
		}
	}
	return p, nil
}
