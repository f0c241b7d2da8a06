package stripe

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// ErrPayload reports an object of Stripe that lacks what API version 2024-06-20
// promises or was written for another version. Newer versions move fields, and
// the library then decodes zeros without an error, so a zero is never believed.
var ErrPayload = errors.New("stripe payload does not have the shape of API version " + stripe.APIVersion)

// callError is a failed call: what was being done, which class of error it is,
// what Stripe said and under which request id Stripe's support finds it. It
// keeps no object of the library, whose Error prints client secrets.
type callError struct {
	what    string
	kind    error // one of billing's sentinels
	detail  string
	request string
	cause   error // a network or context error, or nil
	code    stripe.ErrorCode
	typ     stripe.ErrorType
}

// Error reads "stripe: charge attempt att_1: outcome … (request req_8h)".
func (e *callError) Error() string {
	text := "stripe: " + e.what + ": " + e.kind.Error()
	if e.detail != "" {
		text += ": " + e.detail
	}
	if e.request != "" {
		text += " (request " + e.request + ")"
	}
	return text
}

// Unwrap gives errors.Is the class and the network's cause.
func (e *callError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// mismatched reports a key that Stripe already knows with other parameters.
func mismatched(err error) bool {
	var ce *callError
	return errors.As(err, &ce) && ce.typ == stripe.ErrorTypeIdempotency && errors.Is(ce.kind, billing.ErrGatewayRefused)
}

// failure classes the library's error of this call; nil stays nil unless the
// answer was a redirect, which the library may take for success.
func (x *exchange) failure(err error) error {
	var said *stripe.Error
	switch status := x.status.Load(); {
	case status >= 300 && status < 400:
		return x.lost(fmt.Sprintf("answered with a redirect (status %d); is the API address right?", status), nil)
	case err == nil:
		return nil
	case errors.As(err, &said):
		return x.refusal(said)
	}
	return x.noAnswer(err)
}

// incomplete reports an answer of status 200 that lacks what it must have.
func (x *exchange) incomplete(missing string) error {
	return x.lost("the answer has no "+missing, ErrPayload)
}

// noAnswer classes what is not an answer of Stripe: nothing, half of one, or the
// page of a proxy. Its text is left out of the error, as anyone may have
// written it.
func (x *exchange) noAnswer(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address and its query
	}
	status := x.status.Load()
	switch {
	case status == 0 && x.untouched():
		return x.fail(billing.ErrGatewayTemporary, "nothing was sent: "+x.client.scrub(err.Error()), err)
	case status == 0:
		return x.lost("no answer: "+x.client.scrub(err.Error()), err)
	case status == http.StatusTooManyRequests:
		return x.fail(billing.ErrGatewayTemporary, "too many requests", nil)
	case errors.Is(err, errAnswerTooLong):
		return x.lost(err.Error(), nil)
	}
	return x.lost(fmt.Sprintf("the answer (status %d) is not one of Stripe", status), nil)
}

// refusal classes an error in Stripe's own shape.
func (x *exchange) refusal(said *stripe.Error) error {
	kind := billing.ErrGatewayRefused
	switch status := said.HTTPStatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		kind = billing.ErrGatewayCredentials
	case status == http.StatusTooManyRequests:
		kind = billing.ErrGatewayTemporary
	case status == http.StatusConflict, status == http.StatusRequestTimeout, status >= 500:
		// A conflict means that another call with this key is still running:
		// what becomes of it is not known yet.
		kind = x.lostKind()
	}
	parts := []string{}
	for _, part := range []string{string(said.Type), string(said.Code), said.Param, said.Msg} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	e := x.fail(kind, x.client.scrub(strings.Join(parts, ", ")), nil)
	e.code, e.typ = said.Code, said.Type
	return e
}

func (x *exchange) lost(detail string, cause error) *callError {
	return x.fail(x.lostKind(), detail, cause)
}

// lostKind is how a lost answer counts: a read had no effect.
func (x *exchange) lostKind() error {
	if x.write {
		return billing.ErrOutcomeUnknown
	}
	return billing.ErrGatewayTemporary
}

func (x *exchange) fail(kind error, detail string, cause error) *callError {
	return &callError{what: x.what, kind: kind, detail: detail, request: x.request(), cause: cause}
}

var secretShapes = regexp.MustCompile(`\b(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9_+/=-]+|_secret_[A-Za-z0-9_]+`)

// scrub takes our secrets, and whatever looks like one, out of a text.
func (c *Client) scrub(text string) string {
	text = strings.ReplaceAll(text, c.config.SecretKey, "[key]")
	if c.config.WebhookSecret != "" {
		text = strings.ReplaceAll(text, c.config.WebhookSecret, "[secret]")
	}
	text = secretShapes.ReplaceAllString(text, "[hidden]")
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	return text
}

var idShape = regexp.MustCompile(`^[a-z]+_[A-Za-z0-9_]{1,240}$`)

// checkID refuses what cannot be one of Stripe's ids, as an empty id would turn
// the read of one object into a list of all.
func checkID(what, id string, prefixes ...string) error {
	if idShape.MatchString(id) {
		for _, p := range prefixes {
			if strings.HasPrefix(id, p) {
				return nil
			}
		}
	}
	return fmt.Errorf("stripe: %s %.60q: %w: not an id starting with %s", what, id, billing.ErrGatewayRefused, strings.Join(prefixes, " or "))
}

// checkKey refuses idempotency keys that Stripe or the library would change or
// ignore: an empty one is sent as none, outer spaces are trimmed.
func checkKey(what, key string) error {
	if key == "" || len(key) > 255 || !printable(key) {
		return fmt.Errorf("stripe: %s: %w: an idempotency key has 1 to 255 visible characters, got %d", what, billing.ErrGatewayRefused, len(key))
	}
	return nil
}
