package invoices_test

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/document/einvoice"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestAnInvoiceExplainsItself(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	id := d.invoice(ada,
		map[string]any{"description": "Consulting", "quantity": 3, "unit_minor": 1000, "period_start": "2026-01-01", "period_end": "2026-02-01", "note": "ticket 7"},
		map[string]any{"description": "Because of the outage", "unit_minor": -500, "discount_of": 1},
	)
	d.transfer(id, 1000, "bank-1")
	v := d.show(ada, id)
	same(t, "subtotal", v.Int("subtotal.minor"), 2500)
	same(t, "tax", v.Int("tax.minor"), 475)
	same(t, "paid", v.Int("paid.minor"), 1000)
	same(t, "due", v.Int("due.minor"), 1975)
	same(t, "kind", v.Text("kind"), "manual")
	same(t, "rate", v.Int("taxes.0.rate_ppm"), 190_000)
	same(t, "base", v.Int("taxes.0.base.minor"), 2500)
	same(t, "tax row", v.Int("taxes.0.tax.minor"), 475)
	same(t, "quantity", v.Int("lines.0.quantity"), 3)
	same(t, "unit price", v.Int("lines.0.unit_price.minor"), 1000)
	same(t, "period", v.Text("lines.0.period.start"), "2026-01-01T00:00:00Z")
	same(t, "note", v.Text("lines.0.detail.note"), "ticket 7")
	same(t, "discount of", v.Int("lines.1.parent"), 1)
	same(t, "payments", v.Len("payments"), 1)
	d.file(v.Text("pdf_url"), "%PDF-")
	if faults, err := einvoice.Check([]byte(d.file(v.Text("xml_url"), "<?xml"))); err != nil || len(faults) > 0 {
		t.Errorf("the XML breaks %v (%v)", faults, err)
	}
}

func TestListOfInvoices(t *testing.T) {
	d := begin(t)
	ada, eve := d.Customer("ada"), d.Customer("eve")
	d.invoice(eve, line("Secret work", 1, 100))
	d.Clock().Advance(time.Hour)
	first := d.invoice(ada, line("Housing", 1, 1000))
	paid := d.invoice(ada, line("Network cables", 2, 500))
	d.transfer(paid, 1000, "bank-1")
	void := d.invoice(ada, line("By mistake", 1, 7700))
	d.Want(http.StatusOK, d.staff("/invoices/"+void+"/void", map[string]any{"reason": "typed twice"}))
	d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("Draft", 1, 1)}}))
	today := d.Clock().Now().UTC().Format(time.DateOnly)
	tomorrow := d.Clock().Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	number := d.show(ada, first).Text("number")
	scenarios := []struct {
		name, query string
		want        int
	}{
		{"all, without drafts", "", 3},
		{"open", "status=open", 1},
		{"paid", "status=paid", 1},
		{"void", "status=void", 1},
		{"overdue", "status=overdue", 0},
		{"by number", "text=" + strings.ToLower(number), 1},
		{"by what is on a line", "text=CABLES", 1},
		{"by nothing that is there", "text=secret", 0},
		{"by a percent sign", "text=%25", 0},
		{"from today", "from=" + today, 3},
		{"until today, which is not in it", "to=" + today, 0},
		{"today alone", "from=" + today + "&to=" + tomorrow, 3},
		{"second page", "per_page=2&page=2", 3},
	}
	for _, s := range scenarios {
		r := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/invoices?"+s.query, ada.Token, nil))
		if got := int(r.Int("total_items")); got != s.want {
			t.Errorf("%s: got %d invoices, want %d", s.name, got, s.want)
		}
	}
	for name, query := range map[string]string{"status": "status=draft", "from": "from=31.01.2026", "to": "to=2026-02-30", "text": "text=" + strings.Repeat("x", 101)} {
		if r := d.Do(http.MethodGet, "/api/v1/invoices?"+query, ada.Token, nil); r.Status != http.StatusUnprocessableEntity || len(r.Fields()) != 1 || r.Fields()[0] != name {
			t.Errorf("%s: got %s, want 422 for %s", query, r, name)
		}
	}
	d.Clock().Advance(30 * 24 * time.Hour)
	if r := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/invoices?status=overdue", ada.Token, nil)); r.Int("total_items") != 1 {
		t.Errorf("overdue after a month: got %s, want one", r)
	}
}

// TestE5TheLastDayIsInTheReport: what happened in the last second of the last day
// belongs to the time asked for, and not to the next one.
func TestE5TheLastDayIsInTheReport(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	midnight := d.Clock().Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 3)
	d.until(midnight.Add(-90 * time.Second))
	id := d.invoice(ada, line("On the last day", 1, 1000))
	first, next := midnight.AddDate(0, 0, -1).Format(time.DateOnly), midnight.Format(time.DateOnly)
	read := func(from, to string) *testapp.Answer {
		return d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/statement?from="+from+"&to="+to, ada.Token, nil))
	}
	with := read(first, next)
	same(t, "rows of the day", with.Len("rows"), 1)
	same(t, "closing", with.Int("closing.minor"), 1000)
	d.until(midnight.Add(time.Second))
	d.transfer(id, 400, "bank-1")
	same(t, "rows of the day, after midnight", read(first, next).Len("rows"), 1)
	after := read(next, midnight.AddDate(0, 0, 1).Format(time.DateOnly))
	same(t, "rows of the next day", after.Len("rows"), 1)
	same(t, "opening of the next day", after.Int("opening.minor"), 1000)
	same(t, "closing of the next day", after.Int("closing.minor"), 600)
	same(t, "invoices of the day", d.Do(http.MethodGet, "/api/v1/invoices?from="+first+"&to="+next, ada.Token, nil).Int("total_items"), 1)
}

func TestTheStatementRunsThroughEverything(t *testing.T) {
	d := begin(t, german)
	d.keepCredit()
	ada := d.Customer("ada")
	paid := d.invoice(ada, line("Server", 1, 10_000)) // 119.00
	d.transfer(paid, 13_000, "bank-1")                // 11.00 too much
	d.Want(http.StatusCreated, d.staff("/invoices/"+paid+"/credit-notes", map[string]any{"reason": "=HYPERLINK(1)", "lines": []any{map[string]any{"position": 1, "net_minor": 1000}}}))
	open := d.invoice(ada, line("Disk", 1, 1000)) // 11.90
	d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/invoices/"+open+"/apply-credit", ada.Token, map[string]any{"amount_minor": 190}))
	d.give(ada, 500)
	gone := d.invoice(ada, line("By mistake", 1, 100))
	d.Want(http.StatusOK, d.staff("/invoices/"+gone+"/void", map[string]any{"reason": "typed twice"}))
	d.Want(http.StatusOK, d.staff("/invoices/"+open+"/write-off", map[string]any{"reason": "not worth it"}))
	d.Want(http.StatusCreated, d.staff("/customers/"+ada.Id+"/refunds", map[string]any{"amount_minor": 1100, "currency": "EUR", "to": "manual", "reference": "bank-2", "reason": "sent back"}))
	v := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/statement", ada.Token, nil))
	kinds := []string{}
	balance := v.Int("opening.minor")
	for i := range v.Len("rows") {
		at := "rows." + string(rune('0'+i)) + "."
		kinds = append(kinds, v.Text(at+"kind"))
		balance += v.Int(at+"debit.minor") - v.Int(at+"credit.minor")
		same(t, "balance after row "+at, v.Int(at+"balance.minor"), balance)
	}
	if got, want := strings.Join(kinds, " "), "invoice payment creditnote invoice adjustment invoice void writeoff refund"; got != want {
		t.Errorf("rows are %s, want %s", got, want)
	}
	// Owed is nothing; in the customer's favor: 11.00 + 11.90 − 1.90 + 5.00 − 11.00.
	same(t, "closing", v.Int("closing.minor"), -(1100 + 1190 - 190 + 500 - 1100))
	same(t, "credit", d.credit(ada), -v.Int("closing.minor"))
	d.file(v.Text("pdf_url"), "%PDF-")
	rows, err := csv.NewReader(bytes.NewReader([]byte(d.file(v.Text("csv_url"), "date,kind")))).ReadAll()
	if err != nil || len(rows) != v.Len("rows")+3 {
		t.Fatalf("the CSV has %d rows (%v), want %d", len(rows), err, v.Len("rows")+3)
	}
	if last := rows[len(rows)-1]; last[6] != "-15.00" {
		t.Errorf("the CSV closes with %v, want -15.00", last)
	}
	if r := d.Do(http.MethodGet, strings.Replace(v.Text("csv_url"), "customer="+ada.Id, "customer="+d.Customer("eve").Id, 1), "", nil); r.Status != http.StatusNotFound {
		t.Errorf("a link for another customer: got %d, want 404", r.Status)
	}
}

func TestBadTimesOfAStatement(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	for name, query := range map[string]string{
		"no currency anywhere": "", "unknown currency": "currency=XXQ", "lower case": "currency=eur", "a day that is none": "currency=EUR&from=2026-02-29", "turned around": "currency=EUR&from=2026-02-02&to=2026-02-01",
		"no time at all": "currency=EUR&from=2026-02-01&to=2026-02-01", "centuries": "currency=EUR&from=0001-01-01&to=2026-02-01",
	} {
		if r := d.Do(http.MethodGet, "/api/v1/statement?"+query, ada.Token, nil); r.Status != http.StatusUnprocessableEntity || len(r.Fields()) == 0 {
			t.Errorf("%s: got %s, want 422 with a field", name, r)
		}
	}
}
