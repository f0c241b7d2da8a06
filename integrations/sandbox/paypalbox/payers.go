package paypalbox

import (
	"hash/fnv"
	"strings"
)

// testPayer is a PayPal account by what becomes of its payments.
type testPayer struct {
	Email string
	Label string // what the hosted page calls it

	present string // issue of a payment with the payer there, "" when it works
	later   string // issue of a payment by a saved token
	pending string // reason why payments wait for Settle
	fails   bool   // what waited fails
	slow    bool   // the token follows by webhook, with Settle
}

// testPayers are offered on the hosted page in this order. The issues are those
// PayPal documents for Orders v2.
var testPayers = []testPayer{
	{Email: "works@payer.example", Label: "Pays from the balance"},
	{Email: "declined@payer.example", Label: "The bank declines", present: "INSTRUMENT_DECLINED", later: "INSTRUMENT_DECLINED"},
	{Email: "cannot-pay@payer.example", Label: "Cannot pay", present: "PAYER_CANNOT_PAY", later: "PAYER_CANNOT_PAY"},
	{Email: "refused@payer.example", Label: "PayPal refuses the transaction", present: "TRANSACTION_REFUSED", later: "TRANSACTION_REFUSED"},
	{Email: "later@payer.example", Label: "Works now, declines later", later: "INSTRUMENT_DECLINED"},
	{Email: "action@payer.example", Label: "Works now, asks to confirm later", later: "PAYER_ACTION_REQUIRED"},
	{Email: "locked@payer.example", Label: "Works now, the account is closed later", later: "PAYER_ACCOUNT_LOCKED_OR_CLOSED"},
	{Email: "cancelled@payer.example", Label: "Works now, ends the agreement later", later: "AGREEMENT_ALREADY_CANCELLED"},
	{Email: "echeck@payer.example", Label: "Pays by eCheck, which arrives later", pending: "ECHECK"},
	{Email: "echeck-fails@payer.example", Label: "Pays by eCheck, which fails later", pending: "ECHECK", fails: true},
	{Email: "review@payer.example", Label: "PayPal reviews the payment", pending: "PENDING_REVIEW"},
	{Email: "slow-token@payer.example", Label: "Works, the saved method follows later", slow: true},
}

func payerByEmail(email string) (testPayer, bool) {
	for _, p := range testPayers {
		if strings.EqualFold(p.Email, strings.TrimSpace(email)) {
			return p, true
		}
	}
	return testPayer{}, false
}

// account is the PayPal id of the payer's account: the same for the same payer,
// in the letters and digits PayPal uses.
func (p testPayer) account() string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	h := fnv.New64a()
	_, _ = h.Write([]byte(p.Email))
	id := []byte("SBX")
	for n := h.Sum64(); len(id) < 13; n /= 32 {
		id = append(id, letters[n%32])
	}
	return string(id)
}

func (p testPayer) render() object {
	return object{
		"email_address": p.Email, "account_id": p.account(), "account_status": "VERIFIED",
		"name": object{"given_name": "Test", "surname": "Payer"},
	}
}

var refusals = map[string]string{
	"INSTRUMENT_DECLINED":            "The instrument presented  was either declined by the processor or bank, or it can't be used for this payment.",
	"PAYER_CANNOT_PAY":               "Payer cannot pay for this transaction. Please contact the payer to find other ways to pay for this transaction.",
	"TRANSACTION_REFUSED":            "The request was refused.",
	"PAYER_ACTION_REQUIRED":          "Transaction cannot complete successfully, instruct the buyer to return to PayPal.",
	"PAYER_ACCOUNT_LOCKED_OR_CLOSED": "The payer account cannot be used for this transaction.",
	"AGREEMENT_ALREADY_CANCELLED":    "The requested agreement is already canceled.",
}
