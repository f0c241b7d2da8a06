package einvoice

const quantity = "cbc:InvoicedQuantity|cbc:CreditedQuantity"

// below returns the path of what is at path in every line.
func below(path string) string {
	return "cac:InvoiceLine/" + path + "|cac:CreditNoteLine/" + path
}

// lineRules are about lines.
var lineRules = []rule{
	{"BR-21", lineAt, "a line identifier (BT-126)", filled("cbc:ID")},
	{"BR-22", lineAt, "a quantity (BT-129)", exists(quantity)},
	{"BR-23", lineAt, "a unit of the quantity (BT-130)", func(_ *parsed, e *element) bool { return e.one(quantity).attr("unitCode") != "" }},
	{"BR-24", lineAt, "a net amount (BT-131)", exists("cbc:LineExtensionAmount")},
	{"BR-25", lineAt, "an item name (BT-153)", filled("cac:Item/cbc:Name")},
	{"BR-26", lineAt, "a net price (BT-146)", exists("cac:Price/cbc:PriceAmount")},
	{"BR-27", lineAt, "a net price (BT-146) that is not negative", notNegative("cac:Price/cbc:PriceAmount")},
	{"BR-28", lineAt, "a gross price (BT-148) that is not negative", notNegative("cac:Price/cac:AllowanceCharge/cbc:BaseAmount")},
	{"BR-30", below(periodAt), "an end (BT-135) not before the start (BT-134)", ordered},
	{"BR-CO-04", lineAt, "a VAT category (BT-151)", func(_ *parsed, e *element) bool { return vatCategory(e, "cac:Item/cac:ClassifiedTaxCategory") != "" }},
	{"BR-CO-20", below(periodAt), "a start (BT-134) or an end (BT-135)", exists("cbc:StartDate|cbc:EndDate")},
	{"BR-54", below("cac:Item/cac:AdditionalItemProperty"), "a name (BT-160) and a value (BT-161)", func(_ *parsed, e *element) bool {
		return e.has("cbc:Name") && e.has("cbc:Value")
	}},
	{"BR-64", below("cac:Item/cac:StandardItemIdentification/cbc:ID"), "a scheme of the item's identifier (BT-157)", hasAttr("schemeID")},
	{"BR-65", below("cac:Item/cac:CommodityClassification/cbc:ItemClassificationCode"), "a scheme of the item's class (BT-158)", hasAttr("listID")},
}

// notNegative accepts what is not there.
func notNegative(path string) test {
	return func(_ *parsed, e *element) bool {
		n, ok := e.num(path)
		return !e.has(path) || (ok && n.Sign() >= 0)
	}
}

const (
	reason   = "cbc:AllowanceChargeReason|cbc:AllowanceChargeReasonCode"
	adjustAt = "cac:AllowanceCharge"
)

// allowanceRules are about discounts and charges, of the document and of lines.
var allowanceRules = []rule{
	{"BR-31", adjustAt, "the amount of an allowance (BT-92)", of(allowance, exists("cbc:Amount"))},
	{"BR-32", adjustAt, "the VAT category of an allowance (BT-95)", of(allowance, hasCategory)},
	{"BR-33", adjustAt, "the reason of an allowance (BT-97, 98)", of(allowance, exists(reason))},
	{"BR-36", adjustAt, "the amount of a charge (BT-99)", of(charge, exists("cbc:Amount"))},
	{"BR-37", adjustAt, "the VAT category of a charge (BT-102)", of(charge, hasCategory)},
	{"BR-38", adjustAt, "the reason of a charge (BT-104, 105)", of(charge, exists(reason))},
	{"BR-CO-21", adjustAt, "the reason of an allowance (BT-97, 98)", of(allowance, exists(reason))},
	{"BR-CO-22", adjustAt, "the reason of a charge (BT-104, 105)", of(charge, exists(reason))},
	{"BR-41", below(adjustAt), "the amount of a line's allowance (BT-136)", of(allowance, exists("cbc:Amount"))},
	{"BR-42", below(adjustAt), "the reason of a line's allowance (BT-139, 140)", of(allowance, exists(reason))},
	{"BR-43", below(adjustAt), "the amount of a line's charge (BT-141)", of(charge, exists("cbc:Amount"))},
	{"BR-44", below(adjustAt), "the reason of a line's charge (BT-144, 145)", of(charge, exists(reason))},
	{"BR-CO-23", below(adjustAt), "the reason of a line's allowance (BT-139, 140)", of(allowance, exists(reason))},
	{"BR-CO-24", below(adjustAt), "the reason of a line's charge (BT-144, 145)", of(charge, exists(reason))},
}

// What an AllowanceCharge is, by its ChargeIndicator.
const (
	allowance = false
	charge    = true
)

// isCharge reports whether e is a charge; known is false where it does not say.
func isCharge(e *element) (is, known bool) {
	switch e.get("cbc:ChargeIndicator") {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// of makes a test for allowances or for charges only.
func of(kind bool, holds test) test {
	return func(d *parsed, e *element) bool {
		is, known := isCharge(e)
		return !known || is != kind || holds(d, e)
	}
}

func hasCategory(_ *parsed, e *element) bool { return vatCategory(e, "cac:TaxCategory") != "" }

// adjustments returns the document's allowances or charges.
func (d *parsed) adjustments(kind bool) (found []*element) {
	for _, e := range d.root.all(adjustAt) {
		if is, known := isCharge(e); known && is == kind {
			found = append(found, e)
		}
	}
	return found
}
