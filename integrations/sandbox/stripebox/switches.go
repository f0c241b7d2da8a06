package stripebox

import (
	"context"
	"fmt"
	"time"
)

// Switches disturb the webhooks and the key store.
type Switches struct {
	// Duplicate is how many extra times each event is delivered.
	Duplicate int `json:"duplicate"`
	// Drop is how many of the next deliveries are lost on their way, for good.
	Drop int `json:"drop"`
	// DelayType holds back events whose type starts with it for Delay (real
	// time), so that later ones overtake them.
	DelayType string        `json:"delay_type"`
	Delay     time.Duration `json:"delay_ns"`
	// APIVersion is the version events are written as; "" is Version.
	APIVersion string `json:"api_version"`
	// StoredErrors is how many of the next writes do their work, answer 500 and
	// keep that answer under the idempotency key, as Stripe may.
	StoredErrors int `json:"stored_errors"`
	// SlowRefunds lets refunds wait for Settle; RefundsFail lets those fail then.
	SlowRefunds bool `json:"slow_refunds"`
	RefundsFail bool `json:"refunds_fail"`
	// RefundError refuses refunds with this code, such as charge_disputed.
	RefundError string `json:"refund_error"`
}

// Deliveries lists every attempt to deliver an event, oldest first.
func (b *Box) Deliveries() []Delivery {
	b.courier.mu.Lock()
	defer b.courier.mu.Unlock()
	return append([]Delivery{}, b.courier.log...)
}

// Flush waits until every queued event was delivered, given up or dropped.
// Errors: those of ctx, and when the box was closed before.
func (b *Box) Flush(ctx context.Context) error {
	b.courier.mu.Lock()
	idle := b.courier.idle
	b.courier.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("flush webhooks: %w", ctx.Err())
	case <-b.courier.done:
		return fmt.Errorf("flush webhooks: %w", context.Canceled)
	}
}

// Set replaces the switches.
func (b *Box) Set(s Switches) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.switches = s
}

// Switches returns the switches as they stand, with what is left of the counts.
func (b *Box) Switches() Switches {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.switches
}

// Resend queues an event once more, as the dashboard's button does. It reports
// whether the event exists.
func (b *Box) Resend(eventID string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.events.get(eventID)
	if ok {
		b.courier.send(e, &Switches{APIVersion: b.switches.APIVersion})
	}
	return ok
}

func (b *Box) spendStoredError() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.switches.StoredErrors <= 0 {
		return false
	}
	b.switches.StoredErrors--
	return true
}
