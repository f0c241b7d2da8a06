package stripe

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

const (
	// eventsKept is how long Stripe tells what happened to an object.
	eventsKept = 30 * 24 * time.Hour
	// listPages bounds how many pages of 100 events or disputes are read.
	listPages = 200
)

var disputeIDs = []string{"dp_", "du_", "pdp_"}

// ReadDispute reads a dispute (GET /v1/disputes/{id}).
func (c *Client) ReadDispute(ctx context.Context, id string) (billing.Dispute, error) {
	if err := checkID("dispute", id, disputeIDs...); err != nil {
		return billing.Dispute{}, err
	}
	x := c.begin("read dispute "+id, false)
	d, err := c.api.Disputes.Get(id, &stripe.DisputeParams{Params: x.params(ctx, "")})
	if err := x.failure(err); err != nil {
		return billing.Dispute{}, err
	}
	report, err := reportDispute(d)
	if err != nil {
		return billing.Dispute{}, x.lost(err.Error(), ErrPayload)
	}
	return report, nil
}

// Disputes visits the disputes that changed since. Stripe lists disputes by when
// they began only (GET /v1/disputes), and changes by its events, which it keeps
// for 30 days (GET /v1/events): of a time before that, disputes that began since
// and all that changed within the 30 days are visited.
func (c *Client) Disputes(ctx context.Context, from time.Time, visit func(billing.Dispute) error) error {
	changed, err := c.disputesInEvents(ctx, from)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range changed {
		if seen[id] {
			continue
		}
		seen[id] = true
		d, err := c.ReadDispute(ctx, id)
		if err != nil {
			return err
		}
		if err := visit(d); err != nil {
			return err
		}
	}
	return c.disputesBegun(ctx, from, seen, visit)
}

// disputesInEvents are the ids of the disputes that events since are about.
func (c *Client) disputesInEvents(ctx context.Context, from time.Time) ([]string, error) {
	if oldest := c.now().Add(-eventsKept); from.Before(oldest) {
		from = oldest
	}
	ids := []string{}
	var after *string
	for range listPages {
		x := c.begin("list events of disputes", false)
		list := c.api.Events.List(&stripe.EventListParams{
			ListParams:   stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after},
			Type:         stripe.String("charge.dispute.*"),
			CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix()},
		})
		if err := x.failure(list.Err()); err != nil {
			return nil, err
		}
		page := list.EventList()
		if page.URL == "" {
			return nil, x.incomplete("list")
		}
		for _, e := range page.Data {
			var object struct {
				ID string `json:"id"`
			}
			if e == nil || e.Data == nil || json.Unmarshal(e.Data.Raw, &object) != nil || checkID("dispute", object.ID, disputeIDs...) != nil {
				return nil, x.incomplete("dispute in an event")
			}
			ids, after = append(ids, object.ID), &e.ID
		}
		if !page.HasMore || len(page.Data) == 0 {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("stripe: list events of disputes: %w: more than %d", billing.ErrGatewayTemporary, listPages*100)
}

// disputesBegun visits disputes that began since and were not seen.
func (c *Client) disputesBegun(ctx context.Context, from time.Time, seen map[string]bool, visit func(billing.Dispute) error) error {
	var after *string
	for range listPages {
		x := c.begin("list disputes", false)
		list := c.api.Disputes.List(&stripe.DisputeListParams{
			ListParams:   stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after},
			CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix()},
		})
		if err := x.failure(list.Err()); err != nil {
			return err
		}
		page := list.DisputeList()
		if page.URL == "" {
			return x.incomplete("list")
		}
		for _, d := range page.Data {
			report, err := reportDispute(d)
			if err != nil {
				return x.lost(err.Error(), ErrPayload)
			}
			after = &d.ID
			if seen[d.ID] {
				continue
			}
			if err := visit(report); err != nil {
				return err
			}
		}
		if !page.HasMore || len(page.Data) == 0 {
			return nil
		}
	}
	return fmt.Errorf("stripe: list disputes: %w: more than %d", billing.ErrGatewayTemporary, listPages*100)
}

// disputeStates are Stripe's states as ours. A warning is an inquiry, which
// moves no money; one that was closed has come to nothing.
var disputeStates = map[stripe.DisputeStatus]billing.DisputeStatus{
	stripe.DisputeStatusWarningNeedsResponse: billing.DisputeWarning, stripe.DisputeStatusWarningUnderReview: billing.DisputeWarning,
	stripe.DisputeStatusWarningClosed: billing.DisputeWon, stripe.DisputeStatusNeedsResponse: billing.DisputeNeedsResponse,
	stripe.DisputeStatusUnderReview: billing.DisputeUnderReview, stripe.DisputeStatusWon: billing.DisputeWon, stripe.DisputeStatusLost: billing.DisputeLost,
}

// reportDispute says where a dispute stands. Errors: ErrPayload as in
// reportIntent.
func reportDispute(d *stripe.Dispute) (billing.Dispute, error) {
	if d == nil || checkID("dispute", d.ID, disputeIDs...) != nil {
		return billing.Dispute{}, fmt.Errorf("dispute: %w: no id", ErrPayload)
	}
	amount, err := fromStripe(d.Amount, string(d.Currency))
	if err != nil {
		return billing.Dispute{}, fmt.Errorf("dispute %s: %w", d.ID, err)
	}
	status, known := disputeStates[d.Status]
	if !known || d.Created == 0 {
		return billing.Dispute{}, fmt.Errorf("dispute %s: %w: time or status (%.30q) is missing", d.ID, ErrPayload, d.Status)
	}
	r := billing.Dispute{
		ID: d.ID, Payments: []string{}, Status: status, Stage: "chargeback", Reason: string(d.Reason), Amount: amount, At: time.Unix(d.Created, 0).UTC(),
	}
	if strings.HasPrefix(string(d.Status), "warning_") {
		r.Stage = "inquiry"
	}
	if d.PaymentIntent != nil && d.PaymentIntent.ID != "" {
		r.Payments = append(r.Payments, d.PaymentIntent.ID)
	}
	answer := d.Status == stripe.DisputeStatusNeedsResponse || d.Status == stripe.DisputeStatusWarningNeedsResponse
	if answer && d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
		r.RespondBy = time.Unix(d.EvidenceDetails.DueBy, 0).UTC()
	}
	return r, disputeMoney(&r, d)
}

// disputeMoney reads what moved on the account: money that was withdrawn and
// came back, and what Stripe charges for the dispute. A fee in another currency
// than the dispute's stays in the account's own books only.
func disputeMoney(r *billing.Dispute, d *stripe.Dispute) error {
	net, fee := int64(0), int64(0)
	for _, t := range d.BalanceTransactions {
		if t == nil {
			continue
		}
		net += t.Amount
		if strings.EqualFold(string(t.Currency), r.Amount.Currency()) {
			fee += t.Fee
		}
		if at := time.Unix(t.Created, 0).UTC(); at.After(r.At) {
			r.At = at
		}
	}
	r.Withdrawn = net < 0
	if fee <= 0 {
		return nil
	}
	var err error
	if r.Fee, err = fromStripe(fee, r.Amount.Currency()); err != nil {
		return fmt.Errorf("dispute %s: fee: %w", d.ID, err)
	}
	if r.Fee.IsZero() {
		r.Fee = money.Amount{}
	}
	return nil
}
