package invoices_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/testapp"
)

// hands does random things to the invoices of one customer, as staff, customer
// and bank would, in any order, sensible or not.
type hands struct {
	*desk
	*rand.Rand
	of       *testapp.Person
	invoices []string
	n        int
}

func (h *hands) any() string { return h.invoices[h.IntN(len(h.invoices))] }

func (h *hands) key() string {
	h.n++
	return fmt.Sprintf("random-%06d", h.n)
}

// lines are up to three lines with a discount now and then.
func (h *hands) lines() []any {
	lines := []any{}
	for i := range 1 + h.IntN(3) {
		price := int64(1 + h.IntN(3000))
		lines = append(lines, line(fmt.Sprintf("Item %d", i), int64(1+h.IntN(3)), price))
		if h.IntN(3) == 0 {
			lines = append(lines, map[string]any{"description": "Discount", "unit_minor": -1 - h.Int64N(price), "discount_of": len(lines)})
		}
	}
	return lines
}

// credits are random parts of random lines, none for all.
func (h *hands) credits() []any {
	lines := []any{}
	for i := range h.IntN(3) {
		part := map[string]any{"position": 1 + i}
		if h.IntN(2) == 0 {
			part["net_minor"] = 1 + h.IntN(2000)
		}
		lines = append(lines, part)
	}
	return lines
}

// step does one thing. Refusals are fine; what the product cannot answer is not.
func (h *hands) step() *testapp.Answer {
	staff := func(path string, body map[string]any) *testapp.Answer {
		return h.Do(http.MethodPost, "/api/v1/staff"+path, h.Staff(), body)
	}
	id := h.any()
	switch h.IntN(13) {
	case 0:
		r := staff("/invoices", map[string]any{"key": h.key(), "customer": h.of.Id, "issue": h.IntN(4) > 0, "lines": h.lines()})
		if r.Status == http.StatusCreated {
			h.invoices = append(h.invoices, r.Text("id"))
		}
		return r
	case 1:
		return staff("/invoices/"+id+"/void", map[string]any{"reason": "random"})
	case 2:
		return staff("/invoices/"+id+"/write-off", map[string]any{"reason": "random"})
	case 3, 4:
		return staff("/invoices/"+id+"/payments", map[string]any{"amount_minor": 1 + h.IntN(6000), "currency": "EUR", "reference": h.key()})
	case 5, 6:
		return staff("/invoices/"+id+"/credit-notes", map[string]any{"key": h.key(), "reason": "random", "lines": h.credits()})
	case 7:
		r := staff("/invoices/"+id+"/correct", map[string]any{"key": h.key(), "reason": "random", "draft": h.IntN(3) == 0, "lines": [][]any{h.lines(), {}, {map[string]any{"copy": 1}}}[h.IntN(3)]})
		if r.Status == http.StatusCreated {
			h.invoices = append(h.invoices, r.Text("invoice.id"))
		}
		return r
	case 8:
		return staff("/invoices/"+id+"/refunds", map[string]any{"key": h.key(), "reason": "random", "to": []string{"credit", "manual"}[h.IntN(2)], "reference": h.key(), "lines": h.credits()})
	case 9:
		return staff("/customers/"+h.of.Id+"/credit", map[string]any{"key": h.key(), "amount_minor": h.IntN(4000) - 1500, "currency": "EUR", "reason": "random"})
	case 10:
		return staff("/customers/"+h.of.Id+"/refunds", map[string]any{"key": h.key(), "amount_minor": 1 + h.IntN(1500), "currency": "EUR", "to": "manual", "reference": h.key(), "reason": "random"})
	case 11:
		return staff("/invoices/"+id+"/issue", nil)
	default:
		return h.Do(http.MethodPost, "/api/v1/invoices/"+id+"/apply-credit", h.of.Token, map[string]any{"amount_minor": h.IntN(2000)})
	}
}

// TestC10AnyOrderOfCorrectionsHolds: whatever is done in whatever order, each
// thing is done whole or refused, every rule of the books holds after each, and
// from where it ends one can go on.
func TestC10AnyOrderOfCorrectionsHolds(t *testing.T) {
	seeds, steps := 6, 60
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			policy := german
			policy.Inclusive = seed%2 == 1
			if seed%3 == 2 {
				policy.Rounding = perDocument.Rounding
			}
			d := begin(t, policy)
			h := &hands{desk: d, Rand: rand.New(rand.NewPCG(uint64(seed), 10)), of: d.Customer("ada")}
			h.invoices = append(h.invoices, d.invoice(h.of, line("The first", 2, 1500)))
			done := 0
			for i := range steps {
				r := h.step()
				if r.Status >= 500 {
					t.Fatalf("step %d: got %s", i, r)
				}
				if r.Status < 300 {
					done++
				}
				d.Clock().Advance(time.Duration(h.IntN(100)) * time.Minute)
				if faults, err := books.Audit(d.DB()); err != nil || len(faults) > 0 {
					t.Fatalf("after step %d: %v %v", i, faults, err)
				}
			}
			if done < steps/4 {
				t.Errorf("%d of %d steps did anything", done, steps)
			}
			h.goOn(t)
		})
	}
}

// goOn settles everything: open invoices are paid, paid ones credited, drafts
// issued, credit paid out; and every document can be printed.
func (h *hands) goOn(t *testing.T) {
	t.Helper()
	for _, id := range h.invoices {
		inv := h.Record("invoices", id)
		if inv.GetString("status") == "draft" {
			h.Want(http.StatusOK, h.staff("/invoices/"+id+"/issue", nil))
			inv = h.Record("invoices", id)
		}
		if due := inv.GetInt64("due_minor"); inv.GetString("status") == "open" {
			h.transfer(id, due, h.key())
		}
		h.file(h.show(h.of, id).Text("pdf_url"), "%PDF-")
	}
	if credit := h.credit(h.of); credit > 0 {
		h.Want(http.StatusCreated, h.staff("/customers/"+h.of.Id+"/refunds", map[string]any{"amount_minor": credit, "currency": "EUR", "to": "manual", "reference": h.key(), "reason": "the end"}))
	}
	notes := h.Want(http.StatusOK, h.Do(http.MethodGet, "/api/v1/credit-notes?per_page=200", h.of.Token, nil))
	for i := range notes.Len("items") {
		h.file(notes.Text(fmt.Sprintf("items.%d.pdf_url", i)), "%PDF-")
	}
	account := h.Want(http.StatusOK, h.Do(http.MethodGet, "/api/v1/statement?currency=EUR", h.of.Token, nil))
	same(t, "the account", account.Int("closing.minor"), 0)
	h.file(account.Text("pdf_url"), "%PDF-")
}
