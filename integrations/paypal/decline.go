package paypal

import "github.com/ezscale/ezscale/engine/billing"

// declines are the issues by which PayPal says that this payer cannot pay this
// now, by what may help (issue lists of Orders v2: create and capture). All other
// issues mean that the request was wrong.
var declines = map[string]billing.DeclineKind{
	"AGREEMENT_ALREADY_CANCELLED":          billing.DeclineHard,
	"BILLING_AGREEMENT_NOT_FOUND":          billing.DeclineHard,
	"COMPLIANCE_VIOLATION":                 billing.DeclineHard,
	"PAYER_ACCOUNT_LOCKED_OR_CLOSED":       billing.DeclineHard,
	"PAYER_ACCOUNT_RESTRICTED":             billing.DeclineHard,
	"TOKEN_EXPIRED":                        billing.DeclineHard,
	"TOKEN_ID_NOT_FOUND":                   billing.DeclineHard,
	"PAYER_ACTION_REQUIRED":                billing.DeclineAuthenticate,
	"PAYER_CONSENT_REQUIRED":               billing.DeclineAuthenticate,
	"INSTRUMENT_DECLINED":                  billing.DeclineSoft,
	"PAYER_CANNOT_PAY":                     billing.DeclineSoft,
	"REDIRECT_PAYER_FOR_ALTERNATE_FUNDING": billing.DeclineSoft,
	"TRANSACTION_LIMIT_EXCEEDED":           billing.DeclineSoft,
	"TRANSACTION_REFUSED":                  billing.DeclineSoft,
}

// declined makes r the report of a refused try.
func declined(r *billing.PaymentReport, issue string) {
	r.State, r.Decline, r.Reason = billing.PaymentDeclined, declines[issue], issue
	if r.Decline == billing.DeclineAuthenticate {
		r.State = billing.PaymentNeedsAction
	}
}
