package renewals_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestHoursCostTheirOptionsToo orders a plan by the hour with an option: both
// count by the hour, up to both monthly prices.
func TestHoursCostTheirOptionsToo(t *testing.T) {
	s := open(t)
	insert := func(collection string, values map[string]any) string {
		r, err := collections.Insert(s.App, collection, values)
		if err != nil {
			t.Fatal(err)
		}
		return r.Id
	}
	price := insert(collections.PlanPrices, map[string]any{"plan": s.Plan("vps-s").Id, "currency": "EUR", "cycle": "hourly", "amount_minor": 2, "active": true})
	ip := insert(collections.PlanOptions, map[string]any{"plan": s.Plan("vps-s").Id, "name": "ip", "label": "Address", "kind": "quantity", "active": true})
	for cycle, minor := range map[string]int{"hourly": 1, "monthly": 150} {
		insert(collections.OptionPrices, map[string]any{"option": ip, "label": "Address", "currency": "EUR", "cycle": cycle, "amount_minor": minor, "active": true})
	}
	ada := s.Customer("ada")
	item := map[string]any{"price": price, "choices": map[string]string{"template_id": "8"}, "options": map[string]any{"ip": map[string]int{"quantity": 2}}}
	o := testapp.ReadOrder(s.Want(http.StatusCreated, s.Do(http.MethodPost, "/api/v1/orders", ada.Token, map[string]any{
		"client_key": "by-the-hour", "gateway": "stripe", "currency": "EUR", "total_minor": 0, "terms": true, "items": []any{item},
	})))
	activated := collections.Time(s.subscription(o), "activated_at")
	month := billing.CalendarMonth(activated)
	s.Clock().Advance(month.End.Add(time.Hour).Sub(s.Clock().Now()))
	s.run()
	hours := int64((month.End.Sub(activated) + time.Hour - 1) / time.Hour)
	invoices := s.renewed(ada.Id)
	if want := min(hours*4, 490+300); len(invoices) != 1 || invoices[0].GetInt64("total_minor") != want {
		t.Fatalf("%d invoices, want one over %d hours for %d", len(invoices), hours, want)
	}
	if line := s.One(collections.InvoiceItems, dbx.HashExp{"invoice": invoices[0].Id}); line.GetString("kind") != "hourly" || line.GetInt64("quantity") != hours {
		t.Errorf("the line says %s %d, want %d hours", line.GetString("kind"), line.GetInt64("quantity"), hours)
	}
}
