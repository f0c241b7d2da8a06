package paypal

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ezscale/ezscale/engine/billing"
)

// ErrPayload reports an object of PayPal that lacks what its documentation
// promises, or has it in another shape. PayPal changes its answers without notice,
// so what is absent is never read as zero.
var ErrPayload = errors.New("paypal payload does not have the documented shape")

var errRefused = billing.ErrGatewayRefused

// callError is a failed call: what was being done, which class of error it is,
// what PayPal said and under which debug id PayPal's support finds it.
type callError struct {
	what   string
	kind   error // one of billing's sentinels
	detail string
	debug  string
	cause  error // a network or context error, or nil
	status int
	name   string // PayPal's name of the error, such as UNPROCESSABLE_ENTITY
	issue  string // the rule that was broken, such as INSTRUMENT_DECLINED
}

// Error reads "paypal: charge attempt att_1: gateway refused …: … (debug id f1d2)".
func (e *callError) Error() string {
	text := "paypal: " + e.what + ": " + e.kind.Error()
	if e.detail != "" {
		text += ": " + e.detail
	}
	if e.debug != "" {
		text += " (debug id " + e.debug + ")"
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

// issueOf returns what PayPal objected to, "" for any other error.
func issueOf(err error) string {
	var ce *callError
	if errors.As(err, &ce) {
		return ce.issue
	}
	return ""
}

// missing reports that PayPal does not know the object.
func missing(err error) bool {
	var ce *callError
	return errors.As(err, &ce) && ce.status == http.StatusNotFound && ce.name == "RESOURCE_NOT_FOUND"
}

// kindOf is the class of an error of ours.
func kindOf(err error) error {
	for _, kind := range []error{billing.ErrGatewayCredentials, billing.ErrNotConfigured, billing.ErrGatewayRefused} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return billing.ErrGatewayTemporary
}

// said is what PayPal writes about an error: the shape of its API, and that of
// OAuth.
type said struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Debug   string `json:"debug_id"`
	Details []struct {
		Field       string `json:"field"`
		Issue       string `json:"issue"`
		Description string `json:"description"`
	} `json:"details"`
	OAuth       any    `json:"error"` // a text where OAuth says it
	Description string `json:"error_description"`
}

// failure classes what became of a call; err is what the library returned, which
// is believed only when there was no answer at all.
func (x *exchange) failure(err error) error {
	switch {
	case x.status == 0 && err != nil:
		return x.noAnswer(err)
	case x.status >= 300 && x.status < 400:
		return x.lost(fmt.Sprintf("answered with a redirect (status %d); is the API address right?", x.status), nil)
	case x.status >= 200 && x.status < 300:
		return nil
	case x.status == http.StatusTooManyRequests:
		return x.fail(billing.ErrGatewayTemporary, "too many requests", nil)
	}
	var s said
	if json.Unmarshal(x.body, &s) != nil {
		s = said{}
	}
	if oauth, ok := s.OAuth.(string); ok && s.Name == "" {
		s.Name, s.Message = oauth, s.Description
	}
	return x.refusal(s)
}

// noAnswer classes a call without an answer, or with half of one.
func (x *exchange) noAnswer(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address and its query
	}
	if x.untouched() {
		return x.fail(billing.ErrGatewayTemporary, "nothing was sent: "+x.client.scrub(err.Error()), err)
	}
	return x.lost("no answer: "+x.client.scrub(err.Error()), err)
}

// refusal classes an error answer. One that is not in PayPal's shape was written
// by somebody between, so nothing is known; its text is left out.
func (x *exchange) refusal(s said) error {
	kind := billing.ErrGatewayRefused
	switch {
	case x.status == http.StatusUnauthorized && s.Name != "":
		kind = billing.ErrGatewayCredentials
	case s.Name == "", x.status >= 500, x.status == http.StatusConflict, x.status == http.StatusRequestTimeout:
		kind = x.lostKind()
	case x.status == http.StatusForbidden:
		kind = billing.ErrGatewayCredentials
	}
	parts := []string{}
	e := x.fail(kind, "", nil)
	e.status, e.name = x.status, s.Name
	if len(s.Details) > 0 {
		d := s.Details[0]
		e.issue = d.Issue
		parts = append(parts, d.Issue, d.Field, d.Description)
	}
	if e.issue == "PREVIOUS_REQUEST_IN_PROGRESS" || e.issue == "ORDER_COMPLETION_IN_PROGRESS" {
		e.kind = x.lostKind() // the first call with this id is still running
	}
	parts = append([]string{s.Name}, append(parts, s.Message)...)
	text := []string{}
	for _, p := range parts {
		if p != "" {
			text = append(text, p)
		}
	}
	if e.debug == "" {
		e.debug = s.Debug
	}
	if e.detail = x.client.scrub(strings.Join(text, ", ")); e.detail == "" {
		e.detail = fmt.Sprintf("the answer (status %d) is not one of PayPal", x.status)
	}
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
	return &callError{what: x.what, kind: kind, detail: detail, debug: x.debug, cause: cause}
}

var tokenShape = regexp.MustCompile(`\bA21[A-Za-z0-9_-]{8,}|(?i:bearer|basic) +[A-Za-z0-9+/=._-]{8,}`)

// scrub takes our secret, and whatever looks like a token, out of a text.
func (c *Client) scrub(text string) string {
	text = strings.ReplaceAll(text, c.config.Secret, "[secret]")
	text = tokenShape.ReplaceAllString(text, "[hidden]")
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	return text
}

// The shapes of ids. PayPal's ids of orders, captures and refunds look alike.
var (
	paymentShape   = regexp.MustCompile(`^[A-Z0-9]{8,36}$`)
	tokenIDShape   = regexp.MustCompile(`^[0-9a-zA-Z_-]{7,36}$`)
	customerShape  = regexp.MustCompile(`^[0-9a-zA-Z_-]{7,22}$`)
	disputeShape   = regexp.MustCompile(`^[A-Za-z0-9-]{1,255}$`)
	agreementShape = regexp.MustCompile(`^[A-Z0-9-]{3,50}$`)
)

// checkID refuses what cannot be an id, as an empty one would turn the read of
// one object into a list of all.
func checkID(what, id string, shape *regexp.Regexp) error {
	if shape.MatchString(id) {
		return nil
	}
	return fmt.Errorf("paypal: %s %.60q: %w: not an id of PayPal", what, id, billing.ErrGatewayRefused)
}

// checkKey refuses keys that a header cannot carry, and none: without a key
// PayPal would do the work twice.
func checkKey(what, key string) error {
	if key == "" || len(key) > 255 || !printable(key) {
		return fmt.Errorf("paypal: %s: %w: an idempotency key has 1 to 255 visible characters, got %d", what, billing.ErrGatewayRefused, len(key))
	}
	return nil
}
