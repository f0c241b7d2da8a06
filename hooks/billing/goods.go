package billing

import (
	"fmt"
	"slices"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

type priceView struct {
	ID      string        `json:"id"`
	Cycle   string        `json:"cycle"`
	Amount  money.Amount  `json:"amount"`
	Setup   money.Amount  `json:"setup_fee"`
	Monthly money.Amount  `json:"monthly_equivalent"`
	Cap     *money.Amount `json:"monthly_cap"` // by the hour: the most that a calendar month costs
	Coupon  *couponPrice  `json:"with_coupon"` // null where the coupon does nothing
}

// couponPrice is what a coupon makes of a price: of its first period, its setup
// fee and its trial.
type couponPrice struct {
	Amount    money.Amount `json:"amount"`
	Setup     money.Amount `json:"setup_fee"`
	TrialDays int          `json:"trial_days"`
}

type choiceView struct {
	Name     string       `json:"name"`
	Label    string       `json:"label"`
	Required bool         `json:"required"`
	Options  []optionView `json:"options"`
}

type optionView struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// planOption is an option or add-on with its price.
type planOption struct {
	Name        string        `json:"name"`
	Label       string        `json:"label"`
	Description string        `json:"description"`
	Kind        string        `json:"kind"` // "choice" of a value, "quantity", or "addon"
	Required    bool          `json:"required"`
	Min         int64         `json:"min_quantity"`
	Max         int64         `json:"max_quantity"`
	Values      []optionValue `json:"values"` // one with an empty value where there is nothing to choose
}

type optionValue struct {
	Value  string            `json:"value"`
	Label  string            `json:"label"`
	Prices []optionPriceView `json:"prices"` // a cycle without one does not offer it
}

type optionPriceView struct {
	Cycle  string       `json:"cycle"`
	Amount money.Amount `json:"amount"`
	Setup  money.Amount `json:"setup_fee"`
}

type planView struct {
	ID          string `json:"id"`
	Slug        string `json:"slug"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ServiceType string `json:"service_type"`
	// Group are the plans that customers change between; "" is none but this one.
	Group         string           `json:"change_group"`
	Features      map[string]int64 `json:"features"`
	Badges        []string         `json:"badges"`
	Stock         *int64           `json:"stock"`
	SoldOut       bool             `json:"sold_out"`
	TrialDays     int              `json:"trial_days"`
	NeedsCard     bool             `json:"trial_needs_card"`
	CustomerLimit int64            `json:"customer_limit"` // 0: none
	Prices        []priceView      `json:"prices"`
	Choices       []choiceView     `json:"choices"`
	Options       []planOption     `json:"options"`
}

type bundleView struct {
	Slug        string        `json:"slug"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	BasisPoints int64         `json:"discount_bp"`
	Items       []bundleItem  `json:"items"`
	Prices      []bundlePrice `json:"prices"`
}

// bundlePrice is what a bundle costs for one period, apart and together.
type bundlePrice struct {
	Cycle      string       `json:"cycle"`
	Amount     money.Amount `json:"amount"`
	Discounted money.Amount `json:"discounted"`
}

// goods is what the catalog shows in one currency.
type goods struct {
	prices  []*core.Record
	options map[string][]*option // by plan
	coupon  *billing.Coupon      // nil for none
	facts   billing.CouponFacts
}

func loadGoods(app core.App, currency string, plans, prices []*core.Record) (goods, error) {
	ids := []string{}
	for _, p := range plans {
		ids = append(ids, p.Id)
	}
	shelf := shelf{options: map[string][]*option{}}
	err := shelf.loadOptions(app, currency, "", ids)
	return goods{prices: prices, options: shelf.options}, err
}

func (g goods) view(plan *core.Record) (planView, error) {
	v := planView{
		ID: plan.Id, Slug: plan.GetString("slug"), Name: plan.GetString("name"), Description: plan.GetString("description"),
		ServiceType: plan.GetString("service_type"), Group: plan.GetString("upgrade_group"), Badges: plan.GetStringSlice("badges"), Features: map[string]int64{},
		TrialDays: plan.GetInt("trial_days"), NeedsCard: plan.GetBool("trial_needs_card"), CustomerLimit: plan.GetInt64("customer_limit"),
	}
	if err := collections.ReadJSON(plan, "features", &v.Features); err != nil {
		return v, err
	}
	choices, err := parseChoices(plan.GetString("choices"))
	if err != nil {
		return v, err
	}
	v.Choices = choices
	if plan.GetBool("stock_limited") {
		left := plan.GetInt64("stock")
		v.Stock, v.SoldOut = &left, left <= 0
	}
	if v.Prices, err = g.planPrices(plan); err != nil {
		return v, err
	}
	v.Options, err = viewOptions(g.options[plan.Id])
	return v, err
}

func (g goods) planPrices(plan *core.Record) ([]priceView, error) {
	views, monthly := []priceView(nil), (*money.Amount)(nil)
	for _, price := range g.prices {
		if price.GetString("plan") != plan.Id {
			continue
		}
		pv, err := viewPrice(price)
		if err != nil {
			return nil, err
		}
		if pv.Coupon, err = g.withCoupon(price); err != nil && !isRefusal(err) {
			return nil, err
		}
		if pv.Coupon != nil && pv.Coupon.TrialDays > 0 {
			pv.Coupon.TrialDays += plan.GetInt("trial_days")
		}
		if pv.Cycle == string(billing.Monthly) {
			monthly = &pv.Amount
		}
		views = append(views, pv)
	}
	views = slices.DeleteFunc(views, func(p priceView) bool { return p.Cycle == string(billing.Hourly) && monthly == nil })
	order := billing.Cycles()
	slices.SortFunc(views, func(a, b priceView) int {
		return slices.Index(order, billing.Cycle(a.Cycle)) - slices.Index(order, billing.Cycle(b.Cycle))
	})
	for i := range views {
		if views[i].Cycle == string(billing.Hourly) {
			views[i].Cap = monthly
		}
	}
	return views, nil
}

func viewPrice(price *core.Record) (priceView, error) {
	amount, err := collections.Amount(price, "amount_minor")
	if err != nil {
		return priceView{}, err
	}
	setup, err := collections.Amount(price, "setup_minor")
	if err != nil {
		return priceView{}, err
	}
	cycle, err := billing.ParseCycle(price.GetString("cycle"))
	if err != nil {
		return priceView{}, fmt.Errorf("price %s: %w", price.Id, err)
	}
	return priceView{ID: price.Id, Cycle: string(cycle), Amount: amount, Setup: setup, Monthly: billing.MonthlyEquivalent(amount, cycle)}, nil
}

// withCoupon is what the coupon makes of a price, by the rules of the cart; nil
// without a coupon. Errors: one of the ErrCoupon errors where it does nothing.
func (g goods) withCoupon(price *core.Record) (*couponPrice, error) {
	if g.coupon == nil {
		return nil, nil
	}
	v, err := viewPrice(price)
	if err != nil {
		return nil, err
	}
	cart := billing.Cart{Currency: v.Amount.Currency(), Items: []billing.CartItem{{
		Plan: price.GetString("plan"), Cycle: billing.Cycle(v.Cycle), Unit: v.Amount, Setup: v.Setup, Cap: v.Amount, MayTry: g.coupon.Kind == billing.CouponTrial,
	}}}
	if err := cart.Accept(*g.coupon, g.facts); err != nil {
		return nil, err
	}
	q, err := billing.QuoteCart(cart, g.facts.Now)
	if err != nil {
		return nil, fmt.Errorf("price %s: %w", price.Id, err)
	}
	c := &couponPrice{Amount: v.Amount, Setup: v.Setup, TrialDays: q.Units[0].TrialDays}
	for _, l := range q.Lines {
		if l.Kind != billing.LineDiscount {
			continue
		}
		of := &c.Amount
		if q.Lines[l.Parent-1].Kind == billing.LineSetup {
			of = &c.Setup
		}
		if *of, err = of.Add(l.Amount); err != nil {
			return nil, fmt.Errorf("price %s: %w", price.Id, err)
		}
	}
	return c, nil
}

// isRefusal reports whether an error only says that a coupon does nothing.
func isRefusal(err error) bool {
	code, _ := whyNot(err)
	return code != ""
}

// viewOptions shows options that have a price in the currency.
func viewOptions(options []*option) ([]planOption, error) {
	views := []planOption{}
	for _, o := range options {
		v := planOption{Name: o.Name, Label: o.Label, Description: o.Text, Kind: o.Kind, Required: o.Required, Min: o.Min, Max: o.Max, Values: []optionValue{}}
		for _, p := range o.prices {
			unit, setup, err := p.money()
			if err != nil {
				return nil, fmt.Errorf("option %s: %w", o.Name, err)
			}
			at := slices.IndexFunc(v.Values, func(other optionValue) bool { return other.Value == p.Value })
			if at < 0 {
				at, v.Values = len(v.Values), append(v.Values, optionValue{Value: p.Value, Label: p.Label})
			}
			v.Values[at].Prices = append(v.Values[at].Prices, optionPriceView{p.Cycle, unit, setup})
		}
		if len(v.Values) > 0 {
			views = append(views, v)
		}
	}
	return views, nil
}

// viewBundles shows the bundles of which every plan is for sale.
func viewBundles(app core.App, currency string, plans []planView) ([]bundleView, error) {
	bundles, err := loadBundles(app, nil)
	if err != nil {
		return nil, err
	}
	bySlug := map[string]planView{}
	for _, p := range plans {
		bySlug[p.Slug] = p
	}
	views := []bundleView{}
	for _, b := range bundles {
		v := bundleView{b.Slug, b.Name, b.Text, b.BasisPoints, b.items, []bundlePrice{}}
		for _, cycle := range billing.Cycles()[1:] {
			price, ok, err := b.price(currency, cycle, bySlug)
			if err != nil {
				return nil, fmt.Errorf("bundle %s: %w", b.Slug, err)
			}
			if ok {
				v.Prices = append(v.Prices, price)
			}
		}
		if len(v.Prices) > 0 {
			views = append(views, v)
		}
	}
	return views, nil
}

// price is what the bundle costs in a cycle, without options and setup; ok is
// false where one of its plans has no price.
func (b *bundle) price(currency string, cycle billing.Cycle, plans map[string]planView) (p bundlePrice, ok bool, err error) {
	p.Cycle = string(cycle)
	if p.Amount, err = money.New(0, currency); err != nil {
		return p, false, err
	}
	p.Discounted = p.Amount
	for slug, n := range b.wants() {
		at := slices.IndexFunc(plans[slug].Prices, func(v priceView) bool { return v.Cycle == string(cycle) })
		if at < 0 {
			return p, false, nil
		}
		unit := plans[slug].Prices[at].Amount
		taken, err := billing.Discount(b.terms(), 0, billing.Share{}, []billing.Discountable{{Kind: billing.LinePeriod, Amount: unit}})
		if err != nil {
			return p, false, err
		}
		for range n {
			if p.Amount, err = p.Amount.Add(unit); err == nil {
				p.Discounted, err = p.Discounted.Add(unit)
			}
			for _, d := range taken {
				if err == nil {
					p.Discounted, err = p.Discounted.Add(d.Amount)
				}
			}
			if err != nil {
				return p, false, err
			}
		}
	}
	return p, len(b.items) > 0, nil
}
