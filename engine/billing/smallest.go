package billing

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// usualSmallest is the smallest payment in minor units where smallest names no
// other.
const usualSmallest = 50

// smallest are the least amounts that cards can pay, in minor units
// (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). PayPal takes less;
// one rule for all gateways keeps an invoice from depending on how it will be paid.
var smallest = map[string]int64{
	"GBP": 30, "ISK": 70, "HUF": 17500, "CZK": 1500, "DKK": 250, "NOK": 300, "SEK": 300,
	"PLN": 200, "RON": 200, "MXN": 1000, "HKD": 400, "THB": 1000, "AED": 200, "MYR": 200, "TWD": 1500,
	"BHD": 190, "JOD": 360, "KWD": 160, "OMR": 200, "TND": 1600, "KRW": 700, "CLP": 500, "MGA": 230000, "VND": 13000,
}

// SmallestPayment is the least that a gateway takes in a currency. Less than that
// cannot be collected: nobody is reminded of it, switched off for it, or kept from
// the next invoice, with which it can be paid.
func SmallestPayment(currency string) int64 {
	if least, ok := smallest[currency]; ok {
		return least
	}
	return usualSmallest
}

// TooSmall reports an amount above zero that no gateway takes.
func TooSmall(a money.Amount) bool {
	return a.Sign() > 0 && a.Minor() < SmallestPayment(a.Currency())
}

// SmallestPaymentSQL is SmallestPayment of a column, for statements.
func SmallestPaymentSQL(column string) string {
	cases := strings.Builder{}
	for _, currency := range slices.Sorted(maps.Keys(smallest)) {
		fmt.Fprintf(&cases, " WHEN '%s' THEN %d", currency, smallest[currency])
	}
	return fmt.Sprintf("CASE %s%s ELSE %d END", column, cases.String(), usualSmallest)
}
