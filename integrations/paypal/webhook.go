package paypal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// The versions of events and resources that we read.
const (
	eventVersion    = "1.0"
	resourceVersion = "2.0"
)

// wireEvent is what we read of an event.
type wireEvent struct {
	ID              string          `json:"id"`
	Type            string          `json:"event_type"`
	Version         string          `json:"event_version"`
	ResourceVersion string          `json:"resource_version"`
	Created         wireTime        `json:"create_time"`
	Resource        json.RawMessage `json:"resource"`
}

// approved is the event that asks us to capture.
const approved = "CHECKOUT.ORDER.APPROVED"

// paymentEvents are the events about a payment. Refunds and reversals are not
// among them: they are facts (see FactOf).
var paymentEvents = []string{
	approved, "CHECKOUT.ORDER.COMPLETED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED",
}

// ParseWebhook verifies a delivery by its headers and the raw body
// (developer.paypal.com/api/rest/webhooks/rest): offline by PayPal's certificate,
// and by PayPal's own check where the certificate cannot be fetched. An approved
// order is marked Refetch, because reading its page captures it. Errors:
// billing.ErrNotConfigured without a webhook id; billing.ErrBadSignature;
// billing.ErrGatewayTemporary when neither check could be made, so that PayPal
// delivers again; ErrPayload for genuine bodies that are no event.
func (c *Client) ParseWebhook(body []byte, header map[string][]string, now time.Time) (billing.Event, error) {
	if c.config.WebhookID == "" {
		return billing.Event{}, fmt.Errorf("paypal: verify webhook: %w: the webhook id is missing", billing.ErrNotConfigured)
	}
	if err := c.verify(body, http.Header(header), now); err != nil {
		return billing.Event{}, fmt.Errorf("paypal: verify webhook: %w", err)
	}
	e, err := decodeEvent(body)
	if err != nil {
		return billing.Event{}, err
	}
	return billing.Event{
		ID: e.ID, Type: e.Type, Object: e.about(), At: e.Created.Time,
		Refetch: !e.ours() || e.Type == approved,
	}, nil
}

func decodeEvent(body []byte) (wireEvent, error) {
	var e wireEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return wireEvent{}, fmt.Errorf("paypal: read event: %w: %w", ErrPayload, err)
	}
	if e.ID == "" || e.Type == "" || e.Created.IsZero() {
		return wireEvent{}, fmt.Errorf("paypal: read event %.60q: %w: no id, type or time", e.ID, ErrPayload)
	}
	return e, nil
}

// ours reports whether the event is of the versions that we read. Sales and
// disputes have no resource version.
func (e wireEvent) ours() bool {
	return e.Version == eventVersion && (e.ResourceVersion == resourceVersion || e.ResourceVersion == "" && !slices.Contains(paymentEvents, e.Type))
}

// about returns the id of the object an event is about, "" where it has none.
func (e wireEvent) about() string {
	var object struct {
		ID      any `json:"id"`
		Dispute any `json:"dispute_id"`
	}
	if json.Unmarshal(e.Resource, &object) != nil {
		return ""
	}
	if id, ok := object.ID.(string); ok {
		return id
	}
	id, _ := object.Dispute.(string)
	return id
}

// PaymentOf reads the payment out of a stored event. For an event of another
// version, or one that lacks what ours promises, it returns ErrPayload and a
// report that holds only the reference, to be read back: ReadPayment takes the id
// of an order as well.
func (c *Client) PaymentOf(body []byte) (report billing.PaymentReport, ok bool, err error) {
	e, err := decodeEvent(body)
	if err != nil {
		return billing.PaymentReport{}, false, err
	}
	if !slices.Contains(paymentEvents, e.Type) {
		return billing.PaymentReport{}, false, nil
	}
	report, err = e.payment()
	if err == nil {
		return report, true, nil
	}
	report = billing.PaymentReport{Reference: e.about()}
	if e.isOrder() {
		report = billing.PaymentReport{PageReference: e.about()}
	}
	return report, true, fmt.Errorf("paypal: event %s (%s): %w", e.ID, e.Type, err)
}

func (e wireEvent) isOrder() bool { return e.Type == approved || e.Type == "CHECKOUT.ORDER.COMPLETED" }

func (e wireEvent) payment() (billing.PaymentReport, error) {
	none := billing.PaymentReport{}
	if !e.ours() {
		return none, fmt.Errorf("%w: it has the versions %.20q and %.20q", ErrPayload, e.Version, e.ResourceVersion)
	}
	if e.isOrder() {
		var o wireOrder
		if err := json.Unmarshal(e.Resource, &o); err != nil {
			return none, fmt.Errorf("%w: %w", ErrPayload, err)
		}
		return reportOrder(o, time.Time{})
	}
	var captured wireCapture
	if err := json.Unmarshal(e.Resource, &captured); err != nil {
		return none, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return reportCapture(captured)
}
