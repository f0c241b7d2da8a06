package einvoice

import (
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// customization says by which rules a document is made (BT-24).
const customization = "urn:cen.eu:en16931:2017"

// tree builds the UBL document of d, elements in the order of the schema.
func (d Document) tree() *element {
	root := &element{name: "Invoice", attrs: []attr{{"xmlns", nsInvoice}, {"xmlns:cac", nsAggregate}, {"xmlns:cbc", nsBasic}}}
	due, typ := leaf("cbc:DueDate", day(d.DueAt)), "cbc:InvoiceTypeCode"
	if d.Type == CreditNote {
		root.name, root.attrs[0].value = "CreditNote", nsCreditNote
		due, typ = nil, "cbc:CreditNoteTypeCode" // its due date stands with the payment
	}
	root.add(
		leaf("cbc:CustomizationID", customization),
		leaf("cbc:ID", d.Number),
		leaf("cbc:IssueDate", day(d.IssuedAt)),
		due,
		leaf(typ, string(d.Type)),
		leaf("cbc:Note", d.Note),
		leaf("cbc:DocumentCurrencyCode", d.Currency),
		leaf("cbc:BuyerReference", d.BuyerReference),
		period(d.Start, d.End),
	)
	for _, r := range d.Preceding {
		root.add(group("cac:BillingReference", group("cac:InvoiceDocumentReference", leaf("cbc:ID", r.Number), leaf("cbc:IssueDate", day(r.IssuedAt)))))
	}
	root.add(
		group("cac:AccountingSupplierParty", d.party(d.Seller, true)),
		group("cac:AccountingCustomerParty", d.party(d.Buyer, false)),
	)
	root.add(d.paymentMeans())
	root.add(group("cac:PaymentTerms", leaf("cbc:Note", d.Terms)))
	for _, a := range d.Allowances {
		root.add(d.allowance(a, taxCategory("cac:TaxCategory", a.Category, a.PPM)))
	}
	root.add(d.taxTotal(), d.totals())
	for i, l := range d.Lines {
		root.add(d.line(i+1, l))
	}
	return root
}

// outOfScope reports whether nothing of d is subject to VAT.
func (d Document) outOfScope() bool {
	for _, t := range d.Taxes {
		if t.Category == OutOfScope {
			return true
		}
	}
	return false
}

// party leaves out VAT ids where the document is out of scope, as BR-O-02
// wants; the seller's becomes its identifier where it has no other (BR-CO-26).
func (d Document) party(p Party, seller bool) *element {
	if d.outOfScope() {
		if seller && p.ID == "" && p.Registration == "" {
			p.ID = p.VATID
		}
		p.VATID = ""
	}
	street := append(append([]string{}, p.Street...), "", "")
	taxNumber := ""
	if seller {
		taxNumber = p.TaxNumber
	}
	return group(
		"cac:Party",
		leaf("cbc:EndpointID", p.Endpoint.ID, attr{"schemeID", p.Endpoint.Scheme}),
		group("cac:PartyIdentification", leaf("cbc:ID", p.ID)),
		group(
			"cac:PostalAddress",
			leaf("cbc:StreetName", street[0]),
			leaf("cbc:AdditionalStreetName", street[1]),
			leaf("cbc:CityName", p.City),
			leaf("cbc:PostalZone", p.PostCode),
			leaf("cbc:CountrySubentity", p.Region),
			group("cac:AddressLine", leaf("cbc:Line", strings.TrimRight(strings.Join(street[2:], ", "), ", "))),
			group("cac:Country", leaf("cbc:IdentificationCode", p.Country)),
		),
		taxScheme(p.VATID, "VAT"),
		taxScheme(taxNumber, "FC"),
		group("cac:PartyLegalEntity", leaf("cbc:RegistrationName", p.Name), leaf("cbc:CompanyID", p.Registration)),
		group("cac:Contact", leaf("cbc:Name", p.Contact), leaf("cbc:Telephone", p.Phone), leaf("cbc:ElectronicMail", p.Email)),
	)
}

func taxScheme(id, scheme string) *element {
	if id == "" {
		return nil
	}
	return group("cac:PartyTaxScheme", leaf("cbc:CompanyID", id), group("cac:TaxScheme", leaf("cbc:ID", scheme)))
}

// paymentMeans is left out where nothing is said of payment, but a credit note
// has its due date there.
func (d Document) paymentMeans() *element {
	p, due := d.Payment, day(d.DueAt)
	if d.Type != CreditNote {
		due = ""
	}
	if p.Means == Unspecified && due == "" {
		return nil
	}
	code := string(p.Means)
	if p.Means == Unspecified {
		code = "1" // instrument not defined
	}
	e := group("cac:PaymentMeans", leaf("cbc:PaymentMeansCode", code), leaf("cbc:PaymentDueDate", due), leaf("cbc:PaymentID", p.Reference))
	switch p.Means {
	case Card:
		if p.CardLast4 != "" && p.Network != "" {
			e.add(group("cac:CardAccount", leaf("cbc:PrimaryAccountNumberID", p.CardLast4), leaf("cbc:NetworkID", p.Network)))
		}
	case Transfer, SEPATransfer:
		e.add(group(
			"cac:PayeeFinancialAccount",
			leaf("cbc:ID", strings.ReplaceAll(p.Account, " ", "")),
			leaf("cbc:Name", p.Holder),
			group("cac:FinancialInstitutionBranch", leaf("cbc:ID", p.BIC)),
		))
	case Unspecified, Online:
	}
	return e
}

// allowance writes a discount; category is that of a whole document's one.
func (d Document) allowance(a Allowance, category *element) *element {
	return group(
		"cac:AllowanceCharge",
		leaf("cbc:ChargeIndicator", "false"),
		leaf("cbc:AllowanceChargeReasonCode", a.Code),
		leaf("cbc:AllowanceChargeReason", a.Reason),
		amount("cbc:Amount", a.Amount),
		category,
	)
}

func (d Document) taxTotal() *element {
	total := group("cac:TaxTotal", amount("cbc:TaxAmount", d.Tax))
	for _, t := range d.Taxes {
		category := taxCategory("cac:TaxCategory", t.Category, t.PPM)
		scheme := category.children[len(category.children)-1]
		category.children = category.children[:len(category.children)-1]
		category.add(leaf("cbc:TaxExemptionReasonCode", t.ReasonCode), leaf("cbc:TaxExemptionReason", t.Reason), scheme)
		total.add(group("cac:TaxSubtotal", amount("cbc:TaxableAmount", t.Base), amount("cbc:TaxAmount", t.Amount), category))
	}
	return total
}

// taxCategory writes a category with its rate; what is out of scope has none
// (BR-O-05).
func taxCategory(name string, c Category, ppm int64) *element {
	e := group(name, leaf("cbc:ID", string(c)))
	if e == nil {
		e = &element{name: name}
	}
	if c != OutOfScope {
		e.add(leaf("cbc:Percent", percent(ppm)))
	}
	e.add(group("cac:TaxScheme", leaf("cbc:ID", "VAT")))
	return e
}

func (d Document) totals() *element {
	lines, allowances := int64(0), int64(0)
	for _, l := range d.Lines {
		lines += l.Net.Minor()
	}
	for _, a := range d.Allowances {
		allowances += a.Amount.Minor()
	}
	e := group(
		"cac:LegalMonetaryTotal",
		d.sum("cbc:LineExtensionAmount", lines),
		amount("cbc:TaxExclusiveAmount", d.Net),
		amount("cbc:TaxInclusiveAmount", d.Total),
	)
	if len(d.Allowances) > 0 {
		e.add(d.sum("cbc:AllowanceTotalAmount", allowances))
	}
	if d.Prepaid.Minor() != 0 {
		e.add(amount("cbc:PrepaidAmount", d.Prepaid))
	}
	e.add(amount("cbc:PayableAmount", d.Due))
	return e
}

// sum writes what the lines or allowances make. A sum beyond the bounds of
// money is left out, and refused for that.
func (d Document) sum(name string, minor int64) *element {
	a, err := money.New(minor, d.Currency)
	if err != nil {
		return nil
	}
	return amount(name, a)
}

func (d Document) line(number int, l Line) *element {
	name, quantity := "cac:InvoiceLine", "cbc:InvoicedQuantity"
	if d.Type == CreditNote {
		name, quantity = "cac:CreditNoteLine", "cbc:CreditedQuantity"
	}
	unit := attr{"unitCode", l.Unit}
	if l.Unit == "" {
		unit.value = UnitOne
	}
	e := group(
		name,
		leaf("cbc:ID", strconv.Itoa(number)),
		leaf("cbc:Note", l.Note),
		leaf(quantity, strconv.FormatInt(l.Quantity, 10), unit),
		amount("cbc:LineExtensionAmount", l.Net),
		period(l.Start, l.End),
	)
	for _, a := range l.Allowances {
		e.add(d.allowance(a, nil))
	}
	e.add(
		group("cac:Item", leaf("cbc:Description", l.Description), leaf("cbc:Name", l.Name), taxCategory("cac:ClassifiedTaxCategory", l.Category, l.PPM)),
		d.price(l, unit),
	)
	return e
}

// price is what one unit costs before allowances. Where that is no whole number
// of minor units, it is what the line's quantity costs (BT-149), which is exact.
func (d Document) price(l Line, unit attr) *element {
	minor := l.Net.Minor()
	for _, a := range l.Allowances {
		minor += a.Amount.Minor()
	}
	if l.Quantity == 0 {
		return nil
	}
	if minor%l.Quantity == 0 {
		return group("cac:Price", d.sum("cbc:PriceAmount", minor/l.Quantity))
	}
	base := l.Quantity
	if base < 0 {
		base, minor = -base, -minor
	}
	return group("cac:Price", d.sum("cbc:PriceAmount", minor), leaf("cbc:BaseQuantity", strconv.FormatInt(base, 10), unit))
}

// amount writes a with two decimals, with more where they are not zero, so that
// the check sees what cannot be said, and without any where the currency has
// none.
func amount(name string, a money.Amount) *element {
	if a.Currency() == "" {
		return nil
	}
	figure := a.Decimal()
	if whole, decimals, found := strings.Cut(figure, "."); found && len(decimals) > 2 {
		figure = whole + "." + decimals[:2] + strings.TrimRight(decimals[2:], "0")
	}
	return leaf(name, figure, attr{"currencyID", a.Currency()})
}

// percent writes a rate: "19", "9.975".
func percent(ppm int64) string {
	whole := strconv.FormatInt(ppm/10_000, 10)
	rest := ppm % 10_000
	if rest <= 0 {
		return whole
	}
	return whole + "." + strings.TrimRight(strconv.FormatInt(10_000+rest, 10)[1:], "0")
}

// period writes [start, end): its last day is the one before end.
func period(start, end time.Time) *element {
	if !end.IsZero() {
		if last := end.Add(-time.Nanosecond); last.After(start) || start.IsZero() {
			end = last
		}
	}
	return group("cac:InvoicePeriod", leaf("cbc:StartDate", day(start)), leaf("cbc:EndDate", day(end)))
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
