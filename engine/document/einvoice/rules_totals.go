package einvoice

import (
	"math/big"
	"strings"
)

const (
	totalsAt    = "cac:LegalMonetaryTotal"
	breakdownAt = "cac:TaxTotal/cac:TaxSubtotal"
	meansAt     = "cac:PaymentMeans"
)

// paymentRules are about how is paid.
var paymentRules = []rule{
	{"BR-49", meansAt, "a code of the payment means (BT-81)", exists("cbc:PaymentMeansCode")},
	{"BR-50", meansAt, "an account (BT-84)", func(_ *parsed, e *element) bool {
		return !isTransfer(e) || !e.has("cac:PayeeFinancialAccount") || filled("cac:PayeeFinancialAccount/cbc:ID")(nil, e)
	}},
	{"BR-51", meansAt + "/cac:CardAccount/cbc:PrimaryAccountNumberID", "at most ten digits of a card's number (BT-87)", func(_ *parsed, e *element) bool { return len(e.text) <= 10 }},
	{"BR-61", meansAt, "an account (BT-84) of a credit transfer", func(_ *parsed, e *element) bool {
		return !isTransfer(e) || e.has("cac:PayeeFinancialAccount/cbc:ID")
	}},
	{"BR-CO-25", "", "a due date (BT-9) or payment terms (BT-20) of an invoice, since something is due", func(_ *parsed, e *element) bool {
		due, ok := e.num(totalsAt + "/cbc:PayableAmount")
		return e.name != "Invoice" || !ok || due.Sign() <= 0 || e.has("cbc:DueDate|cac:PaymentMeans/cbc:PaymentDueDate|cac:PaymentTerms/cbc:Note")
	}},
}

func isTransfer(means *element) bool {
	code := means.get("cbc:PaymentMeansCode")
	return code == string(Transfer) || code == string(SEPATransfer)
}

// totalRules add up the document.
var totalRules = []rule{
	{"BR-12", totalsAt, "the sum of line net amounts (BT-106)", exists("cbc:LineExtensionAmount")},
	{"BR-13", totalsAt, "the total without VAT (BT-109)", exists("cbc:TaxExclusiveAmount")},
	{"BR-14", totalsAt, "the total with VAT (BT-112)", exists("cbc:TaxInclusiveAmount")},
	{"BR-15", totalsAt, "the amount due (BT-115)", exists("cbc:PayableAmount")},
	{"BR-CO-10", totalsAt, "BT-106 = Σ line net amounts (BT-131)", func(d *parsed, e *element) bool {
		return is(e, "cbc:LineExtensionAmount")(sum(d.lines, "cbc:LineExtensionAmount"))
	}},
	{"BR-CO-11", totalsAt, "BT-107 = Σ allowances (BT-92)", adjustmentTotal(allowance, "cbc:AllowanceTotalAmount")},
	{"BR-CO-12", totalsAt, "BT-108 = Σ charges (BT-99)", adjustmentTotal(charge, "cbc:ChargeTotalAmount")},
	{"BR-CO-13", totalsAt, "BT-109 = BT-106 − BT-107 + BT-108", func(_ *parsed, e *element) bool {
		lines, ok := e.num("cbc:LineExtensionAmount")
		allowances, _ := e.num("cbc:AllowanceTotalAmount")
		charges, _ := e.num("cbc:ChargeTotalAmount")
		return is(e, "cbc:TaxExclusiveAmount")(new(big.Rat).Add(new(big.Rat).Sub(lines, allowances), charges), ok)
	}},
	{"BR-CO-14", "cac:TaxTotal", "BT-110 = Σ category tax amounts (BT-117)", func(_ *parsed, e *element) bool {
		return !e.has("cac:TaxSubtotal") || is(e, "cbc:TaxAmount")(sum(e.all("cac:TaxSubtotal"), "cbc:TaxAmount"))
	}},
	{"BR-CO-15", "", "BT-112 = BT-109 + BT-110, with one BT-110 in the document's currency", func(d *parsed, e *element) bool {
		taxes := taxAmounts(e, d.currency)
		if d.currency == "" {
			return true // BR-05
		}
		if len(taxes) != 1 {
			return false
		}
		tax, ok := number(taxes[0].text)
		net, isNumber := e.num(totalsAt + "/cbc:TaxExclusiveAmount")
		return is(e, totalsAt+"/cbc:TaxInclusiveAmount")(new(big.Rat).Add(net, tax), ok && isNumber)
	}},
	{"BR-CO-16", totalsAt, "BT-115 = BT-112 − BT-113 + BT-114", func(_ *parsed, e *element) bool {
		total, ok := e.num("cbc:TaxInclusiveAmount")
		paid, _ := e.num("cbc:PrepaidAmount")
		rounding, _ := e.num("cbc:PayableRoundingAmount")
		return is(e, "cbc:PayableAmount")(new(big.Rat).Add(new(big.Rat).Sub(total, paid), rounding), ok)
	}},
}

// is compares the number at path with a sum, to the cent.
func is(e *element, path string) func(want *big.Rat, ok bool) bool {
	return func(want *big.Rat, ok bool) bool {
		got, isNumber := e.num(path)
		return ok && isNumber && equal(got, cents(want))
	}
}

func adjustmentTotal(kind bool, path string) test {
	return func(d *parsed, e *element) bool {
		all := d.adjustments(kind)
		if !e.has(path) {
			return len(all) == 0
		}
		return is(e, path)(sum(all, "cbc:Amount"))
	}
}

// breakdownRules are about each row of the VAT breakdown.
var breakdownRules = []rule{
	{"BR-45", breakdownAt, "a taxable amount (BT-116)", exists("cbc:TaxableAmount")},
	{"BR-46", breakdownAt, "a tax amount (BT-117)", exists("cbc:TaxAmount")},
	{"BR-47", breakdownAt, "a VAT category (BT-118)", hasCategory},
	{"BR-48", breakdownAt, "a rate (BT-119), unless out of scope", func(_ *parsed, e *element) bool {
		return e.has("cac:TaxCategory/cbc:Percent") || vatCategory(e, "cac:TaxCategory") == string(OutOfScope)
	}},
	{"BR-CO-17", breakdownAt, "BT-117 = BT-116 × BT-119, less than one unit apart", func(_ *parsed, e *element) bool {
		rate, _ := e.num("cac:TaxCategory/cbc:Percent")
		base, ok := e.num("cbc:TaxableAmount")
		tax, isNumber := e.num("cbc:TaxAmount")
		return ok && isNumber && near(new(big.Rat).Abs(tax), percentOf(new(big.Rat).Abs(base), rate))
	}},
	{"BR-CO-18", "", "at least one VAT breakdown (BG-23)", exists(breakdownAt)},
}

// decimalRules want at most two decimals of every amount but prices.
func decimalRules() (rules []rule) {
	add := func(id, at, path string, only func(holds test) test) {
		holds := func(_ *parsed, e *element) bool {
			_, decimals, _ := strings.Cut(e.get(path), ".")
			return len(decimals) <= 2
		}
		rules = append(rules, rule{id, at, "at most two decimals of " + strings.TrimPrefix(path, "cbc:"), only(holds)})
	}
	every := func(holds test) test { return holds }
	allowances := func(holds test) test { return of(allowance, holds) }
	charges := func(holds test) test { return of(charge, holds) }

	add("BR-DEC-01", adjustAt, "cbc:Amount", allowances)
	add("BR-DEC-02", adjustAt, "cbc:BaseAmount", allowances)
	add("BR-DEC-05", adjustAt, "cbc:Amount", charges)
	add("BR-DEC-06", adjustAt, "cbc:BaseAmount", charges)
	add("BR-DEC-09", totalsAt, "cbc:LineExtensionAmount", every)
	add("BR-DEC-10", totalsAt, "cbc:AllowanceTotalAmount", every)
	add("BR-DEC-11", totalsAt, "cbc:ChargeTotalAmount", every)
	add("BR-DEC-12", totalsAt, "cbc:TaxExclusiveAmount", every)
	add("BR-DEC-13", "cac:TaxTotal", "cbc:TaxAmount", every) // and BR-DEC-15, of the other currency
	add("BR-DEC-14", totalsAt, "cbc:TaxInclusiveAmount", every)
	add("BR-DEC-16", totalsAt, "cbc:PrepaidAmount", every)
	add("BR-DEC-17", totalsAt, "cbc:PayableRoundingAmount", every)
	add("BR-DEC-18", totalsAt, "cbc:PayableAmount", every)
	add("BR-DEC-19", breakdownAt, "cbc:TaxableAmount", every)
	add("BR-DEC-20", breakdownAt, "cbc:TaxAmount", every)
	add("BR-DEC-23", lineAt, "cbc:LineExtensionAmount", every)
	add("BR-DEC-24", below(adjustAt), "cbc:Amount", allowances)
	add("BR-DEC-25", below(adjustAt), "cbc:BaseAmount", allowances)
	add("BR-DEC-27", below(adjustAt), "cbc:Amount", charges)
	add("BR-DEC-28", below(adjustAt), "cbc:BaseAmount", charges)
	return rules
}
