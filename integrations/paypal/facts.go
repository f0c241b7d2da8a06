package paypal

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ezscale/ezscale/engine/billing"
)

// factKinds are the kinds of facts by the start of an event's type.
var factKinds = []struct {
	start string
	kind  billing.FactKind
}{
	{"PAYMENT.CAPTURE.REFUNDED", billing.FactRefund},
	{"PAYMENT.SALE.REFUNDED", billing.FactRefund},
	{"PAYMENT.CAPTURE.REVERSED", billing.FactReversal},
	{"PAYMENT.SALE.REVERSED", billing.FactReversal},
	{"PAYMENT.SALE.", billing.FactAgreementPayment},
	{"CUSTOMER.DISPUTE.", billing.FactDispute},
	{"VAULT.PAYMENT-TOKEN.", billing.FactMethod},
	{"BILLING.SUBSCRIPTION.", billing.FactAgreement},
}

// FactOf says what else an event is about. A reversal names the payment that was
// taken back: its own resource is a refund that nobody asked for.
func (c *Client) FactOf(body []byte) (billing.Fact, bool, error) {
	e, err := decodeEvent(body)
	if err != nil {
		return billing.Fact{}, false, err
	}
	for _, f := range factKinds {
		if strings.HasPrefix(e.Type, f.start) {
			fact, err := e.fact(f.kind)
			if err != nil {
				return billing.Fact{}, true, fmt.Errorf("paypal: event %s (%s): %w", e.ID, e.Type, err)
			}
			return fact, true, nil
		}
	}
	return billing.Fact{}, false, nil
}

func (e wireEvent) fact(kind billing.FactKind) (billing.Fact, error) {
	var r struct {
		Customer wireID     `json:"customer"`
		Links    []wireLink `json:"links"`
		SaleID   string     `json:"sale_id"`
		Billing  string     `json:"billing_agreement_id"`
		Disputed []struct {
			Payment string `json:"seller_transaction_id"`
		} `json:"disputed_transactions"`
	}
	if err := json.Unmarshal(e.Resource, &r); err != nil {
		return billing.Fact{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	f := billing.Fact{Kind: kind, Object: e.about(), Customer: r.Customer.ID, At: e.Created.Time}
	switch {
	case kind == billing.FactRefund || kind == billing.FactReversal:
		f.Payment = firstOf(r.SaleID, lastPart(link(r.Links, "up")))
	case kind == billing.FactAgreementPayment:
		f.Payment, f.Agreement = f.Object, r.Billing
	case kind == billing.FactAgreement:
		f.Agreement = f.Object
	case len(r.Disputed) > 0:
		f.Payment = r.Disputed[0].Payment
	}
	if kind == billing.FactReversal {
		f.Object = firstOf(f.Payment, f.Object)
	}
	if f.Object == "" {
		return billing.Fact{}, fmt.Errorf("%w: it names no object", ErrPayload)
	}
	return f, nil
}

// lastPart is the id at the end of a link.
func lastPart(href string) string { return href[strings.LastIndex(href, "/")+1:] }
