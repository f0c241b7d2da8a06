package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(pricesUp, pricesDown) }

// announced ties the new price of a subscription to the announcement that it is
// part of. One new price at a time is announced for a subscription.
var announced = []change{
	{name: "subscription_changes", fields: []core.Field{ref("announcement", "price_announcements")}, indexes: []index{
		uniqueWhere("idx_subscription_changes_announced", "`subscription`", "`kind` = 'price' AND `status` = 'scheduled'"),
		lookup("idx_subscription_changes_announcement", "`announcement`, `user`"),
	}},
	{name: "subscriptions", indexes: []index{lookup("idx_subscriptions_price", "`price`, `user`")}},
}

// pricesUp adds the announcements of new prices to customers who have kept an
// older one.
func pricesUp(app core.App) error {
	err := create(app, table{
		name: "price_announcements",
		fields: []core.Field{
			rel("price", "plan_prices"), choice("scope", "price", "plan"), need("client_key", 80), price("amount_minor"),
			price("cap_minor"), // of an hourly price; 0 leaves it as it is
			ref("to_price", "plan_prices"), currency(), need("cycle", 20), date("effective_from"), count("notice_days", 3660), object("exclude", 500_000), text("note", 500),
			&core.SelectField{Name: "status", Values: []string{"running", "announced", "cancelling", "cancelled"}, MaxSelect: 1, Required: true, Help: "running and cancelling end by themselves"},
			&core.TextField{Name: "cursor", Max: 40, Help: "the last customer who was told"},
			count("customers", 1e7), count("subscriptions", 1e7), minor("before_minor"), minor("after_minor"), text("actor", 80),
			date("at"), date("done_at"), date("cancelled_at"), text("cancelled_by", 80), text("cancel_reason", 500),
		},
		indexes: []index{unique("idx_price_announcements_key", "`client_key`"), lookup("idx_price_announcements_at", "`at`"), lookup("idx_price_announcements_price", "`price`")},
	})
	if err != nil {
		return err
	}
	return alter(app, announced...)
}

func pricesDown(app core.App) error {
	if err := undo(app, announced...); err != nil {
		return err
	}
	return drop(app, "price_announcements")
}
