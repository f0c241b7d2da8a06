package collections

import (
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// brandNames are kinds and brands that are not written as gateways code them.
var brandNames = map[string]string{"paypal": "PayPal", "sepa_debit": "SEPA debit", "amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay"}

// MethodName is a saved method, by its gateway's id, as customers know it: "Visa
// •••• 4242". A method that is not known has no name.
func MethodName(app core.App, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	m, err := First(app, PaymentMethods, dbx.HashExp{"gateway_method_id": id})
	if err != nil || m == nil {
		return "", err
	}
	name := m.GetString("brand")
	if name == "" {
		name = m.GetString("kind")
	}
	if known, ok := brandNames[name]; ok {
		name = known
	} else if name != "" {
		name = strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " ")
	}
	if last := m.GetString("last4"); last != "" {
		name += " •••• " + last
	}
	return name, nil
}
