package einvoice

import (
	"fmt"
	"slices"
	"strings"
)

// change spoils a file.
type change func(root *element)

// without removes what is at path.
func without(path string) change {
	return func(root *element) {
		dir, name := split(path)
		for _, e := range root.all(dir) {
			e.children = slices.DeleteFunc(e.children, func(c *element) bool { return c.name == name })
		}
	}
}

// with sets the text of the first element at path, which is made where there is
// none.
func with(path, text string) change {
	return func(root *element) {
		if found := root.all(path); len(found) > 0 {
			found[0].text = text
			return
		}
		dir, name := split(path)
		for _, e := range root.all(dir)[:1] {
			e.children = append(e.children, &element{name: name, text: text})
		}
	}
}

// attribute sets an attribute of the first element at path.
func attribute(path, name, value string) change {
	return func(root *element) {
		e := root.all(path)[0]
		e.attrs = append(slices.DeleteFunc(e.attrs, func(a attr) bool { return a.name == name }), attr{name, value})
	}
}

// plus appends a fragment to the first element at path.
func plus(path, fragment string) change {
	return func(root *element) {
		raw := fmt.Sprintf(`<Invoice xmlns=%q xmlns:cac=%q xmlns:cbc=%q>%s</Invoice>`, nsInvoice, nsAggregate, nsBasic, fragment)
		parsed, err := parse([]byte(raw))
		if err != nil {
			panic(fragment + ": " + err.Error())
		}
		e := root.all(path)[0]
		e.children = append(e.children, parsed.children...)
	}
}

func split(path string) (dir, name string) {
	if i := strings.LastIndex(path, "/"); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// Pieces of files that this product does not write.
const (
	chargeXML = `<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator><cbc:AllowanceChargeReason>Express</cbc:AllowanceChargeReason>` +
		`<cbc:Amount currencyID="EUR">0.00</cbc:Amount><cac:TaxCategory><cbc:ID>%s</cbc:ID>%s<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:TaxCategory></cac:AllowanceCharge>`
	lineChargeXML = `<cac:AllowanceCharge><cbc:ChargeIndicator>true</cbc:ChargeIndicator><cbc:AllowanceChargeReason>Express</cbc:AllowanceChargeReason><cbc:Amount currencyID="EUR">0.00</cbc:Amount></cac:AllowanceCharge>`
	agentXML      = `<cac:TaxRepresentativeParty><cac:PartyName><cbc:Name>Agent</cbc:Name></cac:PartyName><cac:PostalAddress><cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country></cac:PostalAddress>` +
		`<cac:PartyTaxScheme><cbc:CompanyID>FR12345678901</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme></cac:TaxRepresentativeParty>`
	vatXML      = `<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>`
	deliveryXML = `<cac:Delivery><cbc:ActualDeliveryDate>2026-11-01</cbc:ActualDeliveryDate><cac:DeliveryLocation><cac:Address><cac:Country><cbc:IdentificationCode>GR</cbc:IdentificationCode></cac:Country></cac:Address></cac:DeliveryLocation></cac:Delivery>`
	oneLine     = "cac:InvoiceLine"
)

// full is standard with everything that rules look at and the product does not
// write. It breaks no rule.
func full() *element {
	root := standard().tree()
	for _, c := range []change{
		plus("", agentXML), plus("", deliveryXML),
		plus("", `<cac:PayeeParty><cac:PartyName><cbc:Name>Payee</cbc:Name></cac:PartyName></cac:PayeeParty>`),
		plus("", `<cac:AdditionalDocumentReference><cbc:ID>Annex</cbc:ID></cac:AdditionalDocumentReference>`),
		plus("", `<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>INV-1</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference>`),
		plus("", fmt.Sprintf(chargeXML, "S", "<cbc:Percent>19</cbc:Percent>")),
		plus(totalsAt, `<cbc:ChargeTotalAmount currencyID="EUR">0.00</cbc:ChargeTotalAmount><cbc:PayableRoundingAmount currencyID="EUR">0.00</cbc:PayableRoundingAmount>`),
		plus("", `<cbc:TaxCurrencyCode>DKK</cbc:TaxCurrencyCode><cac:TaxTotal><cbc:TaxAmount currencyID="DKK">41.40</cbc:TaxAmount></cac:TaxTotal>`),
		plus(oneLine, lineChargeXML),
		plus(oneLine+"/cac:Item", `<cac:AdditionalItemProperty><cbc:Name>Color</cbc:Name><cbc:Value>Black</cbc:Value></cac:AdditionalItemProperty>`),
		plus(oneLine+"/cac:Item", `<cac:StandardItemIdentification><cbc:ID schemeID="0160">1</cbc:ID></cac:StandardItemIdentification>`),
		plus(oneLine+"/cac:Item", `<cac:CommodityClassification><cbc:ItemClassificationCode listID="STI">1</cbc:ItemClassificationCode></cac:CommodityClassification>`),
		plus(oneLine+"/cac:Price", `<cac:AllowanceCharge><cbc:BaseAmount currencyID="EUR">20.00</cbc:BaseAmount></cac:AllowanceCharge>`),
		plus("cac:PaymentMeans", `<cac:CardAccount><cbc:PrimaryAccountNumberID>4242</cbc:PrimaryAccountNumberID><cbc:NetworkID>VISA</cbc:NetworkID></cac:CardAccount>`),
	} {
		c(root)
	}
	return root
}

// ofCategory is a file whose lines, allowance and charge have one category. It
// breaks no rule.
func ofCategory(c categoryRule) *element {
	d := untaxed(c.code, "", "")
	if c.reasoned {
		d.Taxes[0].Reason = "a reason"
	}
	rate := "<cbc:Percent>0</cbc:Percent>"
	if c.taxed {
		d.Lines[0].PPM, d.Taxes[0].PPM, d.Taxes[0].Amount = 190_000, 190_000, eur(171)
		d.Tax, d.Total, d.Due, rate = eur(171), eur(1071), eur(1071), "<cbc:Percent>19</cbc:Percent>"
	} else {
		d.Total, d.Due = eur(900), eur(900)
	}
	if c.code == OutOfScope {
		rate = ""
	}
	d.Allowances = []Allowance{{Amount: eur(100), Reason: "Loyalty", Category: c.code, PPM: d.Taxes[0].PPM}}
	d.Taxes[0].Base, d.Net = eur(900), eur(900)
	root := d.tree()
	plus("", fmt.Sprintf(chargeXML, c.code, rate))(root)
	plus(totalsAt, `<cbc:ChargeTotalAmount currencyID="EUR">0.00</cbc:ChargeTotalAmount>`)(root)
	if c.code == intraCommunity {
		plus("", deliveryXML)(root)
	}
	return root
}
