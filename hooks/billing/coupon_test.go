package billing_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestC6FiftyOrdersRaceForTenUses: however many ask at once, a coupon is used as
// often as it may be, and what the others were refused left nothing behind.
func TestC6FiftyOrdersRaceForTenUses(t *testing.T) {
	s := newShop(t)
	coupon := s.coupon("TEN", "percent", object{"basis_points": 5000, "max_uses": 10})
	answers := make([]*testapp.Answer, 50)
	wg := sync.WaitGroup{}
	for i := range answers {
		by := s.Customer("racer" + string(rune('a'+i/26)) + string(rune('a'+i%26)))
		body := with(object{"client_key": core.GenerateDefaultRandomId(), "gateway": "manual", "terms": true, "total_minor": 245}, with(cart(s.row("vps-s", "monthly", nil)), object{"coupons": []string{"TEN"}}))
		wg.Go(func() { answers[i], _ = s.Try(http.MethodPost, "/api/v1/orders", by.Token, body) })
	}
	wg.Wait()
	won := 0
	for _, r := range answers {
		if r.Status == http.StatusCreated {
			won++
			continue
		}
		refused(t, "a loser", r, 422, "coupons.0", "coupon_used_up")
	}
	uses := s.Record(collections.Coupons, coupon.Id).GetInt("uses")
	if won != 10 || uses != 10 || s.Count("orders", "") != 10 || s.Count("coupon_redemptions", "`status` = 'used'") != 10 {
		t.Errorf("%d won, %d uses, %d orders, %d redemptions; want 10 of each", won, uses, s.Count("orders", ""), s.Count("coupon_redemptions", ""))
	}
}

// TestC6OneCustomerRacesForOneUse is the same for the customer's own limit.
func TestC6OneCustomerRacesForOneUse(t *testing.T) {
	s := newShop(t)
	s.coupon("ONCE", "percent", object{"basis_points": 5000, "per_customer": 1})
	ada := s.Customer("ada")
	won, mu, wg := 0, sync.Mutex{}, sync.WaitGroup{}
	for range 10 {
		body := with(object{"client_key": core.GenerateDefaultRandomId(), "gateway": "manual", "terms": true, "total_minor": 245}, with(cart(s.row("vps-s", "monthly", nil)), object{"coupons": []string{"ONCE"}}))
		wg.Go(func() {
			r, err := s.Try(http.MethodPost, "/api/v1/orders", ada.Token, body)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && r.Status == http.StatusCreated {
				won++
			}
		})
	}
	wg.Wait()
	if won != 1 || s.Count("coupon_redemptions", "") != 1 {
		t.Errorf("%d orders used it, %d redemptions; want 1", won, s.Count("coupon_redemptions", ""))
	}
}

// TestC6AUseComesBack: an order that is cancelled or expires unpaid gives back
// what it took, and the customer's number with it; one that is paid does not.
func TestC6AUseComesBack(t *testing.T) {
	s := newShop(t)
	coupon := s.coupon("ONE", "percent", object{"basis_points": 5000, "max_uses": 1, "per_customer": 1})
	ada, c := s.Customer("ada"), with(cart(s.row("vps-few", "monthly", nil)), object{"coupons": []string{"ONE"}})
	uses := func() int { return s.Record(collections.Coupons, coupon.Id).GetInt("uses") }
	first := s.order(ada, c)
	refused(t, "the same customer again", s.quote(ada, c), 422, "coupons.0", "coupon_used_up")
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/orders/"+first.ID+"/cancel", ada.Token, object{}))
	if uses() != 0 {
		t.Fatalf("%d uses after the order was cancelled, want none", uses())
	}
	second := s.order(ada, c)
	s.Clock().Advance(15 * 24 * time.Hour)
	s.Eventually("the order has expired", func() bool { return s.Record("orders", second.ID).GetString("status") == "expired" })
	if uses() != 0 {
		t.Fatalf("%d uses after the order expired, want none", uses())
	}
	s.transfer(s.order(ada, c))
	if n := s.Count("coupon_redemptions", "`status` = 'returned'"); uses() != 1 || n != 2 {
		t.Errorf("%d uses and %d given back, want 1 and 2", uses(), n)
	}
	if left := s.Plan("vps-few").GetInt("stock"); left != 2 {
		t.Errorf("stock is %d, want 2", left)
	}
}

// TestC7TheSubscriptionKeepsWhatWasPromised: the terms are copied, so that
// neither the coupon's end nor an edit of it reaches the subscription.
func TestC7TheSubscriptionKeepsWhatWasPromised(t *testing.T) {
	s := newShop(t)
	coupon := s.coupon("SPRING", "percent", object{"basis_points": 2500, "periods": 3, "max_uses": 1})
	o := s.order(s.Customer("ada"), with(cart(s.row("vps-m", "monthly", nil)), object{"coupons": []string{"SPRING"}}))
	s.change(coupon, object{"basis_points": 1, "status": "archived"})
	s.transfer(o)
	terms, err := billing.ParseDiscounts([]byte(s.subscription(o).GetString("discounts")))
	want := billing.DiscountTerms{Coupon: coupon.Id, Code: "SPRING", Kind: billing.CouponPercent, BasisPoints: 2500, Periods: 3}
	if err != nil || len(terms) != 1 || terms[0] != want {
		t.Fatalf("got terms %+v, error %v; want %+v", terms, err, want)
	}
	if got := s.Record(collections.Coupons, coupon.Id).GetInt("uses"); got != 1 {
		t.Errorf("%d uses, want the claim alone", got)
	}
}

// TestC8ADiscountTakesOnlyWhatItCovers orders a cart of two plans with a coupon
// for one of them.
func TestC8ADiscountTakesOnlyWhatItCovers(t *testing.T) {
	s := newShop(t)
	s.coupon("SETUP", "free_setup", object{"plans": []string{s.Plan("vps-m").Id}, "stackable": true})
	s.coupon("M", "percent", object{"plans": []string{s.Plan("vps-m").Id}, "cycles": []string{"monthly"}, "basis_points": 10_000, "stackable": true})
	s.change(s.Price("vps-few", "EUR", "monthly"), object{"setup_minor": 700})
	rows := cart(s.row("vps-m", "monthly", nil), s.row("vps-m", "quarterly", nil), s.row("vps-few", "monthly", nil))
	o := s.order(s.Customer("ada"), with(rows, object{"coupons": []string{"SETUP", "m"}}))
	want := "period 990, discount -990, setup 500, discount -500, period 2970, setup 500, discount -500, period 1890, setup 700"
	if got := s.invoiced(o.Invoice); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCouponsThatCannotBeUsed(t *testing.T) {
	s := newShop(t)
	old, fresh := s.Customer("old"), s.Customer("fresh")
	s.transfer(s.order(old, cart(s.row("vps-s", "monthly", nil))))
	s.coupon("GONE", "percent", object{"basis_points": 1000, "status": "archived"})
	s.coupon("ENDED", "percent", object{"basis_points": 1000, "expires_at": collections.Stamp(s.Clock().Now().Add(-time.Hour))})
	s.coupon("LATER", "percent", object{"basis_points": 1000, "starts_at": collections.Stamp(s.Clock().Now().Add(time.Hour))})
	s.coupon("NEW", "percent", object{"basis_points": 1000, "new_customers": true})
	s.coupon("DOLLARS", "fixed", object{"amounts": object{"USD": 500}})
	s.coupon("OTHER", "percent", object{"basis_points": 1000, "plans": []string{s.Plan("colo").Id}})
	s.coupon("YEARS", "percent", object{"basis_points": 1000, "cycles": []string{"annual"}})
	s.coupon("ALONE", "percent", object{"basis_points": 1000})
	s.coupon("BOTH", "percent", object{"basis_points": 1000, "stackable": true})
	s.coupon("SETUP", "free_setup", nil)
	s.coupon("WEEKS", "trial_days", object{"trial_days": 14})
	one := cart(s.row("vps-s", "monthly", nil))
	scenarios := []struct {
		name  string
		by    *testapp.Person
		cart  object
		codes []string
		field string
		code  string
	}{
		{"unknown", fresh, one, []string{"NOSUCH"}, "coupons.0", "coupon_unknown"},
		{"empty", fresh, one, []string{""}, "coupons.0", "coupon_unknown"},
		{"SQL", fresh, one, []string{"' OR 1=1 --"}, "coupons.0", "coupon_unknown"},
		{"archived", fresh, one, []string{"GONE"}, "coupons.0", "coupon_unknown"},
		{"expired", fresh, one, []string{"ENDED"}, "coupons.0", "coupon_expired"},
		{"not yet", fresh, one, []string{"LATER"}, "coupons.0", "coupon_not_yet"},
		{"for new customers, to an old one", old, one, []string{"NEW"}, "coupons.0", "coupon_new_customers"},
		{"D2 in another currency", fresh, one, []string{"DOLLARS"}, "coupons.0", "coupon_currency"},
		{"for another plan", fresh, one, []string{"OTHER"}, "coupons.0", "coupon_scope"},
		{"for another cycle", fresh, one, []string{"YEARS"}, "coupons.0", "coupon_scope"},
		{"by the hour", fresh, cart(s.row("vps-m", "hourly", nil)), []string{"ALONE"}, "coupons.0", "coupon_scope"},
		{"free setup where there is none", fresh, one, []string{"SETUP"}, "coupons.0", "coupon_scope"},
		{"a trial of what is bought once", fresh, cart(s.row("vps-m", "one_time", nil)), []string{"WEEKS"}, "coupons.0", "coupon_scope"},
		{"two that do not go together", fresh, one, []string{"BOTH", "ALONE"}, "coupons.1", "coupon_not_combinable"},
		{"the same twice", fresh, one, []string{"BOTH", "both "}, "coupons.1", "coupon_repeated"},
		{"more than fit", fresh, one, []string{"A", "B", "C", "D", "E", "F"}, "coupons", "too_many"},
	}
	s.Quiet() // what was bought before is built and told
	for _, sc := range scenarios {
		c := with(sc.cart, object{"coupons": sc.codes})
		refused(t, "quote: "+sc.name, s.quote(sc.by, c), 422, sc.field, sc.code)
		before := s.Rows()
		refused(t, "order: "+sc.name, s.try(sc.by, c, 441), 422, sc.field, sc.code)
		s.Unchanged(before)
	}
	if q := s.Want(http.StatusOK, s.quote(fresh, with(one, object{"coupons": []string{"NEW"}}))); q.Int("total.minor") != 441 {
		t.Errorf("a new customer's coupon: %s", q)
	}
	if err := s.Exec("UPDATE coupons SET uses = 1 WHERE code = 'ALONE'"); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec("UPDATE coupons SET max_uses = 1 WHERE code = 'ALONE'"); err != nil {
		t.Fatal(err)
	}
	refused(t, "used up", s.quote(fresh, with(one, object{"coupons": []string{"ALONE"}})), 422, "coupons.0", "coupon_used_up")
	if err := s.Exec("UPDATE coupons SET uses = 0 WHERE code = 'ALONE'"); err != nil {
		t.Fatal(err)
	}
}

// TestAFixedAmountIsTakenOnce spreads it over the units and not over each.
func TestAFixedAmountIsTakenOnce(t *testing.T) {
	s := newShop(t)
	s.coupon("FIVE", "fixed", object{"amounts": object{"EUR": 500}})
	s.coupon("HUGE", "fixed", object{"amounts": object{"EUR": 100_000}})
	c := cart(s.row("vps-s", "monthly", object{"quantity": 2}), s.row("vps-m", "monthly", nil))
	for code, want := range map[string]int64{"FIVE": 490 + 490 + 990 + 500 - 500, "HUGE": 500} {
		if q := s.Want(http.StatusOK, s.quote(nil, with(c, object{"coupons": []string{code}}))); q.Int("total.minor") != want {
			t.Errorf("%s: got %s, want a total of %d", code, q, want)
		}
	}
}

func TestTheCatalogShowsWhatACouponDoes(t *testing.T) {
	s := newShop(t)
	s.coupon("M", "percent", object{"plans": []string{s.Plan("vps-m").Id}, "basis_points": 2500})
	show := func(coupon string) *testapp.Answer {
		return s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/catalog?currency=EUR&coupon="+coupon, "", nil))
	}
	price := func(r *testapp.Answer, plan, cycle, path string) any {
		for i := range r.Len("plans") {
			at := "plans." + string(rune('0'+i))
			if r.Text(at+".slug") != plan {
				continue
			}
			for k := range r.Len(at + ".prices") {
				if at := at + ".prices." + string(rune('0'+k)); r.Text(at+".cycle") == cycle {
					return r.At(at + "." + path)
				}
			}
		}
		return "no such price"
	}
	r := show("m")
	if got := price(r, "vps-m", "monthly", "with_coupon.amount.minor"); got != 742.0 || r.At("coupon.usable") != true || r.Text("coupon.code") != "M" {
		t.Errorf("got %v and %v, want 742", got, r.At("coupon"))
	}
	if got := price(r, "vps-s", "monthly", "with_coupon"); got != nil {
		t.Errorf("the other plan: got %v, want nothing", got)
	}
	if got := price(r, "vps-m", "hourly", "monthly_cap.minor"); got != 990.0 {
		t.Errorf("by the hour: got a cap of %v, want 990", got)
	}
	if r := show("NOSUCH"); r.At("coupon.usable") != false || r.Text("coupon.problem") != "coupon_unknown" || price(r, "vps-m", "monthly", "with_coupon") != nil {
		t.Errorf("an unknown coupon: got %v", r.At("coupon"))
	}
	if r := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/catalog?currency=EUR", "", nil)); r.At("coupon") != nil {
		t.Errorf("without a coupon: got %v", r.At("coupon"))
	}
}

func TestBundlesAreCheaperWhole(t *testing.T) {
	s := newShop(t)
	s.insert(collections.Bundles, object{"name": "Pair", "slug": "pair", "items": []object{{"plan": "vps-s", "quantity": 2}, {"plan": "vps-m", "quantity": 1}}, "discount_bp": 1000, "status": "active"})
	in := func(plan, cycle string, n int) object {
		return s.row(plan, cycle, object{"quantity": n, "bundle": "pair"})
	}
	o := s.order(s.Customer("ada"), cart(in("vps-s", "monthly", 2), in("vps-m", "monthly", 1), s.row("vps-s", "monthly", nil)))
	if got, want := s.invoiced(o.Invoice), "period 490, discount -49, period 490, discount -49, period 990, discount -99, setup 500, period 490"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if n := s.Count("order_items", "`bundle` = 'pair'"); n != 3 {
		t.Errorf("%d units are of the bundle, want 3", n)
	}
	terms, err := billing.ParseDiscounts([]byte(s.One(collections.Subscriptions, dbx.HashExp{"plan": s.Plan("vps-m").Id}).GetString("discounts")))
	if err != nil || len(terms) != 1 || terms[0].Kind != billing.BundleDiscount || !terms[0].Applies(100) {
		t.Errorf("got terms %+v, error %v; want the bundle's for ever", terms, err)
	}
	refused(t, "a plan lacks", s.quote(nil, cart(in("vps-s", "monthly", 2))), 422, "items.0.bundle", "bundle_incomplete")
	refused(t, "one too many", s.quote(nil, cart(in("vps-s", "monthly", 3), in("vps-m", "monthly", 1))), 422, "items.0.bundle", "bundle_incomplete")
	refused(t, "another plan in it", s.quote(nil, cart(in("vps-s", "monthly", 2), in("vps-m", "monthly", 1), in("colo", "monthly", 1))), 422, "items.0.bundle", "bundle_incomplete")
	refused(t, "unknown", s.quote(nil, cart(s.row("vps-s", "monthly", object{"bundle": "no-such"}))), 422, "items.0.bundle", "unknown_bundle")
	refused(t, "by the hour", s.quote(nil, cart(in("vps-m", "hourly", 1))), 422, "items.0.bundle", "bundle_cycle")
	r := s.Want(http.StatusOK, s.Do(http.MethodGet, "/api/v1/catalog?currency=EUR", "", nil))
	if got := r.Int("bundles.0.prices.0.amount.minor"); got != 1970 || r.Int("bundles.0.prices.0.discounted.minor") != 1970-49-49-99 || r.Len("bundles.0.prices") != 2 {
		t.Errorf("got %v, want 1970 and 1773 a month, and a quarter", r.At("bundles"))
	}
}
