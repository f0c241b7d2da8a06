package billing

import "github.com/ezscale/ezscale/engine/lifecycle"

// SubscriptionStatus is where a subscription is in its life.
type SubscriptionStatus string

// The states of a subscription. Pending waits for its first payment.
const (
	SubscriptionPending   SubscriptionStatus = "pending"
	SubscriptionTrialing  SubscriptionStatus = "trialing"
	SubscriptionActive    SubscriptionStatus = "active"
	SubscriptionPastDue   SubscriptionStatus = "past_due"
	SubscriptionPaused    SubscriptionStatus = "paused"
	SubscriptionCancelled SubscriptionStatus = "cancelled"
)

var subscriptionLife = lifecycle.Table[SubscriptionStatus]{Thing: "subscription", Next: map[SubscriptionStatus][]SubscriptionStatus{
	SubscriptionPending:   {SubscriptionActive, SubscriptionTrialing, SubscriptionCancelled},
	SubscriptionTrialing:  {SubscriptionActive, SubscriptionPastDue, SubscriptionCancelled},
	SubscriptionActive:    {SubscriptionPastDue, SubscriptionPaused, SubscriptionCancelled},
	SubscriptionPastDue:   {SubscriptionActive, SubscriptionCancelled},
	SubscriptionPaused:    {SubscriptionActive, SubscriptionCancelled},
	SubscriptionCancelled: {},
}}

// CheckSubscriptionTransition refuses every step the lifecycle lacks.
func CheckSubscriptionTransition(from, to SubscriptionStatus) error {
	return subscriptionLife.Check(from, to)
}

// OrderStatus is where an order is in its life.
type OrderStatus string

// The states of an order. A pending order holds its stock until it expires.
const (
	OrderPending   OrderStatus = "pending"
	OrderPaid      OrderStatus = "paid"
	OrderExpired   OrderStatus = "expired"
	OrderCancelled OrderStatus = "cancelled"
)

var orderLife = lifecycle.Table[OrderStatus]{Thing: "order", Next: map[OrderStatus][]OrderStatus{
	OrderPending:   {OrderPaid, OrderExpired, OrderCancelled},
	OrderPaid:      {},
	OrderExpired:   {},
	OrderCancelled: {},
}}

// CheckOrderTransition refuses every step the lifecycle lacks.
func CheckOrderTransition(from, to OrderStatus) error {
	return orderLife.Check(from, to)
}
