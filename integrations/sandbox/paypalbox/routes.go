package paypalbox

import (
	"regexp"
	"time"
)

// How long a PayPal-Request-Id is remembered, by API.
const (
	orderMemory        = 6 * time.Hour
	vaultMemory        = 3 * time.Hour
	paymentMemory      = 45 * 24 * time.Hour
	subscriptionMemory = 72 * time.Hour
)

var (
	address  = rule{max: 4000, shape: regexp.MustCompile(`^https?://[^\s]+$`)}
	mailbox  = rule{max: 254, shape: regexp.MustCompile(`^[^\s@]+@[^\s@]+$`)}
	language = rule{max: 10, shape: regexp.MustCompile(`^[a-z]{2}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?$`)}
	ownerID  = rule{max: 22, shape: regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)}
	tokenID  = rule{max: 255, shape: regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)}
	wallet   = oneOf("MERCHANT", "PLATFORM")
	consumer = oneOf("CONSUMER", "BUSINESS")
	reason   = spec{"reason": must(rule{max: 128})}
)

// routes is the API: what each call may carry and who answers it.
func routes() map[string]endpoint {
	return map[string]endpoint{
		"POST /v2/checkout/orders":                        {do: createOrder, memory: orderMemory, body: orderSpec()},
		"GET /v2/checkout/orders/{id}":                    {do: readOrder},
		"PATCH /v2/checkout/orders/{id}":                  {do: patchOrder, body: patchSpec},
		"POST /v2/checkout/orders/{id}/capture":           {do: captureOrder, memory: orderMemory, body: spec{}, empty: true},
		"GET /v2/payments/captures/{id}":                  {do: readCapture},
		"POST /v2/payments/captures/{id}/refund":          {do: refundCapture, memory: paymentMemory, empty: true, body: refundSpec()},
		"GET /v2/payments/refunds/{id}":                   {do: readRefund},
		"POST /v3/vault/setup-tokens":                     {do: createSetup, memory: vaultMemory, needsID: true, body: setupSpec()},
		"GET /v3/vault/setup-tokens/{id}":                 {do: readSetup},
		"POST /v3/vault/payment-tokens":                   {do: createToken, memory: vaultMemory, needsID: true, body: tokenSpec()},
		"GET /v3/vault/payment-tokens":                    {do: listTokens, query: []string{"customer_id", "page_size", "page", "total_required"}},
		"GET /v3/vault/payment-tokens/{id}":               {do: readToken},
		"DELETE /v3/vault/payment-tokens/{id}":            {do: deleteToken},
		"GET /v1/customer/disputes":                       {do: listDisputes, query: []string{"start_time", "page_size", "next_page_token", "update_time_after"}},
		"GET /v1/customer/disputes/{id}":                  {do: readDispute},
		"GET /v1/reporting/transactions":                  {do: searchTransactions, query: []string{"start_date", "end_date", "fields", "page_size", "page", "transaction_id"}},
		"POST /v1/billing/subscriptions":                  {do: createAgreement, memory: subscriptionMemory, body: agreementSpec(true)},
		"GET /v1/billing/subscriptions/{id}":              {do: readAgreement},
		"POST /v1/billing/subscriptions/{id}/revise":      {do: reviseAgreement, body: agreementSpec(false)},
		"POST /v1/billing/subscriptions/{id}/suspend":     {do: suspendAgreement, body: reason},
		"POST /v1/billing/subscriptions/{id}/activate":    {do: activateAgreement, body: reason},
		"POST /v1/billing/subscriptions/{id}/cancel":      {do: cancelAgreement, body: reason},
		"POST /v1/billing/subscriptions/{id}/capture":     {do: captureOutstanding, memory: subscriptionMemory, body: outstandingSpec()},
		"GET /v1/billing/subscriptions/{id}/transactions": {do: listPayments, query: []string{"start_time", "end_time"}},
		"POST /v1/payments/sale/{id}/refund":              {do: refundSale, memory: paymentMemory, empty: true, body: saleRefundSpec()},
		"GET /v1/payments/refund/{id}":                    {do: readSaleRefund},
		"POST /v1/notifications/verify-webhook-signature": {do: verifyWebhook, body: verifySpec()},
		"GET /v1/notifications/webhooks/{id}":             {do: readWebhook},
	}
}

func experience(actions ...string) spec {
	return spec{
		"brand_name": {}, "locale": language, "return_url": must(address), "cancel_url": must(address),
		"shipping_preference":       oneOf("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
		"user_action":               oneOf(actions...),
		"payment_method_preference": oneOf("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"),
	}
}

func orderSpec() spec {
	paypal := merged(
		spec{"vault_id": tokenID, "email_address": mailbox},
		under("experience_context", rule{kind: group}, experience("CONTINUE", "PAY_NOW")),
		under("attributes", rule{kind: group}, merged(
			under("customer", rule{kind: group}, spec{"id": ownerID}),
			under("vault", rule{kind: group}, spec{
				"store_in_vault": must(oneOf("ON_SUCCESS")), "usage_type": must(wallet), "customer_type": consumer,
				"description": {max: 128}, "usage_pattern": oneOf("IMMEDIATE", "DEFERRED", "RECURRING_PREPAID", "RECURRING_POSTPAID", "THRESHOLD_PREPAID", "THRESHOLD_POSTPAID"),
			}),
		)),
		under("stored_credential", rule{kind: group}, spec{
			"payment_initiator": must(oneOf("CUSTOMER", "MERCHANT")), "usage": oneOf("FIRST", "SUBSEQUENT", "DERIVED"),
			"usage_pattern": oneOf("IMMEDIATE", "DEFERRED", "RECURRING_PREPAID", "RECURRING_POSTPAID", "THRESHOLD_PREPAID", "THRESHOLD_POSTPAID", "UNSCHEDULED_POSTPAID"),
		}),
	)
	return merged(
		spec{"intent": must(oneOf("CAPTURE", "AUTHORIZE"))},
		under("purchase_units", must(rule{kind: list, max: 10}), under("[]", rule{kind: group}, merged(
			spec{"reference_id": {max: 256}, "custom_id": {}, "invoice_id": {}, "description": {}},
			under("amount", must(rule{kind: group}), money),
		))),
		under("payment_source", rule{kind: group}, under("paypal", rule{kind: group}, paypal)),
	)
}

var patchSpec = under("patches", must(rule{kind: list, max: 50}), under("[]", rule{kind: group}, spec{
	"op": must(oneOf("add", "remove", "replace")), "path": must(rule{max: 2000}), "value": {kind: other},
}))

func refundSpec() spec {
	return merged(spec{"custom_id": {}, "invoice_id": {}, "note_to_payer": {max: 255}}, under("amount", rule{kind: group}, money))
}

func setupSpec() spec {
	return merged(
		under("customer", rule{kind: group}, spec{"id": ownerID}),
		under("payment_source", must(rule{kind: group}), under("paypal", must(rule{kind: group}), merged(
			spec{"description": {max: 128}, "usage_type": must(wallet), "customer_type": consumer, "permit_multiple_payment_tokens": {kind: boolean}},
			under("experience_context", must(rule{kind: group}), spec{
				"brand_name": {max: 300}, "locale": language, "return_url": must(address), "cancel_url": must(address),
				"shipping_preference": oneOf("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
			}),
		))),
	)
}

func tokenSpec() spec {
	return merged(
		under("customer", rule{kind: group}, spec{"id": ownerID}),
		under("payment_source", must(rule{kind: group}), under("token", must(rule{kind: group}), spec{
			"id": must(tokenID), "type": must(oneOf("SETUP_TOKEN", "BILLING_AGREEMENT")),
		})),
	)
}

func agreementSpec(create bool) spec {
	plan := rule{max: 50}
	s := merged(
		spec{"quantity": {max: 32, shape: regexp.MustCompile(`^[0-9]+$`)}},
		under("application_context", must(rule{kind: group}), experience("CONTINUE", "SUBSCRIBE_NOW")),
		under("plan", rule{kind: group}, under("billing_cycles", rule{kind: list, max: 3}, under("[]", rule{kind: group}, merged(
			spec{"sequence": {kind: other}, "total_cycles": {kind: other}},
			under("pricing_scheme", rule{kind: group}, under("fixed_price", must(rule{kind: group}), money)),
		)))),
	)
	delete(s, "application_context.payment_method_preference")
	s["plan_id"] = plan
	if create {
		s["plan_id"] = must(plan)
		s = merged(s, spec{"start_time": {max: 64}, "custom_id": {shape: regexp.MustCompile(`^[\x20-\x7E]+$`)}},
			under("subscriber", rule{kind: group}, spec{"email_address": mailbox}))
	}
	return s
}

func outstandingSpec() spec {
	return merged(spec{"note": must(rule{max: 128}), "capture_type": must(oneOf("OUTSTANDING_BALANCE"))}, under("amount", must(rule{kind: group}), money))
}

func saleRefundSpec() spec {
	return merged(spec{"description": {max: 255}, "invoice_number": {}}, under("amount", rule{kind: group}, spec{
		"currency": must(rule{max: 3}), "total": must(rule{max: 32, shape: amountShape}),
	}))
}

func verifySpec() spec {
	return spec{
		"auth_algo": must(rule{max: 100}), "cert_url": must(rule{max: 500}), "transmission_id": must(rule{max: 50}),
		"transmission_sig": must(rule{max: 500}), "transmission_time": must(rule{max: 100}), "webhook_id": must(rule{max: 50}),
		"webhook_event": must(rule{kind: other}),
	}
}
