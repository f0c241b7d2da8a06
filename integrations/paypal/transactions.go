package paypal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	// searchSpan is the longest range of one transaction search.
	searchSpan = 31 * 24 * time.Hour
	searchPage = 500
)

type wireSearch struct {
	Details *[]struct {
		Info wireMovement `json:"transaction_info"`
	} `json:"transaction_details"`
	Pages     int      `json:"total_pages"`
	Refreshed wireTime `json:"last_refreshed_datetime"`
}

type wireMovement struct {
	ID        string     `json:"transaction_id"`
	Related   string     `json:"paypal_reference_id"`
	RelatedAs string     `json:"paypal_reference_id_type"`
	Code      string     `json:"transaction_event_code"`
	Status    string     `json:"transaction_status"`
	Amount    wireMoney  `json:"transaction_amount"`
	Fee       *wireMoney `json:"fee_amount"`
	Custom    string     `json:"custom_field"`
	Began     wireTime   `json:"transaction_initiation_date"`
}

// Transactions reads the account's book (GET /v1/reporting/transactions;
// developer.paypal.com/docs/api/transaction-search/v1), 31 days and 500 movements
// at a time. PayPal shows a movement hours after it happened and says up to when
// its book is complete.
func (c *Client) Transactions(ctx context.Context, from, to time.Time, visit func(billing.Transaction) error) (time.Time, error) {
	complete := to
	for start := from; start.Before(to); start = start.Add(searchSpan) {
		end := start.Add(searchSpan)
		if end.After(to) {
			end = to
		}
		refreshed, err := c.searchSpan(ctx, start, end, visit)
		if err != nil {
			return time.Time{}, err
		}
		if !refreshed.IsZero() && refreshed.Before(complete) {
			complete = refreshed
		}
	}
	return complete, nil
}

// searchSpan reads one range. PayPal counts in seconds and includes both ends, so
// the last second is left to the next range.
func (c *Client) searchSpan(ctx context.Context, from, to time.Time, visit func(billing.Transaction) error) (refreshed time.Time, err error) {
	query := url.Values{
		"start_date": {from.UTC().Format(time.RFC3339)}, "end_date": {to.Add(-time.Second).UTC().Format(time.RFC3339)},
		"fields": {"transaction_info"}, "page_size": {strconv.Itoa(searchPage)},
	}
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		x := c.begin("search transactions of "+from.UTC().Format(time.DateOnly)+", page "+strconv.Itoa(page), false)
		var found wireSearch
		if err := x.send(ctx, http.MethodGet, "/v1/reporting/transactions?"+query.Encode(), "", nil, &found); err != nil {
			return time.Time{}, err
		}
		if found.Details == nil {
			return time.Time{}, x.lost("the answer has no list", ErrPayload)
		}
		for _, d := range *found.Details {
			t, ok, err := d.Info.transaction()
			if err != nil {
				return time.Time{}, x.lost(err.Error(), ErrPayload)
			}
			if !ok {
				continue
			}
			if err := visit(t); err != nil {
				return time.Time{}, err
			}
		}
		if page >= found.Pages {
			return found.Refreshed.Time, nil
		}
	}
}

// movementKinds are the kinds of movements by the start of PayPal's event code
// (developer.paypal.com/docs/reports/reference/tcodes); the longest start counts.
var movementKinds = map[string]billing.TransactionKind{
	"T00": billing.TransactionPayment, "T01": billing.TransactionFee, "T03": billing.TransactionOther, "T04": billing.TransactionPayout,
	"T11": billing.TransactionReversal, "T1107": billing.TransactionRefund, "T12": billing.TransactionReversal,
}

var movementStates = map[string]billing.PaymentState{
	"S": billing.PaymentSucceeded, "P": billing.PaymentPending, "D": billing.PaymentDeclined, "V": billing.PaymentCancelled,
}

// transaction reads a movement; ok is false for those in currencies PayPal does
// not take for payments, which are none of ours.
func (m wireMovement) transaction() (t billing.Transaction, ok bool, err error) {
	if _, listed := currencies[m.Amount.Currency]; !listed && m.Amount.Currency != "" {
		return t, false, nil
	}
	amount, err := m.Amount.amount()
	state, known := movementStates[m.Status]
	if err != nil || !known || m.ID == "" || m.Began.IsZero() {
		return t, false, fmt.Errorf("transaction %.60q: %w: id, time, amount or status (%.20q) is missing", m.ID, ErrPayload, m.Status)
	}
	t = billing.Transaction{
		ID: m.ID, Kind: billing.TransactionOther, State: state, Amount: amount, Fee: amount.Zero(), At: m.Began.Time, AttemptID: readMark(m.Custom).attempt,
	}
	for _, start := range []string{m.Code, m.Code[:min(3, len(m.Code))]} {
		if kind, named := movementKinds[start]; named {
			t.Kind = kind
			break
		}
	}
	if m.RelatedAs == "TXN" {
		t.Related = m.Related
	}
	if m.Fee == nil {
		return t, true, nil
	}
	// A fee is negative, as it leaves the account; one given back is positive.
	fee, err := m.Fee.amount()
	if err != nil || fee.Currency() != amount.Currency() {
		return t, false, fmt.Errorf("fee of transaction %s: %w: %.20q", m.ID, ErrPayload, m.Fee.Value)
	}
	t.Fee = fee.Neg()
	return t, true, nil
}
