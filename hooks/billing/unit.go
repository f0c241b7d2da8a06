package billing

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// saveUnits writes, for each unit of the cart, its subscription, its waiting
// service and its order row, and returns the subscriptions in the cart's order.
func saveUnits(tx core.App, user, order *core.Record, cart pricedCart, gateway string, now time.Time) ([]string, error) {
	subscriptions := make([]string, len(cart.Units))
	for i, u := range cart.Units {
		sub, err := saveSubscription(tx, user, order, u, gateway, now)
		if err != nil {
			return nil, err
		}
		subscriptions[i] = sub.Id
		if err := saveService(tx, user, sub, u); err != nil {
			return nil, err
		}
		_, err = collections.Insert(tx, collections.OrderItems, map[string]any{
			"user": user.Id, "order": order.Id, "plan": u.plan.Id, "price": u.price.Id, "quantity": 1,
			"unit_minor": u.price.GetInt64("amount_minor"), "setup_minor": u.price.GetInt64("setup_minor"),
			"hostname": u.Hostname, "choices": u.Choices, "subscription": sub.Id,
		})
		if err != nil {
			return nil, err
		}
	}
	return subscriptions, nil
}

func saveSubscription(tx core.App, user, order *core.Record, u unit, gateway string, now time.Time) (*core.Record, error) {
	return collections.Insert(tx, collections.Subscriptions, map[string]any{
		"user": user.Id, "plan": u.plan.Id, "price": u.price.Id, "order": order.Id,
		"status": string(billing.SubscriptionPending), "billing_owner": "platform", "gateway": gateway,
		"currency": u.price.GetString("currency"), "amount_minor": u.price.GetInt64("amount_minor"), "quantity": 1,
		"cycle": u.price.GetString("cycle"), "anchor": collections.Stamp(now), "next_period": 1, "access": "open",
	})
}

// saveService writes the service that payment will set in motion. The plan's
// platform settings are copied: a later change of the plan does not change what
// was sold.
func saveService(tx core.App, user, sub *core.Record, u unit) error {
	settings, err := collections.StringMap(u.plan, "platform_settings")
	if err != nil {
		return err
	}
	for name, value := range u.Choices {
		settings[name] = value
	}
	label := u.Hostname
	if label == "" {
		label = u.plan.GetString("name")
	}
	_, err = collections.Insert(tx, collections.Services, map[string]any{
		"user": user.Id, "subscription": sub.Id, "plan": u.plan.Id, "platform": u.plan.GetString("platform"),
		"service_type": u.plan.GetString("service_type"), "status": string(provisioning.ServicePending),
		"label": collections.Cut(label, 80), "hostname": u.Hostname, "order_settings": settings, "auto_renew": true,
	})
	return err
}
