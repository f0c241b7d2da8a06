package stripe

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// factKinds are the events that are about something besides payments.
// charge.refunded is not among them: it shows the charge and names no refund;
// refund.created and refund.updated do.
var factKinds = map[string]billing.FactKind{
	"refund.created": billing.FactRefund, "refund.updated": billing.FactRefund, "refund.failed": billing.FactRefund, "charge.refund.updated": billing.FactRefund,
	"charge.dispute.created": billing.FactDispute, "charge.dispute.updated": billing.FactDispute, "charge.dispute.closed": billing.FactDispute,
	"charge.dispute.funds_withdrawn": billing.FactDispute, "charge.dispute.funds_reinstated": billing.FactDispute,
	"payment_method.attached": billing.FactMethod, "payment_method.detached": billing.FactMethod,
	"payment_method.updated": billing.FactMethod, "payment_method.automatically_updated": billing.FactMethod,
	"customer.subscription.created": billing.FactAgreement, "customer.subscription.updated": billing.FactAgreement, "customer.subscription.deleted": billing.FactAgreement,
	"customer.subscription.paused": billing.FactAgreement, "customer.subscription.resumed": billing.FactAgreement,
	"invoice.paid": billing.FactAgreementPayment, "invoice.payment_failed": billing.FactAgreementPayment, "invoice.payment_action_required": billing.FactAgreementPayment,
	"invoice.voided": billing.FactAgreementPayment, "invoice.marked_uncollectible": billing.FactAgreementPayment,
}

// factIDs are the ids that the object of a fact may have.
var factIDs = map[billing.FactKind][]string{
	billing.FactRefund: refundIDs, billing.FactDispute: disputeIDs, billing.FactMethod: {"pm_", "card_", "src_"},
	billing.FactAgreement: {"sub_"}, billing.FactAgreementPayment: {"in_"},
}

// FactOf says what else an event is about. It reads ids alone, which are the same
// in every API version. A detached method's owner is in what the event says of
// before.
func (c *Client) FactOf(body []byte) (billing.Fact, bool, error) {
	e, err := decodeEvent(body)
	if err != nil {
		return billing.Fact{}, false, err
	}
	kind, ok := factKinds[e.Type]
	if !ok {
		return billing.Fact{}, false, nil
	}
	fact, err := e.fact(kind)
	if err != nil {
		return billing.Fact{}, true, fmt.Errorf("stripe: event %s (%s): %w", e.ID, e.Type, err)
	}
	return fact, true, nil
}

// ref is a reference: an id, or the object with that id.
type ref string

// UnmarshalJSON reads either form; null is "".
func (r *ref) UnmarshalJSON(raw []byte) error {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		*r = ref(id)
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(raw, &object)
	*r = ref(object.ID)
	return err
}

func (e wireEvent) fact(kind billing.FactKind) (billing.Fact, error) {
	if e.Data == nil {
		return billing.Fact{}, fmt.Errorf("%w: no data", ErrPayload)
	}
	var object, before struct {
		ID       string `json:"id"`
		Payment  ref    `json:"payment_intent"`
		Customer ref    `json:"customer"`
		// An invoice names its subscription here, since version basil in its parent.
		Subscription ref `json:"subscription"`
		Parent       struct {
			Details struct {
				Subscription ref `json:"subscription"`
			} `json:"subscription_details"`
		} `json:"parent"`
	}
	if err := json.Unmarshal(e.Data.Object, &object); err != nil {
		return billing.Fact{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	if len(e.Data.Before) > 0 && strings.HasPrefix(e.Type, "payment_method.") {
		if err := json.Unmarshal(e.Data.Before, &before); err != nil {
			return billing.Fact{}, fmt.Errorf("%w: %w", ErrPayload, err)
		}
	}
	if err := checkID(string(kind), object.ID, factIDs[kind]...); err != nil || e.Created <= 0 {
		return billing.Fact{}, fmt.Errorf("%w: it names no %s, or no time", ErrPayload, kind)
	}
	agreement := firstOf(string(object.Subscription), string(object.Parent.Details.Subscription))
	switch kind {
	case billing.FactAgreement:
		agreement = object.ID
	case billing.FactAgreementPayment:
	case billing.FactRefund, billing.FactReversal, billing.FactDispute, billing.FactMethod:
		agreement = ""
	}
	return billing.Fact{
		Agreement: agreement,
		Kind:      kind, Object: object.ID, Payment: string(object.Payment), Customer: firstOf(string(object.Customer), string(before.Customer)), At: time.Unix(e.Created, 0).UTC(),
	}, nil
}
