package stripebox

import (
	"fmt"
	"strconv"
	"strings"
)

// The sandbox states Stripe's currency rules (docs.stripe.com/currencies) on its
// own, so that a mistake in the client's table shows as a refusal here.
const (
	zeroDecimal  = " bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf "
	threeDecimal = " bhd jod kwd omr tnd "
	// hundredths are the currencies charged in hundredths of the main unit.
	hundredths = " aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw "
)

// minimums are the smallest charges in the currency's unit where they are not 50.
var minimums = map[string]int64{
	"gbp": 30, "jpy": 50, "isk": 7000, "huf": 17500, "czk": 1500, "dkk": 250, "nok": 300, "sek": 300,
	"pln": 200, "ron": 200, "mxn": 1000, "hkd": 400, "thb": 1000, "aed": 200, "myr": 200, "twd": 1500,
	"bhd": 190, "jod": 360, "kwd": 160, "omr": 200, "tnd": 1600, "krw": 700, "clp": 500, "mga": 2300, "vnd": 13000,
}

func listed(list, code string) bool { return strings.Contains(list, " "+code+" ") }

func decimalsOf(code string) int {
	switch {
	case listed(zeroDecimal, code):
		return 0
	case listed(threeDecimal, code):
		return 3
	}
	return 2
}

// checkAmount refuses amounts Stripe would refuse.
func checkAmount(amount int64, code, amountParam, currencyParam string) *apiError {
	known := listed(zeroDecimal, code) || listed(threeDecimal, code) || listed(hundredths, code)
	least, special := minimums[code]
	if !special {
		least = 50
	}
	switch {
	case code != strings.ToLower(code) || len(code) != 3 || !known:
		return invalid(currencyParam, "", "Invalid currency: %s. Use a three-letter code in lower case that Stripe supports.", code)
	case amount < 1:
		return invalid(amountParam, "parameter_invalid_integer", "This value must be greater than or equal to 1.")
	case amount > 99_999_999:
		return invalid(amountParam, "amount_too_large", "Amount must be no more than 999,999.99.")
	case listed(threeDecimal, code) && amount%10 != 0:
		return invalid(amountParam, "", "Invalid amount: %d. Amounts in %s must end in 0.", amount, code)
	case code == "isk" && amount%100 != 0:
		return invalid(amountParam, "", "Invalid amount: %d. Amounts in isk must end in 00.", amount)
	case amount < least:
		return invalid(amountParam, "amount_too_small", "Amount must be at least %s.", display(least, code))
	}
	return nil
}

// display writes an amount for people: "EUR 12.34".
func display(amount int64, code string) string {
	places := decimalsOf(code)
	digits := strconv.FormatInt(amount, 10)
	for len(digits) <= places {
		digits = "0" + digits
	}
	if places > 0 {
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	return fmt.Sprintf("%s %s", strings.ToUpper(code), digits)
}
