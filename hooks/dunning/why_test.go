package dunning_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// why writes an answer as lines such as "+ 2026-03-10 notice 2: …"; days count
// from the due date, a plus is planned.
func (d *debt) why(r *testapp.Answer) string {
	out := strings.Builder{}
	for i := range r.Len("entries") {
		at := func(member string) string { return r.Text(fmt.Sprintf("entries.%d.%s", i, member)) }
		sign, day := " ", "?"
		if at("planned") == "true" {
			sign = "+"
		}
		if when, err := time.Parse(time.RFC3339, at("at")); err == nil {
			day = fmt.Sprintf("%d", int(when.Truncate(24*time.Hour).Sub(d.due).Hours()/24))
		}
		line := fmt.Sprintf("%s %s %s %s", sign, day, at("code"), at("result"))
		if at("hold") != "" {
			line += " [" + at("hold") + "]"
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

func TestWhyTellsWhatWasAndWhatWillBe(t *testing.T) {
	d := owing(t, testapp.CardFailsLater)
	d.day(2)
	svc := d.Service(d.order).Id
	own := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/services/"+svc+"/why", d.ada.Token, nil))
	want := []string{"  0 charge soft", "  1 charge soft", "  1 notice", "+ 3 charge", "+ 3 notice", "+ 5 suspend", "+ 28 final_warning", "+ 35 terminate"}
	got := d.why(own)
	for _, line := range want {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	if own.Text("next_invoice.reason") != "unpaid" || own.Text("next_invoice.text") == "" {
		t.Errorf("next invoice: %s %s, want that it waits for this one", own.Text("next_invoice.reason"), own.Text("next_invoice.text"))
	}
	for i := range own.Len("entries") {
		if text := own.Text(fmt.Sprintf("entries.%d.text", i)); text == "" || strings.ContainsAny(text, "{}⟨⟩") {
			t.Errorf("entry %d says %q", i, text)
		}
	}
	staff := d.staff(http.StatusOK, http.MethodGet, "services/"+svc+"/why", nil)
	bySub := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/subscriptions/"+own.Text("subscription")+"/why", d.ada.Token, nil))
	if string(bySub.Body) != string(own.Body) || d.why(staff) != got {
		t.Errorf("the same story by subscription, and for staff:\n%s\n%s", bySub, d.why(staff))
	}
}

func TestWhyForetellsTheNextInvoice(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	d.day(0)
	if err := d.Exec("UPDATE `users` SET `locale` = 'de'"); err != nil {
		t.Fatal(err)
	}
	r := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/services/"+d.Service(d.order).Id+"/why", d.ada.Token, nil))
	if r.Text("next_invoice.reason") != "" || r.Int("next_invoice.total.minor") != 490 {
		t.Errorf("next invoice: %s", r)
	}
	foretold, err := time.Parse(time.RFC3339, r.Text("next_invoice.at"))
	if err != nil {
		t.Fatal(err)
	}
	story, due := d.why(r), d.due
	if next, err := time.Parse(time.RFC3339, r.Text("next_invoice.due_at")); err == nil {
		due = next.Truncate(24 * time.Hour)
	}
	month := int(due.Sub(d.due).Hours() / 24)
	for _, line := range []string{
		"  0 paid", "  0 charge succeeded", fmt.Sprintf("+ %d reminder", month-7), fmt.Sprintf("+ %d charge", month), fmt.Sprintf("+ %d suspend", month+5), fmt.Sprintf("+ %d terminate", month+35),
	} {
		if !strings.Contains(story, line+"\n") {
			t.Errorf("no %q in\n%s", line, story)
		}
	}
	if !strings.Contains(string(r.Body), "Nächste Rechnung: ") {
		t.Errorf("not in German: %s", r)
	}
	d.Clock().Advance(foretold.Add(time.Hour).Sub(d.Clock().Now()))
	d.Settle()
	next := d.One(collections.Invoices, dbx.HashExp{"kind": "renewal", "status": "open"})
	if got := collections.Time(next, "issued_at"); got.Before(foretold) || got.Sub(foretold) > 2*time.Hour || next.GetInt64("total_minor") != 490 {
		t.Errorf("made %s over %d, foretold %s over 490", got, next.GetInt64("total_minor"), foretold)
	}
}

func TestWhyOfSomebodyElseIsNotFound(t *testing.T) {
	d := owing(t)
	eve := d.Customer("eve")
	for _, path := range []string{"services/" + d.Service(d.order).Id, "subscriptions/" + d.One(collections.Subscriptions, dbx.HashExp{"order": d.order.ID}).Id} {
		d.Want(http.StatusNotFound, d.Do(http.MethodGet, "/api/v1/"+path+"/why", eve.Token, nil))
	}
}
