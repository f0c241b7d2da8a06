package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/audit"
)

// newPrices makes a price that was announced the subscription's own once its
// first period has begun and next, where the periods that are not invoiced begin,
// is none at the old price. Periods that start then or later are invoiced at it
// before, too; until then the old price is what the subscription pays, so that
// whatever is taken back and billed again is billed right.
func (r *run) newPrices(sub *subscription, next time.Time) error {
	left := []priceChange{}
	for _, change := range sub.prices {
		at, err := collections.ParseStamp(change.At)
		if err != nil {
			return fmt.Errorf("announced price: %w", err)
		}
		if at.After(r.now) || at.After(next) {
			left = append(left, change)
			continue
		}
		if err := r.newPrice(sub, change, at); err != nil {
			return err
		}
	}
	if len(left) == len(sub.prices) {
		return nil
	}
	sub.prices = left
	return sub.readItems()
}

func (r *run) newPrice(sub *subscription, change priceChange, at time.Time) error {
	now := collections.Stamp(r.now).String()
	from := map[string]any{"price": sub.Price, "amount_minor": sub.Amount, "cap_minor": sub.Cap}
	sub.Amount, sub.Cap = change.To.Amount, change.To.Cap
	if change.To.Price != "" {
		sub.Price = change.To.Price
	}
	statements := []string{
		"UPDATE `subscriptions` SET `price` = {:price}, `amount_minor` = {:amount}, `cap_minor` = {:cap}, `updated` = {:now} WHERE `id` = {:id}",
		"UPDATE `subscription_changes` SET `status` = 'applied', `applied_at` = {:now}, `updated` = {:now} WHERE `id` = {:change} AND `status` = 'scheduled'",
	}
	for _, text := range statements {
		_, err := collections.Statement(r.tx, text).Bind(dbx.Params{"id": sub.ID, "price": sub.Price, "amount": sub.Amount, "cap": sub.Cap, "change": change.ID, "now": now}).Execute()
		if err != nil {
			return fmt.Errorf("announced price %s: %w", change.ID, err)
		}
	}
	return audit.Write(r.tx, r.now, audit.Entry{
		ActorKind: audit.System, Action: "subscription.new_price", Resource: collections.Subscriptions, ResourceID: sub.ID,
		Changes: map[string]any{"change": change.ID, "since": at.UTC(), "from": from, "to": map[string]any{"price": sub.Price, "amount_minor": sub.Amount, "cap_minor": sub.Cap}},
	})
}

// lookAt is when to look at the subscription again: when a plan says so, or
// before, when an announced price begins.
func (s *subscription) lookAt(planned, now time.Time) time.Time {
	if planned.IsZero() || len(s.prices) == 0 {
		return planned
	}
	begins := s.renewal.Items[0].AnnouncedFrom
	if begins.After(now) && begins.Before(planned) {
		return begins
	}
	return planned
}
