package billing

import (
	"encoding/json"
	"fmt"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// saveUnits writes, for each unit of the cart, its subscription, its waiting
// service and its order row, and returns the subscriptions in the cart's order.
func (s sale) saveUnits(tx core.App) ([]string, error) {
	subscriptions := make([]string, len(s.cart.Units))
	for i, u := range s.cart.Units {
		quoted := s.cart.Quote.Units[i]
		sub, err := s.saveSubscription(tx, u, quoted)
		if err != nil {
			return nil, err
		}
		subscriptions[i] = sub.Id
		if err := s.saveOptions(tx, sub.Id, u, quoted); err != nil {
			return nil, err
		}
		if err := saveService(tx, s.user, sub, u); err != nil {
			return nil, err
		}
		_, err = collections.Insert(tx, collections.OrderItems, map[string]any{
			"user": s.user, "order": s.order.Id, "plan": u.Plan, "price": u.ID, "quantity": 1,
			"unit_minor": u.item.Unit.Minor(), "setup_minor": u.item.Setup.Minor(), "discount_minor": quoted.Discount.Minor(), "trial": quoted.TrialDays > 0, "bundle": u.Bundle,
			"hostname": u.Hostname, "choices": u.Choices, "options": u.bought(), "subscription": sub.Id,
		})
		if err != nil {
			return nil, err
		}
	}
	return subscriptions, nil
}

// saveSubscription writes what the customer agreed to: price, discounts and cap
// are copied and stay, whatever becomes of the catalog. When it is invoiced next
// is decided once it is paid.
func (s sale) saveSubscription(tx core.App, u unit, q billing.QuotedUnit) (*core.Record, error) {
	values := map[string]any{
		"user": s.user, "plan": u.Plan, "price": u.ID, "order": s.order.Id,
		"status": string(billing.SubscriptionPending), "billing_owner": "platform", "gateway": s.gateway, "payment_method": s.method,
		"currency": u.Currency, "amount_minor": u.item.Unit.Minor(), "quantity": 1, "cycle": u.Cycle, "cap_minor": u.item.Cap.Minor(),
		"anchor": collections.Stamp(q.Schedule.Anchor), "next_period": q.Schedule.NextPeriod,
		"discounts": q.Terms, "access": "open",
	}
	if q.TrialDays > 0 {
		values["trial_days"], values["trial_ends_at"], values["pending_setup_minor"] = q.TrialDays, collections.Stamp(q.Schedule.Anchor), u.item.Setup.Minor()
	}
	return collections.Insert(tx, collections.Subscriptions, values)
}

// saveOptions writes the options as items of the subscription.
func (s sale) saveOptions(tx core.App, subscription string, u unit, q billing.QuotedUnit) error {
	for _, o := range u.options {
		values := map[string]any{
			"user": s.user, "subscription": subscription, "kind": "option", "option": o.option.ID, "name": o.Key, "value": o.value, "label": collections.Cut(o.Description, 240),
			"quantity": o.Quantity, "currency": u.Currency, "unit_minor": o.Unit.Minor(), "active": true,
		}
		if o.option.Kind == "addon" {
			values["kind"] = "addon"
		}
		if q.TrialDays > 0 {
			values["pending_setup_minor"] = o.Setup.Minor()
		}
		if _, err := collections.Insert(tx, collections.SubscriptionItems, values); err != nil {
			return err
		}
	}
	return nil
}

// boughtOption is an option as the order keeps it.
type boughtOption struct {
	Name     string `json:"name"`
	Label    string `json:"label"`
	Value    string `json:"value,omitzero"`
	Quantity int64  `json:"quantity"`
	Unit     int64  `json:"unit_minor"`
	Setup    int64  `json:"setup_minor"`
}

func (u unit) bought() []boughtOption {
	all := []boughtOption{}
	for _, o := range u.options {
		all = append(all, boughtOption{o.Key, o.Description, o.value, o.Quantity, o.Unit.Minor(), o.Setup.Minor()})
	}
	return all
}

// saveService writes the service that payment will set in motion. The plan's
// platform settings are copied: a later change of the plan does not change what
// was sold.
func saveService(tx core.App, user string, sub *core.Record, u unit) error {
	settings, err := collections.TextMap(u.Settings)
	if err != nil {
		return fmt.Errorf("plan %s, field platform_settings: %w", u.Slug, err)
	}
	for name, value := range u.Choices {
		settings[name] = value
	}
	for _, o := range u.options {
		settings[o.Key] = o.setting()
	}
	label := u.Hostname
	if label == "" {
		label = u.Name
	}
	_, err = collections.Insert(tx, collections.Services, map[string]any{
		"user": user, "subscription": sub.Id, "plan": u.Plan, "platform": u.Platform,
		"service_type": u.ServiceType, "status": string(provisioning.ServicePending),
		"label": collections.Cut(label, 80), "hostname": u.Hostname, "order_settings": settings, "auto_renew": true,
	})
	return err
}

// parseChoices reads what is free to choose with a plan.
func parseChoices(raw string) ([]choiceView, error) {
	choices := []choiceView{}
	if raw == "" || raw == "null" {
		return choices, nil
	}
	if err := json.Unmarshal([]byte(raw), &choices); err != nil {
		return nil, fmt.Errorf("choices: %w", err)
	}
	return choices, nil
}
