package stripebox

import (
	"strconv"
	"strings"
)

// levy is a tax of a place: its rate in parts per million, and of how much of the
// price, in percent, it is one.
type levy struct {
	kind, state string
	ppm, of     int64
}

// registrations are where the sandbox's account collects tax, by country and, in the
// United States, state. Elsewhere it collects none. The account is at home in DE.
var registrations = map[string][]levy{
	"DE": {{"vat", "", 190_000, 100}}, "AT": {{"vat", "", 200_000, 100}}, "FR": {{"vat", "", 200_000, 100}}, "HU": {{"vat", "", 270_000, 100}},
	"CH":    {{"vat", "", 81_000, 100}},
	"US-CA": {{"sales_tax", "CA", 60_000, 100}, {"sales_tax", "CA", 2_500, 100}, {"sales_tax", "CA", 12_500, 100}},
	"US-TX": {{"sales_tax", "TX", 62_500, 80}, {"sales_tax", "TX", 20_000, 80}}, // data processing is taxed on four fifths
}

var calculationSpec = spec{
	"currency": required(param{}), "customer_details[address][country]": required(param{}), "customer_details[address][state]": {}, "customer_details[address][postal_code]": {},
	"customer_details[address_source]": oneOf("billing", "shipping"), "customer_details[tax_ids][#][type]": oneOf("eu_vat", "gb_vat", "ch_vat", "no_vat"), "customer_details[tax_ids][#][value]": {},
	"line_items[#][amount]": required(param{kind: integer}), "line_items[#][reference]": {}, "line_items[#][tax_behavior]": oneOf("exclusive", "inclusive"), "line_items[#][tax_code]": {},
	"tax_date": {kind: integer},
}

// calculate says what tax a sale of one line bears, on top of its price.
func calculate(b *Box, c *call) (object, *apiError) {
	country, state := c.form.str("customer_details[address][country]"), c.form.str("customer_details[address][state]")
	amount, place := c.form.num("line_items[0][amount]"), country
	if country == "US" {
		if c.form.str("customer_details[address][postal_code]") == "" {
			return nil, invalid("customer_details[address]", "customer_tax_location_invalid", "We could not determine the customer's tax location based on the provided customer address.")
		}
		place += "-" + state
	}
	if len(country) != 2 {
		return nil, invalid("customer_details[address][country]", "customer_tax_location_invalid", "We could not determine the customer's tax location based on the provided customer address.")
	}
	rows, total, reason := []object{}, int64(0), "standard_rated"
	row := func(l levy, sum int64, why string) {
		total += sum
		percent := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(float64(l.ppm)/10_000, 'f', 4, 64), "0"), ".")
		rows = append(rows, object{
			"amount": sum, "inclusive": false, "taxability_reason": why, "taxable_amount": amount * l.of / 100,
			"tax_rate_details": object{"country": country, "percentage_decimal": percent, "state": null(l.state), "tax_type": l.kind},
		})
	}
	found := registrations[place]
	id := c.form.str("customer_details[tax_ids][0][value]")
	switch {
	case len(found) == 0:
		row(levy{}, 0, "not_collecting")
	case id != "" && country != "DE" && country != "CH" && country != "US":
		row(levy{kind: "vat"}, 0, "reverse_charge")
	default:
		for _, l := range found {
			why := reason
			if l.of < 100 {
				why = "taxable_basis_reduced"
			}
			row(l, amount*l.of/100*l.ppm/1_000_000, why)
		}
	}
	calculation := object{
		"id": b.newID("taxcalc"), "object": "tax.calculation", "amount_total": amount + total, "currency": c.form.str("currency"), "customer": nil, "livemode": false,
		"customer_details": object{"address": object{"country": country, "state": null(state)}, "address_source": "billing", "taxability_override": "none", "tax_ids": []object{}, "ip_address": nil},
		"expires_at":       b.unix() + 90*24*3600, "shipping_cost": nil, "ship_from_details": nil, "tax_amount_exclusive": total, "tax_amount_inclusive": 0, "tax_breakdown": rows, "tax_date": b.unix(),
	}
	b.calculations++
	return calculation, nil
}

// Calculations counts how often tax was asked for.
func (b *Box) Calculations() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calculations
}
