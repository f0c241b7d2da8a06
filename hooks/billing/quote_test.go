package billing_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestAQuoteExplainsItself(t *testing.T) {
	s := newShop(t)
	s.tax(nil)
	s.coupon("SPRING", "percent", object{"basis_points": 2500, "periods": 3})
	row := s.row("vps-m", "monthly", object{"quantity": 2, "hostname": "web.example.com", "options": object{"ram": object{"value": "8"}, "ip": object{"quantity": 2}}})
	q := s.Want(http.StatusOK, s.quote(nil, with(cart(row), object{"coupons": []string{" spring "}})))
	lines := []string{}
	for i := range q.Len("lines") {
		at := fmt.Sprintf("lines.%d.", i)
		lines = append(lines, fmt.Sprintf("%s %s %d×%d=%d net %d tax %d of %d", q.Text(at+"kind"), q.Text(at+"description"), q.Int(at+"quantity"), q.Int(at+"unit_price.minor"),
			q.Int(at+"amount.minor"), q.Int(at+"net.minor"), q.Int(at+"tax.minor"), q.Int(at+"parent")))
	}
	unit := func(from int) []string {
		return []string{
			"period Plan vps-m · web.example.com 1×990=990 net 990 tax 188 of 0",
			fmt.Sprintf("discount Coupon SPRING (25 %%) 1×-248=-248 net -248 tax -47 of %d", from+1),
			"option Plan vps-m · web.example.com · Memory: 8 GB 1×400=400 net 400 tax 76 of 0",
			fmt.Sprintf("discount Coupon SPRING (25 %%) 1×-100=-100 net -100 tax -19 of %d", from+3),
			"option Plan vps-m · web.example.com · Extra address 2×150=300 net 300 tax 57 of 0",
			fmt.Sprintf("discount Coupon SPRING (25 %%) 1×-75=-75 net -75 tax -14 of %d", from+5),
			"setup Plan vps-m · web.example.com · setup 1×500=500 net 500 tax 95 of 0",
			"setup Plan vps-m · web.example.com · Extra address · setup 1×100=100 net 100 tax 19 of 0",
		}
	}
	if got, want := strings.Join(lines, "\n"), strings.Join(append(unit(0), unit(8)...), "\n"); got != want {
		t.Errorf("got lines\n%s\nwant\n%s", got, want)
	}
	for path, want := range map[string]int64{
		"subtotal.minor": 2 * 1867, "tax.minor": 2 * 355, "total.minor": 2 * 2222, "discount.minor": 2 * 423, "taxes.0.ppm": 190_000, "taxes.0.tax.minor": 2 * 355,
		"recurring.0.amount.minor": 2 * (1690 - 423 + 321 - 80), "recurring.0.regular.minor": 2 * (1690 + 321),
	} {
		if got := q.Int(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	if q.Text("coupons.0.code") != "SPRING" || q.Text("tax_country") != "DE" || q.Text("recurring.0.cycle") != "monthly" {
		t.Errorf("got %s", q)
	}
}

func TestTaxIsShownBeforeSignUp(t *testing.T) {
	s := newShop(t)
	s.tax(object{"unchecked_id": "trust"})
	c := cart(s.row("vps-s", "monthly", nil))
	scenarios := []struct {
		name  string
		where object
		tax   int64
	}{
		{"nothing known: as at home", nil, 93},
		{"Austria", object{"country": "at"}, 98},
		{"beyond the Union", object{"country": "US", "postcode": "10001"}, 0},
		{"an Austrian business", object{"country": "AT", "vat_id": "ATU 1358 5627"}, 0},
		{"a German business pays", object{"country": "DE", "vat_id": "DE136695976"}, 93},
	}
	for _, sc := range scenarios {
		q := s.Want(http.StatusOK, s.quote(nil, with(c, sc.where)))
		if got := q.Int("tax.minor"); got != sc.tax || q.Int("total.minor") != 490+sc.tax {
			t.Errorf("%s: got %s, want a tax of %d", sc.name, q, sc.tax)
		}
	}
	ada := s.Customer("ada") // of Berlin
	if q := s.Want(http.StatusOK, s.quote(ada, with(c, object{"country": "US"}))); q.Int("tax.minor") != 93 {
		t.Errorf("a customer's own address does not count: %s", q)
	}
	refused(t, "no such country", s.quote(nil, with(c, object{"country": "Germany"})), 422, "country", "invalid")
	refused(t, "a VAT id with a slip", s.quote(nil, with(c, object{"country": "AT", "vat_id": "ATU13585628"})), 422, "vat_id", "invalid")
	refused(t, "a VAT id of nowhere", s.quote(nil, with(c, object{"vat_id": "ATU13585627"})), 422, "country", "required")
	refused(t, "a country whose rate nobody entered", s.quote(nil, with(c, object{"country": "FR"})), 422, "country", "no_tax_rate")
}

func TestTheFirstOrderKeepsTheAddress(t *testing.T) {
	s := newShop(t)
	s.tax(nil)
	ada := s.Customer("ada")
	s.change(s.One(collections.UserProfiles, dbx.HashExp{"user": ada.Id}), object{"country": ""})
	c := cart(s.row("vps-s", "monthly", nil))
	refused(t, "no country", s.try(ada, c, 583), 422, "country", "required")
	refused(t, "another country than was shown", s.try(ada, with(c, object{"country": "AT"}), 583), 409, "", "price_changed")
	o := s.order(ada, with(c, object{"country": "AT", "postcode": "1010"}))
	profile := s.One(collections.UserProfiles, dbx.HashExp{"user": ada.Id})
	if got := o.Answer.Int("order.total.minor"); got != 588 || profile.GetString("country") != "AT" || profile.GetString("postcode") != "1010" {
		t.Errorf("total %d, address %s %s; want 588, AT 1010", got, profile.GetString("country"), profile.GetString("postcode"))
	}
	s.order(ada, with(c, object{"country": "DE"})) // the address stays
	if got := s.One(collections.UserProfiles, dbx.HashExp{"user": ada.Id}).GetString("country"); got != "AT" {
		t.Errorf("a later order moved the customer to %s", got)
	}
}

// TestD2APriceNeverChangesItsCurrency tries every way to pay another currency's
// amount; D3 to get for nothing what is not offered.
func TestD2D3WhatIsNotOfferedIsNotSold(t *testing.T) {
	s := newShop(t)
	s.insert(collections.PlanPrices, object{"plan": s.Plan("vps-s").Id, "currency": "EUR", "cycle": "annual", "amount_minor": 4900, "active": true})
	s.insert(collections.PlanPrices, object{"plan": s.Plan("vps-s").Id, "currency": "EUR", "cycle": "hourly", "amount_minor": 1, "active": true})
	usd := s.Price("vps-m", "USD", "monthly").Id
	off := s.One(collections.PlanOptions, dbx.HashExp{"name": "backup"})
	type quote struct {
		name  string
		cart  object
		field string
		code  string
	}
	option := func(cycle string, options object) object {
		return cart(s.row("vps-m", cycle, object{"options": options}))
	}
	scenarios := []quote{
		{"D2 a price in dollars in a cart in euros", cart(s.row("vps-m", "monthly", object{"price": usd})), "items.0.price", "wrong_currency"},
		{"D2 the same with an option that has a price in dollars", cart(s.row("vps-m", "monthly", object{"price": usd, "options": object{"ip": object{"quantity": 1}}})), "items.0.price", "wrong_currency"},
		{"D2 a cart in lower case", with(cart(s.row("vps-m", "monthly", nil)), object{"currency": "eur"}), "items.0.price", "wrong_currency"},
		{"D3 an option without a price in the cycle", option("annual", object{"backup": object{"quantity": 1}}), "items.0.options.backup", "not_offered"},
		{"D3 a value without a price in the cycle", option("annual", object{"ram": object{"value": "4"}}), "items.0.options.ram", "not_offered"},
		{"D3 a value that does not exist", option("monthly", object{"ram": object{"value": "64"}}), "items.0.options.ram", "not_offered"},
		{"D3 an option of a one-time price", option("one_time", object{"ip": object{"quantity": 1}}), "items.0.options.ip", "not_offered"},
		{"an option that does not exist", option("monthly", object{"gpu": object{"quantity": 1}}), "items.0.options.gpu", "unknown_option"},
		{"an option of another plan", cart(s.row("vps-s", "monthly", object{"options": object{"ip": object{"quantity": 1}}})), "items.0.options.ip", "unknown_option"},
		{"more than there is", option("monthly", object{"ip": object{"quantity": 9}}), "items.0.options.ip", "out_of_range"},
		{"less than nothing", option("monthly", object{"ip": object{"quantity": -1}}), "items.0.options.ip", "out_of_range"},
		{"past every bound", option("monthly", object{"ip": object{"quantity": int64(1) << 62}}), "items.0.options.ip", "out_of_range"},
		{"an add-on twice", option("monthly", object{"backup": object{"quantity": 2}}), "items.0.options.backup", "out_of_range"},
		{"a value of what has none", option("monthly", object{"ip": object{"value": "8", "quantity": 1}}), "items.0.options.ip", "unknown_option"},
		{"two of a choice", option("monthly", object{"ram": object{"value": "8", "quantity": 2}}), "items.0.options.ram", "out_of_range"},
		{"no cart", object{"currency": "EUR", "items": []object{}}, "items", "required"},
		{"more units than fit", cart(s.row("vps-s", "monthly", object{"quantity": 11}), s.row("vps-s", "monthly", object{"quantity": 10})), "items", "too_many"},
	}
	for _, sc := range scenarios {
		refused(t, sc.name, s.quote(nil, sc.cart), 422, sc.field, sc.code)
	}
	if q := s.Want(http.StatusOK, s.quote(nil, option("monthly", object{"ram": object{"value": "4"}}))); q.Int("total.minor") != 1490 {
		t.Errorf("a value that is free is not: %s", q)
	}
	s.change(off, object{"active": false})
	refused(t, "an option that was switched off", s.quote(nil, option("monthly", object{"backup": object{"quantity": 1}})), 422, "items.0.options.backup", "unknown_option")
	s.change(s.One(collections.PlanOptions, dbx.HashExp{"name": "ram"}), object{"required": true})
	refused(t, "a required option that is missing", s.quote(nil, option("monthly", nil)), 422, "items.0.options.ram", "required")
	refused(t, "a required option without a value", s.quote(nil, option("monthly", object{"ram": object{}})), 422, "items.0.options.ram", "required")
	s.change(s.Price("vps-s", "EUR", "monthly"), object{"active": false})
	refused(t, "by the hour without a monthly price", s.quote(nil, cart(s.row("vps-s", "hourly", nil))), 422, "items.0.price", "no_cap")
}

func TestAmountsAtTheirBoundsAreRefusedInWords(t *testing.T) {
	s := newShop(t)
	s.insert(collections.PlanPrices, object{"plan": s.Plan("colo").Id, "currency": "EUR", "cycle": "annual", "amount_minor": int64(1e12), "active": true})
	one := s.Want(http.StatusOK, s.quote(nil, cart(s.row("colo", "annual", nil))))
	if got := one.Int("total.minor"); got != 1e12 {
		t.Errorf("got %d, want the bound itself", got)
	}
	refused(t, "two of the most there is", s.quote(nil, cart(s.row("colo", "annual", object{"quantity": 2}))), 422, "items", "too_large")
	s.tax(nil)
	refused(t, "the most there is, and tax", s.quote(nil, cart(s.row("colo", "annual", nil))), 422, "items", "too_large")
}

// TestD4WhatIsQuotedIsInvoiced orders random carts: quote, order and invoice
// agree to the cent, line by line.
func TestD4WhatIsQuotedIsInvoiced(t *testing.T) {
	s := newShop(t)
	s.coupon("HALF", "percent", object{"basis_points": 3333, "periods": 2, "stackable": true})
	s.coupon("FIVE", "fixed", object{"amounts": object{"EUR": 517}, "stackable": true})
	s.coupon("SETUP", "free_setup", object{"stackable": true})
	s.coupon("WEEKS", "trial_days", object{"trial_days": 14, "stackable": true})
	s.insert(collections.Bundles, object{"name": "Pair", "slug": "pair", "items": []object{{"plan": "vps-s", "quantity": 1}, {"plan": "vps-m", "quantity": 1}}, "discount_bp": 777, "status": "active"})
	s.change(s.Plan("vps-s"), object{"trial_days": 7})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	for round, policy := range []object{{"enabled": false}, {"rounding": "line"}, {"rounding": "document"}, {"inclusive": true}, {"inclusive": true, "rounding": "document"}} {
		if round == 0 {
			s.tax(policy)
		} else if err := collections.SaveSetting(s.App, "tax", with(object{"enabled": true, "rounding": "line", "home_country": "DE", "eu_vat": true, "oss": true}, policy)); err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			ada := s.Customer(fmt.Sprintf("ada%d-%d", round, i))
			c := s.randomCart(dice)
			q := s.quote(ada, c)
			if q.Status != http.StatusOK {
				t.Fatalf("cart %v: %s", c, q)
			}
			o := testapp.ReadOrder(s.Want(http.StatusCreated, s.try(ada, c, q.Int("total.minor"))))
			s.sameAsInvoice(t, q, o)
		}
	}
}

func (s shop) randomCart(dice *rand.Rand) object {
	s.Helper()
	rows := []object{s.row("vps-m", "monthly", nil)}
	for range dice.IntN(3) {
		cycles := []string{"hourly", "monthly", "quarterly", "semi_annual", "annual", "one_time"}
		row := s.row("vps-m", cycles[dice.IntN(len(cycles))], object{"quantity": 1 + dice.IntN(3)})
		if cycle := row["price"]; cycle == s.Price("vps-m", "EUR", "monthly").Id && dice.IntN(2) == 0 {
			row["options"] = object{"ip": object{"quantity": 1 + dice.IntN(8)}, "ram": object{"value": []string{"4", "8"}[dice.IntN(2)]}}
		}
		rows = append(rows, row)
	}
	if dice.IntN(2) == 0 {
		rows = append(rows, s.row("vps-s", "monthly", object{"bundle": "pair"}), s.row("vps-m", "quarterly", object{"bundle": "pair"}))
	} else {
		rows = append(rows, s.row("vps-s", "monthly", nil))
	}
	codes := []string{}
	for _, c := range []string{"HALF", "FIVE", "SETUP", "WEEKS"} {
		if dice.IntN(2) == 0 {
			codes = append(codes, c)
		}
	}
	return with(cart(rows...), object{"coupons": codes})
}

func (s shop) sameAsInvoice(t *testing.T, q *testapp.Answer, o *testapp.Order) {
	t.Helper()
	inv := s.Record(collections.Invoices, o.Invoice)
	for field, path := range map[string]string{"subtotal_minor": "subtotal.minor", "tax_minor": "tax.minor", "total_minor": "total.minor"} {
		if got := inv.GetInt64(field); got != q.Int(path) {
			t.Errorf("invoice %s: %s is %d, quoted were %d", inv.GetString("number"), field, got, q.Int(path))
		}
	}
	items, err := collections.All(s.App, collections.InvoiceItems, dbx.HashExp{"invoice": inv.Id}, "position ASC")
	if err != nil || len(items) != q.Len("lines") {
		t.Fatalf("%d lines, error %v; quoted were %d", len(items), err, q.Len("lines"))
	}
	for i, it := range items {
		at := fmt.Sprintf("lines.%d.", i)
		for field, path := range map[string]string{"amount_minor": "amount.minor", "net_minor": "net.minor", "tax_minor": "tax.minor", "parent": "parent"} {
			if got := it.GetInt64(field); got != q.Int(at+path) {
				t.Errorf("invoice %s line %d: %s is %d, quoted were %d", inv.GetString("number"), i+1, field, got, q.Int(at+path))
			}
		}
		if it.GetString("kind") != q.Text(at+"kind") || it.GetString("subscription") == "" || it.GetString("item") == "" || it.GetString("detail") == "null" {
			t.Errorf("line %d does not explain itself: %v", i+1, it)
		}
	}
	order := s.Record(collections.Orders, o.ID)
	if order.GetInt64("discount_minor") != q.Int("discount.minor") {
		t.Errorf("order: discount %d, quoted were %d", order.GetInt64("discount_minor"), q.Int("discount.minor"))
	}
}
