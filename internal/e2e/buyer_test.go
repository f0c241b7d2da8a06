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
	b.w.until("place the order", patience, func(ctx context.Context) error {
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
			return err
		}
		if len(got.Order.Services) != 1 {
			return fmt.Errorf("the order has %d services", len(got.Order.Services))
		}
		b.order, b.invoice, b.service, page = got.Order.ID, got.Order.Invoice.ID, got.Order.Services[0].ID, got.Payment.URL
		if page == "" {
			return fmt.Errorf("there is no page; the payment is %s", got.Payment.State)
		}
		return nil
	})
	return page
}

// comeBack is the browser's return from the payment page, repeated until the
// order is paid.
func (b *buyer) comeBack() {
	b.w.tb.Helper()
	b.w.until("the return settles the payment", patience, func(ctx context.Context) error {
		got := orderState{}
		err := b.customer.call(ctx, http.MethodPost, "/api/v1/orders/"+b.order+"/check", map[string]any{}, &got)
		if err == nil && got.Payment.State != "succeeded" {
			err = fmt.Errorf("the payment is %s", got.Payment.State)
		}
		return err
	})
}

// settled waits until the server runs and nothing is left to do.
func (b *buyer) settled() {
	b.w.tb.Helper()
	b.w.until("the service is active", patience, func(ctx context.Context) error {
		svc := row{}
		if err := b.staff.call(ctx, http.MethodGet, "/api/collections/services/records/"+b.service, nil, &svc); err != nil {
			return err
		}
		if svc["status"] != "active" {
			return fmt.Errorf("it is %s: %s", svc.text("status"), svc.text("action_note"))
		}
		return nil
	})
	b.w.until("all work is done", patience, func(ctx context.Context) error {
		soon := time.Now().UTC().Add(time.Minute).Format(time.DateTime) // what comes later is a timer, not work
		return b.staff.none(ctx, "jobs", "state != 'done' && next_at < '"+soon+"'")
	})
	b.w.until("all webhooks are done", patience, func(ctx context.Context) error {
		if queued := b.w.stripe.Snapshot().Queued; queued > 0 {
			return fmt.Errorf("%d are on their way", queued)
		}
		return b.staff.none(ctx, "webhook_events", "status = 'new' || status = 'retrying'")
	})
}
