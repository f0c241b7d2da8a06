package paypal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	// minPageLife and maxPageLife bound a page's life. PayPal has no expiry of its
	// own; it keeps an order that nobody approved for some hours, and its request
	// ids for six.
	minPageLife = 31 * time.Minute
	maxPageLife = 3 * time.Hour
)

// OpenPage creates an order that the payer approves on PayPal's page
// (POST /v2/checkout/orders; developer.paypal.com/docs/api/orders/v2). With
// SaveMethod the payer's account is kept for Charge. The page's expiry is asked
// for in the order's mark and moved into 31 minutes to 3 hours from its creation.
func (c *Client) OpenPage(ctx context.Context, r billing.PageRequest) (billing.Page, error) {
	what := "open page for attempt " + r.AttemptID
	order, m, err := pageOrder(what, r)
	if err != nil {
		return billing.Page{}, err
	}
	x := c.begin(what, true)
	var o wireOrder
	if err := x.send(ctx, http.MethodPost, "/v2/checkout/orders", r.Key, order, &o); err != nil {
		return billing.Page{}, err
	}
	if _, err := reportOrder(o, time.Time{}); err != nil {
		return billing.Page{}, x.lost(err.Error(), ErrPayload)
	}
	if !sameOrder(o, order.Units[0]) {
		return billing.Page{}, x.fail(billing.ErrGatewayRefused, "the key belongs to another order, "+o.ID, nil)
	}
	page := billing.Page{Reference: o.ID, URL: link(o.Links, "payer-action", "approve"), ExpiresAt: m.expiry(o.Created.Time)}
	if page.URL == "" { // an order that was approved meanwhile has no such link
		page.URL = c.site() + "/checkoutnow?token=" + o.ID
	}
	return page, nil
}

// sameOrder reports whether an order is the one asked for: PayPal may answer a
// known request id with the first order, whatever the second asked.
func sameOrder(o wireOrder, asked wireUnit) bool {
	got, want := readMark(o.Units[0].CustomID), readMark(asked.CustomID)
	got.closed = want.closed
	return got == want && o.Units[0].Amount == asked.Amount
}

// site is where PayPal's pages for people are.
func (c *Client) site() string {
	switch c.base {
	case liveURL, "https://api.paypal.com":
		return "https://www.paypal.com"
	case sandboxURL, "https://api.sandbox.paypal.com":
		return "https://www.sandbox.paypal.com"
	}
	return c.base
}

const sandboxURL = "https://api-m.sandbox.paypal.com"

func pageOrder(what string, r billing.PageRequest) (wireOrderRequest, mark, error) {
	none := wireOrderRequest{}
	amount, err := toPayPal(r.Amount)
	if err != nil {
		return none, mark{}, err
	}
	m, err := newMark(what, r.AttemptID, r.InvoiceID)
	if err != nil {
		return none, mark{}, err
	}
	if err := checkPage(what, r); err != nil {
		return none, mark{}, err
	}
	if m.page = true; !r.ExpiresAt.IsZero() {
		m.expires = time.Unix(max(0, r.ExpiresAt.Unix()), 0).UTC()
	}
	wallet := wireWallet{Experience: &wireExperience{
		ReturnURL: r.ReturnURL, CancelURL: r.CancelURL, Locale: locale(r.Locale),
		Shipping: "NO_SHIPPING", Action: "PAY_NOW", Method: "IMMEDIATE_PAYMENT_REQUIRED",
	}}
	if strings.Contains(r.Email, "@") {
		wallet.Email = r.Email
	}
	if r.SaveMethod {
		wallet.Attributes = &wireAttributes{Vault: &wireVault{Store: "ON_SUCCESS", UsageType: "MERCHANT", CustomerType: "CONSUMER"}}
		if r.Customer != "" {
			wallet.Attributes.Customer = &wireID{r.Customer}
		}
	}
	return wireOrderRequest{Intent: "CAPTURE", Units: []wireUnit{unitOf(m, r.Description, amount)}, Source: wireSource{wallet}}, m, nil
}

// unitOf is what is bought. invoice_id is unique among a merchant's payments, so
// that it is the attempt: should a request id be forgotten, PayPal still refuses
// to take the money of one attempt twice.
func unitOf(m mark, description string, amount wireMoney) wireUnit {
	return wireUnit{Reference: "default", CustomID: m.String(), InvoiceID: m.attempt, Description: cut(description, 127), Amount: amount}
}

func cut(text string, characters int) string {
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters-1]) + "…"
	}
	return text
}

func checkPage(what string, r billing.PageRequest) error {
	if err := checkKey(what, r.Key); err != nil {
		return err
	}
	if r.Customer != "" {
		if err := checkID("customer", r.Customer, customerShape); err != nil {
			return err
		}
	}
	if r.Description == "" {
		return fmt.Errorf("paypal: %s: %w: a description is required", what, billing.ErrGatewayRefused)
	}
	return checkURLs(what, r.ReturnURL, r.CancelURL)
}

func checkURLs(what string, addresses ...string) error {
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("paypal: %s: %w: %.80q is not an absolute http address", what, billing.ErrGatewayRefused, address)
		}
	}
	return nil
}

var localeShape = regexp.MustCompile(`^[a-z]{2}-[A-Z]{2}$`)

// locale returns the five-character code of a language for PayPal's page, "" to
// leave it to the payer's account.
func locale(tag string) string {
	switch {
	case localeShape.MatchString(tag):
		return tag
	case tag == "en":
		return "en-US"
	case len(tag) == 2 && tag == strings.ToLower(tag):
		return locale(tag + "-" + strings.ToUpper(tag))
	}
	return ""
}

// readOrder reads an order (GET /v2/checkout/orders/{id}).
func (c *Client) readOrder(ctx context.Context, what, id string) (wireOrder, billing.PaymentReport, error) {
	var o wireOrder
	x := c.begin(what, false)
	if err := x.send(ctx, http.MethodGet, "/v2/checkout/orders/"+id, "", nil, &o); err != nil {
		return o, billing.PaymentReport{}, err
	}
	r, err := reportOrder(o, c.now())
	if err != nil {
		return o, billing.PaymentReport{}, x.lost(err.Error(), ErrPayload)
	}
	return o, r, nil
}

// ReadPage reads an order. One that the payer approved is captured, unless its
// page expired or was closed. An order that PayPal does not know (any more) can
// never be paid and is reported cancelled: PayPal forgets what nobody approved.
func (c *Client) ReadPage(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if err := checkID("page", reference, paymentShape); err != nil {
		return billing.PaymentReport{}, err
	}
	unlock, err := c.locks.lock(ctx, reference)
	if err != nil {
		return billing.PaymentReport{}, err
	}
	defer unlock()
	o, r, err := c.readOrder(ctx, "read page "+reference, reference)
	switch {
	case missing(err):
		return billing.PaymentReport{PageReference: reference, State: billing.PaymentCancelled, At: c.now().UTC()}, nil
	case err != nil, o.Status != "APPROVED", r.State != billing.PaymentOpen, r.PageReference == "":
		return r, err
	}
	return c.capture(ctx, o, r)
}

// capture takes the money of an approved order
// (POST /v2/checkout/orders/{id}/capture). The intent is the order itself, whose
// id the caller stored before the payer saw it. The request id is that of the
// approval: a repeat after a lost answer is the same request, and one after the
// payer chose another way to pay is a new one; PayPal captures an order once.
func (c *Client) capture(ctx context.Context, o wireOrder, open billing.PaymentReport) (billing.PaymentReport, error) {
	key := fmt.Sprintf("capture-%s-%d", o.ID, firstTime(o.Updated, o.Created).Unix())
	x := c.begin("capture page "+o.ID, true)
	var answer wireOrder
	err := x.send(ctx, http.MethodPost, "/v2/checkout/orders/"+o.ID+"/capture", key, struct{}{}, &answer)
	issue := issueOf(err)
	_, isDecline := declines[issue]
	switch {
	case err == nil:
		if r, err := reportOrder(answer, c.now()); err == nil {
			return r, nil
		}
		_, r, err := c.readOrder(ctx, "read captured page "+o.ID, o.ID)
		if err != nil {
			return billing.PaymentReport{}, x.lost("the answer cannot be read", err)
		}
		return r, nil
	case isDecline: // the page stays open for another account
		open.Reason, open.Method = issue, ""
		return open, nil
	case issue == "ORDER_NOT_APPROVED":
		return open, nil
	case issue == "ORDER_ALREADY_CAPTURED", issue == "ORDER_ALREADY_COMPLETED":
		_, r, err := c.readOrder(ctx, "read page "+o.ID, o.ID)
		return r, err
	case issue == "ORDER_EXPIRED":
		open.State = billing.PaymentCancelled
		return open, nil
	case issue == "DUPLICATE_INVOICE_ID":
		return c.findPayment(ctx, open.AttemptID, open.Amount, err)
	}
	return billing.PaymentReport{}, err
}

// ClosePage marks an order so that it is never captured
// (PATCH /v2/checkout/orders/{id}). PayPal has no way to withdraw its page: a
// payer may still agree there, and no money moves. What was captured before is
// reported.
func (c *Client) ClosePage(ctx context.Context, reference string) (billing.PaymentReport, error) {
	if err := checkID("page", reference, paymentShape); err != nil {
		return billing.PaymentReport{}, err
	}
	unlock, err := c.locks.lock(ctx, reference)
	if err != nil {
		return billing.PaymentReport{}, err
	}
	defer unlock()
	what := "close page " + reference
	o, r, err := c.readOrder(ctx, what, reference)
	switch {
	case missing(err):
		return billing.PaymentReport{PageReference: reference, State: billing.PaymentCancelled, At: c.now().UTC()}, nil
	case err != nil || r.State != billing.PaymentOpen:
		return r, err
	}
	m := readMark(o.Units[0].CustomID)
	m.closed = true
	patch := []map[string]string{{"op": "replace", "path": "/purchase_units/@reference_id=='default'/custom_id", "value": m.String()}}
	failed := c.begin(what, true).send(ctx, http.MethodPatch, "/v2/checkout/orders/"+reference, "", patch, nil)
	if failed != nil && !errors.Is(failed, billing.ErrGatewayRefused) && !errors.Is(failed, billing.ErrOutcomeUnknown) {
		return billing.PaymentReport{}, failed
	}
	_, r, err = c.readOrder(ctx, what, reference)
	switch {
	case err == nil && r.State != billing.PaymentOpen:
		return r, nil
	case failed == nil:
		return billing.PaymentReport{}, c.begin(what, true).lost("the mark was not kept", err)
	}
	return billing.PaymentReport{}, failed
}
