package staff_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

type object = map[string]any

// TestOffersThatMakeNoSenseAreRefusedInWords: options, their prices, bundles,
// coupons and rates, each with the field that is wrong.
func TestOffersThatMakeNoSenseAreRefusedInWords(t *testing.T) {
	app := testapp.New(t)
	plan := app.Plan("vps-m").Id
	create := func(collection string, fields object) *testapp.Answer {
		return app.Do(http.MethodPost, "/api/collections/"+collection+"/records", app.Staff(), fields)
	}
	ram := app.Want(http.StatusOK, create("plan_options", object{"plan": plan, "name": "ram", "label": "Memory", "kind": "choice", "active": true})).Text("id")
	ip := app.Want(http.StatusOK, create("plan_options", object{"plan": plan, "name": "ip", "label": "Address", "kind": "quantity", "max_quantity": 8, "active": true})).Text("id")
	option := func(more object) object {
		return merge(object{"plan": plan, "name": "disk", "label": "Disk", "kind": "quantity", "active": true}, more)
	}
	price := func(more object) object {
		return merge(object{"option": ip, "label": "Address", "currency": "EUR", "cycle": "monthly", "amount_minor": 150, "active": true}, more)
	}
	bundle := func(items any) object {
		return object{"name": "Pair", "slug": "pair", "items": items, "discount_bp": 1000, "status": "active"}
	}
	coupon := func(kind string, more object) object {
		return merge(object{"code": "SPRING", "kind": kind, "status": "active"}, more)
	}
	rate := func(more object) object {
		return merge(object{"name": "VAT", "country": "DE", "level": 1, "ppm": 190_000, "valid_from": "2026-01-01 00:00:00.000Z"}, more)
	}
	scenarios := []struct {
		name, collection string
		fields           object
		word             string
	}{
		{"option named as the plan", "plan_options", option(object{"name": "plan"}), "name"},
		{"option named as a choice", "plan_options", option(object{"name": "template_id"}), "name"},
		{"option name in capitals", "plan_options", option(object{"name": "Disk"}), "name"},
		{"option of no plan", "plan_options", option(object{"plan": "nosuchplan12345"}), "plan"},
		{"fewer at most than at least", "plan_options", option(object{"min_quantity": 5, "max_quantity": 4}), "max_quantity"},
		{"quantity of an add-on", "plan_options", option(object{"kind": "addon", "max_quantity": 4}), "quantity"},
		{"option of an unknown kind", "plan_options", option(object{"kind": "gift"}), "kind"},
		{"option twice", "plan_options", option(object{"name": "ip"}), "name"},
		{"price of a choice without its value", "option_prices", price(object{"option": ram}), "value"},
		{"price of a quantity with a value", "option_prices", price(object{"value": "1"}), "value"},
		{"price of no option", "option_prices", price(object{"option": "nosuchoption123"}), "option"},
		{"price in no currency", "option_prices", price(object{"currency": "XXY"}), "currency"},
		{"price below zero", "option_prices", price(object{"amount_minor": -1}), "amount_minor"},
		{"price past every bound", "option_prices", price(object{"amount_minor": 1e13}), "amount_minor"},
		{"price in no cycle", "option_prices", price(object{"cycle": "weekly"}), "cycle"},
		{"bundle of nothing", "bundles", bundle([]any{}), "items"},
		{"bundle of one", "bundles", bundle([]object{{"plan": "vps-s", "quantity": 1}}), "items"},
		{"bundle of a plan that does not exist", "bundles", bundle([]object{{"plan": "vps-x", "quantity": 2}}), "items"},
		{"bundle with a plan twice", "bundles", bundle([]object{{"plan": "vps-s", "quantity": 1}, {"plan": "vps-s", "quantity": 1}}), "items"},
		{"bundle of less than none", "bundles", bundle([]object{{"plan": "vps-s", "quantity": -2}}), "items"},
		{"bundle of too many", "bundles", bundle([]object{{"plan": "vps-s", "quantity": 21}}), "items"},
		{"bundle with a mistyped member", "bundles", bundle([]object{{"plam": "vps-s", "quantity": 2}}), "items"},
		{"percent of nothing", "coupons", coupon("percent", nil), "basis_points"},
		{"more than all", "coupons", coupon("percent", object{"basis_points": 10_001}), "basis_points"},
		{"percent and an amount", "coupons", coupon("percent", object{"basis_points": 1000, "amounts": object{"EUR": 5}}), "amounts"},
		{"fixed without an amount", "coupons", coupon("fixed", nil), "amounts"},
		{"fixed in no currency", "coupons", coupon("fixed", object{"amounts": object{"XXY": 5}}), "amounts"},
		{"fixed over nothing", "coupons", coupon("fixed", object{"amounts": object{"EUR": 0}}), "amounts"},
		{"fixed with decimals", "coupons", coupon("fixed", object{"amounts": object{"EUR": 4.99}}), "amounts"},
		{"trial of no days", "coupons", coupon("trial_days", nil), "trial_days"},
		{"free setup with days", "coupons", coupon("free_setup", object{"trial_days": 5}), "trial_days"},
		{"ends before it starts", "coupons", coupon("free_setup", object{"starts_at": "2026-02-01 00:00:00.000Z", "expires_at": "2026-01-01 00:00:00.000Z"}), "expires_at"},
		{"by the hour", "coupons", coupon("free_setup", object{"cycles": []string{"hourly"}}), "cycles"},
		{"a code with a space", "coupons", coupon("free_setup", object{"code": "TWO WORDS"}), "code"},
		{"no code", "coupons", coupon("free_setup", object{"code": ""}), "code"},
		{"rate without a name", "tax_rates", rate(object{"name": " "}), "name"},
		{"rate of a country by its name", "tax_rates", rate(object{"country": "Germany"}), "country"},
		{"rate above everything", "tax_rates", rate(object{"ppm": 1_000_001}), "ppm"},
		{"compound rate of the first level", "tax_rates", rate(object{"compound": true}), "compound"},
		{"third level", "tax_rates", rate(object{"level": 3}), "level"},
		{"rate from noon", "tax_rates", rate(object{"valid_from": "2026-01-01 12:00:00.000Z"}), "valid_from"},
		{"rate without a day", "tax_rates", rate(object{"valid_from": ""}), "valid_from"},
		{"exchange of one currency", "exchange_rates", object{"base": "EUR", "quote": "EUR", "ppm": 1e6, "date": "2026-01-01"}, "quote"},
		{"exchange of no currency", "exchange_rates", object{"base": "XXY", "quote": "EUR", "ppm": 1e6, "date": "2026-01-01"}, "base"},
		{"exchange on no day", "exchange_rates", object{"base": "EUR", "quote": "USD", "ppm": 1e6, "date": "2026-02-30"}, "date"},
		{"exchange for nothing", "exchange_rates", object{"base": "EUR", "quote": "USD", "ppm": 0, "date": "2026-01-01"}, "ppm"},
	}
	before := app.Rows()
	for _, s := range scenarios {
		r := create(s.collection, s.fields)
		if r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(r.Body)), s.word) {
			t.Errorf("%s: got %s, want 400 that names %s", s.name, r, s.word)
		}
	}
	app.Unchanged(before)
	for collection, fields := range map[string]object{
		"plan_options": option(nil), "option_prices": price(nil), "bundles": bundle([]object{{"plan": "vps-s", "quantity": 2}}), "tax_rates": rate(object{"country": "de"}),
		"coupons": coupon("fixed", object{"code": " spring-26", "amounts": object{"EUR": 500, "JPY": 800}}), "exchange_rates": {"base": "EUR", "quote": "USD", "ppm": 1_100_000, "date": "2026-01-31"},
	} {
		app.Want(http.StatusOK, create(collection, fields))
	}
	if got := app.One(collections.Coupons, dbx.HashExp{}).GetString("code"); got != "SPRING-26" {
		t.Errorf("the code is %q, want it in capitals", got)
	}
}

// TestWhatCustomersHaveStaysAsItIs: options and their prices that somebody
// subscribed with, and how often a coupon was used.
func TestWhatCustomersHaveStaysAsItIs(t *testing.T) {
	app := testapp.New(t)
	insert := func(collection string, fields object) string {
		r, err := collections.Insert(app.App, collection, fields)
		if err != nil {
			t.Fatal(err)
		}
		return r.Id
	}
	ip := insert(collections.PlanOptions, object{"plan": app.Plan("vps-s").Id, "name": "ip", "label": "Address", "kind": "quantity", "active": true})
	price := insert(collections.OptionPrices, object{"option": ip, "label": "Address", "currency": "EUR", "cycle": "monthly", "amount_minor": 150, "active": true})
	other := insert(collections.OptionPrices, object{"option": ip, "label": "Address", "currency": "EUR", "cycle": "annual", "amount_minor": 1500, "active": true})
	coupon := insert(collections.Coupons, object{"code": "HALF", "kind": "percent", "basis_points": 5000, "max_uses": 5, "status": "active"})
	body := app.Body(testapp.Cart{Gateway: "manual", Total: 320})
	body["coupons"] = []string{"half"}
	body["items"].([]any)[0].(object)["options"] = object{"ip": object{"quantity": 1}}
	app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/orders", app.Customer("ada").Token, body))
	edit := func(collection, id string, fields object) *testapp.Answer {
		return app.Do(http.MethodPatch, "/api/collections/"+collection+"/records/"+id, app.Staff(), fields)
	}
	for _, s := range []struct {
		name, collection, id string
		fields               object
		word                 string
	}{
		{"the amount of a price in use", "option_prices", price, object{"amount_minor": 1}, "amount_minor"},
		{"its cycle", "option_prices", price, object{"cycle": "quarterly"}, "cycle"},
		{"the name of an option in use", "plan_options", ip, object{"name": "address"}, "name"},
		{"its kind", "plan_options", ip, object{"kind": "addon"}, "kind"},
		{"another kind without its figures", "coupons", coupon, object{"basis_points": 0, "kind": "fixed"}, "amounts"},
	} {
		if r := edit(s.collection, s.id, s.fields); r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(r.Body)), s.word) {
			t.Errorf("%s: got %s, want 400 that names %s", s.name, r, s.word)
		}
	}
	app.Want(http.StatusOK, edit("option_prices", other, object{"amount_minor": 1400}))
	app.Want(http.StatusOK, edit("option_prices", price, object{"active": false}))
	app.Want(http.StatusOK, edit("coupons", coupon, object{"uses": 0, "description": "as the form was opened"}))
	if got := app.Record(collections.Coupons, coupon).GetInt("uses"); got != 1 {
		t.Errorf("an edit set the uses to %d, want 1 as counted", got)
	}
	for collection, id := range map[string]string{"plan_options": ip, "coupons": coupon} {
		if r := app.Do(http.MethodDelete, "/api/collections/"+collection+"/records/"+id, app.Staff(), nil); r.Status != http.StatusBadRequest {
			t.Errorf("delete of %s: got %s, want 400", collection, r)
		}
	}
}

func merge(a, b object) object {
	all := object{}
	for k, v := range a {
		all[k] = v
	}
	for k, v := range b {
		all[k] = v
	}
	return all
}
