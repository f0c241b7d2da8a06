package stripe

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v79"
	"github.com/stripe/stripe-go/v79/webhook"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	// webhookLimit bounds a delivery, in bytes. Stripe's longest events stay far
	// below it; what is longer is refused before it is hashed.
	webhookLimit = 1 << 20
	// tolerance is how far the stamp of a signature may lie from now, on either
	// side. The library bounds the old side only, so that a stolen signature
	// with a future stamp would be good until then.
	tolerance = 300 * time.Second
	// maxSignatures bounds how many signatures a header may offer; Stripe sends
	// one per secret, two while a secret is being rolled.
	maxSignatures = 16
)

// wireEvent is what we read of an event.
type wireEvent struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Type       string `json:"type"`
	APIVersion string `json:"api_version"`
	Created    int64  `json:"created"`
	Data       *struct {
		Object json.RawMessage `json:"object"`
		Before json.RawMessage `json:"previous_attributes"`
	} `json:"data"`
}

// ParseWebhook verifies a delivery by its Stripe-Signature header and the raw
// body (docs.stripe.com/webhooks#verify-manually). A delivery of another API
// version is genuine all the same and is marked Refetch. Errors:
// billing.ErrNotConfigured without a webhook secret, as an empty secret would
// verify anyone's signature; billing.ErrBadSignature; ErrPayload for genuine
// bodies that are no event.
func (c *Client) ParseWebhook(body []byte, header map[string][]string, now time.Time) (billing.Event, error) {
	if c.config.WebhookSecret == "" {
		return billing.Event{}, fmt.Errorf("stripe: verify webhook: %w: the webhook secret is missing", billing.ErrNotConfigured)
	}
	if err := verify(body, http.Header(header).Values("Stripe-Signature"), c.config.WebhookSecret, now); err != nil {
		return billing.Event{}, fmt.Errorf("stripe: verify webhook: %w: %w", billing.ErrBadSignature, err)
	}
	e, err := decodeEvent(body)
	if err != nil {
		return billing.Event{}, err
	}
	id, _ := e.about()
	return billing.Event{
		ID:      e.ID,
		Type:    e.Type,
		Object:  id,
		At:      time.Unix(e.Created, 0).UTC(),
		Refetch: e.APIVersion != stripe.APIVersion,
	}, nil
}

func verify(body []byte, headers []string, secret string, now time.Time) error {
	if len(body) > webhookLimit {
		return fmt.Errorf("body of %d bytes is longer than any event", len(body))
	}
	if len(headers) != 1 {
		return fmt.Errorf("%d Stripe-Signature headers, want one", len(headers))
	}
	at, signatures, err := parseSignature(headers[0])
	if err != nil {
		return err
	}
	if age := now.Sub(at); age > tolerance || age < -tolerance {
		return fmt.Errorf("stamp is %s away from now, more than %s", age.Round(time.Second), tolerance)
	}
	want := webhook.ComputeSignature(at, body, secret)
	for _, got := range signatures {
		if hmac.Equal(want, got) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

// parseSignature reads "t=1767225600,v1=hex,v1=hex". Other schemes than v1 are
// passed over; v0 is a test scheme anyone can produce.
func parseSignature(header string) (at time.Time, signatures [][]byte, err error) {
	stamped := false
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || stamped || seconds <= 0 {
				return time.Time{}, nil, errors.New("header needs one time stamp")
			}
			at, stamped = time.Unix(seconds, 0), true
		case "v1":
			sig, err := hex.DecodeString(value)
			if err == nil && len(sig) > 0 && len(signatures) < maxSignatures {
				signatures = append(signatures, sig)
			}
		}
	}
	if !stamped || len(signatures) == 0 {
		return time.Time{}, nil, errors.New("header needs a time stamp and a v1 signature")
	}
	return at, signatures, nil
}

func decodeEvent(body []byte) (wireEvent, error) {
	var e wireEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return wireEvent{}, fmt.Errorf("stripe: read event: %w: %w", ErrPayload, err)
	}
	if e.Object != "event" || e.ID == "" || e.Type == "" {
		return wireEvent{}, fmt.Errorf("stripe: read event %.60q: %w: no id or type", e.ID, ErrPayload)
	}
	return e, nil
}

// about returns id and kind of the object an event is about, "" where the event
// has none. Ids are the same in every API version.
func (e wireEvent) about() (id, kind string) {
	var object struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if e.Data == nil || json.Unmarshal(e.Data.Object, &object) != nil {
		return "", ""
	}
	return object.ID, object.Object
}

// subjects are the events that are about a payment, by the kind of their object.
var subjects = map[string]string{
	"payment_intent.succeeded":                 "payment_intent",
	"payment_intent.payment_failed":            "payment_intent",
	"payment_intent.processing":                "payment_intent",
	"payment_intent.requires_action":           "payment_intent",
	"payment_intent.canceled":                  "payment_intent",
	"checkout.session.completed":               "checkout.session",
	"checkout.session.expired":                 "checkout.session",
	"checkout.session.async_payment_succeeded": "checkout.session",
	"checkout.session.async_payment_failed":    "checkout.session",
}

// PaymentOf reads the payment out of a stored event. For an event of another
// API version, or one that lacks what our version promises, it returns
// ErrPayload and a report that holds only the reference, to be read back with
// ReadPayment or ReadPage.
func (c *Client) PaymentOf(body []byte) (report billing.PaymentReport, ok bool, err error) {
	e, err := decodeEvent(body)
	if err != nil {
		return billing.PaymentReport{}, false, err
	}
	kind, ok := subjects[e.Type]
	if !ok || e.savesOnly() || kind == "payment_intent" && e.collected() {
		return billing.PaymentReport{}, false, nil
	}
	if report, err = e.payment(kind); err != nil {
		id, _ := e.about()
		report = billing.PaymentReport{}
		if kind == "checkout.session" {
			report.PageReference = id
		} else {
			report.Reference = id
		}
		return report, true, fmt.Errorf("stripe: event %s (%s): %w", e.ID, e.Type, err)
	}
	return report, true, nil
}

// collected reports whether Stripe took a payment by itself for one of its own
// invoices: the event about the invoice tells it, with the subscription.
func (e wireEvent) collected() bool {
	var object struct {
		Invoice ref `json:"invoice"`
	}
	return e.Data != nil && json.Unmarshal(e.Data.Object, &object) == nil && object.Invoice != ""
}

func (e wireEvent) payment(kind string) (billing.PaymentReport, error) {
	none := billing.PaymentReport{}
	if e.APIVersion != stripe.APIVersion {
		return none, fmt.Errorf("%w: it has version %.40q", ErrPayload, e.APIVersion)
	}
	if _, got := e.about(); got != kind || e.Created <= 0 {
		return none, fmt.Errorf("%w: no %s or creation time", ErrPayload, kind)
	}
	var r billing.PaymentReport
	var err error
	if kind == "checkout.session" {
		r, err = e.session()
	} else {
		r, err = e.intent()
	}
	if err != nil {
		return none, err
	}
	r.At = time.Unix(e.Created, 0).UTC()
	return r, nil
}

func (e wireEvent) session() (billing.PaymentReport, error) {
	var s stripe.CheckoutSession
	if err := json.Unmarshal(e.Data.Object, &s); err != nil {
		return billing.PaymentReport{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	r, err := reportSession(&s)
	if err == nil && e.Type == "checkout.session.async_payment_failed" && r.State == billing.PaymentPending {
		// The session itself still reads complete and unpaid.
		r.State, r.Decline = billing.PaymentDeclined, billing.DeclineSoft
	}
	return r, err
}

func (e wireEvent) intent() (billing.PaymentReport, error) {
	var pi stripe.PaymentIntent
	if err := json.Unmarshal(e.Data.Object, &pi); err != nil {
		return billing.PaymentReport{}, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	r, err := reportIntent(&pi)
	switch {
	case err != nil:
		return billing.PaymentReport{}, err
	case e.Type == "payment_intent.succeeded" && r.State != billing.PaymentSucceeded:
		return billing.PaymentReport{}, fmt.Errorf("%w: succeeded with status %.40q", ErrPayload, pi.Status)
	case e.Type == "payment_intent.payment_failed" && r.State == billing.PaymentOpen:
		r.State, r.Decline = billing.PaymentDeclined, billing.DeclineSoft
	}
	return r, nil
}
