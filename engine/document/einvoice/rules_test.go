package einvoice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sabotage is a change that must break a rule.
type sabotage struct {
	rule   string
	change change
}

// adjust0 and adjust1 are allowance and charge of the document and of a line.
const (
	adjust0 = adjustAt
	adjust1 = oneLine + "/" + adjustAt
)

var sabotages = []sabotage{
	{"BR-01", without("cbc:CustomizationID")},
	{"BR-02", without("cbc:ID")},
	{"BR-03", without("cbc:IssueDate")},
	{"BR-04", without("cbc:InvoiceTypeCode")},
	{"BR-05", without("cbc:DocumentCurrencyCode")},
	{"BT-5", attribute(oneLine+"/cbc:LineExtensionAmount", "currencyID", "USD")},
	{"BR-06", with(seller+"/cac:PartyLegalEntity/cbc:RegistrationName", "")},
	{"BR-07", without(buyer + "/cac:PartyLegalEntity")},
	{"BR-08", without(seller + "/cac:PostalAddress")},
	{"BR-09", without(seller + "/cac:PostalAddress/cac:Country")},
	{"BR-10", without(buyer + "/cac:PostalAddress")},
	{"BR-11", without(buyer + "/cac:PostalAddress/cac:Country")},
	{"BR-12", without(totalsAt + "/cbc:LineExtensionAmount")},
	{"BR-13", without(totalsAt + "/cbc:TaxExclusiveAmount")},
	{"BR-14", without(totalsAt + "/cbc:TaxInclusiveAmount")},
	{"BR-15", without(totalsAt + "/cbc:PayableAmount")},
	{"BR-16", without(oneLine)},
	{"BR-17", without("cac:PayeeParty/cac:PartyName")},
	{"BR-18", without(agent + "/cac:PartyName")},
	{"BR-19", without(agent + "/cac:PostalAddress")},
	{"BR-20", without(agent + "/cac:PostalAddress/cac:Country")},
	{"BR-21", without(oneLine + "/cbc:ID")},
	{"BR-22", without(oneLine + "/cbc:InvoicedQuantity")},
	{"BR-23", attribute(oneLine+"/cbc:InvoicedQuantity", "unitCode", "")},
	{"BR-24", without(oneLine + "/cbc:LineExtensionAmount")},
	{"BR-25", without(oneLine + "/cac:Item/cbc:Name")},
	{"BR-26", without(oneLine + "/cac:Price")},
	{"BR-27", with(oneLine+"/cac:Price/cbc:PriceAmount", "-1.00")},
	{"BR-28", with(oneLine+"/cac:Price/cac:AllowanceCharge/cbc:BaseAmount", "-1.00")},
	{"BR-29", with("cac:InvoicePeriod/cbc:EndDate", "2020-01-01")},
	{"BR-30", with(oneLine+"/cac:InvoicePeriod/cbc:EndDate", "2020-01-01")},
	{"BR-31", without(adjust0 + "/cbc:Amount")},
	{"BR-32", without(adjust0 + "/cac:TaxCategory")},
	{"BR-33", without(adjust0 + "/cbc:AllowanceChargeReason")},
	{"BR-36", without(adjust0 + "/cbc:Amount")},
	{"BR-37", without(adjust0 + "/cac:TaxCategory")},
	{"BR-38", without(adjust0 + "/cbc:AllowanceChargeReason")},
	{"BR-41", without(adjust1 + "/cbc:Amount")},
	{"BR-42", change(func(r *element) {
		without(adjust1 + "/cbc:AllowanceChargeReason")(r)
		without(adjust1 + "/cbc:AllowanceChargeReasonCode")(r)
	})},
	{"BR-43", without(adjust1 + "/cbc:Amount")},
	{"BR-44", without(adjust1 + "/cbc:AllowanceChargeReason")},
	{"BR-45", without(breakdownAt + "/cbc:TaxableAmount")},
	{"BR-46", without(breakdownAt + "/cbc:TaxAmount")},
	{"BR-47", without(breakdownAt + "/cac:TaxCategory/cbc:ID")},
	{"BR-48", without(breakdownAt + "/cac:TaxCategory/cbc:Percent")},
	{"BR-49", without("cac:PaymentMeans/cbc:PaymentMeansCode")},
	{"BR-50", with("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID", "")},
	{"BR-51", with("cac:PaymentMeans/cac:CardAccount/cbc:PrimaryAccountNumberID", "4242424242424242")},
	{"BR-52", without("cac:AdditionalDocumentReference/cbc:ID")},
	{"BR-53", with("cbc:TaxCurrencyCode", "SEK")},
	{"BR-54", without(oneLine + "/cac:Item/cac:AdditionalItemProperty/cbc:Value")},
	{"BR-55", without("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID")},
	{"BR-56", without(agent + "/cac:PartyTaxScheme")},
	{"BR-57", without("cac:Delivery/cac:DeliveryLocation/cac:Address/cac:Country")},
	{"BR-61", without("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID")},
	{"BR-62", attribute(seller+"/cbc:EndpointID", "schemeID", "")},
	{"BR-63", attribute(buyer+"/cbc:EndpointID", "schemeID", "")},
	{"BR-64", attribute(oneLine+"/cac:Item/cac:StandardItemIdentification/cbc:ID", "schemeID", "")},
	{"BR-65", attribute(oneLine+"/cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode", "listID", "")},
	{"BR-CO-03", change(func(r *element) {
		with("cbc:TaxPointDate", "2026-11-01")(r)
		with("cac:InvoicePeriod/cbc:DescriptionCode", "35")(r)
	})},
	{"BR-CO-04", without(oneLine + "/cac:Item/cac:ClassifiedTaxCategory")},
	{"BR-CO-09", with(seller+"/cac:PartyTaxScheme/cbc:CompanyID", "136695976")},
	{"BR-CO-10", with(totalsAt+"/cbc:LineExtensionAmount", "45.81")},
	{"BR-CO-11", with(totalsAt+"/cbc:AllowanceTotalAmount", "0.81")},
	{"BR-CO-12", with(totalsAt+"/cbc:ChargeTotalAmount", "0.01")},
	{"BR-CO-13", with(totalsAt+"/cbc:TaxExclusiveAmount", "45.01")},
	{"BR-CO-14", with("cac:TaxTotal/cbc:TaxAmount", "5.54")},
	{"BR-CO-15", with(totalsAt+"/cbc:TaxInclusiveAmount", "50.56")},
	{"BR-CO-16", with(totalsAt+"/cbc:PayableAmount", "40.01")},
	{"BR-CO-17", with(breakdownAt+"/cbc:TaxAmount", "4.80")},
	{"BR-CO-18", without("cac:TaxTotal/cac:TaxSubtotal")},
	{"BR-CO-19", change(func(r *element) { r.one("cac:InvoicePeriod").children = nil })},
	{"BR-CO-20", change(func(r *element) { r.one(oneLine + "/cac:InvoicePeriod").children = nil })},
	{"BR-CO-21", without(adjust0 + "/cbc:AllowanceChargeReason")},
	{"BR-CO-22", without(adjust0 + "/cbc:AllowanceChargeReason")},
	{"BR-CO-23", change(func(r *element) { r.one(adjust1).children = r.one(adjust1).all("cbc:ChargeIndicator|cbc:Amount") })},
	{"BR-CO-24", without(adjust1 + "/cbc:AllowanceChargeReason")},
	{"BR-CO-25", change(func(r *element) {
		without("cbc:DueDate")(r)
		without("cac:PaymentTerms")(r)
	})},
	{"BR-CO-26", change(func(r *element) {
		without(seller + "/cac:PartyTaxScheme")(r)
		without(seller + "/cac:PartyLegalEntity/cbc:CompanyID")(r)
	})},
	{"BR-DEC-01", with(adjust0+"/cbc:Amount", "0.800")},
	{"BR-DEC-02", with(adjust0+"/cbc:BaseAmount", "0.800")},
	{"BR-DEC-05", change(func(r *element) { r.all(adjust0 + "/cbc:Amount")[1].text = "0.000" })},
	{"BR-DEC-06", change(func(r *element) { with("cbc:BaseAmount", "0.000")(r.all(adjust0)[1]) })},
	{"BR-DEC-09", with(totalsAt+"/cbc:LineExtensionAmount", "45.800")},
	{"BR-DEC-10", with(totalsAt+"/cbc:AllowanceTotalAmount", "0.800")},
	{"BR-DEC-11", with(totalsAt+"/cbc:ChargeTotalAmount", "0.000")},
	{"BR-DEC-12", with(totalsAt+"/cbc:TaxExclusiveAmount", "45.000")},
	{"BR-DEC-13", with("cac:TaxTotal/cbc:TaxAmount", "5.550")},
	{"BR-DEC-14", with(totalsAt+"/cbc:TaxInclusiveAmount", "50.550")},
	{"BR-DEC-16", with(totalsAt+"/cbc:PrepaidAmount", "10.550")},
	{"BR-DEC-17", with(totalsAt+"/cbc:PayableRoundingAmount", "0.000")},
	{"BR-DEC-18", with(totalsAt+"/cbc:PayableAmount", "40.000")},
	{"BR-DEC-19", with(breakdownAt+"/cbc:TaxableAmount", "20.000")},
	{"BR-DEC-20", with(breakdownAt+"/cbc:TaxAmount", "3.800")},
	{"BR-DEC-23", with(oneLine+"/cbc:LineExtensionAmount", "18.000")},
	{"BR-DEC-24", with(adjust1+"/cbc:Amount", "2.000")},
	{"BR-DEC-25", with(adjust1+"/cbc:BaseAmount", "2.000")},
	{"BR-DEC-27", change(func(r *element) { r.all(adjust1 + "/cbc:Amount")[1].text = "0.000" })},
	{"BR-DEC-28", change(func(r *element) { with("cbc:BaseAmount", "0.000")(r.all(adjust1)[1]) })},
	{"BR-CL-01", with("cbc:InvoiceTypeCode", "381")},
	{"BR-CL-03", attribute(oneLine+"/cbc:LineExtensionAmount", "currencyID", "Euro")},
	{"BR-CL-04", with("cbc:DocumentCurrencyCode", "DEM")},
	{"BR-CL-05", with("cbc:TaxCurrencyCode", "DEM")},
	{"BR-CL-06", with("cac:InvoicePeriod/cbc:DescriptionCode", "99")},
	{"BR-CL-10", plus(seller, `<cac:PartyIdentification><cbc:ID schemeID="GLN">1</cbc:ID></cac:PartyIdentification>`)},
	{"BR-CL-11", attribute(seller+"/cac:PartyLegalEntity/cbc:CompanyID", "schemeID", "HRB")},
	{"BR-CL-14", with("cac:Delivery/cac:DeliveryLocation/cac:Address/cac:Country/cbc:IdentificationCode", "UK")},
	{"BR-CL-16", with("cac:PaymentMeans/cbc:PaymentMeansCode", "card")},
	{"BR-CL-17", with(breakdownAt+"/cac:TaxCategory/cbc:ID", "AA")},
	{"BR-CL-18", with(oneLine+"/cac:Item/cac:ClassifiedTaxCategory/cbc:ID", "AA")},
	{"BR-CL-19", with(adjust1+"/cbc:AllowanceChargeReasonCode", "rebate")},
	{"BR-CL-22", with(breakdownAt+"/cac:TaxCategory/cbc:TaxExemptionReasonCode", "VATEX-DE-19")},
	{"BR-CL-23", attribute(oneLine+"/cbc:InvoicedQuantity", "unitCode", "month")},
	{"BR-CL-25", attribute(seller+"/cbc:EndpointID", "schemeID", "MAIL")},
}

// sabotages are the ways to break the ten rules of a category.
func (c categoryRule) sabotages() []sabotage {
	id := func(n int) string { return fmt.Sprintf("BR-%s-%02d", c.id, n) }
	noIDs := change(func(r *element) {
		without(seller + "/cac:PartyTaxScheme")(r)
		without(buyer + "/cac:PartyTaxScheme")(r)
	})
	if c.code == OutOfScope {
		noIDs = plus(seller, vatXML)
	}
	rate := "5"
	if c.taxed {
		rate = "0"
	}
	reason := without(breakdownAt + "/cac:TaxCategory/cbc:TaxExemptionReason")
	if !c.reasoned {
		reason = with(breakdownAt+"/cac:TaxCategory/cbc:TaxExemptionReason", "a reason")
	}
	tax := "1.00"
	if c.taxed {
		tax = "2.80"
	}
	return []sabotage{
		{id(1), without("cac:TaxTotal/cac:TaxSubtotal")},
		{id(2), noIDs},
		{id(3), noIDs},
		{id(4), noIDs},
		{id(5), with(oneLine+"/"+lineCategory+"/"+rateAt, rate)},
		{id(6), with(adjustAt+"/cac:TaxCategory/"+rateAt, rate)},
		{id(7), func(r *element) { with("cac:TaxCategory/"+rateAt, rate)(r.all(adjustAt)[1]) }},
		{id(8), with(breakdownAt+"/cbc:TaxableAmount", "59.00")},
		{id(9), with(breakdownAt+"/cbc:TaxAmount", tax)},
		{id(10), reason},
	}
}

// otherRow is a row of the breakdown that must not stand beside out of scope.
const otherRow = `<cac:TaxSubtotal><cbc:TaxableAmount currencyID="EUR">0.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">0.00</cbc:TaxAmount><cac:TaxCategory><cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:TaxSubtotal>`

var outOfScopeSabotages = []sabotage{
	{"BR-O-11", plus("cac:TaxTotal", otherRow)},
	{"BR-O-12", with(oneLine+"/"+lineCategory+"/cbc:ID", "Z")},
	{"BR-O-13", with(adjustAt+"/cac:TaxCategory/cbc:ID", "Z")},
	{"BR-O-14", func(r *element) { with("cac:TaxCategory/cbc:ID", "Z")(r.all(adjustAt)[1]) }},
}

var intraCommunitySabotages = []sabotage{
	{"BR-IC-11", func(r *element) {
		without("cac:Delivery/cbc:ActualDeliveryDate")(r)
		without("cac:InvoicePeriod")(r)
	}},
	{"BR-IC-12", without("cac:Delivery/cac:DeliveryLocation")},
}

// TestEveryRuleIsCaught breaks each rule on purpose. Every rule of Check must
// have a way to break it here, and the files that are spoiled break none.
func TestEveryRuleIsCaught(t *testing.T) {
	caught := map[string]bool{}
	try := func(base func() *element, all []sabotage) {
		t.Helper()
		if found := checkTree(t, base()); len(found) > 0 {
			t.Fatalf("the file to spoil breaks %v", found)
		}
		for _, s := range all {
			root := base()
			s.change(root)
			found := checkTree(t, root)
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Rule == s.rule }) {
				t.Errorf("%s is broken and not caught; found %v", s.rule, found)
			}
			caught[s.rule] = true
		}
	}
	try(full, sabotages)
	for _, c := range categories {
		try(func() *element { return ofCategory(c) }, c.sabotages())
		if c.code == OutOfScope {
			try(func() *element { return ofCategory(c) }, outOfScopeSabotages)
		}
		if c.code == intraCommunity {
			try(func() *element { return ofCategory(c) }, intraCommunitySabotages)
		}
	}
	total := 0
	for _, set := range ruleSets {
		for _, r := range set {
			total++
			if !caught[r.id] {
				t.Errorf("%s is never broken", r.id)
			}
		}
	}
	t.Logf("%d rules", total)
}

// checkTree writes a tree and checks the file.
func checkTree(t *testing.T, root *element) []Violation {
	t.Helper()
	found, err := Check(root.write())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCheckRefusesOtherFiles(t *testing.T) {
	for name, file := range map[string]string{
		"nothing":           "",
		"text":              "hello",
		"half":              "<Invoice>",
		"another namespace": `<Invoice xmlns="urn:x"/>`,
		"an order":          `<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>`,
		"two roots":         fmt.Sprintf("<Invoice xmlns=%q/><Invoice xmlns=%q/>", nsInvoice, nsInvoice),
		"too deep":          fmt.Sprintf("<Invoice xmlns=%q>", nsInvoice) + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</Invoice>",
	} {
		if found, err := Check([]byte(file)); err == nil {
			t.Errorf("%s: got %v, want %v", name, found, ErrXML)
		}
	}
}

// TestPrefixesDoNotMatter reads a file whose prefixes are others than ours.
func TestPrefixesDoNotMatter(t *testing.T) {
	raw, err := Render(standard())
	if err != nil {
		t.Fatal(err)
	}
	other := strings.NewReplacer("cac:", "a:", "xmlns:cac", "xmlns:a", "cbc:", "b:", "xmlns:cbc", "xmlns:b", "<Invoice xmlns=", "<u:Invoice xmlns:u=", "</Invoice>", "</u:Invoice>").Replace(string(raw))
	if found, err := Check([]byte(other)); err != nil || len(found) > 0 {
		t.Errorf("got %v, %v, want no violations", found, err)
	}
}

// FuzzCheck proves that no file, however broken, stops the check, and that it
// judges a file the same way twice.
func FuzzCheck(f *testing.F) {
	for _, d := range []Document{standard(), creditNote()} {
		f.Add(d.tree().write())
	}
	f.Add([]byte(`<Invoice xmlns="` + nsInvoice + `"><cbc:ID/></Invoice>`))
	f.Fuzz(func(t *testing.T, file []byte) {
		before, err := Check(file)
		if err != nil {
			return
		}
		after, err := Check(file)
		if err != nil || !slices.Equal(before, after) {
			t.Fatalf("checked again: got %v, %v, want %v", after, err, before)
		}
	})
}
