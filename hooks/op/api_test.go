package op_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/ezscale/ezscale/internal/testapp"
)

// document loads the product's own description of itself.
func document(app *testapp.App) *openapi3.T {
	app.Helper()
	r := app.Want(http.StatusOK, app.Do(http.MethodGet, "/api/v1/openapi.json", "", nil))
	if v := r.Text("openapi"); v != "3.1.0" {
		app.Fatalf("version %q, want 3.1.0", v)
	}
	doc, err := openapi3.NewLoader().LoadFromData(r.Body)
	if err != nil {
		app.Fatalf("the document cannot be read: %v", err)
	}
	return doc
}

func TestTheDescriptionIsValid(t *testing.T) {
	app := testapp.New(t)
	doc := document(app)
	if err := doc.Validate(context.Background()); err != nil {
		t.Errorf("invalid: %v", err)
	}
	matrix, _ := app.Do(http.MethodGet, "/api/v1/staff/permissions", app.Staff(), nil).Value().([]any)
	described := 0
	for _, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			described++
			if o.OperationID == "" || o.Summary == "" {
				t.Errorf("an operation has no id or no summary: %+v", o)
			}
		}
	}
	if described != len(matrix) {
		t.Errorf("%d operations are described, the matrix has %d", described, len(matrix))
	}
}

// TestAnswersFitTheirDescription calls what can be called after a purchase and
// compares the answers, member by member, with the document.
func TestAnswersFitTheirDescription(t *testing.T) {
	app := testapp.New(t)
	doc := document(app)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Plan: "vps-m"})
	open := app.Order(ada, testapp.Cart{Gateway: "manual"})
	reason := map[string]any{"key": "described", "reason": "goodwill", "lines": []any{map[string]any{"position": 1, "net_minor": 90}}}
	note := app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+o.Invoice+"/credit-notes", app.Staff(), reason)).Text("id")
	manual := map[string]any{"key": "described", "customer": ada.Id, "lines": []any{map[string]any{"description": "Work", "unit_minor": 1000, "period_start": "2026-01-01", "period_end": "2026-02-01"}}}
	draft := app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/staff/invoices", app.Staff(), manual)).Text("id")
	app.Quiet()
	service, item := o.Services[0], app.Body(testapp.Cart{})["items"]
	calls := []struct {
		method, path, concrete, token string
		body                          any
	}{
		{"GET", "/api/v1/config", "", "", nil},
		{"POST", "/api/v1/invoices/{id}/apply-credit", "/api/v1/invoices/" + open.Invoice + "/apply-credit", ada.Token, map[string]any{"amount_minor": 1}},
		{"GET", "/api/v1/catalog", "/api/v1/catalog?currency=EUR", "", nil},
		{"POST", "/api/v1/orders/quote", "", "", map[string]any{"currency": "EUR", "items": item}},
		{"POST", "/api/v1/orders", "", ada.Token, app.Body(testapp.Cart{})},
		{"GET", "/api/v1/orders", "", ada.Token, nil},
		{"GET", "/api/v1/orders/{id}", "/api/v1/orders/" + o.ID, ada.Token, nil},
		{"POST", "/api/v1/orders/{id}/check", "/api/v1/orders/" + open.ID + "/check", ada.Token, map[string]any{}},
		{"GET", "/api/v1/invoices", "", ada.Token, nil},
		{"GET", "/api/v1/invoices/{id}", "/api/v1/invoices/" + o.Invoice, ada.Token, nil},
		{"POST", "/api/v1/invoices/{id}/pay", "/api/v1/invoices/" + open.Invoice + "/pay", ada.Token, map[string]string{"gateway": "manual"}},
		{"GET", "/api/v1/services", "", ada.Token, nil},
		{"GET", "/api/v1/services/{id}", "/api/v1/services/" + service, ada.Token, nil},
		{"PATCH", "/api/v1/services/{id}", "/api/v1/services/" + service, ada.Token, map[string]string{"label": "x"}},
		{"POST", "/api/v1/services/{id}/power", "/api/v1/services/" + service + "/power", ada.Token, map[string]string{"action": "restart"}},
		{"POST", "/api/v1/services/{id}/credentials", "/api/v1/services/" + service + "/credentials", ada.Token, map[string]any{}},
		{"GET", "/api/v1/payment-methods", "", ada.Token, nil},
		{"GET", "/api/v1/me", "", ada.Token, nil},
		{"PATCH", "/api/v1/me", "", ada.Token, map[string]any{"name": "Ada"}},
		{"GET", "/api/v1/staff/permissions", "", app.Staff(), nil},
		{"GET", "/api/v1/credit", "", ada.Token, nil},
		{"POST", "/api/v1/credit/top-ups", "", ada.Token, map[string]any{"client_key": "described", "amount_minor": 100, "gateway": "manual"}},
		{"GET", "/api/v1/credit-notes", "", ada.Token, nil},
		{"GET", "/api/v1/credit-notes/{id}", "/api/v1/credit-notes/" + note, ada.Token, nil},
		{"GET", "/api/v1/statement", "", ada.Token, nil},
		{"POST", "/api/v1/invoices/pay", "", ada.Token, map[string]any{"invoices": []string{open.Invoice}, "gateway": "manual"}},
		{"GET", "/api/v1/staff/invoices/{id}", "/api/v1/staff/invoices/" + draft, app.Staff(), nil},
		{"PUT", "/api/v1/staff/invoices/{id}", "/api/v1/staff/invoices/" + draft, app.Staff(), map[string]any{"lines": manual["lines"]}},
		{"POST", "/api/v1/staff/invoices", "", app.Staff(), manual},
		{"POST", "/api/v1/staff/invoices/{id}/issue", "/api/v1/staff/invoices/" + draft + "/issue", app.Staff(), nil},
		{"POST", "/api/v1/staff/invoices/{id}/correct", "/api/v1/staff/invoices/" + draft + "/correct", app.Staff(), map[string]any{"key": "described", "reason": "wrong"}},
		{"POST", "/api/v1/staff/invoices/{id}/refunds", "/api/v1/staff/invoices/" + o.Invoice + "/refunds", app.Staff(), map[string]any{"key": "described", "reason": "goodwill", "to": "manual", "reference": "bank-1"}},
		{"GET", "/api/v1/staff/customers/{id}/credit", "/api/v1/staff/customers/" + ada.Id + "/credit", app.Staff(), nil},
		{"GET", "/api/v1/staff/customers/{id}/statement", "/api/v1/staff/customers/" + ada.Id + "/statement", app.Staff(), nil},
		{"GET", "/api/v1/staff/unmatched-payments", "", app.Staff(), nil},
	}
	for _, c := range calls {
		concrete := c.concrete
		if concrete == "" {
			concrete = c.path
		}
		answer := app.Do(c.method, concrete, c.token, c.body)
		operation := doc.Paths.Value(c.path).GetOperation(c.method)
		described := operation.Responses.Status(answer.Status)
		if described == nil {
			t.Errorf("%s %s answered %s, which is not described", c.method, c.path, answer)
			continue
		}
		schema := described.Value.Content.Get("application/json").Schema
		if fault := fits(doc, "answer", schema, answer.Value()); fault != "" {
			t.Errorf("%s %s: %s", c.method, c.path, fault)
		}
	}
}

// fits compares a JSON value with a schema strictly: members that are not
// described are faults, too.
func fits(doc *openapi3.T, at string, ref *openapi3.SchemaRef, v any) string {
	s := ref.Value
	if len(s.AnyOf) > 0 {
		if v == nil {
			return ""
		}
		return fits(doc, at, s.AnyOf[0], v)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.AdditionalProperties.Schema != nil {
			for k, m := range v {
				if fault := fits(doc, at+"."+k, s.AdditionalProperties.Schema, m); fault != "" {
					return fault
				}
			}
			return ""
		}
		for _, name := range s.Required {
			if _, there := v[name]; !there {
				return fmt.Sprintf("%s lacks %s", at, name)
			}
		}
		for k, m := range v {
			if s.Properties[k] == nil {
				return fmt.Sprintf("%s.%s is not described", at, k)
			}
			if fault := fits(doc, at+"."+k, s.Properties[k], m); fault != "" {
				return fault
			}
		}
	case []any:
		if !s.Type.Is("array") {
			return fmt.Sprintf("%s is a list, described as %v", at, s.Type)
		}
		for i, m := range v {
			if fault := fits(doc, fmt.Sprintf("%s.%d", at, i), s.Items, m); fault != "" {
				return fault
			}
		}
	case string:
		if !s.Type.Is("string") {
			return fmt.Sprintf("%s is text, described as %v", at, s.Type)
		}
	case bool:
		if !s.Type.Is("boolean") {
			return fmt.Sprintf("%s is %t, described as %v", at, v, s.Type)
		}
	case float64:
		if !s.Type.Is("integer") || v != float64(int64(v)) {
			return fmt.Sprintf("%s is %v, described as %v", at, v, s.Type)
		}
	case nil:
		return at + " is null, which is not described"
	}
	return ""
}

func TestEveryRefusalBelowOurPrefixIsAProblem(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	scenarios := []struct {
		name, method, path, token string
		body                      any
		status                    int
		code, field               string
	}{
		{"unknown path", "GET", "/api/v1/nothing", "", nil, 404, "not_found", ""},
		{"unknown path, signed in", "POST", "/api/v1/orders/x/y/z", ada.Token, map[string]any{}, 404, "not_found", ""},
		{"wrong method", "DELETE", "/api/v1/orders", ada.Token, nil, 404, "not_found", ""},
		{"not signed in", "GET", "/api/v1/me", "", nil, 401, "unauthorized", ""},
		{"not staff", "GET", "/api/v1/staff/permissions", ada.Token, nil, 403, "forbidden", ""},
		{"not JSON", "PATCH", "/api/v1/me", ada.Token, "name=x", 400, "malformed", ""},
		{"cut off", "PATCH", "/api/v1/me", ada.Token, `{"name": "x`, 400, "malformed", ""},
		{"two documents", "PATCH", "/api/v1/me", ada.Token, `{} {}`, 400, "malformed", ""},
		{"a list", "PATCH", "/api/v1/me", ada.Token, `[]`, 400, "malformed", ""},
		{"unknown member", "PATCH", "/api/v1/me", ada.Token, `{"naem": "x"}`, 400, "malformed", "naem"},
		{"unknown member inside", "PATCH", "/api/v1/me", ada.Token, `{"profile": {"zip": "x"}}`, 400, "malformed", "profile.zip"},
		{"doubled member", "PATCH", "/api/v1/me", ada.Token, `{"name": "a", "name": "b"}`, 400, "malformed", ""},
		{"wrong type", "PATCH", "/api/v1/me", ada.Token, `{"name": 1}`, 400, "malformed", "name"},
		{"not Unicode", "PATCH", "/api/v1/me", ada.Token, "{\"name\": \"\xff\"}", 400, "malformed", ""},
		{"unknown time zone", "PATCH", "/api/v1/me", ada.Token, `{"time_zone": "Mars/Base"}`, 422, "invalid", "time_zone"},
		{"time zone that is a path", "PATCH", "/api/v1/me", ada.Token, `{"time_zone": "../../etc/passwd"}`, 422, "invalid", "time_zone"},
		{"unknown currency", "GET", "/api/v1/catalog?currency=XXX", "", nil, 422, "invalid", "currency"},
		{"page in words", "GET", "/api/v1/invoices?page=two", ada.Token, nil, 422, "invalid", "page"},
		{"unknown status", "GET", "/api/v1/invoices?status=late", ada.Token, nil, 422, "invalid", "status"},
	}
	references := map[string]bool{}
	for _, s := range scenarios {
		r := app.Do(s.method, s.path, s.token, s.body)
		if r.Status != s.status || r.Code() != s.code {
			t.Errorf("%s: got %s, want %d %s", s.name, r, s.status, s.code)
		}
		if s.field != "" && (len(r.Fields()) != 1 || r.Fields()[0] != s.field) {
			t.Errorf("%s: got fields %v, want %s", s.name, r.Fields(), s.field)
		}
		if r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: type %q, caching %q", s.name, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"))
		}
		problem := map[string]any{}
		if err := json.Unmarshal(r.Body, &problem); err != nil || problem["title"] == "" || problem["detail"] == "" || problem["type"] != "about:blank" || problem["errors"] == nil {
			t.Errorf("%s: not a whole problem: %s", s.name, r)
		}
		if strings.Contains(string(r.Body), "github.com") || strings.Contains(string(r.Body), "struct") {
			t.Errorf("%s: the answer shows our code: %s", s.name, r)
		}
		references[r.Text("reference")] = true
	}
	if len(references) != len(scenarios) {
		t.Errorf("%d references for %d problems", len(references), len(scenarios))
	}
}

func TestTooManyRequestsIsAProblem(t *testing.T) {
	app := testapp.New(t, testapp.RateLimits())
	for range 1000 {
		r := app.Do(http.MethodGet, "/api/v1/config", "", nil)
		if r.Status == http.StatusOK {
			continue
		}
		if r.Status != http.StatusTooManyRequests || r.Code() != "too_many_requests" || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("got %s as %s, want a problem with 429", r, r.Header.Get("Content-Type"))
		}
		return
	}
	t.Error("a thousand requests at once were all answered")
}
