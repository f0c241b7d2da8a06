package stripe

import (
	"context"
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/tax"
)

var _ tax.Service = (*Client)(nil)

// whole is what Stripe Tax is asked about: a million of the smallest unit, of which
// the tax is the rate in parts per million, with whatever part of the price a place
// leaves untaxed.
const whole = 1_000_000

// TaxOf asks Stripe Tax (POST /v1/tax/calculations) what a sale to a place bears.
// Where the account has no registration Stripe answers that nothing is collected.
// Of more than two taxes on one sale, as in American districts, the second one
// holds all that are not the state's.
func (c *Client) TaxOf(ctx context.Context, q tax.Question) (tax.Answer, error) {
	x := c.begin("ask for the tax of a sale to "+q.Country+" "+q.Region, false)
	params := &stripe.TaxCalculationParams{
		Params: x.params(ctx, ""), Currency: stripe.String("usd"),
		CustomerDetails: &stripe.TaxCalculationCustomerDetailsParams{
			Address: &stripe.AddressParams{Country: stripe.String(q.Country)}, AddressSource: stripe.String("billing"),
		},
		LineItems: []*stripe.TaxCalculationLineItemParams{{Amount: stripe.Int64(whole), Reference: stripe.String("sale"), TaxBehavior: stripe.String("exclusive")}},
	}
	address, line := params.CustomerDetails.Address, params.LineItems[0]
	for into, value := range map[**string]string{&address.State: q.Region, &address.PostalCode: q.Postcode, &line.TaxCode: q.Code} {
		if value != "" {
			*into = stripe.String(value)
		}
	}
	if q.VATID != "" {
		params.CustomerDetails.TaxIDs = []*stripe.TaxCalculationCustomerDetailsTaxIDParams{{Type: stripe.String("eu_vat"), Value: stripe.String(q.VATID)}}
	}
	calculation, err := c.api.TaxCalculations.New(params)
	if err := x.failure(err); err != nil {
		return tax.Answer{}, err
	}
	if len(calculation.TaxBreakdown) == 0 {
		return tax.Answer{}, x.incomplete("tax_breakdown")
	}
	a, err := taxAnswer(calculation)
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return tax.Answer{}, x.lost(err.Error(), ErrPayload)
	}
	return a, nil
}

// taxAnswer reads the taxes of a sale over whole.
func taxAnswer(c *stripe.TaxCalculation) (tax.Answer, error) {
	found, sum := []tax.Component{}, int64(0)
	for _, b := range c.TaxBreakdown {
		if b == nil || b.Inclusive || b.Amount < 0 {
			return tax.Answer{}, fmt.Errorf("%w: a tax that is none on top of the price", ErrPayload)
		}
		sum += b.Amount
		if b.Amount == 0 {
			continue
		}
		if b.TaxRateDetails == nil {
			return tax.Answer{}, fmt.Errorf("%w: a tax without its rate", ErrPayload)
		}
		if len(found) == tax.Levels {
			found[1].PPM += b.Amount
			continue
		}
		found = append(found, tax.Component{
			Name: taxName(string(b.TaxRateDetails.TaxType)), Country: b.TaxRateDetails.Country, Region: b.TaxRateDetails.State, Level: len(found) + 1, PPM: b.Amount,
		})
	}
	if sum != c.TaxAmountExclusive {
		return tax.Answer{}, fmt.Errorf("%w: taxes of %d that do not sum to %d", ErrPayload, sum, c.TaxAmountExclusive)
	}
	if len(found) > 0 {
		return tax.Answer{Category: tax.Standard, Components: found}, nil
	}
	return untaxed(c.TaxBreakdown[0]), nil
}

// untaxed reads why a sale bears no tax.
func untaxed(b *stripe.TaxCalculationTaxBreakdown) tax.Answer {
	switch b.TaxabilityReason { //nolint:exhaustive // whatever else bears no tax is not taxable
	case stripe.TaxCalculationTaxBreakdownTaxabilityReasonReverseCharge:
		return tax.Answer{Category: tax.ReverseCharge, Reason: tax.ReasonReverseCharge}
	case stripe.TaxCalculationTaxBreakdownTaxabilityReasonZeroRated:
		if d := b.TaxRateDetails; d != nil {
			return tax.Answer{Category: tax.Zero, Components: []tax.Component{{Name: taxName(string(d.TaxType)), Country: d.Country, Region: d.State, Level: 1}}}
		}
	}
	return tax.Answer{Category: tax.OutOfScope, Reason: tax.ReasonNotTaxable}
}

// taxName is how documents call a kind of tax.
func taxName(kind string) string {
	switch kind {
	case "":
		return "Tax"
	case "sales_tax", "lease_tax", "communications_tax", "amusement_tax", "service_tax":
		return strings.ToUpper(kind[:1]) + strings.ReplaceAll(kind[1:], "_", " ")
	}
	return strings.ToUpper(kind)
}
