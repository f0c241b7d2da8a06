package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// Stripe's limits for the life of a Checkout page
// (docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at).
const (
	minPageLife = 30 * time.Minute
	maxPageLife = 24 * time.Hour
	// clockSlack allows for our clock and Stripe's to differ.
	clockSlack = time.Minute
)

// OpenPage opens a Checkout page (POST /v1/checkout/sessions) that takes the
// amount once and, with SaveMethod, keeps the method for Charge. Without a
// Customer the page creates one. An expiry beyond Stripe's limits of 30 minutes
// and 24 hours is moved to them: too far becomes 24 hours, too near becomes 31
// minutes later than asked for.
//
// The parameters of one key must never differ, or Stripe refuses the repeat. So
// the expiry sent depends on the request alone and the clock only decides which
// of its forms goes first; when Stripe knows the key with another form, that
// form is sent.
func (c *Client) OpenPage(ctx context.Context, r billing.PageRequest) (billing.Page, error) {
	what := "open page for attempt " + r.AttemptID
	params, err := pageParams(what, r)
	if err != nil {
		return billing.Page{}, err
	}
	var known error
	for _, expiry := range expiries(r.ExpiresAt, c.now()) {
		page, err := c.openPage(ctx, what, r.Key, params, expiry)
		if !mismatched(err) {
			return page, err
		}
		known = firstError(known, err)
	}
	return billing.Page{}, known // the key belongs to another request
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (c *Client) openPage(ctx context.Context, what, key string, params stripe.CheckoutSessionParams, expiry *int64) (billing.Page, error) {
	x := c.begin(what, true)
	params.Params, params.ExpiresAt = x.params(ctx, key), expiry
	s, err := c.api.CheckoutSessions.New(&params)
	if err := x.failure(err); err != nil {
		return billing.Page{}, err
	}
	switch {
	case checkID("page", s.ID, "cs_") != nil:
		return billing.Page{}, x.incomplete("id")
	case s.URL == "":
		return billing.Page{}, x.incomplete("url")
	case s.ExpiresAt == 0:
		return billing.Page{}, x.incomplete("expires_at")
	}
	return billing.Page{Reference: s.ID, URL: s.URL, ExpiresAt: time.Unix(s.ExpiresAt, 0).UTC()}, nil
}

// expiries are the forms in which an expiry can be sent, the one that fits now
// first. nil leaves it to Stripe: 24 hours, its longest.
func expiries(at, now time.Time) []*int64 {
	if at.IsZero() {
		return []*int64{nil}
	}
	asked := stripe.Int64(at.Unix())
	moved := stripe.Int64(at.Add(minPageLife + clockSlack).Unix())
	switch left := at.Sub(now); {
	case left > maxPageLife-clockSlack:
		return []*int64{nil, asked, moved}
	case left >= minPageLife+clockSlack:
		return []*int64{asked, moved, nil}
	case left >= 0:
		return []*int64{moved, asked, nil}
	}
	return []*int64{nil, moved, asked}
}

func pageParams(what string, r billing.PageRequest) (stripe.CheckoutSessionParams, error) {
	none := stripe.CheckoutSessionParams{}
	unit, currency, err := toStripe(r.Amount)
	if err != nil {
		return none, err
	}
	if err := checkPage(what, r); err != nil {
		return none, err
	}
	meta := map[string]string{metaAttempt: r.AttemptID, metaInvoice: r.InvoiceID}
	params := stripe.CheckoutSessionParams{
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		ClientReferenceID: stripe.String(r.AttemptID),
		SuccessURL:        stripe.String(r.ReturnURL),
		CancelURL:         stripe.String(r.CancelURL),
		Locale:            stripe.String(locale(r.Locale)),
		Metadata:          meta,
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency:    &currency,
				UnitAmount:  &unit,
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: &r.Description},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{
			Description: &r.Description,
			Metadata:    meta,
		},
	}
	if r.SaveMethod {
		params.PaymentIntentData.SetupFutureUsage = stripe.String(string(stripe.PaymentIntentSetupFutureUsageOffSession))
	}
	if r.Customer != "" {
		params.Customer = &r.Customer
		return params, nil
	}
	params.CustomerCreation = stripe.String(string(stripe.CheckoutSessionCustomerCreationAlways))
	if r.Email != "" {
		params.CustomerEmail = &r.Email
	}
	return params, nil
}

func checkPage(what string, r billing.PageRequest) error {
	if err := checkKey(what, r.Key); err != nil {
		return err
	}
	if r.Customer != "" {
		if err := checkID("customer", r.Customer, "cus_"); err != nil {
			return err
		}
	}
	if r.AttemptID == "" || r.InvoiceID == "" || r.Description == "" {
		return fmt.Errorf("stripe: %s: %w: attempt, invoice and description are required", what, billing.ErrGatewayRefused)
	}
	for _, address := range []string{r.ReturnURL, r.CancelURL} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("stripe: %s: %w: %.80q is not an absolute http address", what, billing.ErrGatewayRefused, address)
		}
	}
	return nil
}

// ReadPage reads a Checkout page and its payment back
// (GET /v1/checkout/sessions/{id}).
func (c *Client) ReadPage(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if err := checkID("page", reference, "cs_"); err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin("read page "+reference, false)
	s, err := c.api.CheckoutSessions.Get(reference, &stripe.CheckoutSessionParams{
		Params: x.params(ctx, ""),
		Expand: pageExpand(),
	})
	if err := x.failure(err); err != nil {
		return billing.PaymentReport{}, err
	}
	return x.sessionReport(s)
}

// ClosePage expires a page (POST /v1/checkout/sessions/{id}/expire). Stripe
// refuses that for pages that were paid or expired meanwhile; then, and when the
// answer was lost, the page is read, and only a page that is still open leaves
// an error. Closing twice is harmless at Stripe, so each call has a key of its
// own: a fixed one would replay a stored failure for a day.
func (c *Client) ClosePage(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if err := checkID("page", reference, "cs_"); err != nil {
		return billing.PaymentReport{}, err
	}
	x := c.begin("close page "+reference, true)
	s, err := c.api.CheckoutSessions.Expire(reference, &stripe.CheckoutSessionExpireParams{
		Params: x.params(ctx, ""),
		Expand: pageExpand(),
	})
	failed := x.failure(err)
	if failed == nil {
		return x.sessionReport(s)
	}
	if !errors.Is(failed, billing.ErrGatewayRefused) && !errors.Is(failed, billing.ErrOutcomeUnknown) {
		return billing.PaymentReport{}, failed
	}
	r, err := c.ReadPage(ctx, reference)
	if err != nil || r.State == billing.PaymentOpen {
		return billing.PaymentReport{}, failed
	}
	return r, nil
}

func (x *exchange) sessionReport(s *stripe.CheckoutSession) (billing.PaymentReport, error) {
	r, err := reportSession(s)
	if err != nil {
		return billing.PaymentReport{}, x.lost(err.Error(), ErrPayload)
	}
	return r, nil
}

func pageExpand() []*string {
	return stripe.StringSlice([]string{"payment_intent", "payment_intent.payment_method", "payment_intent.latest_charge"})
}

// locales are the languages of Checkout
// (docs.stripe.com/js/appendix/supported_locales).
var locales = strings.Fields(`bg cs da de el en en-GB es es-419 et fi fil fr
	fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi
	zh zh-HK zh-TW`)

// locale returns the Checkout language for a BCP 47 tag: the tag itself, its
// language, or "auto", which follows the browser.
func locale(tag string) string {
	language, _, _ := strings.Cut(tag, "-")
	if strings.EqualFold(language, "no") || strings.EqualFold(language, "nn") {
		language = "nb"
	}
	for _, wanted := range []string{tag, language} {
		for _, l := range locales {
			if strings.EqualFold(l, wanted) {
				return l
			}
		}
	}
	return "auto"
}
