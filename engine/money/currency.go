package money

import "strings"

// byExponent lists the currencies of ISO 4217 list one by their number of
// decimals (SIX Group, "Current currency & funds code list").
//
// The rule for what is in it: a code that an invoice can be priced and paid in.
// That is every currency that is legal tender somewhere, and the two
// four-decimal units of account in which contracts are made every day, CLF and
// UYW. Left out are the other fund codes (BOV, CHE, CHW, COU, MXV, USN, UYI),
// settlement units between states and banks (XAD, XBA to XBD, XDR, XSU, XUA),
// metals (XAG, XAU, XPD, XPT), the test code XTS and "no currency", XXX.
var byExponent = map[int]string{
	0: `BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF`,
	2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN
		BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB
		EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
		JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
		MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
		PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
		SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST
		XCD XCG YER ZAR ZMW ZWG`,
	3: `BHD IQD JOD KWD LYD OMR TND`,
	4: `CLF UYW`,
}

// withdrawn lists codes that left the standard since 2020, all of two decimals.
// They stay readable because the books of companies that move here hold them.
const withdrawn = `ANG BGN CUC HRK SLL ZWL`

// exponents maps each known currency to its number of decimals.
var exponents = func() map[string]int {
	all := map[string]int{}
	for exponent, codes := range byExponent {
		for code := range strings.FieldsSeq(codes) {
			all[code] = exponent
		}
	}
	for code := range strings.FieldsSeq(withdrawn) {
		all[code] = 2
	}
	return all
}()

// Exponent returns the number of decimals of a currency code, and whether the
// code is known.
func Exponent(code string) (int, bool) {
	e, ok := exponents[code]
	return e, ok
}
