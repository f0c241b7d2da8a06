package einvoice

import "strings"

// list is a set of codes.
type list map[string]bool

func (l list) has(code string) bool { return l[code] }

// codes makes a list of codes separated by spaces.
func codes(all string) list {
	l := list{}
	for code := range strings.FieldsSeq(all) {
		l[code] = true
	}
	return l
}

// The lists of codes that EN 16931 allows, as of release 1.3.16 of its published
// validation (ConnectingEurope/eInvoicing-EN16931).
var (
	invoiceTypes = codes(`71 80 81 82 84 102 130 202 203 204 211 218 219 295 325 326 331 380 382 383 384 385 386 387 388 389 390 393 394 395 456 457 471 472 473 500
	501 527 553 575 623 633 751 780 817 870 875 876 877 935`)
	creditNoteTypes = codes(`81 83 261 262 296 308 381 396 420 458 502 503 532`)
	currencies      = codes(`AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNH CNY COP COU
	CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY
	KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
	NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STD SVC SYP SZL THB TJS TMT TND TOP TRY
	TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VES VED VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER
	ZAR ZMW ZWG`)
	countries = codes(`1A AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL
	CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
	GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
	MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA
	RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
	UZ VA VC VE VG VI VN VU WF WS XI YE YT ZA ZM ZW`)
	paymentMeans = codes(`1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50
	51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 74 75 76 77 78 91 92 93 94 95 96 97 98 ZZZ`)
	taxCategories    = codes(`AE L M E S Z G O K B`)
	allowanceReasons = codes(`41 42 60 62 63 64 65 66 67 68 70 71 88 95 100 102 103 104 105`)
	exemptionReasons = codes(`VATEX-EU-79-C VATEX-EU-132 VATEX-EU-132-1A VATEX-EU-132-1B VATEX-EU-132-1C VATEX-EU-132-1D VATEX-EU-132-1E VATEX-EU-132-1F VATEX-EU-132-1G
	VATEX-EU-132-1H VATEX-EU-132-1I VATEX-EU-132-1J VATEX-EU-132-1K VATEX-EU-132-1L VATEX-EU-132-1M VATEX-EU-132-1N VATEX-EU-132-1O
	VATEX-EU-132-1P VATEX-EU-132-1Q VATEX-EU-135-1 VATEX-EU-143 VATEX-EU-143-1A VATEX-EU-143-1B VATEX-EU-143-1C VATEX-EU-143-1D VATEX-EU-143-1E
	VATEX-EU-143-1F VATEX-EU-143-1FA VATEX-EU-143-1G VATEX-EU-143-1H VATEX-EU-143-1I VATEX-EU-143-1J VATEX-EU-143-1K VATEX-EU-143-1L
	VATEX-EU-144 VATEX-EU-146-1E VATEX-EU-159 VATEX-EU-309 VATEX-EU-148 VATEX-EU-148-A VATEX-EU-148-B VATEX-EU-148-C VATEX-EU-148-D
	VATEX-EU-148-E VATEX-EU-148-F VATEX-EU-148-G VATEX-EU-151 VATEX-EU-151-1A VATEX-EU-151-1AA VATEX-EU-151-1B VATEX-EU-151-1C VATEX-EU-151-1D
	VATEX-EU-151-1E VATEX-EU-G VATEX-EU-O VATEX-EU-IC VATEX-EU-AE VATEX-EU-D VATEX-EU-F VATEX-EU-I VATEX-EU-J VATEX-FR-FRANCHISE VATEX-FR-CNWVAT
	VATEX-EU-153 VATEX-FR-CGI261-1 VATEX-FR-CGI261-2 VATEX-FR-CGI261-3 VATEX-FR-CGI261-4 VATEX-FR-CGI261-5 VATEX-FR-CGI261-7 VATEX-FR-CGI261-8
	VATEX-FR-CGI261A VATEX-FR-CGI261B VATEX-FR-CGI261C-1 VATEX-FR-CGI261C-2 VATEX-FR-CGI261C-3 VATEX-FR-CGI261D-1 VATEX-FR-CGI261D-1BIS
	VATEX-FR-CGI261D-2 VATEX-FR-CGI261D-3 VATEX-FR-CGI261D-4 VATEX-FR-CGI261E-1 VATEX-FR-CGI261E-2 VATEX-FR-CGI277A VATEX-FR-CGI275
	VATEX-FR-298SEXDECIESA VATEX-FR-CGI295 VATEX-FR-AE`)
	addressSchemes = codes(`0002 0007 0009 0037 0060 0088 0096 0097 0106 0130 0135 0142 0147 0151 0154 0158 0170 0177 0183 0184 0188 0190 0191 0192 0193 0194 0195 0196
	0198 0199 0200 0201 0202 0203 0204 0205 0208 0209 0210 0211 0212 0213 0215 0216 0217 0218 0219 0220 0221 0225 0230 0235 0240 0244 0242 0245
	0246 0248 9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 9936 9937 9938 9939 9940
	9941 9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959 AN AQ AS AU EM`)
	taxPointCodes = codes(`3 35 432`)

	// units are those that the product bills in; the norm allows some two
	// thousand of UN/ECE Recommendations 20 and 21.
	units = codes(UnitOne + " " + UnitHour + " " + UnitDay + " " + UnitMonth + " " + UnitYear + " " + UnitGigabyte + " " + UnitTerabyte)
)

// codeRules want codes of their lists.
var codeRules = []rule{
	{"BR-CL-01", "cbc:InvoiceTypeCode", "a type code of an invoice (UNTDID 1001)", inList(invoiceTypes)},
	{"BR-CL-01", "cbc:CreditNoteTypeCode", "a type code of a credit note (UNTDID 1001)", inList(creditNoteTypes)},
	{"BR-CL-03", "", "an ISO 4217 code with every amount", func(_ *parsed, e *element) bool {
		good := true
		e.each("", func(_ string, e *element) {
			if strings.HasSuffix(e.name, "Amount") && strings.HasPrefix(e.name, "cbc:") {
				good = good && currencies.has(e.attr("currencyID"))
			}
		})
		return good
	}},
	{"BR-CL-04", "cbc:DocumentCurrencyCode", "an ISO 4217 code", inList(currencies)},
	{"BR-CL-05", "cbc:TaxCurrencyCode", "an ISO 4217 code", inList(currencies)},
	{"BR-CL-06", "cac:InvoicePeriod/cbc:DescriptionCode", "a tax point code (UNTDID 2005)", inList(taxPointCodes)},
	{"BR-CL-10", seller + "/cac:PartyIdentification/cbc:ID|" + buyer + "/cac:PartyIdentification/cbc:ID", "a scheme of ISO 6523", scheme},
	{"BR-CL-11", seller + "/cac:PartyLegalEntity/cbc:CompanyID|" + buyer + "/cac:PartyLegalEntity/cbc:CompanyID", "a scheme of ISO 6523", scheme},
	{"BR-CL-14", "", "ISO 3166-1 codes of countries", func(_ *parsed, e *element) bool {
		good := true
		e.each("", func(path string, e *element) {
			if strings.HasSuffix(path, "/cac:Country/cbc:IdentificationCode") {
				good = good && countries.has(e.text)
			}
		})
		return good
	}},
	{"BR-CL-16", "cac:PaymentMeans/cbc:PaymentMeansCode", "a means of payment (UNTDID 4461)", inList(paymentMeans)},
	{"BR-CL-17", breakdownAt + "/cac:TaxCategory/cbc:ID|cac:AllowanceCharge/cac:TaxCategory/cbc:ID", "a tax category (UNCL5305)", inList(taxCategories)},
	{"BR-CL-18", below(lineCategory + "/cbc:ID"), "a tax category (UNCL5305)", inList(taxCategories)},
	{"BR-CL-19", adjustAt + "|" + below(adjustAt), "a reason of an allowance (UNTDID 5189)", of(allowance, func(_ *parsed, e *element) bool {
		return !e.has("cbc:AllowanceChargeReasonCode") || allowanceReasons.has(e.get("cbc:AllowanceChargeReasonCode"))
	})},
	{"BR-CL-22", breakdownAt + "/cac:TaxCategory/cbc:TaxExemptionReasonCode", "a reason of the VATEX list", func(_ *parsed, e *element) bool {
		return exemptionReasons.has(strings.ToUpper(e.text))
	}},
	{"BR-CL-23", below("cbc:InvoicedQuantity") + "|" + below("cbc:CreditedQuantity") + "|" + below("cac:Price/cbc:BaseQuantity"), "a unit that the product bills in (UN/ECE Recommendation 20)", func(_ *parsed, e *element) bool {
		return e.attr("unitCode") == "" || units.has(e.attr("unitCode"))
	}},
	{"BR-CL-25", seller + "/cbc:EndpointID|" + buyer + "/cbc:EndpointID", "a scheme of the CEF list of electronic addresses", func(_ *parsed, e *element) bool {
		return e.attr("schemeID") == "" || addressSchemes.has(e.attr("schemeID"))
	}},
}

// inList wants the element's text to be in the list.
func inList(codes list) test {
	return func(_ *parsed, e *element) bool { return codes.has(e.text) }
}

// scheme wants an ISO 6523 identifier of four digits, or SEPA's, where one is
// given; which numbers have been assigned grows by the month.
func scheme(_ *parsed, e *element) bool {
	id := e.attr("schemeID")
	return id == "" || id == "SEPA" || (len(id) == 4 && id >= "0002" && id <= "0999" && strings.Trim(id, "0123456789") == "")
}
