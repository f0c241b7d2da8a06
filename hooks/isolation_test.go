package hooks_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// operation is a row of the product's own permission matrix.
type operation struct{ id, method, path, access string }

func operations(app *testapp.App) []operation {
	app.Helper()
	r := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/staff/permissions", app.Staff(), nil))
	list, _ := r.Value().([]any)
	ops := []operation{}
	for _, row := range list {
		m := row.(map[string]any)
		ops = append(ops, operation{m["id"].(string), m["method"].(string), m["path"].(string), m["access"].(string)})
	}
	if len(ops) < 20 {
		app.Fatalf("the matrix has %d operations only", len(ops))
	}
	return ops
}

// TestTheMatrixIsReviewed fails for an operation that nobody has looked at: add
// it to the crawl below and run with -update.
func TestTheMatrixIsReviewed(t *testing.T) {
	lines := []string{}
	for _, o := range operations(testapp.New(t)) {
		lines = append(lines, fmt.Sprintf("%-8s %-6s %-45s %s", o.access, o.method, o.path, o.id))
	}
	slices.Sort(lines)
	testapp.Golden(t, "permissions.golden.txt", strings.Join(lines, "\n")+"\n")
}

// estate is everything a customer may own, one of each at least.
type estate struct {
	of     *testapp.Person
	orders []*testapp.Order
	ids    map[string][]string // by collection
	draft  string              // an invoice that even its customer must not see
}

// settle gives a customer one of everything.
func settle(app *testapp.App, name string) *estate {
	app.Helper()
	e := &estate{of: app.Customer(name), ids: map[string][]string{}}
	e.orders = append(e.orders, app.Buy(e.of, testapp.Cart{Hostname: name + ".example.com"}), app.Order(e.of, testapp.Cart{Gateway: "manual"}))
	offer(app, e.of)
	app.Quiet()
	app.Eventually("the saved card is known", func() bool { return app.Count("payment_methods", "`user` = '"+e.of.Id+"'") > 0 })
	e.correct(app)
	all, err := app.FindAllCollections()
	if err != nil {
		app.Fatal(err)
	}
	for _, c := range all {
		where := dbx.Expression(nil)
		switch {
		case c.Name == "users":
			where = dbx.HashExp{"id": e.of.Id}
		case c.Fields.GetByName("user") != nil:
			where = dbx.HashExp{"user": e.of.Id}
		default:
			continue
		}
		rows := []*core.Record{}
		if err := app.RecordQuery(c).AndWhere(where).All(&rows); err != nil {
			app.Fatal(err)
		}
		for _, r := range rows {
			e.ids[c.Name] = append(e.ids[c.Name], r.Id)
		}
	}
	for _, name := range []string{"services", "invoices", "invoice_items", "orders", "order_items", "subscriptions", "payment_methods", "payment_transactions", "ip_assignments", "user_profiles", "ledger_entries", "gateway_customers", "provisioning_logs", "mails", "jobs", "credit_notes", "credit_note_items", "refunds", "credit_balances", "credit_adjustments"} {
		if len(e.ids[name]) == 0 {
			app.Fatalf("%s owns no %s: the crawl would prove nothing", e.of.Email, name)
		}
	}
	return e
}

// correct gives the customer what corrections leave: a credit note, a refund,
// credit, a draft.
func (e *estate) correct(app *testapp.App) {
	app.Helper()
	staff := func(path string, body map[string]any) {
		app.Helper()
		body["key"] = "isolation-" + path
		app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/staff"+path, app.Staff(), body))
	}
	staff("/invoices/"+e.orders[0].Invoice+"/refunds", map[string]any{"reason": "goodwill", "to": "manual", "reference": "bank " + e.of.Id, "lines": []any{map[string]any{"position": 1, "net_minor": 90}}})
	staff("/invoices/"+e.orders[0].Invoice+"/credit-notes", map[string]any{"reason": "goodwill", "lines": []any{map[string]any{"position": 1, "net_minor": 100}}})
	staff("/invoices", map[string]any{"customer": e.of.Id, "lines": []any{map[string]any{"description": "Work", "unit_minor": 100}}})
	e.draft = app.One("invoices", dbx.HashExp{"user": e.of.Id, "status": "draft"}).Id
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/customers/"+e.of.Id+"/credit", app.Staff(), map[string]any{"key": "isolation", "amount_minor": 5, "currency": "EUR", "reason": "goodwill"}))
	app.Quiet()
}

// offer sends a customer a quote.
func offer(app *testapp.App, to *testapp.Person) {
	app.Helper()
	items := []map[string]any{{"price": app.Price("vps-s", "EUR", "monthly").Id, "choices": map[string]string{"template_id": "8"}}}
	quote, err := collections.Insert(app.App, collections.Quotes, map[string]any{"user": to.Id, "title": "An offer", "status": "draft", "currency": "EUR", "items": items})
	if err != nil {
		app.Fatal(err)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/quotes/"+quote.Id+"/send", app.Staff(), map[string]any{}))
}

// mentions returns an id or address of the customer's that a text shows, or "".
func (e *estate) mentions(text string) string {
	if strings.Contains(text, e.of.Email) {
		return e.of.Email
	}
	for name, ids := range e.ids {
		for _, id := range ids {
			if strings.Contains(text, id) {
				return name + " " + id
			}
		}
	}
	return ""
}

// bodies are good inputs for operations that have any, so that a refusal is due
// to the caller and not to the input.
var bodies = map[string]any{
	"services.power":     map[string]string{"action": "restart"},
	"services.rename":    map[string]string{"label": "stolen"},
	"services.reinstall": map[string]string{"image": "9", "confirm": "x"},
	"invoices.pay":       map[string]string{"gateway": "stripe"},

	"subscriptions.payment_method": map[string]string{"method": ""},

	"subscriptions.cancel":          map[string]string{"at": "now", "client_key": "not-yours-1"},
	"subscriptions.changes.create":  map[string]string{"timing": "now", "client_key": "not-yours-1"},
	"subscriptions.changes.preview": map[string]string{"timing": "now"},
	"quotes.accept":                 map[string]any{"gateway": "stripe", "terms": true, "total_minor": 490},
}

func TestOperationsOfCustomersAreTheirsAlone(t *testing.T) {
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), settle(app, "eve")
	app.Quiet()
	before := app.Rows()
	for _, o := range operations(app) {
		if o.access != "customer" {
			continue
		}
		body := bodies[o.id]
		if body == nil && o.method != http.MethodGet {
			body = map[string]any{}
		}
		call := func(token, id string) *testapp.Answer {
			return app.Do(o.method, strings.Replace(o.path, "{id}", id, 1), token, body)
		}
		if !strings.Contains(o.path, "{id}") {
			if r := call("", ""); r.Status != http.StatusUnauthorized {
				t.Errorf("%s by nobody: got %s, want 401", o.id, r)
			}
			if r := call(eve.of.Token, ""); ada.mentions(string(r.Body)) != "" {
				t.Errorf("%s shows somebody else's %s", o.id, ada.mentions(string(r.Body)))
			}
			continue
		}
		kind := strings.ReplaceAll(strings.Split(o.path, "/")[3], "-", "_") // /api/v1/services/…
		own := ada.ids[kind]
		if len(own) == 0 {
			t.Fatalf("%s: the crawl does not know what {id} is; extend it", o.id)
		}
		for _, id := range slices.Concat(own, ada.ids["payment_transactions"], []string{ada.of.Id, "nosuchrecord123", "%27%20OR%201=1", "..%2f..%2fx"}) {
			for who, want := range map[string]int{"": http.StatusUnauthorized, eve.of.Token: http.StatusNotFound, app.Staff(): http.StatusForbidden} {
				r := call(who, id)
				if r.Status != want {
					t.Errorf("%s of %s: got %s, want %d", o.id, id, r, want)
				}
				if who != app.Staff() && ada.mentions(string(r.Body)) != "" {
					t.Errorf("%s of %s shows %s", o.id, id, ada.mentions(string(r.Body)))
				}
			}
		}
		if kind == "invoices" {
			if r := call(ada.of.Token, ada.draft); r.Status != http.StatusNotFound {
				t.Errorf("%s of a draft by its customer: got %s, want 404", o.id, r)
			}
		}
		if o.method == http.MethodGet {
			shown := own[slices.IndexFunc(own, func(id string) bool { return id != ada.draft })]
			if r := call(ada.of.Token, shown); r.Status != http.StatusOK { // or the crawl is blind
				t.Errorf("%s by its owner: got %s, want 200", o.id, r)
			}
		}
	}
	app.Unchanged(before)
	if got := app.Service(ada.orders[0]).GetString("label"); got == "stolen" {
		t.Error("somebody else renamed the service")
	}
}

func TestOperationsOfStaffAreStaffsAlone(t *testing.T) {
	app := testapp.New(t)
	ada := settle(app, "ada")
	before := app.Rows()
	for _, o := range operations(app) {
		if o.access != "staff" {
			continue
		}
		path := strings.Replace(o.path, "{id}", ada.orders[1].Invoice, 1)
		for token, want := range map[string]int{"": http.StatusUnauthorized, ada.of.Token: http.StatusForbidden, "nonsense": http.StatusUnauthorized} {
			r := app.Do(o.method, path, token, map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "mine"})
			if r.Status != want {
				t.Errorf("%s: got %s, want %d", o.id, r, want)
			}
		}
	}
	app.Unchanged(before)
}

// TestNoCollectionShowsOrTakesWhatIsNotYours crawls PocketBase's own record API.
func TestNoCollectionShowsOrTakesWhatIsNotYours(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand requests")
	}
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), settle(app, "eve")
	app.Quiet()
	all, err := app.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	before := app.Rows()
	for _, c := range all {
		base := "/api/collections/" + c.Name + "/records"
		rows := ada.ids[c.Name]
		if len(rows) == 0 { // belongs to nobody: any row will do
			_ = app.DB().NewQuery("SELECT `id` FROM `" + c.Name + "` LIMIT 3").Column(&rows)
		}
		for who, token := range map[string]string{"nobody": "", "another customer": eve.of.Token} {
			for _, query := range []string{"", "?filter=id!=''", "?filter=user!=''", "?filter=user='" + ada.of.Id + "'", "?expand=user,service,invoice,order,subscription,plan,platform", "?filter=created>'2000-01-01'||id!=''"} {
				r := app.Do(http.MethodGet, base+strings.ReplaceAll(query, " ", "%20"), token, nil)
				if found := ada.mentions(string(r.Body)); found != "" && !strings.Contains(query, found) {
					t.Errorf("list of %s%s by %s shows %s", c.Name, query, who, found)
				}
				if r.Status == http.StatusOK && who == "nobody" && r.Int("totalItems") != 0 {
					t.Errorf("list of %s%s by nobody: got %s, want nothing", c.Name, query, r)
				}
			}
			for _, id := range rows {
				one := base + "/" + id
				for _, call := range []struct {
					method string
					body   any
				}{{http.MethodGet, nil}, {http.MethodPatch, map[string]any{"user": eve.of.Id, "status": "active"}}, {http.MethodDelete, nil}} {
					r := app.Do(call.method, one, token, call.body)
					if r.Status < 400 || r.Status >= 500 {
						t.Errorf("%s %s by %s: got %s, want a refusal", call.method, one, who, r)
					}
				}
			}
			r := app.Do(http.MethodPost, base, token, map[string]any{"user": ada.of.Id, "email": "new@customer.test", "password": "long-enough-1", "passwordConfirm": "long-enough-1"})
			if r.Status < 400 || r.Status >= 500 {
				t.Errorf("create in %s by %s: got %s, want a refusal", c.Name, who, r)
			}
		}
	}
	app.Unchanged(before)
}

// TestCustomersReadTheirOwnRowsWithoutSecrets is the other side: the crawl above
// would also pass if nobody could read anything.
func TestCustomersReadTheirOwnRowsWithoutSecrets(t *testing.T) {
	app := testapp.New(t)
	ada := settle(app, "ada")
	readable := []string{"services", "invoices", "invoice_items", "orders", "order_items", "subscriptions", "payment_methods", "ip_assignments", "user_profiles", "users", "credit_notes", "credit_note_items", "refunds", "credit_balances", "credit_adjustments"}
	hidden := map[string]int{"invoices": 1, "invoice_items": 1} // of the draft
	secret := []string{"credentials", "build", "order_settings", "fingerprint", "notes", "ip", "user_agent", "tokenKey", "password", "secret_key"}
	for _, name := range readable {
		r := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/collections/"+name+"/records?perPage=200", ada.of.Token, nil))
		if want := len(ada.ids[name]) - hidden[name]; int(r.Int("totalItems")) != want {
			t.Errorf("%s: the owner sees %d rows, want %d", name, r.Int("totalItems"), want)
		}
		for _, field := range secret {
			if field != "ip" || name == "orders" {
				if strings.Contains(string(r.Body), `"`+field+`":`) {
					t.Errorf("%s shows the field %s to customers", name, field)
				}
			}
		}
		for _, id := range ada.ids[name] { // closed for writing to the owner, too
			for _, method := range []string{http.MethodPatch, http.MethodDelete} {
				if r := app.Do(method, "/api/collections/"+name+"/records/"+id, ada.of.Token, map[string]any{"status": "active"}); r.Status != http.StatusForbidden && r.Status != http.StatusNotFound {
					t.Errorf("%s %s by its owner: got %s, want 403", method, name, r)
				}
			}
		}
	}
}

func TestOtherDoorsAreShut(t *testing.T) {
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), app.Customer("eve")
	scenarios := []struct {
		method, path string
		body         any
	}{
		{"POST", "/api/batch", map[string]any{"requests": []any{map[string]any{"method": "PATCH", "url": "/api/collections/users/records/" + ada.of.Id, "body": map[string]string{"name": "x"}}}}},
		{"POST", "/api/collections/users/impersonate/" + ada.of.Id, map[string]any{}},
		{"GET", "/api/settings", nil},
		{"PATCH", "/api/settings", map[string]any{"meta": map[string]string{"appName": "x"}}},
		{"GET", "/api/collections", nil},
		{"GET", "/api/logs", nil},
		{"GET", "/api/backups", nil},
		{"POST", "/api/backups", map[string]any{}},
		{"GET", "/api/crons", nil},
		{"POST", "/api/sql", map[string]string{"query": "SELECT 1"}},
		{"POST", "/api/collections/_superusers/records", map[string]string{"email": "eve@customer.test", "password": "long-enough-1", "passwordConfirm": "long-enough-1"}},
		{"GET", "/api/files/services/" + ada.ids["services"][0] + "/x.txt", nil},
		{"PATCH", "/api/collections/users/records/" + eve.Id, map[string]any{"status": "active", "currency": "USD", "verified": true}},
	}
	before := app.Rows()
	for _, s := range scenarios {
		for _, token := range []string{"", eve.Token} {
			if r := app.Do(s.method, s.path, token, s.body); r.Status < 400 || r.Status >= 500 {
				t.Errorf("%s %s: got %s, want a refusal", s.method, s.path, r)
			}
		}
	}
	app.Unchanged(before)
}

func TestDownloadLinks(t *testing.T) {
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), settle(app, "eve")
	link := func(e *estate, invoice string) string {
		return app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/invoices/"+invoice, e.of.Token, nil)).Text("pdf_url")
	}
	good := link(ada, ada.orders[0].Invoice)
	r := app.Do(http.MethodGet, good, "", nil)
	if r.Status != http.StatusOK || !strings.HasPrefix(string(r.Body), "%PDF-") {
		t.Fatalf("the link itself: got %d %.20q, want a PDF", r.Status, r.Body)
	}
	path, query, _ := strings.Cut(good, "?")
	foreign := link(eve, eve.orders[0].Invoice)
	_, foreignQuery, _ := strings.Cut(foreign, "?")
	expires, sig, _ := strings.Cut(query, "&")
	bad := map[string]string{
		"no signature":             path,
		"signature of another":     path + "?" + foreignQuery,
		"another invoice":          strings.Replace(good, ada.orders[0].Invoice, ada.orders[1].Invoice, 1),
		"later expiry":             path + "?expires=99999999999&" + sig,
		"expiry in words":          path + "?expires=never&" + sig,
		"no expiry":                path + "?" + sig,
		"signature cut short":      good[:len(good)-2],
		"signature in other hands": path + "?" + expires + "&sig=" + strings.Repeat("0", 64),
		"empty signature":          path + "?" + expires + "&sig=",
	}
	for name, address := range bad {
		r := app.Do(http.MethodGet, address, eve.of.Token, nil)
		if r.Status < 400 || r.Status >= 500 || strings.Contains(string(r.Body), "%PDF") {
			t.Errorf("%s: got %d, want a refusal", name, r.Status)
		}
	}
	app.Clock().Advance(31 * time.Minute)
	if r := app.Do(http.MethodGet, good, "", nil); r.Status < 400 {
		t.Errorf("an old link: got %d, want a refusal", r.Status)
	}
}
