package billing

import (
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/op"
)

type quoteRequest struct {
	Currency string     `json:"currency"`
	Items    []cartItem `json:"items"`
	Coupons  []string   `json:"coupons,omitzero"`
	// Where a visitor is; customers whose address is known are taxed by that.
	Country  string `json:"country,omitzero"`
	Region   string `json:"region,omitzero"`
	Postcode string `json:"postcode,omitzero"`
	VATID    string `json:"vat_id,omitzero"`
}

type periodView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// quotedLine is a line of a quote. Amount is as priced: with tax where prices
// include it.
type quotedLine struct {
	Kind        string       `json:"kind"`
	Item        int          `json:"item"` // row of the cart, from 0
	Description string       `json:"description"`
	Quantity    int64        `json:"quantity"`
	UnitPrice   money.Amount `json:"unit_price"`
	Amount      money.Amount `json:"amount"`
	Net         money.Amount `json:"net"`
	Tax         money.Amount `json:"tax"`
	Period      *periodView  `json:"period"`
	Parent      int          `json:"parent"` // place, from 1, of the line that a discount belongs to; 0 for none
}

type taxView struct {
	Name     string       `json:"name"`
	Category string       `json:"category"` // of UNCL5305
	Reason   string       `json:"reason"`   // why no tax is due, "" where it is
	PPM      int64        `json:"ppm"`      // parts per million: 190000 is 19 %
	Base     money.Amount `json:"base"`
	Tax      money.Amount `json:"tax"`
}

// recurringView is what is due again, with tax.
type recurringView struct {
	Cycle   string        `json:"cycle"`
	Amount  money.Amount  `json:"amount"`  // at next; by the hour: of one hour
	Regular money.Amount  `json:"regular"` // once limited discounts and set-up fees are over
	Cap     *money.Amount `json:"cap"`     // by the hour: of a calendar month
	Next    time.Time     `json:"next"`
}

type couponView struct {
	Code        string `json:"code"`
	Kind        string `json:"kind"`
	BasisPoints int64  `json:"basis_points"`
	TrialDays   int    `json:"trial_days"`
	Periods     int    `json:"periods"` // 0 is for ever
}

type quoteView struct {
	Currency  string          `json:"currency"`
	Lines     []quotedLine    `json:"lines"`
	Coupons   []couponView    `json:"coupons"`
	Discount  money.Amount    `json:"discount"`
	Subtotal  money.Amount    `json:"subtotal"`
	Tax       money.Amount    `json:"tax"`
	Taxes     []taxView       `json:"taxes"`
	Inclusive bool            `json:"tax_inclusive"`
	Country   string          `json:"tax_country"`
	Total     money.Amount    `json:"total"`
	Recurring []recurringView `json:"recurring"`
}

func (s *subject) quote(r *op.Request, in quoteRequest) (quoteView, error) {
	faults := op.Fields{}
	where := readWhereabouts(whereabouts{in.Country, in.Region, in.Postcode, in.VATID}, &faults)
	if err := faults.Problem(); err != nil {
		return quoteView{}, err
	}
	who, err := buyerOf(r, where)
	if err != nil {
		return quoteView{}, err
	}
	cart, err := priceCart(r.App, who, wish{Currency: in.Currency, Items: in.Items, Coupons: in.Coupons}, r.Now())
	if err != nil {
		return quoteView{}, err
	}
	return viewQuote(cart)
}

func viewQuote(cart pricedCart) (quoteView, error) {
	totals := cart.Priced.Totals
	discount, err := money.New(cart.discount(), cart.Currency)
	v := quoteView{
		Currency: cart.Currency, Lines: []quotedLine{}, Coupons: []couponView{}, Discount: discount, Subtotal: totals.Subtotal, Tax: totals.Tax, Total: totals.Total,
		Taxes: []taxView{}, Inclusive: cart.pricer.Inclusive(), Country: cart.Priced.Evidence.Country, Recurring: []recurringView{},
	}
	for i, l := range cart.Priced.Lines {
		v.Lines = append(v.Lines, quotedLine{
			Kind: string(l.Kind), Item: cart.Units[cart.Quote.Lines[i].Unit].row, Description: l.Description, Quantity: l.Quantity, UnitPrice: l.UnitPrice,
			Amount: l.Amount, Net: l.Net, Tax: l.Tax, Period: viewPeriod(l.Period), Parent: l.Parent,
		})
	}
	for _, c := range cart.Coupons {
		v.Coupons = append(v.Coupons, viewCoupon(c))
	}
	for _, g := range cart.Priced.Taxes {
		v.Taxes = append(v.Taxes, viewTax(g, cart.Currency))
	}
	for _, l := range cart.Later {
		rec := recurringView{Cycle: string(l.Cycle), Amount: l.Amount, Regular: l.Regular, Next: l.Next}
		if l.Cycle == billing.Hourly {
			rec.Cap = &l.Cap
		}
		v.Recurring = append(v.Recurring, rec)
	}
	return v, err
}

func viewCoupon(c billing.Coupon) couponView {
	return couponView{c.Code, string(c.Kind), c.BasisPoints, c.TrialDays, c.Periods}
}

func viewTax(g tax.Group, currency string) taxView {
	return taxView{
		Name: g.Name, Category: string(g.Category), Reason: string(g.Reason), PPM: g.PPM,
		Base: money.Must(g.Base, currency), Tax: money.Must(g.Tax, currency),
	}
}

func viewPeriod(p billing.Period) *periodView {
	if p.Start.IsZero() || p.End.IsZero() {
		return nil
	}
	return &periodView{p.Start, p.End}
}
