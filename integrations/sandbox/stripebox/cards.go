package stripebox

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// testCard is one of Stripe's test numbers (docs.stripe.com/testing).
type testCard struct {
	Number string
	Label  string // what the hosted page calls it
	brand  string
	kind   string // "card" or "sepa_debit"

	code    string // error code of a decline, "" when it succeeds
	decline string // decline code of a decline
	// authenticate: the holder must confirm. Unless "always", a card that was
	// confirmed while being saved is charged later without.
	authenticate, always bool
	delayed              bool // the outcome comes later, with Settle
	keepsOnly            bool // can be saved, then declines
	disputed             bool // its holder disputes every payment
}

// testCards are offered on the hosted page in this order.
var testCards = []testCard{
	{Number: "4242424242424242", Label: "Visa that works", brand: "visa"},
	{Number: "5555555555554444", Label: "Mastercard that works", brand: "mastercard"},
	{Number: "4000000000009995", Label: "Insufficient funds", brand: "visa", code: "card_declined", decline: "insufficient_funds"},
	{Number: "4000002500003155", Label: "Asks for authentication", brand: "visa", authenticate: true},
	{Number: "4000002760003184", Label: "Always asks for authentication", brand: "visa", authenticate: true, always: true},
	{Number: "4000000000000002", Label: "Generic decline", brand: "visa", code: "card_declined", decline: "generic_decline"},
	{Number: "4000000000009987", Label: "Lost card", brand: "visa", code: "card_declined", decline: "lost_card"},
	{Number: "4000000000009979", Label: "Stolen card", brand: "visa", code: "card_declined", decline: "stolen_card"},
	{Number: "4000000000000069", Label: "Expired card", brand: "visa", code: "expired_card"},
	{Number: "4000000000000119", Label: "Processing error", brand: "visa", code: "processing_error"},
	{Number: "4000000000000341", Label: "Can be saved, declines later", brand: "visa", code: "card_declined", decline: "generic_decline", keepsOnly: true},
	{Number: "4000000000000259", Label: "Works, and is disputed", brand: "visa", disputed: true},
	{Number: "AT611904300234573201", Label: "SEPA debit that arrives later", kind: "sepa_debit", delayed: true},
	{Number: "AT861904300235473202", Label: "SEPA debit that fails later", kind: "sepa_debit", delayed: true, code: "charge_failed", decline: "insufficient_funds"},
}

// cardByNumber finds a test card; spaces are ignored.
func cardByNumber(number string) (testCard, bool) {
	number = strings.ToUpper(strings.ReplaceAll(number, " ", ""))
	for _, c := range testCards {
		if c.Number == number {
			return c, true
		}
	}
	return testCard{}, false
}

// Spaced writes the number in groups of four.
func (c testCard) Spaced() string {
	var out strings.Builder
	for i, r := range c.Number {
		if i > 0 && i%4 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(r)
	}
	return out.String()
}

func (c testCard) last4() string { return c.Number[len(c.Number)-4:] }

// fingerprint is the same for the same number, as at Stripe.
func (c testCard) fingerprint() string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Number))
	return fmt.Sprintf("Sbx%013x", h.Sum64())[:16]
}

// message is what the customer reads about a decline.
func (c testCard) message() string {
	switch {
	case c.decline == "insufficient_funds":
		return "Your card has insufficient funds."
	case c.code == "expired_card":
		return "Your card has expired."
	case c.code == "processing_error":
		return "An error occurred while processing your card. Try again in a little bit."
	}
	return "Your card was declined."
}
