package invoices_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

func TestWhatCannotBePaidTogether(t *testing.T) {
	d := begin(t)
	ada, eve := d.Customer("ada"), d.Customer("eve")
	open := d.invoice(ada, line("Work", 1, 100))
	foreign := d.invoice(eve, line("Work", 1, 100))
	paid := d.invoice(ada, line("Work", 1, 100))
	d.transfer(paid, 100, "bank-1")
	draft := d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("x", 1, 1)}})).Text("id")
	topUp := d.Want(http.StatusCreated, d.Do(http.MethodPost, "/api/v1/credit/top-ups", ada.Token, map[string]any{"client_key": "my-top-up", "amount_minor": 100, "gateway": "manual"})).Text("invoice.id")
	scenarios := []struct {
		name   string
		body   map[string]any
		status int
	}{
		{"nothing", map[string]any{"gateway": "stripe"}, http.StatusUnprocessableEntity},
		{"no way to pay", map[string]any{"invoices": []string{open}}, http.StatusUnprocessableEntity},
		{"an unknown way", map[string]any{"invoices": []string{open}, "gateway": "shells"}, http.StatusUnprocessableEntity},
		{"somebody else's", map[string]any{"invoices": []string{open, foreign}, "gateway": "stripe"}, http.StatusNotFound},
		{"a draft", map[string]any{"invoices": []string{open, draft}, "gateway": "stripe"}, http.StatusNotFound},
		{"a paid one", map[string]any{"invoices": []string{open, paid}, "gateway": "stripe"}, http.StatusUnprocessableEntity},
		{"a top-up", map[string]any{"invoices": []string{open, topUp}, "gateway": "stripe"}, http.StatusUnprocessableEntity},
		{"somebody's card", map[string]any{"invoices": []string{open}, "method": "nosuchmethod123"}, http.StatusNotFound},
		{"too many", map[string]any{"invoices": strings.Split(strings.Repeat("x", 51), ""), "gateway": "stripe"}, http.StatusUnprocessableEntity},
	}
	before := d.Rows()
	for _, s := range scenarios {
		if r := d.Do(http.MethodPost, "/api/v1/invoices/pay", ada.Token, s.body); r.Status != s.status {
			t.Errorf("%s: got %s, want %d", s.name, r, s.status)
		}
	}
	d.Unchanged(before)
}

// TestCreditAloneAndByTransfer: credit pays in order as far as it reaches, and a
// transfer for several names them all.
func TestCreditAloneAndByTransfer(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	ada := d.Customer("ada")
	a, b := d.invoice(ada, line("First", 1, 300)), d.invoice(ada, line("Second", 1, 500))
	d.give(ada, 400)
	pay := func(body map[string]any) *testapp.Answer {
		t.Helper()
		body["invoices"] = []string{a, b, a}
		return d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/pay", ada.Token, body))
	}
	first := pay(map[string]any{"credit": true})
	same(t, "spent", first.Int("spent.minor"), 400)
	same(t, "due", first.Int("due.minor"), 400)
	same(t, "first", d.show(ada, a).Text("status"), "paid")
	same(t, "due of the second", d.show(ada, b).Int("due.minor"), 400)
	c := d.invoice(ada, line("Third", 1, 250))
	r := d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/pay", ada.Token, map[string]any{"invoices": []string{b, c}, "gateway": "manual"}))
	same(t, "kind", r.Text("payment.kind"), "instructions")
	same(t, "amount to transfer", r.Text("payment.instructions.0.value"), "EUR 6.50")
	same(t, "reference", r.Text("payment.instructions.1.value"), d.show(ada, b).Text("number")+", "+d.show(ada, c).Text("number"))
}
