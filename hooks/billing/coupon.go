package billing

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

// maxCoupons bounds how many codes one order may carry.
const maxCoupons = 5

// couponCodes are the stable codes of why a coupon cannot be used.
var couponCodes = []struct {
	err  error
	code string
}{
	{billing.ErrCouponUnknown, "coupon_unknown"},
	{billing.ErrCouponNotYet, "coupon_not_yet"},
	{billing.ErrCouponExpired, "coupon_expired"},
	{billing.ErrCouponNewOnly, "coupon_new_customers"},
	{billing.ErrCouponCurrency, "coupon_currency"},
	{billing.ErrCouponScope, "coupon_scope"},
	{billing.ErrCouponUsedUp, "coupon_used_up"},
	{billing.ErrCouponUsedByYou, "coupon_used"},
	{billing.ErrCouponRepeated, "coupon_repeated"},
	{billing.ErrCouponNotStacked, "coupon_not_combinable"},
}

// whyNot is the code and sentence of a coupon's refusal; "" for other errors.
func whyNot(err error) (code, sentence string) {
	for _, c := range couponCodes {
		if errors.Is(err, c.err) {
			text := c.err.Error()
			return c.code, strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return "", ""
}

// coupons accepts the codes of the cart in their order, or notes why not.
func (p *pricing) coupons(cart *billing.Cart) error {
	if len(p.wish.Coupons) > maxCoupons {
		p.faults.Add("coupons", "too_many", fmt.Sprintf("At most %d coupons fit in one order.", maxCoupons))
		return nil
	}
	codes := []string{}
	for _, typed := range p.wish.Coupons {
		codes = append(codes, collections.CouponCode(typed))
	}
	if len(codes) == 0 {
		return nil
	}
	known, err := collections.LoadCoupons(p.app, codes)
	if err != nil {
		return err
	}
	for i, code := range codes {
		err := p.accept(cart, known, code)
		if reason, sentence := whyNot(err); reason != "" {
			p.faults.Add(fmt.Sprintf("coupons.%d", i), reason, sentence)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (p *pricing) accept(cart *billing.Cart, known map[string]collections.StoredCoupon, code string) error {
	c, ok := known[code]
	if !ok {
		return billing.ErrCouponUnknown
	}
	facts, err := p.facts(c)
	if err != nil {
		return err
	}
	return cart.Accept(c.Coupon, facts)
}

// facts is what of a coupon and the customer decides whether it can be used.
func (p *pricing) facts(c collections.StoredCoupon) (billing.CouponFacts, error) {
	facts := billing.CouponFacts{Now: p.now, NewCustomer: true, Uses: c.Uses}
	if !p.who.known {
		return facts, nil
	}
	var err error
	if facts.NewCustomer, err = isNew(p.app, p.who.ID); err != nil {
		return facts, err
	}
	slots, err := usedSlots(p.app, c.ID, p.who.ID)
	facts.UsesByCustomer = len(slots)
	return facts, err
}

// isNew reports whether a customer has never had a paid order.
func isNew(app core.App, user string) (bool, error) {
	n := 0
	err := collections.Statement(app, "SELECT COUNT(*) FROM (SELECT 1 FROM `orders` WHERE `user` = {:user} AND `status` = 'paid' LIMIT 1)").Bind(dbx.Params{"user": user}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("orders of customer %s: %w", user, err)
	}
	return n == 0, nil
}

// usedSlots lists which of a customer's uses of a coupon are taken, from 1.
func usedSlots(app core.App, coupon, user string) ([]int, error) {
	slots := []int{}
	err := collections.Statement(app, "SELECT `slot` FROM `coupon_redemptions` WHERE `coupon` = {:coupon} AND `user` = {:user} AND `status` = 'used' ORDER BY `slot`").
		Bind(dbx.Params{"coupon": coupon, "user": user}).Column(&slots)
	if err != nil {
		return nil, fmt.Errorf("uses of coupon %s: %w", coupon, err)
	}
	return slots, nil
}

// redeem takes a use of each coupon of an order, in the order's transaction: by a
// conditional update for the limit in all, and by an index over the customer's
// numbered uses for theirs, so that no two orders can take the same one.
func redeem(tx core.App, order *core.Record, cart pricedCart, now time.Time) error {
	for i, c := range cart.Coupons {
		err := redeemOne(tx, order, c, cart.Quote.Units, now)
		if code, sentence := whyNot(err); code != "" {
			return op.Fields{{Field: fmt.Sprintf("coupons.%d", i), Code: code, Message: sentence}}.Problem()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func redeemOne(tx core.App, order *core.Record, c billing.Coupon, units []billing.QuotedUnit, now time.Time) error {
	stamp := collections.Stamp(now).String()
	res, err := collections.Statement(tx, "UPDATE `coupons` SET `uses` = `uses` + 1, `updated` = {:now} WHERE `id` = {:id} AND `status` = 'active' AND (`max_uses` = 0 OR `uses` < `max_uses`)").
		Bind(dbx.Params{"id": c.ID, "now": stamp}).Execute()
	if err != nil {
		return fmt.Errorf("use coupon %s: %w", c.Code, err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("use coupon %s: %w", c.Code, err)
	} else if n == 0 {
		return billing.ErrCouponUsedUp
	}
	user := order.GetString("user")
	taken, err := usedSlots(tx, c.ID, user)
	if err != nil {
		return err
	}
	slot := 1
	for slices.Contains(taken, slot) {
		slot++
	}
	if c.MaxUsesByCustomer > 0 && slot > c.MaxUsesByCustomer {
		return billing.ErrCouponUsedByYou
	}
	terms := []billing.DiscountTerms{}
	for _, u := range units {
		for _, d := range u.Terms {
			if d.Coupon == c.ID {
				terms = append(terms, d)
			}
		}
	}
	promised, err := json.Marshal(terms)
	if err != nil {
		return fmt.Errorf("use coupon %s: %w", c.Code, err)
	}
	_, inserted, err := collections.Row(tx, collections.CouponRedemptions, now, dbx.Params{
		"coupon": c.ID, "user": user, "order": order.Id, "slot": slot, "status": "used", "terms": string(promised), "at": stamp,
	})
	if err == nil && !inserted {
		err = billing.ErrCouponUsedByYou
	}
	return err
}

// returnCoupons gives back the uses that an order had taken; once.
func returnCoupons(tx core.App, order string, now time.Time) error {
	returned, stamp := []string{}, collections.Stamp(now).String()
	err := collections.Statement(tx, "UPDATE `coupon_redemptions` SET `status` = 'returned', `updated` = {:now} WHERE `order` = {:order} AND `status` = 'used' RETURNING `coupon`").
		Bind(dbx.Params{"order": order, "now": stamp}).Column(&returned)
	if err != nil {
		return fmt.Errorf("return coupons of order %s: %w", order, err)
	}
	for _, coupon := range returned {
		_, err := collections.Statement(tx, "UPDATE `coupons` SET `uses` = `uses` - 1, `updated` = {:now} WHERE `id` = {:id}").Bind(dbx.Params{"id": coupon, "now": stamp}).Execute()
		if err != nil {
			return fmt.Errorf("return coupon %s: %w", coupon, err)
		}
	}
	return nil
}
