package einvoice

import "strings"

const (
	lineAt   = "cac:InvoiceLine|cac:CreditNoteLine"
	seller   = "cac:AccountingSupplierParty/cac:Party"
	buyer    = "cac:AccountingCustomerParty/cac:Party"
	agent    = "cac:TaxRepresentativeParty"
	periodAt = "cac:InvoicePeriod"
)

// documentRules are about the document as a whole.
var documentRules = []rule{
	{"BR-01", "", "a specification identifier (BT-24)", filled("cbc:CustomizationID")},
	{"BR-02", "", "a number (BT-1)", filled("cbc:ID")},
	{"BR-03", "", "an issue date (BT-2)", filled("cbc:IssueDate")},
	{"BR-04", "", "a type code (BT-3)", filled("cbc:InvoiceTypeCode|cbc:CreditNoteTypeCode")},
	{"BR-05", "", "a currency code (BT-5)", filled("cbc:DocumentCurrencyCode")},
	{"BT-5", "", "every amount in the document's currency, but the tax in the accounting currency (BT-111)", func(d *parsed, e *element) bool {
		accounting, good := e.get("cbc:TaxCurrencyCode"), true
		e.each("", func(path string, e *element) {
			code := e.attr("currencyID")
			good = good && (code == "" || code == d.currency || (code == accounting && path == "/cac:TaxTotal/cbc:TaxAmount"))
		})
		return good
	}},
	{"BR-16", "", "at least one line (BG-25)", exists(lineAt)},
	{"BR-29", periodAt, "an end (BT-74) not before the start (BT-73)", ordered},
	{"BR-CO-03", "", "either a tax point date (BT-7) or a code for it (BT-8)", func(_ *parsed, e *element) bool {
		return !e.has("cbc:TaxPointDate") || !e.has("cac:InvoicePeriod/cbc:DescriptionCode")
	}},
	{"BR-CO-19", periodAt, "a start (BT-73) or an end (BT-74)", exists("cbc:StartDate|cbc:EndDate|cbc:DescriptionCode")},
	{"BR-52", "cac:AdditionalDocumentReference", "a reference (BT-122)", filled("cbc:ID")},
	{"BR-53", "", "the tax in the accounting currency (BT-111) where one is named (BT-6)", func(_ *parsed, e *element) bool {
		for _, c := range e.all("cbc:TaxCurrencyCode") {
			if len(taxAmounts(e, c.text)) == 0 {
				return false
			}
		}
		return true
	}},
	{"BR-55", "cac:BillingReference", "the number of the preceding invoice (BT-25)", exists("cac:InvoiceDocumentReference/cbc:ID")},
	{"BR-57", "cac:Delivery/cac:DeliveryLocation/cac:Address", "a country code (BT-80)", exists("cac:Country/cbc:IdentificationCode")},
}

// partyRules are about seller, buyer and who stands for the seller.
var partyRules = []rule{
	{"BR-06", "", "the seller's name (BT-27)", filled(seller + "/cac:PartyLegalEntity/cbc:RegistrationName")},
	{"BR-07", "", "the buyer's name (BT-44)", filled(buyer + "/cac:PartyLegalEntity/cbc:RegistrationName")},
	{"BR-08", "", "the seller's address (BG-5)", exists(seller + "/cac:PostalAddress")},
	{"BR-09", seller + "/cac:PostalAddress", "the seller's country (BT-40)", filled("cac:Country/cbc:IdentificationCode")},
	{"BR-10", "", "the buyer's address (BG-8)", exists(buyer + "/cac:PostalAddress")},
	{"BR-11", buyer + "/cac:PostalAddress", "the buyer's country (BT-55)", filled("cac:Country/cbc:IdentificationCode")},
	{"BR-17", "cac:PayeeParty", "the payee's name (BT-59), other than the seller's", func(d *parsed, e *element) bool {
		name, id := e.get("cac:PartyName/cbc:Name"), e.get("cac:PartyIdentification/cbc:ID")
		return e.has("cac:PartyName/cbc:Name") && name != d.root.get(seller+"/cac:PartyName/cbc:Name") &&
			(id == "" || id != d.root.get(seller+"/cac:PartyIdentification/cbc:ID"))
	}},
	{"BR-18", agent, "the tax representative's name (BT-62)", filled("cac:PartyName/cbc:Name")},
	{"BR-19", agent, "the tax representative's address (BG-12)", exists("cac:PostalAddress")},
	{"BR-20", agent + "/cac:PostalAddress", "the tax representative's country (BT-69)", filled("cac:Country/cbc:IdentificationCode")},
	{"BR-56", agent, "the tax representative's VAT id (BT-63)", func(_ *parsed, e *element) bool { return hasVATID(e) }},
	{"BR-62", seller + "/cbc:EndpointID", "a scheme of the seller's electronic address (BT-34)", hasAttr("schemeID")},
	{"BR-63", buyer + "/cbc:EndpointID", "a scheme of the buyer's electronic address (BT-49)", hasAttr("schemeID")},
	{
		"BR-CO-09", seller + "/cac:PartyTaxScheme|" + buyer + "/cac:PartyTaxScheme|" + agent + "/cac:PartyTaxScheme", "a VAT id that begins with its country's code",
		func(_ *parsed, e *element) bool {
			id := e.get("cbc:CompanyID")
			return !isVAT(e) || (len(id) >= 2 && (id[:2] == "EL" || countries.has(id[:2])))
		},
	},
	{"BR-CO-26", "cac:AccountingSupplierParty", "an identifier (BT-29), registration (BT-30) or VAT id (BT-31) of the seller", func(_ *parsed, e *element) bool {
		for _, id := range e.all("cac:Party/cac:PartyIdentification/cbc:ID") {
			if id.attr("schemeID") != "SEPA" {
				return true
			}
		}
		return hasVATID(e.one("cac:Party")) || e.has("cac:Party/cac:PartyLegalEntity/cbc:CompanyID")
	}},
}

// hasVATID reports whether a party has a VAT identifier.
func hasVATID(party *element) bool {
	for _, s := range party.all("cac:PartyTaxScheme") {
		if isVAT(s) && s.has("cbc:CompanyID") {
			return true
		}
	}
	return false
}

func hasAttr(name string) test {
	return func(_ *parsed, e *element) bool { return strings.TrimSpace(e.attr(name)) != "" }
}

// taxAmounts returns the document's tax totals in a currency.
func taxAmounts(root *element, currency string) (found []*element) {
	for _, a := range root.all("cac:TaxTotal/cbc:TaxAmount") {
		if a.attr("currencyID") == currency {
			found = append(found, a)
		}
	}
	return found
}
