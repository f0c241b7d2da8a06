package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// sale is an order that waits for its payment.
type sale struct{ invoice, attempt, service string }

// shop is what a sale needs around it.
type shop struct {
	user  *core.Record
	token string
	price *core.Record
	plan  *core.Record
}

// openShop makes a customer and a plan without stock limit, on the manual
// platform, so that nothing calls out.
func openShop(b *testing.B, app core.App) shop {
	b.Helper()
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"kind": "manual"})
	must(b, err)
	plan, err := collections.Insert(app, collections.Plans, map[string]any{
		"name": "VPS S", "slug": "vps-s", "service_type": "vps", "platform": platform.Id, "status": "active",
	})
	must(b, err)
	price, err := collections.Insert(app, collections.PlanPrices, map[string]any{"plan": plan.Id, "currency": "EUR", "cycle": "monthly", "amount_minor": 990, "active": true})
	must(b, err)
	user, err := collections.New(app, collections.Users)
	must(b, err)
	user.SetEmail("bench@example.com")
	user.SetPassword("0123456789")
	user.Load(map[string]any{"name": "Bench", "status": "active", "locale": "en"})
	must(b, app.Save(user))
	token, err := user.NewAuthToken()
	must(b, err)
	return shop{user, token, price, plan}
}

// sell writes n unpaid orders with open invoices and open payment pages, as the
// order operation leaves them.
func (s shop) sell(b *testing.B, app core.App, n int) []sale {
	b.Helper()
	sales := []sale{}
	for len(sales) < n {
		must(b, app.RunInTransaction(func(tx core.App) error {
			for range min(500, n-len(sales)) {
				one, err := s.sellOne(tx, len(sales))
				if err != nil {
					return err
				}
				sales = append(sales, one)
			}
			return nil
		}))
	}
	return sales
}

func (s shop) sellOne(tx core.App, i int) (sale, error) {
	now := time.Now()
	start, end := collections.Stamp(now), collections.Stamp(now.AddDate(0, 1, 0))
	invoice, err := collections.Insert(tx, collections.Invoices, map[string]any{
		"user": s.user.Id, "status": "draft", "currency": "EUR", "subtotal_minor": 990, "total_minor": 990, "due_minor": 990, "language": "en",
	})
	if err != nil {
		return sale{}, err
	}
	order, err := collections.Insert(tx, collections.Orders, map[string]any{
		"user": s.user.Id, "client_key": fmt.Sprintf("bench-%08d", i), "status": "pending", "currency": "EUR", "total_minor": 990, "gateway": "stripe", "review": "none", "invoice": invoice.Id,
	})
	if err != nil {
		return sale{}, err
	}
	sub, err := collections.Insert(tx, collections.Subscriptions, map[string]any{
		"user": s.user.Id, "plan": s.plan.Id, "price": s.price.Id, "order": order.Id, "status": "pending", "billing_owner": "platform", "gateway": "stripe",
		"currency": "EUR", "amount_minor": 990, "quantity": 1, "cycle": "monthly", "anchor": start,
	})
	if err != nil {
		return sale{}, err
	}
	service, err := collections.Insert(tx, collections.Services, map[string]any{
		"user": s.user.Id, "subscription": sub.Id, "plan": s.plan.Id, "platform": s.plan.GetString("platform"), "service_type": "vps", "status": "pending", "label": "bench",
	})
	if err != nil {
		return sale{}, err
	}
	_, err = collections.Insert(tx, collections.InvoiceItems, map[string]any{
		"user": s.user.Id, "invoice": invoice.Id, "position": 1, "kind": "period", "description": "VPS S", "quantity": 1, "unit_minor": 990, "amount_minor": 990,
		"subscription": sub.Id, "period_start": start, "period_end": end, "live": true,
	})
	if err != nil {
		return sale{}, err
	}
	invoice.Load(map[string]any{
		"status": "open", "number": fmt.Sprintf("INV-%d-%06d", now.Year(), i+1), "series": "INV", "year": now.Year(), "seq": i + 1,
		"issued_at": start, "due_at": start, "seller": map[string]string{"name": "Bench"}, "buyer": map[string]string{"name": "Bench"},
	})
	if err := collections.Save(tx, invoice); err != nil {
		return sale{}, err
	}
	attempt, err := collections.Insert(tx, collections.PaymentTransactions, map[string]any{
		"user": s.user.Id, "invoice": invoice.Id, "gateway": "stripe", "kind": "page", "status": "open", "idempotency_key": fmt.Sprintf("bench:%d", i),
		"currency": "EUR", "amount_minor": 990, "page_reference": fmt.Sprintf("cs_bench_%d", i), "page_url": "http://127.0.0.1:1/", "page_expires_at": end,
	})
	if err != nil {
		return sale{}, err
	}
	return sale{invoice.Id, attempt.Id, service.Id}, nil
}
