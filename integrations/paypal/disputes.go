package paypal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

type wireDispute struct {
	ID       string    `json:"dispute_id"`
	Reason   string    `json:"reason"`
	Status   string    `json:"status"`
	Stage    string    `json:"dispute_life_cycle_stage"`
	Amount   wireMoney `json:"dispute_amount"`
	Disputed []struct {
		Payment string `json:"seller_transaction_id"`
	} `json:"disputed_transactions"`
	Outcome struct {
		Code string `json:"outcome_code"`
	} `json:"dispute_outcome"`
	RespondBy wireTime `json:"seller_response_due_date"`
	Created   wireTime `json:"create_time"`
	Updated   wireTime `json:"update_time"`
}

// ReadDispute reads a dispute (GET /v1/customer/disputes/{id};
// developer.paypal.com/docs/api/customer-disputes/v1).
func (c *Client) ReadDispute(ctx context.Context, id string) (billing.Dispute, error) {
	if err := checkID("dispute", id, disputeShape); err != nil {
		return billing.Dispute{}, err
	}
	x := c.begin("read dispute "+id, false)
	var w wireDispute
	if err := x.send(ctx, http.MethodGet, "/v1/customer/disputes/"+id, "", nil, &w); err != nil {
		return billing.Dispute{}, err
	}
	d, err := w.dispute()
	if err != nil {
		return billing.Dispute{}, x.lost(err.Error(), ErrPayload)
	}
	return d, nil
}

// disputePages bounds how many pages of 50 disputes are read.
const disputePages = 200

// Disputes lists disputes that changed since (GET /v1/customer/disputes). The list
// has neither payments nor outcomes, so one that is over is read by itself.
func (c *Client) Disputes(ctx context.Context, from time.Time, visit func(billing.Dispute) error) error {
	query := url.Values{"update_time_after": {from.UTC().Format("2006-01-02T15:04:05.000Z")}, "page_size": {"50"}}
	for range disputePages {
		x := c.begin("list disputes", false)
		var list struct {
			Items []wireDispute `json:"items"`
			Links []wireLink    `json:"links"`
		}
		if err := x.send(ctx, http.MethodGet, "/v1/customer/disputes?"+query.Encode(), "", nil, &list); err != nil {
			return err
		}
		for _, w := range list.Items {
			d, err := w.dispute()
			switch {
			case w.Status == "RESOLVED":
				if d, err = c.ReadDispute(ctx, w.ID); err != nil {
					return err
				}
			case err != nil:
				return x.lost(err.Error(), ErrPayload)
			}
			if err := visit(d); err != nil {
				return err
			}
		}
		// Only the token of the next page is taken from the link, not its address.
		token := ""
		if next, err := url.Parse(link(list.Links, "next")); err == nil {
			token = next.Query().Get("next_page_token")
		}
		if token == "" {
			return nil
		}
		query.Set("next_page_token", token)
	}
	return fmt.Errorf("paypal: list disputes: %w: more than %d", billing.ErrGatewayTemporary, disputePages*50)
}

func (w wireDispute) dispute() (billing.Dispute, error) {
	amount, err := w.Amount.amount()
	at := firstTime(w.Updated, w.Created)
	if err != nil || at.IsZero() || !disputeShape.MatchString(w.ID) {
		return billing.Dispute{}, fmt.Errorf("dispute %.60q: %w: id, time or amount is missing", w.ID, ErrPayload)
	}
	status, err := w.status()
	if err != nil {
		return billing.Dispute{}, err
	}
	d := billing.Dispute{
		ID: w.ID, Payments: []string{}, Status: status, Stage: strings.ToLower(w.Stage), Reason: w.Reason, Amount: amount, RespondBy: w.RespondBy.Time, At: at,
	}
	// PayPal holds the money of a claim until it is decided.
	d.Withdrawn = status == billing.DisputeNeedsResponse || status == billing.DisputeUnderReview
	for _, t := range w.Disputed {
		if t.Payment != "" {
			d.Payments = append(d.Payments, t.Payment)
		}
	}
	return d, nil
}

// status is where a dispute stands. An inquiry is a talk between payer and
// merchant: PayPal has not taken any money, though an answer may be due.
func (w wireDispute) status() (billing.DisputeStatus, error) {
	switch w.Status {
	case "RESOLVED":
		return w.outcome(), nil
	case "OPEN", "WAITING_FOR_SELLER_RESPONSE", "WAITING_FOR_BUYER_RESPONSE", "UNDER_REVIEW", "OTHER":
	default:
		return "", fmt.Errorf("dispute %s: %w: status %.40q", w.ID, ErrPayload, w.Status)
	}
	switch {
	case w.Stage == "INQUIRY":
		return billing.DisputeWarning, nil
	case w.Status == "WAITING_FOR_SELLER_RESPONSE", w.Status == "OPEN" && !w.RespondBy.IsZero():
		return billing.DisputeNeedsResponse, nil
	}
	return billing.DisputeUnderReview, nil
}

// outcome is how a dispute ended for us: RESOLVED_WITH_PAYOUT means that PayPal
// pays the payer out of its own pocket. An outcome that nobody named is lost, so
// that staff look.
func (w wireDispute) outcome() billing.DisputeStatus {
	switch w.Outcome.Code {
	case "RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED":
		return billing.DisputeWon
	}
	return billing.DisputeLost
}
