package stripe

import (
	"context"

	"github.com/ezscale/ezscale/engine/billing"
)

var _ billing.Refetcher = (*Client)(nil)

// Refetch reads back what an event is about, at our own API version. Events
// about anything but a payment or a page are none of billing's.
func (c *Client) Refetch(ctx context.Context, e billing.Event) (report billing.PaymentReport, ok bool, err error) {
	if _, about := subjects[e.Type]; !about {
		return billing.PaymentReport{}, false, nil
	}
	report, err = c.ReadPayment(ctx, e.Object)
	return report, err == nil, err
}
