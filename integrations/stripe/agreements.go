package stripe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// metaSubscription names our subscription on Stripe's, where somebody wrote it
// there: none is begun here, so most have none.
const metaSubscription = "subscription_id"

// invoicePages bounds how many pages of 100 invoices of one subscription are read.
const invoicePages = 10

// ReadAgreement reads a subscription with its last invoice (GET
// /v1/subscriptions/{id}).
func (c *Client) ReadAgreement(ctx context.Context, id string) (billing.Agreement, error) {
	if err := checkID("subscription", id, "sub_"); err != nil {
		return billing.Agreement{}, err
	}
	x := c.begin("read subscription "+id, false)
	s, err := c.api.Subscriptions.Get(id, &stripe.SubscriptionParams{Params: x.params(ctx, ""), Expand: stripe.StringSlice([]string{"latest_invoice.payment_intent"})})
	if err := x.failure(err); err != nil {
		return billing.Agreement{}, err
	}
	return x.agreement(s)
}

func (x *exchange) agreement(s *stripe.Subscription) (billing.Agreement, error) {
	a, err := reportAgreement(s)
	if err != nil {
		return billing.Agreement{}, x.lost(err.Error(), ErrPayload)
	}
	return a, nil
}

// agreementStates are the states of a subscription. One that is past due is
// active: Stripe goes on trying. An unpaid or paused one makes invoices and
// collects none.
var agreementStates = map[stripe.SubscriptionStatus]billing.AgreementState{
	stripe.SubscriptionStatusIncomplete: billing.AgreementPending, stripe.SubscriptionStatusIncompleteExpired: billing.AgreementExpired,
	stripe.SubscriptionStatusTrialing: billing.AgreementActive, stripe.SubscriptionStatusActive: billing.AgreementActive, stripe.SubscriptionStatusPastDue: billing.AgreementActive,
	stripe.SubscriptionStatusUnpaid: billing.AgreementSuspended, stripe.SubscriptionStatusPaused: billing.AgreementSuspended,
	stripe.SubscriptionStatusCanceled: billing.AgreementCancelled,
}

func reportAgreement(s *stripe.Subscription) (billing.Agreement, error) {
	state, known := agreementStates[s.Status]
	if !known || !complete(s) {
		return billing.Agreement{}, fmt.Errorf("subscription %.60q: %w: id, status (%.30q), period, time or items are missing", s.ID, ErrPayload, s.Status)
	}
	a := billing.Agreement{
		ID: s.ID, SubscriptionID: s.Metadata[metaSubscription], State: state, PaidThrough: time.Unix(s.CurrentPeriodEnd, 0).UTC(),
		At: time.Unix(max(s.Created, s.CurrentPeriodStart, s.CanceledAt, s.EndedAt), 0).UTC(),
	}
	if s.Customer != nil {
		a.Customer, a.Email = s.Customer.ID, s.Customer.Email
	}
	if state == billing.AgreementActive && s.PauseCollection != nil && s.PauseCollection.Behavior != "" {
		a.State = billing.AgreementSuspended
	}
	over := state == billing.AgreementCancelled || state == billing.AgreementExpired
	a.Ends = over || s.CancelAtPeriodEnd || s.CancelAt > 0 && s.CancelAt <= s.CurrentPeriodEnd
	if !a.Ends && a.State == billing.AgreementActive {
		a.NextPayment = a.PaidThrough
	}
	if err := terms(&a, s); err != nil {
		return billing.Agreement{}, fmt.Errorf("subscription %s: %w", s.ID, err)
	}
	return a, owes(&a, s.LatestInvoice)
}

// complete reports whether a subscription has what its version promises.
func complete(s *stripe.Subscription) bool {
	return checkID("subscription", s.ID, "sub_") == nil && s.CurrentPeriodEnd > 0 && s.Created > 0 && s.Items != nil && len(s.Items.Data) > 0
}

// terms reads what one period costs. What tax or a coupon of Stripe's makes of it
// shows in the payments alone.
func terms(a *billing.Agreement, s *stripe.Subscription) error {
	sum := int64(0)
	for _, item := range s.Items.Data {
		if item == nil || item.Price == nil || item.Price.ID == "" {
			return fmt.Errorf("%w: an item has no price", ErrPayload)
		}
		sum += item.Price.UnitAmount * max(1, item.Quantity)
	}
	first := s.Items.Data[0]
	a.Plan, a.Quantity = first.Price.ID, int(max(1, first.Quantity))
	var err error
	a.Price, err = fromStripe(sum, string(first.Price.Currency))
	return err
}

// owes reads what the last invoice could not collect. A bank debit that is on its way
// for days has not failed: its invoice is open meanwhile.
func owes(a *billing.Agreement, last *stripe.Invoice) error {
	a.Outstanding = a.Price.Zero()
	if last == nil || last.Status != stripe.InvoiceStatusOpen || last.AttemptCount == 0 {
		return nil
	}
	if p := last.PaymentIntent; p != nil && p.Status == stripe.PaymentIntentStatusProcessing {
		return nil
	}
	rest, err := fromStripe(last.AmountRemaining, string(last.Currency))
	if err != nil {
		return fmt.Errorf("invoice %s: %w", last.ID, err)
	}
	a.Outstanding, a.FailedPayments = rest, int(last.AttemptCount)
	return nil
}

// SuspendAgreement stops collecting (pause_collection with behavior void): what
// falls due meanwhile is never charged.
func (c *Client) SuspendAgreement(ctx context.Context, id, reason string) error {
	a, err := c.change(ctx, id, "suspend", reason, func(a billing.Agreement) bool { return a.State == billing.AgreementSuspended }, func(p *stripe.SubscriptionParams) {
		p.PauseCollection = &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String("void")}
	})
	if err == nil && a.State != billing.AgreementSuspended {
		err = c.begin("suspend subscription "+id, true).lost("it is "+string(a.State)+" afterwards", nil)
	}
	return err
}

// ResumeAgreement collects again. An empty struct would send nothing, so that
// pause_collection is cleared by name.
func (c *Client) ResumeAgreement(ctx context.Context, id, reason string) error {
	a, err := c.change(ctx, id, "resume", reason, func(a billing.Agreement) bool { return a.State == billing.AgreementActive }, unpause)
	if err == nil && a.State != billing.AgreementActive {
		err = c.begin("resume subscription "+id, true).fail(billing.ErrGatewayRefused, "it is "+string(a.State)+" for another reason", nil)
	}
	return err
}

func unpause(p *stripe.SubscriptionParams) { p.AddExtra("pause_collection", "") }

// EndAgreement ends a subscription when its paid period does
// (cancel_at_period_end). Until then the payer may take that back in Stripe's own
// portal.
func (c *Client) EndAgreement(ctx context.Context, id, reason string) (billing.Agreement, error) {
	a, err := c.change(ctx, id, "end", reason, func(a billing.Agreement) bool { return a.Ends }, atPeriodEnd)
	if err == nil && !a.Ends {
		err = c.begin("end subscription "+id, true).lost("it goes on afterwards", nil)
	}
	return a, err
}

func atPeriodEnd(p *stripe.SubscriptionParams) { p.CancelAtPeriodEnd = stripe.Bool(true) }

// change makes sure that a subscription is as wanted (POST
// /v1/subscriptions/{id}). It is read first: what is so already is left alone, and
// a lost answer is looked up by asking again. Setting what is set changes nothing,
// so each call has a key of its own.
func (c *Client) change(ctx context.Context, id, verb, reason string, is func(billing.Agreement) bool, set func(*stripe.SubscriptionParams)) (billing.Agreement, error) {
	a, err := c.ReadAgreement(ctx, id)
	if err != nil || is(a) {
		return a, err
	}
	x := c.begin(verb+" subscription "+id, true)
	switch over := a.State == billing.AgreementCancelled || a.State == billing.AgreementExpired; {
	case over:
		return a, x.fail(billing.ErrGatewayRefused, "it is over", nil)
	case reason == "" || len([]rune(reason)) > 128:
		return a, x.fail(billing.ErrGatewayRefused, "a reason of 1 to 128 characters is required", nil)
	}
	params := &stripe.SubscriptionParams{
		Params: x.params(ctx, stripe.NewIdempotencyKey()), Expand: stripe.StringSlice([]string{"latest_invoice.payment_intent"}),
	}
	set(params)
	s, err := c.api.Subscriptions.Update(id, params)
	if err := x.failure(err); err != nil {
		return billing.Agreement{}, err
	}
	return x.agreement(s)
}

// CancelAgreement cancels a subscription now (DELETE /v1/subscriptions/{id}). No
// final invoice is made and nothing is given back: those are our books' business.
func (c *Client) CancelAgreement(ctx context.Context, id, reason string) error {
	a, err := c.ReadAgreement(ctx, id)
	if err != nil || a.State == billing.AgreementCancelled || a.State == billing.AgreementExpired {
		return err
	}
	x := c.begin("cancel subscription "+id, true)
	if reason == "" || len([]rune(reason)) > 128 {
		return x.fail(billing.ErrGatewayRefused, "a reason of 1 to 128 characters is required", nil)
	}
	s, err := c.api.Subscriptions.Cancel(id, &stripe.SubscriptionCancelParams{
		Params: x.params(ctx, stripe.NewIdempotencyKey()), InvoiceNow: stripe.Bool(false), Prorate: stripe.Bool(false),
		CancellationDetails: &stripe.SubscriptionCancelCancellationDetailsParams{Comment: &reason},
	})
	if err := x.failure(err); err != nil {
		return err
	}
	if s.Status != stripe.SubscriptionStatusCanceled {
		return x.incomplete("status that it is cancelled")
	}
	return nil
}

// AgreementPayments lists what a subscription's invoices took (GET /v1/invoices),
// by when it was paid: an old invoice may be paid today.
func (c *Client) AgreementPayments(ctx context.Context, id string, from, to time.Time) ([]billing.AgreementPayment, error) {
	if err := checkID("subscription", id, "sub_"); err != nil {
		return nil, err
	}
	payments, after := []billing.AgreementPayment{}, (*string)(nil)
	for range invoicePages {
		x := c.begin("list invoices of subscription "+id, false)
		list := c.api.Invoices.List(&stripe.InvoiceListParams{
			ListParams:   stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after},
			Subscription: &id, Status: stripe.String("paid"),
		})
		if err := x.failure(list.Err()); err != nil {
			return nil, err
		}
		page := list.InvoiceList()
		if page.URL == "" {
			return nil, x.incomplete("list")
		}
		for _, inv := range page.Data {
			p, ok, err := invoicePayment(inv)
			if err != nil {
				return nil, x.lost(err.Error(), ErrPayload)
			}
			after = &inv.ID
			if ok && !p.At.Before(from) && p.At.Before(to) {
				payments = append(payments, p)
			}
		}
		if !page.HasMore || len(page.Data) == 0 {
			slices.SortStableFunc(payments, func(a, b billing.AgreementPayment) int { return a.At.Compare(b.At) })
			return payments, nil
		}
	}
	return nil, fmt.Errorf("stripe: list invoices of subscription %s: %w: there are more than %d", id, billing.ErrGatewayRefused, invoicePages*100)
}

// invoicePayment is the payment of a paid invoice; ok is false for one that took
// no money: it was over nothing, or somebody noted a payment elsewhere.
func invoicePayment(inv *stripe.Invoice) (p billing.AgreementPayment, ok bool, err error) {
	if inv == nil || checkID("invoice", inv.ID, "in_") != nil || inv.Subscription == nil || inv.Subscription.ID == "" || inv.Created == 0 {
		return p, false, fmt.Errorf("invoice: %w: id, subscription or time is missing", ErrPayload)
	}
	p = billing.AgreementPayment{Agreement: inv.Subscription.ID, State: billing.PaymentDeclined, At: time.Unix(inv.Created, 0).UTC(), Period: linePeriod(inv)}
	if inv.SubscriptionDetails != nil {
		p.SubscriptionID = inv.SubscriptionDetails.Metadata[metaSubscription]
	}
	taken := inv.AmountRemaining
	if inv.Status == stripe.InvoiceStatusPaid {
		p.State, taken = billing.PaymentSucceeded, inv.AmountPaid
	}
	if taken == 0 || inv.PaidOutOfBand {
		return p, false, nil
	}
	if inv.PaymentIntent == nil || inv.PaymentIntent.ID == "" {
		return p, false, fmt.Errorf("invoice %s: %w: no payment", inv.ID, ErrPayload)
	}
	p.Reference = inv.PaymentIntent.ID
	if inv.StatusTransitions != nil && inv.StatusTransitions.PaidAt > 0 {
		p.At = time.Unix(inv.StatusTransitions.PaidAt, 0).UTC()
	}
	if p.Amount, err = fromStripe(taken, string(inv.Currency)); err != nil {
		return p, false, fmt.Errorf("invoice %s: %w", inv.ID, err)
	}
	p.Fee = money.Must(0, p.Amount.Currency()) // Stripe's books tell it, not the invoice
	return p, true, nil
}

// linePeriod is the period that an invoice of the regular cycle bills. The
// invoice's own period is the one before.
func linePeriod(inv *stripe.Invoice) billing.Period {
	regular := inv.BillingReason == stripe.InvoiceBillingReasonSubscriptionCycle || inv.BillingReason == stripe.InvoiceBillingReasonSubscriptionCreate
	if !regular || inv.Lines == nil {
		return billing.Period{}
	}
	for _, l := range inv.Lines.Data {
		if l != nil && l.Type == stripe.InvoiceLineItemTypeSubscription && !l.Proration && l.Period != nil && l.Period.End > l.Period.Start {
			return billing.Period{Start: time.Unix(l.Period.Start, 0).UTC(), End: time.Unix(l.Period.End, 0).UTC()}
		}
	}
	return billing.Period{}
}

// AgreementPaymentOf reads the payment out of a stored event about an invoice of a
// subscription that was paid, or could not be. Errors: ErrPayload.
func (c *Client) AgreementPaymentOf(body []byte) (billing.AgreementPayment, bool, error) {
	none := billing.AgreementPayment{}
	e, err := decodeEvent(body)
	if err != nil {
		return none, false, err
	}
	if e.Type != "invoice.paid" && e.Type != "invoice.payment_failed" {
		return none, false, nil
	}
	fact, err := e.fact(billing.FactAgreementPayment)
	if err == nil && fact.Agreement == "" {
		return none, false, nil // an invoice without a subscription, of somebody else's making
	}
	if err == nil && e.APIVersion != stripe.APIVersion {
		err = fmt.Errorf("%w: it has version %.40q", ErrPayload, e.APIVersion)
	}
	var inv stripe.Invoice
	if err == nil {
		if bad := json.Unmarshal(e.Data.Object, &inv); bad != nil {
			err = fmt.Errorf("%w: %w", ErrPayload, bad)
		}
	}
	if err != nil {
		return none, true, fmt.Errorf("stripe: event %s (%s): %w", e.ID, e.Type, err)
	}
	p, ok, err := invoicePayment(&inv)
	if err != nil {
		return none, true, fmt.Errorf("stripe: event %s (%s): %w", e.ID, e.Type, err)
	}
	return p, ok, nil
}
