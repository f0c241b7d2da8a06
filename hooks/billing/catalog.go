package billing

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

type brandView struct {
	Name    string `json:"name"`
	Support string `json:"support_email"`
}

type configView struct {
	Brand      brandView               `json:"brand"`
	Currencies []string                `json:"currencies"`
	Gateways   []billing.GatewayChoice `json:"gateways"`
	TermsURL   string                  `json:"terms_url"`
	Demo       bool                    `json:"demo"`
	Now        time.Time               `json:"now"`
	Tax        taxConfig               `json:"tax"`
}

// taxConfig is what forms need to know before a price is asked for.
type taxConfig struct {
	Enabled   bool   `json:"enabled"`
	Inclusive bool   `json:"inclusive"` // prices of the catalog contain it
	Country   string `json:"country"`   // the seller's: for visitors of whom nothing is known
}

type catalogView struct {
	Currency string       `json:"currency"`
	Plans    []planView   `json:"plans"`
	Bundles  []bundleView `json:"bundles"`
	Coupon   *couponState `json:"coupon"` // null without one
}

// couponState says whether the coupon that was asked about can be used.
type couponState struct {
	couponView
	Code    string `json:"code"`
	Usable  bool   `json:"usable"`
	Problem string `json:"problem"` // a stable code, "" when usable
	Message string `json:"message"`
}

type catalogQuery struct {
	Currency string `json:"-" query:"currency"`
	Coupon   string `json:"-" query:"coupon"`
}

func (s *subject) catalogOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "config.show", Method: http.MethodGet, Path: "/api/v1/config", Access: op.Public, Summary: "Brand, currencies and ways to pay"}, s.config)
	op.Add(t, op.Spec{ID: "catalog.show", Method: http.MethodGet, Path: "/api/v1/catalog", Access: op.Public, Summary: "Plans for sale in one currency"}, s.catalog)
}

func (s *subject) config(r *op.Request, _ op.None) (configView, error) {
	brand, err := collections.LoadBrand(r.App)
	if err != nil {
		return configView{}, err
	}
	currencies, err := currencies(r.App)
	if err != nil {
		return configView{}, err
	}
	gateways, err := s.Gateways(r.App)
	if err != nil {
		return configView{}, err
	}
	policy, err := collections.LoadTaxing(r.App)
	if err != nil {
		return configView{}, err
	}
	taxes := taxConfig{policy.Enabled, policy.Enabled && policy.Inclusive, policy.HomeCountry}
	return configView{brandView{brand.Name, brand.Support}, currencies, gateways, brand.Terms, s.Demo, r.Now().UTC(), taxes}, nil
}

// currencies lists what anything is sold in, EUR and USD first if present.
func currencies(app core.App) ([]string, error) {
	found := []string{}
	err := app.DB().NewQuery("SELECT DISTINCT `p`.`currency` FROM `plan_prices` `p` JOIN `plans` `l` ON `l`.`id` = `p`.`plan`" +
		" WHERE `p`.`active` AND `l`.`status` = 'active' ORDER BY `p`.`currency` != 'EUR', `p`.`currency` != 'USD', `p`.`currency`").Column(&found)
	if err != nil {
		return nil, fmt.Errorf("list currencies: %w", err)
	}
	return found, nil
}

func (s *subject) catalog(r *op.Request, in catalogQuery) (catalogView, error) {
	known, err := currencies(r.App)
	if err != nil {
		return catalogView{}, err
	}
	if in.Currency == "" && len(known) > 0 {
		in.Currency = known[0]
	}
	if in.Currency != "" && !slices.Contains(known, in.Currency) {
		return catalogView{}, op.Fields{{Field: "currency", Message: "Nothing is sold in this currency.", Code: "unknown_currency"}}.Problem()
	}
	return s.show(r, in)
}

// show lists what is for sale in a currency. A plan without a price in it is
// not for sale in it.
func (s *subject) show(r *op.Request, in catalogQuery) (catalogView, error) {
	view := catalogView{Currency: in.Currency, Plans: []planView{}, Bundles: []bundleView{}}
	plans, err := collections.All(r.App, collections.Plans, dbx.HashExp{"status": "active"}, "position ASC, name ASC")
	if err != nil {
		return view, err
	}
	prices, err := collections.All(r.App, collections.PlanPrices, dbx.HashExp{"active": true, "currency": in.Currency}, "")
	if err != nil {
		return view, err
	}
	goods, err := loadGoods(r.App, in.Currency, plans, prices)
	if err != nil {
		return view, err
	}
	if in.Coupon != "" {
		if view.Coupon, err = s.preview(r, in.Coupon, &goods); err != nil {
			return view, err
		}
	}
	for _, plan := range plans {
		p, err := goods.view(plan)
		if err != nil {
			return view, fmt.Errorf("plan %s: %w", plan.GetString("slug"), err)
		}
		if len(p.Prices) > 0 {
			view.Plans = append(view.Plans, p)
		}
	}
	view.Bundles, err = viewBundles(r.App, in.Currency, view.Plans)
	return view, err
}

// preview tells whether a coupon can be used at all, and lets the prices show
// what it makes of them.
func (s *subject) preview(r *op.Request, typed string, goods *goods) (*couponState, error) {
	code := collections.CouponCode(typed)
	state := &couponState{Code: code}
	who, err := buyerOf(r, whereabouts{})
	if err != nil {
		return nil, err
	}
	known, err := collections.LoadCoupons(r.App, []string{code})
	if err != nil {
		return nil, err
	}
	p := &pricing{app: r.App, who: who, now: r.Now()}
	usable := billing.ErrCouponUnknown
	if c, ok := known[code]; ok {
		facts, err := p.facts(c)
		if err != nil {
			return nil, err
		}
		goods.coupon, goods.facts, usable = &c.Coupon, facts, billing.ErrCouponScope
		for _, price := range goods.prices {
			if _, err := goods.withCoupon(price); err == nil || !errors.Is(err, billing.ErrCouponScope) {
				usable = err
				break
			}
		}
		state.couponView = viewCoupon(c.Coupon)
	}
	state.Usable = usable == nil
	state.Problem, state.Message = whyNot(usable)
	if !state.Usable {
		goods.coupon, state.couponView = nil, couponView{}
	}
	return state, nil
}
