package collections

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/money"
)

// NewPrice is a price that was announced for a subscription.
type NewPrice struct {
	At     time.Time // when the first period at it begins
	Was    money.Amount
	Amount money.Amount
}

// AnnouncedPrice is the price that was announced for a subscription and has not
// begun; nil when there is none.
func AnnouncedPrice(app core.App, subscription string) (*NewPrice, error) {
	change, err := First(app, SubscriptionChanges, dbx.HashExp{"subscription": subscription, "kind": "price", "status": "scheduled"})
	if err != nil || change == nil {
		return nil, err
	}
	p := &NewPrice{At: Time(change, "effective_at")}
	for field, into := range map[string]*money.Amount{"from": &p.Was, "to": &p.Amount} {
		t := struct {
			Minor int64 `json:"amount_minor"`
		}{}
		if err := ReadJSON(change, field, &t); err != nil {
			return nil, err
		}
		if *into, err = money.New(t.Minor, change.GetString("currency")); err != nil {
			return nil, fmt.Errorf("announced price of subscription %s: %w", subscription, err)
		}
	}
	return p, nil
}
