package staff_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/internal/testapp"
)

// closed are the collections whose rows nobody writes through the record API.
var closed = []string{
	"ledger_entries", "audit_logs", "webhook_events", "invoices", "invoice_items", "invoice_series", "orders", "order_items", "subscriptions",
	"gateway_customers", "payment_methods", "ip_assignments", "provisioning_logs", "jobs", "mails",
}

func TestStaffCannotWriteWhatTheProductWrites(t *testing.T) {
	app := testapp.New(t)
	app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	before := app.Rows()
	for _, name := range append(closed, collections.PaymentTransactions) {
		base := "/api/collections/" + name + "/records"
		row := app.One(name, dbx.HashExp{})
		if r := app.Do(http.MethodPatch, base+"/"+row.Id, app.Staff(), map[string]any{"user": "x", "amount_minor": 1}); r.Status != http.StatusForbidden || r.Text("message") == "" {
			t.Errorf("update of %s: got %s, want 403 with a reason", name, r)
		}
		if r := app.Do(http.MethodDelete, base+"/"+row.Id, app.Staff(), nil); r.Status != http.StatusForbidden {
			t.Errorf("delete of %s: got %s, want 403", name, r)
		}
		if r := app.Do(http.MethodPost, base, app.Staff(), map[string]any{}); r.Status != http.StatusForbidden && r.Status != http.StatusBadRequest {
			t.Errorf("create of %s: got %s, want 403 or 400", name, r)
		}
	}
	app.Unchanged(before)
}

func TestTheDatabaseRefusesWhatBooksForbid(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	open := app.Order(ada, testapp.Cart{})
	app.Quiet()
	statements := map[string]string{
		"change the total of an issued invoice":   "UPDATE invoices SET total_minor = 1",
		"change the number of an issued invoice":  "UPDATE invoices SET number = 'X'",
		"change the buyer of an issued invoice":   "UPDATE invoices SET buyer = '{}'",
		"give an issued invoice to another":       "UPDATE invoices SET user = 'x'",
		"date an issued invoice back":             "UPDATE invoices SET issued_at = '2020-01-01 00:00:00.000Z'",
		"make an issued invoice a draft again":    "UPDATE invoices SET status = 'draft' WHERE status = 'paid'",
		"void a paid invoice":                     "UPDATE invoices SET status = 'void' WHERE status = 'paid'",
		"reopen a paid invoice":                   "UPDATE invoices SET status = 'open' WHERE status = 'paid'",
		"delete an issued invoice":                "DELETE FROM invoices",
		"change an issued line":                   "UPDATE invoice_items SET amount_minor = 1",
		"delete an issued line":                   "DELETE FROM invoice_items",
		"move an issued line":                     "UPDATE invoice_items SET invoice = '" + open.Invoice + "'",
		"add a line to an issued invoice":         "INSERT INTO invoice_items (id, invoice, position, kind) SELECT 'new000000000001', id, 99, 'setup' FROM invoices LIMIT 1",
		"change the ledger":                       "UPDATE ledger_entries SET amount_minor = 0",
		"delete from the ledger":                  "DELETE FROM ledger_entries",
		"change the audit log":                    "UPDATE audit_logs SET actor = 'nobody'",
		"delete from the audit log":               "DELETE FROM audit_logs",
		"delete a payment":                        "DELETE FROM payment_transactions",
		"change the amount of a received payment": "UPDATE payment_transactions SET amount_minor = 1 WHERE status = 'succeeded'",
		"un-receive a payment":                    "UPDATE payment_transactions SET status = 'failed' WHERE status = 'succeeded'",
		"give a received payment to another":      "UPDATE payment_transactions SET user = 'x' WHERE status = 'succeeded'",
		"sell below zero":                         "UPDATE plans SET stock = -1 WHERE stock_limited",
		"turn a number series back":               "UPDATE invoice_series SET last_seq = last_seq - 1",
		"delete a number series":                  "DELETE FROM invoice_series",
		"replace the ledger":                      "REPLACE INTO ledger_entries SELECT * FROM ledger_entries",
	}
	for what, sql := range statements {
		if err := app.Exec(sql); err == nil {
			t.Errorf("the database let somebody %s", what)
		}
	}
	if err := app.Exec("UPDATE invoices SET status = 'draft' WHERE id = '" + open.Invoice + "'"); err == nil {
		t.Error("the database let an open invoice become a draft, which could then be edited")
	}
}

func TestOurOwnCodeCannotEither(t *testing.T) {
	app := testapp.New(t)
	app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	changes := map[string]map[string]any{
		"invoices":             {"total_minor": 1},
		"invoice_items":        {"amount_minor": 1},
		"ledger_entries":       {"amount_minor": 1},
		"audit_logs":           {"actor": "nobody"},
		"payment_transactions": {"amount_minor": 1},
	}
	for name, change := range changes {
		r := app.One(name, dbx.HashExp{})
		if name == "payment_transactions" {
			r = app.One(name, dbx.HashExp{"status": "succeeded"})
		}
		r.Load(change)
		if err := app.Save(r); err == nil {
			t.Errorf("%s: a change was saved", name)
		}
		if err := app.Delete(app.One(name, dbx.HashExp{"id": r.Id})); err == nil {
			t.Errorf("%s: a row was deleted", name)
		}
	}
	user := app.One("users", dbx.HashExp{})
	if err := app.Delete(user); err == nil || !strings.Contains(err.Error(), "never deleted") {
		t.Errorf("deleting a customer with invoices: got %v, want a refusal", err)
	}
}

func TestTheSQLConsole(t *testing.T) {
	query := map[string]any{"query": "SELECT 1"}
	t.Run("is closed", func(t *testing.T) {
		app := testapp.New(t)
		for _, path := range []string{"/api/sql", "/api/sql/", "//api/sql", "/api/./sql"} {
			r := app.Do(http.MethodPost, path, app.Staff(), query)
			if r.Status < 300 {
				t.Errorf("%s: got %s, want a refusal", path, r)
			}
		}
		if r := app.Do(http.MethodPost, "/api/sql", app.Staff(), query); r.Status != http.StatusForbidden || !strings.Contains(r.Text("message"), "--sql-console") {
			t.Errorf("got %s, want 403 that names the flag", r)
		}
	})
	t.Run("opens by the flag, for staff alone", func(t *testing.T) {
		app := testapp.New(t, testapp.SQLConsole())
		if r := app.Do(http.MethodPost, "/api/sql", app.Staff(), query); r.Status != http.StatusOK {
			t.Errorf("staff: got %s, want 200", r)
		}
		if r := app.Do(http.MethodPost, "/api/sql", app.Customer("ada").Token, query); r.Status != http.StatusForbidden {
			t.Errorf("customer: got %s, want 403", r)
		}
	})
}

func TestTheAuditChainShowsTampering(t *testing.T) {
	tampering := map[string]string{
		"a changed row":             "UPDATE audit_logs SET actor = 'nobody' WHERE seq = 2",
		"a removed row":             "DELETE FROM audit_logs WHERE seq = 2",
		"a removed row, renumbered": "DELETE FROM audit_logs WHERE seq = 2; UPDATE audit_logs SET seq = seq - 1 WHERE seq > 2",
		"a swapped time":            "UPDATE audit_logs SET at = '2020-01-01 00:00:00.000Z' WHERE seq = 2",
	}
	for name, sql := range tampering {
		t.Run(name, func(t *testing.T) {
			app := testapp.New(t, testapp.Unchecked())
			ada := app.Customer("ada")
			for range 4 {
				app.Order(ada, testapp.Cart{Gateway: "manual"})
			}
			if broken, err := audit.Verify(app.DB()); broken != 0 || err != nil {
				t.Fatalf("before: row %d, %v; want an unbroken chain", broken, err)
			}
			for _, statement := range append([]string{"DROP TRIGGER guard_audit_logs_UPDATE", "DROP TRIGGER guard_audit_logs_DELETE"}, strings.Split(sql, ";")...) {
				if err := app.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
			if broken, err := audit.Verify(app.DB()); broken != 2 || err != nil {
				t.Errorf("after: row %d, %v; want row 2", broken, err)
			}
		})
	}
}

func TestCatalogMistakesAreRefusedInWords(t *testing.T) {
	app := testapp.New(t)
	used := app.Order(app.Customer("ada"), testapp.Cart{})
	plan, price := app.Plan("vps-s").Id, app.Price("vps-s", "EUR", "monthly").Id
	scenarios := []struct {
		name, collection, id string
		fields               map[string]any
		word                 string
	}{
		{"choices that are no list", "plans", plan, map[string]any{"choices": map[string]string{"a": "b"}}, "choices"},
		{"choice without options", "plans", plan, map[string]any{"choices": []any{map[string]any{"name": "x", "label": "X"}}}, "option"},
		{"features with words", "plans", plan, map[string]any{"features": map[string]string{"ram_mb": "much"}}, "features"},
		{"settings with a list", "plans", plan, map[string]any{"platform_settings": map[string]any{"package_id": []int{1}}}, "package_id"},
		{"slug with a space", "plans", plan, map[string]any{"slug": "my plan"}, "slug"},
		{"amount of a price in use", "plan_prices", price, map[string]any{"amount_minor": 1}, "amount_minor"},
		{"currency of a price in use", "plan_prices", price, map[string]any{"currency": "USD"}, "currency"},
		{"unknown currency", "plan_prices", app.Price("colo", "EUR", "monthly").Id, map[string]any{"currency": "XXY"}, "currency"},
		{"negative amount", "plan_prices", app.Price("colo", "EUR", "monthly").Id, map[string]any{"amount_minor": -1}, "amount_minor"},
		{"amount with decimals", "plan_prices", app.Price("colo", "EUR", "monthly").Id, map[string]any{"amount_minor": 4.99}, "amount_minor"},
		{"amount past every bound", "plan_prices", app.Price("colo", "EUR", "monthly").Id, map[string]any{"amount_minor": 1e15}, "amount_minor"},
		{"a setting that is not known", "settings", app.One("settings", dbx.HashExp{"key": "seller"}).Id, map[string]any{"key": "hue"}, "hue"},
		{"a setting with a mistyped member", "settings", app.One("settings", dbx.HashExp{"key": "seller"}).Id, map[string]any{"value": map[string]string{"naem": "x"}}, "seller"},
	}
	for _, s := range scenarios {
		r := app.Do(http.MethodPatch, "/api/collections/"+s.collection+"/records/"+s.id, app.Staff(), s.fields)
		if r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(string(r.Body)), s.word) {
			t.Errorf("%s: got %s, want 400 that names %s", s.name, r, s.word)
		}
	}
	if got := used.Answer.Int("order.total.minor"); got != 490 {
		t.Errorf("total: got %d, want 490", got)
	}
}

func TestEditsOfStaffAreAudited(t *testing.T) {
	app := testapp.New(t)
	o := app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	price := app.Price("colo", "EUR", "monthly")
	platform := app.One("platforms", dbx.HashExp{"kind": "virtfusion"})
	scenarios := []struct {
		name, method, path string
		body               map[string]any
		action             string
		words              []string
	}{
		{"an amount", http.MethodPatch, "plan_prices/records/" + price.Id, map[string]any{"amount_minor": 5900}, "plan_prices.update", []string{"4900", "5900"}},
		{"a new price", http.MethodPost, "plan_prices/records", map[string]any{"plan": price.GetString("plan"), "currency": "GBP", "cycle": "monthly", "amount_minor": 4321}, "plan_prices.create", []string{"4321", "GBP"}},
		{"a secret, by name alone", http.MethodPatch, "platforms/records/" + platform.Id, map[string]any{"token": "hunter2"}, "platforms.update", []string{`"token":"changed"`}},
		{"another server behind a service", http.MethodPatch, "services/records/" + o.Services[0], map[string]any{"platform_service_id": "999", "steps": []any{}}, "services.update", []string{"999"}},
		{"a deleted price", http.MethodDelete, "plan_prices/records/" + price.Id, nil, "plan_prices.delete", nil},
	}
	for _, s := range scenarios {
		before := app.Count("audit_logs", "")
		r := app.Do(s.method, "/api/collections/"+s.path, app.Staff(), s.body)
		if r.Status >= 300 {
			t.Errorf("%s: got %s", s.name, r)
			continue
		}
		if got := app.Count("audit_logs", "") - before; got != 1 {
			t.Errorf("%s: %d audit rows, want 1", s.name, got)
			continue
		}
		row := app.One("audit_logs", dbx.HashExp{"action": s.action, "seq": before + 1})
		changes := row.GetString("changes")
		for _, w := range s.words {
			if row.GetString("actor_kind") != "staff" || !strings.Contains(changes, w) {
				t.Errorf("%s: %s wrote %s, want %s", s.name, row.GetString("actor_kind"), changes, w)
			}
		}
		if strings.Contains(changes, "hunter2") || strings.Contains(changes, "steps") {
			t.Errorf("%s: the log says %s", s.name, changes)
		}
	}
	svc := app.Service(o)
	stray := map[string]any{"user": svc.GetString("user"), "subscription": svc.GetString("subscription"), "plan": svc.GetString("plan"), "platform": svc.GetString("platform"), "service_type": "dedicated", "status": "active"}
	if r := app.Do(http.MethodPost, "/api/collections/services/records", app.Staff(), stray); r.Status != http.StatusForbidden {
		t.Errorf("a service without an order: got %s, want 403", r)
	}
}

// TestStaffCannotEditWhatASubscriptionPays: plan, price and periods change by their
// operations alone, so that they are billed and told.
func TestStaffCannotEditWhatASubscriptionPays(t *testing.T) {
	app := testapp.New(t)
	app.Buy(app.Customer("ada"), testapp.Cart{})
	app.Quiet()
	sub, before := app.One(collections.Subscriptions, dbx.HashExp{}), app.Rows()
	for field, value := range map[string]any{
		"plan": app.Plan("vps-m").Id, "price": app.Price("vps-m", "EUR", "monthly").Id, "amount_minor": 1, "cap_minor": 1, "cycle": "annual", "anchor": "2030-01-01 00:00:00.000Z",
		"current_period_start": "2030-01-01 00:00:00.000Z", "current_period_end": "2030-01-01 00:00:00.000Z", "next_period": 99, "next_invoice_at": "", "discounts": []any{}, "status": "cancelled", "access": "open", "user": "x",
	} {
		r := app.Do(http.MethodPatch, "/api/collections/subscriptions/records/"+sub.Id, app.Staff(), map[string]any{field: value})
		if r.Status != http.StatusForbidden || r.Text("message") == "" {
			t.Errorf("%s: got %s, want 403 with a reason", field, r)
		}
	}
	app.Unchanged(before)
}
