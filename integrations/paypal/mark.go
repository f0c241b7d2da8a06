package paypal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// mark is what travels as custom_id of an order and comes back in captures,
// events and transaction search: which attempt and invoice it is for, and for a
// page when it expires and whether it was closed. PayPal's pages know neither;
// but as the money moves only when we capture, an order that says so is never
// captured. Written "attempt.invoice", "attempt.invoice.p1767225600" or
// "attempt.invoice.p1767225600.x", in characters every PayPal API accepts.
type mark struct {
	attempt, invoice string
	page             bool
	expires          time.Time // as asked for; zero: PayPal's longest
	closed           bool
}

var ownIDShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func newMark(what, attempt, invoice string) (mark, error) {
	for name, id := range map[string]string{"attempt": attempt, "invoice": invoice} {
		if !ownIDShape.MatchString(id) {
			return mark{}, fmt.Errorf("paypal: %s: %w: an %s of 1 to 40 letters, digits, - and _ is required, not %.60q", what, billing.ErrGatewayRefused, name, id)
		}
	}
	return mark{attempt: attempt, invoice: invoice}, nil
}

// String writes the mark.
func (m mark) String() string {
	text := m.attempt + "." + m.invoice
	if m.page {
		seconds := int64(0)
		if !m.expires.IsZero() {
			seconds = m.expires.Unix()
		}
		text += ".p" + strconv.FormatInt(seconds, 10)
	}
	if m.closed {
		text += ".x"
	}
	return text
}

// readMark reads what String wrote; anything else is nobody's mark.
func readMark(text string) mark {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 4 || !ownIDShape.MatchString(parts[0]) || !ownIDShape.MatchString(parts[1]) {
		return mark{}
	}
	m := mark{attempt: parts[0], invoice: parts[1]}
	if len(parts) > 2 {
		seconds, page := strings.CutPrefix(parts[2], "p")
		n, err := strconv.ParseInt(seconds, 10, 64)
		if !page || err != nil || n < 0 || n > 1<<40 {
			return mark{}
		}
		if m.page = true; n > 0 {
			m.expires = time.Unix(n, 0).UTC()
		}
	}
	if len(parts) > 3 {
		if parts[3] != "x" {
			return mark{}
		}
		m.closed = true
	}
	return m
}

// expiry is when a page that was opened at a time expires: as asked for, moved
// to the limits that PayPal and people's patience set.
func (m mark) expiry(opened time.Time) time.Time {
	soonest, latest := opened.Add(minPageLife), opened.Add(maxPageLife)
	switch {
	case m.expires.IsZero() || m.expires.After(latest):
		return latest
	case m.expires.Before(soonest):
		return soonest
	}
	return m.expires
}

// requestID turns a key into a PayPal-Request-Id, which has at most 108
// characters.
func requestID(key string) string {
	if len(key) <= 100 {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return "sha256-" + hex.EncodeToString(digest[:])
}

// customerID is the id under which a customer's saved accounts are kept. PayPal
// has no customers of its own to be created: the vault takes ours, of 7 to 22
// characters.
func customerID(userID string) string {
	if customerShape.MatchString(userID) {
		return userID
	}
	digest := sha256.Sum256([]byte(userID))
	return base64.RawURLEncoding.EncodeToString(digest[:])[:22]
}
