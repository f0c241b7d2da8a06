package stripebox

import "strings"

// metadata is accepted wherever Stripe accepts it.
var metadata = spec{"metadata[*]": {}}

// paging are the parameters of every list.
var paging = spec{"limit": {kind: integer}, "starting_after": {}}

var checkoutLocales = oneOf("auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil",
	"fr", "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR",
	"ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW")

// routes is the API: what each call may carry and who answers it. The
// parameters are those Stripe documents, as far as the sandbox gives them an
// effect; any other is refused as unknown.
func routes() map[string]endpoint {
	created := spec{"created[gt]": {kind: integer}, "created[gte]": {kind: integer}, "created[lt]": {kind: integer}, "created[lte]": {kind: integer}}
	return map[string]endpoint{
		"POST /v1/customers": {do: createCustomer, spec: merged(metadata, spec{
			"email": {max: 512}, "name": {max: 256}, "description": {}, "phone": {max: 20},
		})},
		"GET /v1/customers":                      {do: listCustomers, spec: merged(paging, spec{"email": {}})},
		"GET /v1/customers/search":               {do: searchCustomers, spec: spec{"query": required(param{}), "limit": {kind: integer}}},
		"GET /v1/customers/{id}":                 {do: readCustomer},
		"GET /v1/customers/{id}/payment_methods": {do: listMethods, spec: merged(paging, spec{"type": oneOf("card", "sepa_debit")})},
		"GET /v1/payment_methods/{id}":           {do: readMethod},
		"GET /v1/setup_intents/{id}":             {do: readSetup},
		"POST /v1/payment_methods/{id}/detach":   {do: detachMethod},
		"POST /v1/checkout/sessions":             {do: createSession, spec: sessionSpec()},
		"GET /v1/checkout/sessions/{id}":         {do: readSession},
		"POST /v1/checkout/sessions/{id}/expire": {do: expireSession},
		"POST /v1/payment_intents":               {do: createIntent, spec: intentSpec()},
		"GET /v1/payment_intents":                {do: listIntents, spec: merged(paging, created, spec{"customer": {}})},
		"GET /v1/payment_intents/{id}":           {do: readIntent},
		"POST /v1/payment_intents/{id}/confirm": {do: confirmIntent, spec: spec{
			"payment_method": {}, "off_session": {kind: boolean}, "return_url": {},
		}},
		"POST /v1/payment_intents/{id}/cancel": {do: cancelIntent, spec: spec{
			"cancellation_reason": oneOf("duplicate", "fraudulent", "requested_by_customer", "abandoned"),
		}},
		"POST /v1/refunds": {do: createRefund, spec: merged(metadata, spec{
			"payment_intent": {}, "charge": {}, "amount": {kind: integer},
			"reason": oneOf("duplicate", "fraudulent", "requested_by_customer"),
		})},
		"GET /v1/refunds":       {do: listRefunds, spec: merged(paging, spec{"payment_intent": {}, "charge": {}})},
		"GET /v1/refunds/{id}":  {do: readRefund},
		"GET /v1/disputes":      {do: listDisputes, spec: merged(paging, created, spec{"payment_intent": {}, "charge": {}})},
		"GET /v1/disputes/{id}": {do: readDispute},
		"GET /v1/balance_transactions": {do: listMovements, spec: merged(paging, created, spec{
			"type": {}, "source": {},
		})},
		"GET /v1/events": {do: listEvents, spec: merged(paging, created, spec{
			"type": {}, "types[#]": {}, "delivery_success": {kind: boolean},
		})},
		"GET /v1/events/{id}":        {do: readEvent},
		"GET /v1/subscriptions/{id}": {do: readSubscription},
		"POST /v1/subscriptions/{id}": {do: changeSubscription, spec: merged(metadata, spec{
			"cancel_at_period_end": {kind: boolean}, "pause_collection": oneOf(""), "pause_collection[behavior]": oneOf("void", "keep_as_draft", "mark_uncollectible"),
		})},
		"DELETE /v1/subscriptions/{id}": {do: cancelSubscription, spec: spec{
			"invoice_now": {kind: boolean}, "prorate": {kind: boolean}, "cancellation_details[comment]": {},
		}},
		"GET /v1/invoices": {do: listBills, spec: merged(paging, created, spec{
			"subscription": {}, "customer": {}, "status": oneOf("paid", "open", "draft", "uncollectible", "void"),
		})},
		"POST /v1/tax/calculations": {do: calculate, spec: calculationSpec},

		"GET /v1/balance": {do: readBalance},
		"GET /v1/account": {do: readAccount},
	}
}

func sessionSpec() spec {
	return merged(metadata, spec{
		"mode":                                   required(oneOf("payment", "setup")),
		"success_url":                            required(param{}),
		"cancel_url":                             {},
		"client_reference_id":                    {max: 200},
		"customer":                               {},
		"customer_email":                         {max: 800},
		"customer_creation":                      oneOf("always", "if_required"),
		"locale":                                 checkoutLocales,
		"expires_at":                             {kind: integer},
		"line_items[#][quantity]":                {kind: integer},
		"line_items[#][price_data][currency]":    {},
		"line_items[#][price_data][unit_amount]": {kind: integer},
		"line_items[#][price_data][product_data][name]": {},
		"payment_intent_data[description]":              {max: 1000},
		"payment_intent_data[metadata][*]":              {},
		"payment_intent_data[setup_future_usage]":       oneOf("off_session", "on_session"),
		"payment_method_types[#]":                       oneOf("card", "sepa_debit"),
		"setup_intent_data[description]":                {max: 1000},
		"setup_intent_data[metadata][*]":                {},
	})
}

// lineItems are what a page in payment mode must say of what it sells.
var lineItems = spec{
	"line_items[#][quantity]": required(param{}), "line_items[#][price_data][currency]": required(param{}),
	"line_items[#][price_data][unit_amount]": required(param{}), "line_items[#][price_data][product_data][name]": required(param{}),
}

func intentSpec() spec {
	return merged(metadata, spec{
		"amount":                             required(param{kind: integer}),
		"currency":                           required(param{}),
		"customer":                           {},
		"payment_method":                     {},
		"description":                        {max: 1000},
		"confirm":                            {kind: boolean},
		"off_session":                        {kind: boolean},
		"return_url":                         {},
		"setup_future_usage":                 oneOf("off_session", "on_session"),
		"automatic_payment_methods[enabled]": {kind: boolean},
		"automatic_payment_methods[allow_redirects]": oneOf("always", "never"),
	})
}

// Parameters lists what each call may carry, by "METHOD /path/{id}", with a
// value that is valid for each parameter: an enumeration's first, "1", "true" or
// a text. Indexes are 0 and free keys are "key". Tests hold it against Stripe's
// published description of its API.
func Parameters() map[string]map[string]string {
	all := map[string]map[string]string{}
	for route, e := range routes() {
		values := map[string]string{}
		for name, p := range e.spec {
			name = strings.NewReplacer("[#]", "[0]", "[*]", "[key]").Replace(name)
			switch {
			case len(p.enum) > 0:
				values[name] = p.enum[0]
			case p.kind == integer:
				values[name] = "1"
			case p.kind == boolean:
				values[name] = "true"
			default:
				values[name] = "text"
			}
		}
		all[route] = values
	}
	return all
}
