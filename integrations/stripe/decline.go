package stripe

import (
	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// hardDeclines are reasons after which the same card must not be tried again by
// itself (docs.stripe.com/declines/codes: the card is gone, the account is
// closed, the holder objected, or data must be typed anew). do_not_honor is
// among them because issuers count repeats of it against the merchant.
var hardDeclines = map[string]bool{
	"card_not_supported": true, "currency_not_supported": true, "do_not_honor": true,
	"do_not_try_again": true, "expired_card": true, "fraudulent": true,
	"highest_risk_level": true, "incorrect_address": true, "incorrect_cvc": true,
	"incorrect_number": true, "incorrect_pin": true, "incorrect_zip": true,
	"invalid_account": true, "invalid_cvc": true, "invalid_expiry_month": true,
	"invalid_expiry_year": true, "invalid_number": true, "invalid_pin": true,
	"lost_card": true, "merchant_blacklist": true, "new_account_information_available": true,
	"no_action_taken": true, "not_permitted": true, "offline_pin_required": true,
	"online_or_offline_pin_required": true, "pickup_card": true, "pin_try_exceeded": true,
	"restricted_card": true, "revocation_of_all_authorizations": true,
	"revocation_of_authorization": true, "security_violation": true,
	"service_not_allowed": true, "stolen_card": true, "stop_payment_order": true,
	"testmode_decline": true, "transaction_not_allowed": true,
}

// declineOf classes what Stripe says about a failed try: the kind, and the most
// precise code as the reason. Codes nobody listed count as soft: the engine
// bounds how often it retries.
func declineOf(said *stripe.Error) (billing.DeclineKind, string) {
	if said == nil {
		return billing.DeclineSoft, ""
	}
	reason := firstOf(firstOf(string(said.DeclineCode), string(said.Code)), string(said.Type))
	switch {
	case said.Code == stripe.ErrorCodeAuthenticationRequired, reason == string(stripe.ErrorCodeAuthenticationRequired):
		return billing.DeclineAuthenticate, string(stripe.ErrorCodeAuthenticationRequired)
	case hardDeclines[reason]:
		return billing.DeclineHard, reason
	}
	return billing.DeclineSoft, reason
}
