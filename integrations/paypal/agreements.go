package paypal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

type wireAgreement struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Plan     string   `json:"plan_id"`
	Quantity string   `json:"quantity"`
	CustomID string   `json:"custom_id"`
	Created  wireTime `json:"create_time"`
	Updated  wireTime `json:"update_time"`
	Changed  wireTime `json:"status_update_time"`
	// Billing has the outstanding balance with currency_code; the library reads
	// "currency" and loses it.
	Billing struct {
		Outstanding *wireMoney `json:"outstanding_balance"`
		Failed      int        `json:"failed_payments_count"`
		Next        wireTime   `json:"next_billing_time"`
		Last        *struct {
			Amount wireMoney `json:"amount"`
		} `json:"last_payment"`
	} `json:"billing_info"`
	Subscriber wireSubscriber `json:"subscriber"`
	Links      []wireLink     `json:"links"`
}

type wireAgreementRequest struct {
	Plan       string           `json:"plan_id"`
	Quantity   string           `json:"quantity,omitempty"`
	Start      *wireTime        `json:"start_time,omitempty"`
	CustomID   string           `json:"custom_id,omitempty"`
	Subscriber *wireSubscriber  `json:"subscriber,omitempty"`
	Context    wireExperience   `json:"application_context"`
	Override   *wirePlanChanges `json:"plan,omitempty"`
}

type wireSubscriber struct {
	Email string `json:"email_address"`
}

type wirePlanChanges struct {
	Cycles []wireCycle `json:"billing_cycles"`
}

type wireCycle struct {
	Sequence int `json:"sequence"`
	Pricing  struct {
		Fixed wireMoney `json:"fixed_price"`
	} `json:"pricing_scheme"`
}

const agreementPath = "/v1/billing/subscriptions"

// OpenAgreement creates a subscription (POST /v1/billing/subscriptions;
// developer.paypal.com/docs/api/subscriptions/v1). PayPal remembers the request id
// 72 hours. A Price overrides that of the plan's first cycle: plans have no trial
// here.
func (c *Client) OpenAgreement(ctx context.Context, r billing.AgreementRequest) (billing.Agreement, error) {
	what := "open agreement for subscription " + r.SubscriptionID
	ask, err := agreementRequest(what, r)
	if err != nil {
		return billing.Agreement{}, err
	}
	if err := checkKey(what, r.Key); err != nil {
		return billing.Agreement{}, err
	}
	if !ownIDShape.MatchString(r.SubscriptionID) {
		return billing.Agreement{}, fmt.Errorf("paypal: %s: %w: a subscription id of 1 to 40 letters, digits, - and _ is required", what, billing.ErrGatewayRefused)
	}
	ask.CustomID = r.SubscriptionID
	if !r.StartAt.IsZero() {
		ask.Start = &wireTime{r.StartAt}
	}
	if strings.Contains(r.Email, "@") {
		ask.Subscriber = &wireSubscriber{r.Email}
	}
	x := c.begin(what, true)
	var w wireAgreement
	if err := x.send(ctx, http.MethodPost, agreementPath, r.Key, ask, &w); err != nil {
		return billing.Agreement{}, err
	}
	a, err := w.agreement()
	switch {
	case err != nil:
		return billing.Agreement{}, x.lost(err.Error(), ErrPayload)
	case a.SubscriptionID != "" && a.SubscriptionID != r.SubscriptionID:
		return billing.Agreement{}, x.fail(billing.ErrGatewayRefused, "the key belongs to another agreement, "+a.ID, nil)
	}
	return a, nil
}

func agreementRequest(what string, r billing.AgreementRequest) (wireAgreementRequest, error) {
	none := wireAgreementRequest{}
	if err := checkID("plan", r.Plan, agreementShape); err != nil {
		return none, err
	}
	if err := checkURLs(what, r.ReturnURL, r.CancelURL); err != nil {
		return none, err
	}
	if r.Quantity < 0 {
		return none, fmt.Errorf("paypal: %s: %w: quantity %d", what, billing.ErrGatewayRefused, r.Quantity)
	}
	ask := wireAgreementRequest{
		Plan: r.Plan, Quantity: strconv.Itoa(max(1, r.Quantity)),
		Context: wireExperience{ReturnURL: r.ReturnURL, CancelURL: r.CancelURL, Locale: locale(r.Locale), Shipping: "NO_SHIPPING", Action: "SUBSCRIBE_NOW"},
	}
	if r.Price != (money.Amount{}) {
		price, err := toPayPal(r.Price)
		if err != nil {
			return none, err
		}
		cycle := wireCycle{Sequence: 1}
		cycle.Pricing.Fixed = price
		ask.Override = &wirePlanChanges{[]wireCycle{cycle}}
	}
	return ask, nil
}

var agreementStates = map[string]billing.AgreementState{
	"APPROVAL_PENDING": billing.AgreementPending, "APPROVED": billing.AgreementPending, "ACTIVE": billing.AgreementActive,
	"SUSPENDED": billing.AgreementSuspended, "CANCELLED": billing.AgreementCancelled, "EXPIRED": billing.AgreementExpired,
}

func (w wireAgreement) agreement() (billing.Agreement, error) {
	state, known := agreementStates[w.Status]
	at := firstTime(w.Updated, w.Changed, w.Created)
	if !agreementShape.MatchString(w.ID) || !known || w.Plan == "" || at.IsZero() {
		return billing.Agreement{}, fmt.Errorf("agreement %.60q: %w: id, plan, time or status (%.30q) is missing", w.ID, ErrPayload, w.Status)
	}
	a := billing.Agreement{
		ID: w.ID, SubscriptionID: w.CustomID, Plan: w.Plan, Quantity: 1, State: state, NextPayment: w.Billing.Next.Time,
		FailedPayments: w.Billing.Failed, ApproveURL: link(w.Links, "approve"), At: at, Email: w.Subscriber.Email,
		Ends: state == billing.AgreementCancelled || state == billing.AgreementExpired,
	}
	if a.Ends {
		a.NextPayment = time.Time{}
	}
	if n, err := strconv.Atoi(w.Quantity); err == nil && n > 0 {
		a.Quantity = n
	}
	if w.Billing.Outstanding != nil {
		balance, err := w.Billing.Outstanding.amount()
		if err != nil {
			return billing.Agreement{}, fmt.Errorf("agreement %s: %w", w.ID, err)
		}
		a.Outstanding = balance
	}
	if w.Billing.Last != nil {
		price, err := w.Billing.Last.Amount.amount()
		if err != nil {
			return billing.Agreement{}, fmt.Errorf("last payment of agreement %s: %w", w.ID, err)
		}
		a.Price = price
	}
	return a, nil
}

// ReadAgreement reads a subscription (GET /v1/billing/subscriptions/{id}).
func (c *Client) ReadAgreement(ctx context.Context, id string) (billing.Agreement, error) {
	if err := checkID("agreement", id, agreementShape); err != nil {
		return billing.Agreement{}, err
	}
	x := c.begin("read agreement "+id, false)
	var w wireAgreement
	if err := x.send(ctx, http.MethodGet, agreementPath+"/"+id, "", nil, &w); err != nil {
		return billing.Agreement{}, err
	}
	a, err := w.agreement()
	if err != nil {
		return billing.Agreement{}, x.lost(err.Error(), ErrPayload)
	}
	return a, nil
}

// ReviseAgreement asks the payer to agree to another plan or quantity
// (POST …/revise). The answer is the agreement as it still stands, with the
// address where the payer agrees.
func (c *Client) ReviseAgreement(ctx context.Context, id string, r billing.AgreementRequest) (billing.Agreement, error) {
	what := "revise agreement " + id
	if err := checkID("agreement", id, agreementShape); err != nil {
		return billing.Agreement{}, err
	}
	ask, err := agreementRequest(what, r)
	if err != nil {
		return billing.Agreement{}, err
	}
	x := c.begin(what, true)
	var answer struct {
		Links []wireLink `json:"links"`
	}
	if err := x.send(ctx, http.MethodPost, agreementPath+"/"+id+"/revise", "", ask, &answer); err != nil {
		return billing.Agreement{}, err
	}
	approve := link(answer.Links, "approve")
	if approve == "" {
		return billing.Agreement{}, x.lost("the answer has no link for the payer", ErrPayload)
	}
	a, err := c.ReadAgreement(ctx, id)
	if err != nil {
		return billing.Agreement{}, err
	}
	a.ApproveURL = approve
	return a, nil
}

// SuspendAgreement stops payments (POST …/suspend).
func (c *Client) SuspendAgreement(ctx context.Context, id, reason string) error {
	return c.moveAgreement(ctx, id, "suspend", reason, billing.AgreementSuspended)
}

// ResumeAgreement lets payments go on (POST …/activate). While something is
// outstanding, PayPal refuses it.
func (c *Client) ResumeAgreement(ctx context.Context, id, reason string) error {
	return c.moveAgreement(ctx, id, "activate", reason, billing.AgreementActive)
}

// CancelAgreement ends a subscription for good (POST …/cancel). One that expired
// is at its end as well.
func (c *Client) CancelAgreement(ctx context.Context, id, reason string) error {
	return c.moveAgreement(ctx, id, "cancel", reason, billing.AgreementCancelled, billing.AgreementExpired)
}

// EndAgreement ends it now, as PayPal knows no other end. It returns nothing of
// what is paid, so the payer loses none of it.
func (c *Client) EndAgreement(ctx context.Context, id, reason string) (billing.Agreement, error) {
	if err := c.CancelAgreement(ctx, id, reason); err != nil {
		return billing.Agreement{}, err
	}
	a, err := c.ReadAgreement(ctx, id)
	if err == nil && !a.Ends {
		err = c.begin("end agreement "+id, true).lost("it is "+string(a.State)+" after it was cancelled", nil)
	}
	return a, err
}

// moveAgreement makes sure that a subscription is in a state. These calls have no
// request id: the state is read first, and again when the answer was lost.
func (c *Client) moveAgreement(ctx context.Context, id, verb, reason string, wanted ...billing.AgreementState) error {
	is := func(a billing.Agreement) bool {
		for _, w := range wanted {
			if a.State == w {
				return true
			}
		}
		return false
	}
	a, err := c.ReadAgreement(ctx, id)
	if err != nil || is(a) {
		return err
	}
	x := c.begin(verb+" agreement "+id, true)
	if reason == "" || len([]rune(reason)) > 128 {
		return x.fail(billing.ErrGatewayRefused, "a reason of 1 to 128 characters is required", nil)
	}
	failed := x.send(ctx, http.MethodPost, agreementPath+"/"+id+"/"+verb, "", map[string]string{"reason": reason}, nil)
	if failed == nil {
		return nil
	}
	if a, err := c.ReadAgreement(ctx, id); err == nil && is(a) {
		return nil
	}
	return failed
}

// CaptureOutstanding takes what payments failed to bring (POST …/capture), which
// PayPal answers with 200, or with 202 when it is still under way.
func (c *Client) CaptureOutstanding(ctx context.Context, key, id string, amount money.Amount, note string) error {
	what := "capture what agreement " + id + " owes"
	value, err := toPayPal(amount)
	if err != nil {
		return err
	}
	if err := checkKey(what, key); err != nil {
		return err
	}
	if err := checkID("agreement", id, agreementShape); err != nil {
		return err
	}
	ask := map[string]any{"note": cut(firstOf(note, "Outstanding balance"), 128), "capture_type": "OUTSTANDING_BALANCE", "amount": value}
	return c.begin(what, true).send(ctx, http.MethodPost, agreementPath+"/"+id+"/capture", key, ask, nil)
}

// AgreementPayments lists a subscription's payments (GET …/transactions). Times
// are sent in UTC: the library writes local ones with a Z.
func (c *Client) AgreementPayments(ctx context.Context, id string, from, to time.Time) ([]billing.AgreementPayment, error) {
	a, err := c.ReadAgreement(ctx, id)
	if err != nil {
		return nil, err
	}
	layout := "2006-01-02T15:04:05.000Z"
	query := url.Values{"start_time": {from.UTC().Format(layout)}, "end_time": {to.UTC().Format(layout)}}
	x := c.begin("list payments of agreement "+id, false)
	var list struct {
		Transactions []struct {
			wireCapture
			Time    wireTime `json:"time"`
			Amounts struct {
				Gross wireMoney  `json:"gross_amount"`
				Fee   *wireMoney `json:"fee_amount"`
			} `json:"amount_with_breakdown"`
		} `json:"transactions"`
	}
	if err := x.send(ctx, http.MethodGet, agreementPath+"/"+id+"/transactions?"+query.Encode(), "", nil, &list); err != nil {
		return nil, err
	}
	payments := []billing.AgreementPayment{}
	for _, t := range list.Transactions {
		t.Amount, t.Updated = t.Amounts.Gross, t.Time
		r, err := reportCapture(t.wireCapture)
		if err != nil {
			return nil, x.lost(err.Error(), ErrPayload)
		}
		if r.At.Before(from) || !r.At.Before(to) {
			continue
		}
		p := billing.AgreementPayment{
			Reference: r.Reference, Agreement: id, SubscriptionID: a.SubscriptionID, State: r.State, Amount: r.Amount, Fee: r.Amount.Zero(), At: r.At,
		}
		if t.Amounts.Fee != nil {
			if p.Fee, err = t.Amounts.Fee.amount(); err != nil {
				return nil, x.lost(err.Error(), ErrPayload)
			}
		}
		payments = append(payments, p)
	}
	return payments, nil
}
