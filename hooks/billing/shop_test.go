package billing_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

type object = map[string]any

// shop is the product with a richer catalog: plan vps-m in every cycle, with a
// choice, a quantity and an add-on.
type shop struct{ *testapp.App }

func newShop(t *testing.T, opts ...testapp.Option) shop {
	t.Helper()
	s := shop{testapp.New(t, opts...)}
	plan := s.Plan("vps-m").Id
	for cycle, minor := range map[string]int64{"hourly": 2, "semi_annual": 5700, "annual": 9900, "biennial": 19_000, "triennial": 27_000, "one_time": 15_000} {
		s.insert(collections.PlanPrices, object{"plan": plan, "currency": "EUR", "cycle": cycle, "amount_minor": minor, "active": true})
	}
	ram := s.insert(collections.PlanOptions, object{"plan": plan, "name": "ram", "label": "Memory", "kind": "choice", "active": true, "position": 1})
	ip := s.insert(collections.PlanOptions, object{"plan": plan, "name": "ip", "label": "Extra address", "kind": "quantity", "min_quantity": 0, "max_quantity": 8, "active": true, "position": 2})
	backup := s.insert(collections.PlanOptions, object{"plan": plan, "name": "backup", "label": "Daily backup", "kind": "addon", "active": true, "position": 3})
	price := func(option *core.Record, value, label, currency, cycle string, minor, setup int64) {
		s.insert(collections.OptionPrices, object{"option": option.Id, "value": value, "label": label, "currency": currency, "cycle": cycle, "amount_minor": minor, "setup_minor": setup, "active": true})
	}
	price(ram, "4", "4 GB", "EUR", "monthly", 0, 0)
	price(ram, "8", "8 GB", "EUR", "monthly", 400, 0)
	price(ram, "8", "8 GB", "EUR", "annual", 4000, 0)
	price(ram, "8", "8 GB", "EUR", "hourly", 1, 0)
	price(ip, "", "Extra address", "EUR", "monthly", 150, 100)
	price(ip, "", "Extra address", "EUR", "annual", 1500, 100)
	price(ip, "", "Extra address", "EUR", "hourly", 1, 0)
	price(ip, "", "Extra address", "USD", "monthly", 170, 0)
	price(backup, "", "Daily backup", "EUR", "monthly", 299, 0)
	return s
}

func (s shop) insert(collection string, values object) *core.Record {
	s.Helper()
	r, err := collections.Insert(s.App, collection, values)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

func (s shop) coupon(code, kind string, values object) *core.Record {
	s.Helper()
	all := object{"code": code, "kind": kind, "status": "active", "periods": 1}
	for k, v := range values {
		all[k] = v
	}
	return s.insert(collections.Coupons, all)
}

// change saves fields of a record.
func (s shop) change(r *core.Record, values object) {
	s.Helper()
	r.Load(values)
	if err := s.Save(r); err != nil {
		s.Fatal(err)
	}
}

// tax switches taxes on: 19 % in Germany, 20 % in Austria.
func (s shop) tax(policy object) {
	s.Helper()
	all := object{"enabled": true, "rounding": "line", "home_country": "DE", "eu_vat": true, "oss": true}
	for k, v := range policy {
		all[k] = v
	}
	for country, ppm := range map[string]int{"DE": 190_000, "AT": 200_000} {
		s.insert(collections.TaxRates, object{"name": "VAT", "country": country, "level": 1, "ppm": ppm, "valid_from": "2020-01-01 00:00:00.000Z"})
	}
	if err := collections.SaveSetting(s.App, "tax", all); err != nil {
		s.Fatal(err)
	}
}

// row is one row of a cart.
func (s shop) row(plan, cycle string, more object) object {
	s.Helper()
	item := object{"price": s.Price(plan, "EUR", cycle).Id, "quantity": 1}
	if plan != "colo" {
		item["choices"] = object{"template_id": "8"}
	}
	for k, v := range more {
		item[k] = v
	}
	return item
}

func cart(rows ...object) object { return object{"currency": "EUR", "items": rows} }

func with(c object, more object) object {
	all := object{}
	for k, v := range c {
		all[k] = v
	}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// quote asks for a price; by nil is a visitor.
func (s shop) quote(by *testapp.Person, c object) *testapp.Answer {
	s.Helper()
	token := ""
	if by != nil {
		token = by.Token
	}
	return s.Do(http.MethodPost, "/api/v1/orders/quote", token, c)
}

// order orders a cart for what it is quoted at, by transfer.
func (s shop) order(by *testapp.Person, c object) *testapp.Order {
	s.Helper()
	q := s.Want(http.StatusOK, s.quote(by, c))
	return testapp.ReadOrder(s.Want(http.StatusCreated, s.try(by, c, q.Int("total.minor"))))
}

func (s shop) try(by *testapp.Person, c object, total int64) *testapp.Answer {
	s.Helper()
	body := with(object{"client_key": core.GenerateDefaultRandomId(), "gateway": "manual", "terms": true, "total_minor": total}, c)
	return s.Do(http.MethodPost, "/api/v1/orders", by.Token, body)
}

// transfer pays an order's invoice as staff enters it.
func (s shop) transfer(o *testapp.Order) {
	s.Helper()
	inv := s.Record(collections.Invoices, o.Invoice)
	s.Want(http.StatusOK, s.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/payments", s.Staff(),
		object{"amount_minor": inv.GetInt64("due_minor"), "currency": inv.GetString("currency"), "reference": "pay-" + o.ID}))
}

func (s shop) subscription(o *testapp.Order) *core.Record {
	s.Helper()
	return s.One(collections.Subscriptions, dbx.HashExp{"order": o.ID})
}

// invoiced prints an invoice's lines in short, in their order.
func (s shop) invoiced(invoice string) string {
	s.Helper()
	items, err := collections.All(s.App, collections.InvoiceItems, dbx.HashExp{"invoice": invoice}, "position ASC")
	if err != nil {
		s.Fatal(err)
	}
	out := []string{}
	for _, it := range items {
		out = append(out, fmt.Sprintf("%s %d", it.GetString("kind"), it.GetInt64("amount_minor")))
	}
	return strings.Join(out, ", ")
}

// refused fails the test unless the answer is a problem with this code that
// names the field first.
func refused(t *testing.T, name string, r *testapp.Answer, status int, field, code string) {
	t.Helper()
	got := r.Code()
	if field != "" {
		got = r.Text("errors.0.code")
	}
	if r.Status != status || got != code || field != "" && r.Text("errors.0.field") != field {
		t.Errorf("%s: got %s, want %d %s at %q", name, r, status, code, field)
	}
}
