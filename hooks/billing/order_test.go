package billing_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/testapp"
)

// change edits a copy of a good order.
func change(body map[string]any, edit func(body, item map[string]any)) map[string]any {
	item := body["items"].([]any)[0].(map[string]any)
	edit(body, item)
	return body
}

func TestBadOrdersLeaveNothing(t *testing.T) {
	app := testapp.New(t)
	ada, usd := app.Customer("ada"), app.Customer("usd")
	usd.Set("currency", "USD")
	if err := app.Save(usd.Record); err != nil {
		t.Fatal(err)
	}
	usdPrice := app.Price("vps-s", "USD", "monthly").Id
	oldPrice := app.Price("vps-old", "EUR", "monthly").Id
	off := app.Price("vps-m", "EUR", "quarterly")
	off.Set("active", false)
	if err := app.Save(off); err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	scenarios := []struct {
		name   string
		by     *testapp.Person
		edit   func(body, item object)
		status int
		code   string
		field  string
	}{
		{"unknown price", ada, func(_, i object) { i["price"] = "nosuchprice1234" }, 422, "invalid", "items.0.price"},
		{"price that was switched off", ada, func(_, i object) { i["price"] = off.Id }, 422, "invalid", "items.0.price"},
		{"price of an archived plan", ada, func(_, i object) { i["price"] = oldPrice }, 422, "invalid", "items.0.price"},
		{"SQL in the price", ada, func(_, i object) { i["price"] = "' OR 1=1 --" }, 422, "invalid", "items.0.price"},
		{"price in another currency than the order", ada, func(_, i object) { i["price"] = usdPrice }, 422, "invalid", "items.0.price"},
		{"order in another currency than the price", ada, func(b, _ object) { b["currency"] = "USD" }, 422, "invalid", "items.0.price"},
		{"customer who is billed in another currency", usd, func(_, _ object) {}, 409, "wrong_currency", ""},
		{"sold-out plan", ada, func(b, i object) { i["price"], b["total_minor"] = app.Price("vps-gone", "EUR", "monthly").Id, 3690 }, 409, "sold_out", ""},
		{"more units than in stock", ada, func(b, i object) {
			i["price"], i["quantity"], b["total_minor"] = app.Price("vps-few", "EUR", "monthly").Id, 4, 4*1890
		}, 409, "sold_out", ""},
		{"altered total, lower", ada, func(b, _ object) { b["total_minor"] = 1 }, 409, "price_changed", ""},
		{"altered total, zero", ada, func(b, _ object) { b["total_minor"] = 0 }, 409, "price_changed", ""},
		{"altered total, negative", ada, func(b, _ object) { b["total_minor"] = -490 }, 409, "price_changed", ""},
		{"altered total, higher", ada, func(b, _ object) { b["total_minor"] = 491 }, 409, "price_changed", ""},
		{"total of the wrong type", ada, func(b, _ object) { b["total_minor"] = "490" }, 400, "malformed", "total_minor"},
		{"total with decimals", ada, func(b, _ object) { b["total_minor"] = 4.9 }, 400, "malformed", "total_minor"},
		{"unknown member", ada, func(b, _ object) { b["discount"] = 100 }, 400, "malformed", "discount"},
		{"unknown member of an item", ada, func(_, i object) { i["amount_minor"] = 1 }, 400, "malformed", "items.0.amount_minor"},
		{"member in other letters", ada, func(_, i object) { i["Quantity"] = 2 }, 400, "malformed", "items.0.Quantity"},
		{"choices of the wrong type", ada, func(_, i object) { i["choices"] = []string{"8"} }, 400, "malformed", "items.0.choices"},
		{"missing required choice", ada, func(_, i object) { delete(i, "choices") }, 422, "invalid", "items.0.choices.template_id"},
		{"empty required choice", ada, func(_, i object) { i["choices"] = object{"template_id": ""} }, 422, "invalid", "items.0.choices.template_id"},
		{"option that is not offered", ada, func(_, i object) { i["choices"] = object{"template_id": "1"} }, 422, "invalid", "items.0.choices.template_id"},
		{"choice that would set the package", ada, func(_, i object) { i["choices"] = object{"template_id": "8", "package_id": "3"} }, 422, "invalid", "items.0.choices.package_id"},
		{"quantity below zero", ada, func(_, i object) { i["quantity"] = -1 }, 422, "invalid", "items.0.quantity"},
		{"quantity past the bound", ada, func(_, i object) { i["quantity"] = 1000 }, 422, "invalid", "items.0.quantity"},
		{"quantity past every bound", ada, func(_, i object) { i["quantity"] = int64(1) << 62 }, 422, "invalid", "items.0.quantity"},
		{"no items", ada, func(b, _ object) { b["items"] = []any{} }, 422, "invalid", "items"},
		{"host name with a space", ada, func(_, i object) { i["hostname"] = "my server" }, 422, "invalid", "items.0.hostname"},
		{"host name with markup", ada, func(_, i object) { i["hostname"] = "<script>" }, 422, "invalid", "items.0.hostname"},
		{"host name that ends in a hyphen", ada, func(_, i object) { i["hostname"] = "web-.example.com" }, 422, "invalid", "items.0.hostname"},
		{"host name that is too long", ada, func(_, i object) { i["hostname"] = strings.Repeat("a.", 130) + "example" }, 422, "invalid", "items.0.hostname"},
		{"host name with a line break", ada, func(_, i object) { i["hostname"] = "a\nb" }, 422, "invalid", "items.0.hostname"},
		{"terms not accepted", ada, func(b, _ object) { b["terms"] = false }, 422, "invalid", "terms"},
		{"client key too short", ada, func(b, _ object) { b["client_key"] = "1" }, 422, "invalid", "client_key"},
		{"unknown way to pay", ada, func(b, _ object) { b["gateway"] = "cash" }, 422, "invalid", "gateway"},
		{"way to pay that is not set up", ada, func(b, _ object) { b["gateway"] = "paypal" }, 422, "invalid", "gateway"},
		{"lower-case currency", ada, func(b, _ object) { b["currency"] = "eur" }, 422, "invalid", "items.0.price"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			before, sessions := app.Rows(), app.Stripe.Snapshot().Sessions
			r := app.Do(http.MethodPost, "/api/v1/orders", s.by.Token, change(app.Body(testapp.Cart{}), s.edit))
			if r.Status != s.status || r.Code() != s.code {
				t.Errorf("got %s, want %d %s", r, s.status, s.code)
			}
			if s.field != "" && (len(r.Fields()) == 0 || r.Fields()[0] != s.field) {
				t.Errorf("got fields %v, want %s", r.Fields(), s.field)
			}
			if r.Header.Get("Content-Type") != "application/problem+json" || r.Text("detail") == "" || r.Text("reference") == "" {
				t.Errorf("not a full problem: %s %s", r.Header.Get("Content-Type"), r)
			}
			app.T = t
			app.Unchanged(before)
			if got := app.Stripe.Snapshot().Sessions; got != sessions {
				t.Errorf("a payment page was opened")
			}
		})
	}
	app.T = t
	if left := app.Plan("vps-few").GetInt("stock"); left != 3 {
		t.Errorf("stock is %d after refused orders, want 3", left)
	}
	if got := app.Record("users", ada.Id).GetString("currency"); got != "" {
		t.Errorf("refused orders bound the customer to %s", got)
	}
}

func TestA9DoubleClickIsOneOrder(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	body := app.Body(testapp.Cart{Plan: "vps-few", ClientKey: "one-click-twice"})
	answers := make([]*testapp.Answer, 10)
	wg := sync.WaitGroup{}
	for i := range answers {
		wg.Go(func() { answers[i], _ = app.Try(http.MethodPost, "/api/v1/orders", ada.Token, body) })
	}
	wg.Wait()
	ids, urls := map[string]bool{}, map[string]bool{}
	for _, r := range answers {
		app.Want(http.StatusCreated, r)
		ids[r.Text("order.id")] = true
		if url := r.Text("payment.url"); url != "" {
			urls[url] = true
		}
	}
	if len(ids) != 1 || len(urls) != 1 {
		t.Errorf("%d orders and %d pages, want one of each", len(ids), len(urls))
	}
	for collection, want := range map[string]int{"orders": 1, "invoices": 1, "subscriptions": 1, "services": 1, "payment_transactions": 1} {
		if got := app.Count(collection, ""); got != want {
			t.Errorf("%s: got %d rows, want %d", collection, got, want)
		}
	}
	if left := app.Plan("vps-few").GetInt("stock"); left != 2 {
		t.Errorf("stock is %d, want 2", left)
	}
	if got := app.Stripe.Snapshot().Sessions; got != 1 {
		t.Errorf("Stripe has %d pages, want 1", got)
	}
}

func TestSameKeyOfAnotherCustomerIsAnotherOrder(t *testing.T) {
	app := testapp.New(t)
	a := app.Order(app.Customer("ada"), testapp.Cart{ClientKey: "shared-key"})
	b := app.Order(app.Customer("bob"), testapp.Cart{ClientKey: "shared-key"})
	if a.ID == b.ID {
		t.Errorf("two customers share the order %s", a.ID)
	}
}

func TestL4TwentyCustomersRaceForTheLastUnit(t *testing.T) {
	app := testapp.New(t)
	bodies, people, answers := make([]map[string]any, 20), make([]*testapp.Person, 20), make([]*testapp.Answer, 20)
	for i := range people {
		people[i] = app.Customer("racer" + string(rune('a'+i)))
		bodies[i] = app.Body(testapp.Cart{Plan: "vps-last"})
	}
	wg := sync.WaitGroup{}
	for i := range people {
		wg.Go(func() { answers[i], _ = app.Try(http.MethodPost, "/api/v1/orders", people[i].Token, bodies[i]) })
	}
	wg.Wait()
	won := 0
	for _, r := range answers {
		switch {
		case r.Status == http.StatusCreated:
			won++
		case r.Status != http.StatusConflict || r.Code() != "sold_out":
			t.Errorf("a loser got %s, want 409 sold_out", r)
		}
	}
	if won != 1 || app.Count("orders", "") != 1 || app.Count("invoices", "") != 1 || app.Plan("vps-last").GetInt("stock") != 0 {
		t.Errorf("%d won, %d orders, %d invoices, stock %d; want 1, 1, 1, 0", won, app.Count("orders", ""), app.Count("invoices", ""), app.Plan("vps-last").GetInt("stock"))
	}
}

func TestInvoiceNumbersHaveNoGapWhenOrdersFailInParallel(t *testing.T) {
	app := testapp.New(t)
	ada, bodies := app.Customer("ada"), []map[string]any{}
	for i := range 20 {
		cart := testapp.Cart{Gateway: "manual"}
		if i%3 == 0 {
			cart.Total = 1 // refused after the invoice could have been numbered
		}
		if i%5 == 4 {
			cart.Plan, cart.Quantity = "vps-few", 4
		}
		bodies = append(bodies, app.Body(cart))
	}
	wg, mu, good := sync.WaitGroup{}, sync.Mutex{}, 0
	for _, body := range bodies {
		wg.Go(func() {
			r, err := app.Try(http.MethodPost, "/api/v1/orders", ada.Token, body)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && r.Status == http.StatusCreated {
				good++
			}
		})
	}
	wg.Wait()
	if good < 5 || good > 15 {
		t.Fatalf("%d of 20 orders were placed; the test wants some of each", good)
	}
	last := app.One("invoice_series", dbx.HashExp{"series": "INV"}).GetInt("last_seq")
	if last != good || app.Count("invoices", "") != good {
		t.Errorf("the series ends at %d with %d invoices for %d orders", last, app.Count("invoices", ""), good)
	} // CheckBooks looks for gaps
}

func TestWhoMayOrder(t *testing.T) {
	app := testapp.New(t)
	ada, gone := app.Customer("ada"), app.Customer("gone")
	gone.Set("status", "suspended")
	if err := app.Save(gone.Record); err != nil {
		t.Fatal(err)
	}
	expired, err := ada.NewStaticAuthToken(time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	scenarios := []struct {
		name, token string
		status      int
	}{
		{"nobody", "", 401},
		{"garbage for a token", "not.a.token", 401},
		{"altered token", ada.Token[:len(ada.Token)-4] + "AAAA", 401},
		{"expired token", expired, 401},
		{"token of staff", app.Staff(), 403},
		{"suspended customer", gone.Token, 403},
	}
	before := app.Rows()
	for _, s := range scenarios {
		r := app.Do(http.MethodPost, "/api/v1/orders", s.token, app.Body(testapp.Cart{}))
		if r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
	}
	app.Unchanged(before)
}

func TestOversizedBodiesAreRefusedAsProblems(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	before := app.Rows()
	big := `{"client_key":"` + strings.Repeat("x", 200_000) + `"}`
	for _, path := range []string{"/api/v1/orders", "/api/v1/orders/quote", "/api/v1/account/sign-up"} {
		r := app.Do(http.MethodPost, path, ada.Token, big)
		if r.Status != http.StatusRequestEntityTooLarge || r.Code() != "too_large" {
			t.Errorf("%s: got %s, want 413 too_large", path, r)
		}
	}
	app.Unchanged(before)
}

func TestEveryCurrencyIsOrderedAndPaidExactly(t *testing.T) {
	app := testapp.New(t)
	scenarios := []struct {
		currency string
		minor    int64 // of vps-m with its set-up fee, as invoiced
		charged  int64 // as Stripe counts
	}{
		{"EUR", 990 + 500, 1490},
		{"USD", 1090 + 500, 1590},
		{"JPY", 1600 + 500, 2100},
		{"KWD", 3350 + 500, 3850},
	}
	for _, s := range scenarios {
		o := app.Order(app.Customer("in"+strings.ToLower(s.currency)), testapp.Cart{Plan: "vps-m", Currency: s.currency})
		if got := o.Answer.Int("order.total.minor"); got != s.minor {
			t.Errorf("%s: the order is %d, want %d", s.currency, got, s.minor)
		}
		app.Pay(o)
		for _, c := range app.Stripe.Charges() {
			if c.InvoiceID == o.Invoice && (c.Amount != s.charged || !strings.EqualFold(c.Currency, s.currency)) {
				t.Errorf("%s: Stripe took %d %s, want %d", s.currency, c.Amount, c.Currency, s.charged)
			}
		}
		if app.Stripe.Paid(o.Invoice) != 1 {
			t.Errorf("%s: %d charges, want 1", s.currency, app.Stripe.Paid(o.Invoice))
		}
	}
}

func TestAnOrderOverNothingIsPaidAtOnce(t *testing.T) {
	app := testapp.New(t)
	o := app.Order(app.Customer("ada"), testapp.Cart{Plan: "vps-free"})
	if got := o.Answer.Text("order.status"); got != "paid" {
		t.Errorf("the order is %s, want paid", got)
	}
	app.Active(o)
	if n := len(app.Stripe.Charges()); n != 0 {
		t.Errorf("%d charges, want none", n)
	}
}
