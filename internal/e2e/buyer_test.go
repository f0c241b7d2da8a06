package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// patience is how long an order may take from its placing to a running server,
// restarts and the pauses before repeated calls included.
const patience = 45 * time.Second

// buyer is a customer with a browser: it repeats what got no answer, with the
// same order key, and pays the page it was shown.
type buyer struct {
	w        *world
	customer client
	staff    client
	shop     shop

	order, invoice, service string
}

func newBuyer(w *world, s shop) *buyer {
	return &buyer{w: w, shop: s, customer: client{w.site, s.customer}, staff: client{w.site, s.staff}}
}

type orderState struct {
	Order struct {
		ID      string `json:"id"`
		Invoice struct {
			ID string `json:"id"`
		} `json:"invoice"`
		Services []struct {
			ID string `json:"id"`
		} `json:"services"`
	} `json:"order"`
	Payment struct {
		State string `json:"state"`
		URL   string `json:"url"`
	} `json:"payment"`
}

// buy orders and pays.
func (b *buyer) buy() {
	b.w.tb.Helper()
	page := b.place()
	session := page[strings.LastIndex(page, "/")+1:]
	if declined, err := b.w.stripe.PayPage(session, "4242424242424242"); err != nil || declined != "" {
		b.w.tb.Fatalf("pay: %s %v", declined, err)
	}
}

// place orders until a payment page is open, and returns its address.
func (b *buyer) place() string {
	b.w.tb.Helper()
	page := ""
	b.w.until("place the order", patience, func(ctx context.Context) (bool, error) {
		got := orderState{}
		err := b.customer.call(ctx, http.MethodPost, "/api/v1/orders", map[string]any{
			"client_key": "the-one-order-of-this-test", "gateway": "stripe", "currency": "EUR", "total_minor": b.shop.total, "terms": true,
			"items": []map[string]any{{"price": b.shop.price, "quantity": 1, "hostname": "web-1.example.com", "choices": map[string]string{"template_id": "8"}}},
		}, &got)
		refused := &refusal{}
		if errors.As(err, &refused) && refused.status < 500 {
			b.w.tb.Fatal(err)
		}
		if err != nil {
			return false, err
		}
		if len(got.Order.Services) != 1 {
			return false, fmt.Errorf("the order has %d services", len(got.Order.Services))
		}
		b.order, b.invoice, b.service, page = got.Order.ID, got.Order.Invoice.ID, got.Order.Services[0].ID, got.Payment.URL
		return page != "", fmt.Errorf("payment is %s", got.Payment.State)
	})
	return page
}

// comeBack is the browser's return from the payment page, repeated until the
// order is paid.
func (b *buyer) comeBack() {
	b.w.tb.Helper()
	b.w.until("the return settles the payment", patience, func(ctx context.Context) (bool, error) {
		got := orderState{}
		err := b.customer.call(ctx, http.MethodPost, "/api/v1/orders/"+b.order+"/check", map[string]any{}, &got)
		return got.Payment.State == "succeeded", err
	})
}

// settled waits until the server runs and nothing is left to do.
func (b *buyer) settled() {
	b.w.tb.Helper()
	b.w.until("the service is active", patience, func(ctx context.Context) (bool, error) {
		svc := row{}
		if err := b.staff.call(ctx, http.MethodGet, "/api/collections/services/records/"+b.service, nil, &svc); err != nil {
			return false, err
		}
		return svc["status"] == "active", fmt.Errorf("it is %s: %s", svc.text("status"), svc.text("action_note"))
	})
	b.w.until("all work is done", patience, func(ctx context.Context) (bool, error) {
		open, err := b.staff.rows(ctx, "jobs", "state != 'done' && kind != 'payment.watch'")
		if err != nil || len(open) == 0 {
			return err == nil, err
		}
		return false, fmt.Errorf("%s is %s: %s", open[0].text("key"), open[0].text("state"), open[0].text("error"))
	})
	b.w.until("all webhooks are done", patience, func(ctx context.Context) (bool, error) {
		events, err := b.staff.rows(ctx, "webhook_events", "status = 'new' || status = 'retrying'")
		return len(events) == 0 && b.w.stripe.Snapshot().Queued == 0, err
	})
}
