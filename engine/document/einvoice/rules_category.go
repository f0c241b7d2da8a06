package einvoice

import (
	"fmt"
	"math/big"
)

// Categories that this product does not sell in, but which other files use.
const (
	exported       Category = "G"
	intraCommunity Category = "K"
)

// categoryRule says what the rules of a category differ in.
type categoryRule struct {
	code     Category
	id       string // in the rules' names
	name     string
	several  bool // one breakdown row per rate; else exactly one
	taxed    bool // has a rate above zero
	reasoned bool // wants a reason why no tax is due
	sellers  func(d *parsed) bool
	parties  string // what sellers wants
}

var categories = []categoryRule{
	{code: Standard, id: "S", name: "standard rate", several: true, taxed: true, sellers: sellerTaxed, parties: "a tax id of the seller"},
	{code: Zero, id: "Z", name: "zero rate", sellers: sellerTaxed, parties: "a tax id of the seller"},
	{code: Exempt, id: "E", name: "exempt", reasoned: true, sellers: sellerTaxed, parties: "a tax id of the seller"},
	{code: ReverseCharge, id: "AE", name: "reverse charge", reasoned: true, sellers: func(d *parsed) bool {
		return sellerTaxed(d) && (hasVATID(d.root.one(buyer)) || d.root.has(buyer+"/cac:PartyLegalEntity/cbc:CompanyID"))
	}, parties: "a tax id of the seller and a VAT id or registration of the buyer"},
	{code: exported, id: "G", name: "export", reasoned: true, sellers: sellerVAT, parties: "a VAT id of the seller"},
	{code: intraCommunity, id: "IC", name: "intra-community supply", reasoned: true, sellers: func(d *parsed) bool {
		return sellerVAT(d) && hasVATID(d.root.one(buyer))
	}, parties: "VAT ids of seller and buyer"},
	{code: OutOfScope, id: "O", name: "out of scope", reasoned: true, sellers: func(d *parsed) bool {
		return !sellerVAT(d) && !hasVATID(d.root.one(buyer))
	}, parties: "no VAT id of seller and buyer"},
}

// sellerVAT reports whether the seller or who stands for it has a VAT id.
func sellerVAT(d *parsed) bool { return hasVATID(d.root.one(seller)) || hasVATID(d.root.one(agent)) }

// sellerTaxed is sellerVAT, but any registration for tax will do.
func sellerTaxed(d *parsed) bool {
	return d.root.has(seller+"/cac:PartyTaxScheme/cbc:CompanyID") || hasVATID(d.root.one(agent))
}

// The places where categories stand.
const (
	lineCategory   = "cac:Item/cac:ClassifiedTaxCategory"
	adjustCategory = "cac:TaxCategory"
	rateAt         = "cbc:Percent"
)

// categoryRules writes the ten rules of every category.
func categoryRules() (rules []rule) {
	for _, c := range categories {
		id := func(n int) string { return fmt.Sprintf("BR-%s-%02d", c.id, n) }
		rules = append(
			rules,
			rule{id(1), "", c.name + ": a row of the breakdown where a line, allowance or charge has it", c.inBreakdown},
			rule{id(2), "", c.name + ", in a line: " + c.parties, func(d *parsed, _ *element) bool { return !c.in(d.lines, lineCategory) || c.sellers(d) }},
			rule{id(3), "", c.name + ", in an allowance: " + c.parties, func(d *parsed, _ *element) bool {
				return !c.in(d.adjustments(allowance), adjustCategory) || c.sellers(d)
			}},
			rule{id(4), "", c.name + ", in a charge: " + c.parties, func(d *parsed, _ *element) bool {
				return !c.in(d.adjustments(charge), adjustCategory) || c.sellers(d)
			}},
			rule{id(5), below(lineCategory), c.name + ": " + c.rateText() + " in a line", c.rate},
			rule{id(6), adjustAt, c.name + ": " + c.rateText() + " in an allowance", of(allowance, c.adjustmentRate)},
			rule{id(7), adjustAt, c.name + ": " + c.rateText() + " in a charge", of(charge, c.adjustmentRate)},
			rule{id(8), breakdownAt, c.name + ": the taxable amount is that of its lines, allowances and charges", c.ifRow(c.base)},
			rule{id(9), breakdownAt, c.name + ": the tax is " + c.taxText(), c.ifRow(c.tax)},
			rule{id(10), breakdownAt, c.name + ": " + c.reasonText(), c.ifRow(c.reason)},
		)
	}
	return rules
}

func (c categoryRule) rateText() string {
	switch {
	case c.taxed:
		return "a rate above zero"
	case c.code == OutOfScope:
		return "no rate"
	}
	return "a rate of zero"
}

func (c categoryRule) taxText() string {
	if c.taxed {
		return "base × rate, less than one unit apart"
	}
	return "zero"
}

func (c categoryRule) reasonText() string {
	if c.reasoned {
		return "a reason or its code why no tax is due"
	}
	return "no reason why no tax is due"
}

// in reports whether one of the elements has the category at path.
func (c categoryRule) in(all []*element, path string) bool {
	for _, e := range all {
		if vatCategory(e, path) == string(c.code) {
			return true
		}
	}
	return false
}

// inBreakdown wants a row, or rows, exactly where the category is used.
func (c categoryRule) inBreakdown(d *parsed, e *element) bool {
	rows := 0
	for _, r := range e.all(breakdownAt) {
		if vatCategory(r, "cac:TaxCategory") == string(c.code) {
			rows++
		}
	}
	used := c.in(d.lines, lineCategory) || c.in(d.root.all(adjustAt), adjustCategory)
	if c.several {
		return used == (rows > 0)
	}
	return (!used && rows == 0) || rows == 1
}

// rate looks at a category element.
func (c categoryRule) rate(_ *parsed, e *element) bool {
	if e.get("cbc:ID") != string(c.code) || !isVAT(e) {
		return true
	}
	rate, ok := e.num(rateAt)
	switch {
	case c.code == OutOfScope:
		return !e.has(rateAt)
	case c.taxed:
		return ok && rate.Sign() > 0
	}
	return ok && rate.Sign() == 0
}

func (c categoryRule) adjustmentRate(d *parsed, e *element) bool {
	for _, category := range e.all(adjustCategory) {
		if !c.rate(d, category) {
			return false
		}
	}
	return true
}

// ifRow makes a test for breakdown rows of the category only.
func (c categoryRule) ifRow(holds test) test {
	return func(d *parsed, e *element) bool {
		return vatCategory(e, "cac:TaxCategory") != string(c.code) || holds(d, e)
	}
}

// base adds up what has the category, and the rate where there are several.
func (c categoryRule) base(d *parsed, row *element) bool {
	rate, _ := row.num("cac:TaxCategory/" + rateAt)
	lines, linesOK := sum(c.sharing(d.lines, lineCategory, rate), "cbc:LineExtensionAmount")
	charges, chargesOK := sum(c.sharing(d.adjustments(charge), adjustCategory, rate), "cbc:Amount")
	allowances, allowancesOK := sum(c.sharing(d.adjustments(allowance), adjustCategory, rate), "cbc:Amount")
	want := new(big.Rat).Sub(new(big.Rat).Add(lines, charges), allowances)
	got, ok := row.num("cbc:TaxableAmount")
	if !ok || !linesOK || !chargesOK || !allowancesOK {
		return false
	}
	if c.several {
		return near(got, want)
	}
	return equal(got, want)
}

// sharing returns the elements that have the category at path, and the rate
// where there are several.
func (c categoryRule) sharing(all []*element, path string, rate *big.Rat) (found []*element) {
	for _, e := range all {
		if vatCategory(e, path) != string(c.code) {
			continue
		}
		if own, _ := e.num(path + "/" + rateAt); !c.several || equal(own, rate) {
			found = append(found, e)
		}
	}
	return found
}

func (c categoryRule) tax(_ *parsed, row *element) bool {
	tax, ok := row.num("cbc:TaxAmount")
	if !c.taxed {
		return ok && tax.Sign() == 0
	}
	base, baseOK := row.num("cbc:TaxableAmount")
	rate, rateOK := row.num("cac:TaxCategory/" + rateAt)
	return ok && baseOK && rateOK && near(tax.Abs(tax), percentOf(base.Abs(base), rate))
}

func (c categoryRule) reason(_ *parsed, row *element) bool {
	return row.has("cac:TaxCategory/cbc:TaxExemptionReason|cac:TaxCategory/cbc:TaxExemptionReasonCode") == c.reasoned
}

// outOfScopeRules want that nothing else stands beside what is out of scope, and
// of an intra-community supply where and when it was made.
var outOfScopeRules = []rule{
	{"BR-O-11", "", "no other row of the breakdown beside out of scope", alone(func(d *parsed) []string {
		return codesOf(d.root.all(breakdownAt), "cac:TaxCategory")
	})},
	{"BR-O-12", "", "no line of another category beside out of scope", alone(func(d *parsed) []string { return codesOf(d.lines, lineCategory) })},
	{"BR-O-13", "", "no allowance of another category beside out of scope", alone(func(d *parsed) []string {
		return codesOf(d.adjustments(allowance), adjustCategory)
	})},
	{"BR-O-14", "", "no charge of another category beside out of scope", alone(func(d *parsed) []string {
		return codesOf(d.adjustments(charge), adjustCategory)
	})},
	{"BR-IC-11", "", "a delivery date (BT-72) or period (BG-14) of an intra-community supply", func(d *parsed, e *element) bool {
		return !hasRow(d, intraCommunity) || e.get("cac:Delivery/cbc:ActualDeliveryDate") != "" || len(e.one(periodAt).children) > 0
	}},
	{"BR-IC-12", "", "the country of delivery (BT-80) of an intra-community supply", func(d *parsed, e *element) bool {
		return !hasRow(d, intraCommunity) || e.get("cac:Delivery/cac:DeliveryLocation/cac:Address/cac:Country/cbc:IdentificationCode") != ""
	}},
}

func hasRow(d *parsed, code Category) bool {
	for _, c := range codesOf(d.root.all(breakdownAt), "cac:TaxCategory") {
		if c == string(code) {
			return true
		}
	}
	return false
}

// alone wants every code to be out of scope where a row of the breakdown is.
func alone(codes func(*parsed) []string) test {
	return func(d *parsed, _ *element) bool {
		if !hasRow(d, OutOfScope) {
			return true
		}
		for _, code := range codes(d) {
			if code != string(OutOfScope) {
				return false
			}
		}
		return true
	}
}

// codesOf returns the VAT categories at path.
func codesOf(all []*element, path string) (codes []string) {
	for _, e := range all {
		if code := vatCategory(e, path); code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}
