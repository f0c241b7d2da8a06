package paypal

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ezscale/ezscale/engine/billing"
)

// wireSetup is a setup token: an account on its way into the vault.
type wireSetup struct {
	ID       string     `json:"id,omitempty"`
	Status   string     `json:"status,omitempty"`
	Customer *wireID    `json:"customer,omitempty"`
	Source   any        `json:"payment_source,omitempty"`
	Links    []wireLink `json:"links,omitempty"`
}

// OpenSetup creates a setup token, which the payer approves on PayPal's page
// (POST /v3/vault/setup-tokens; developer.paypal.com/docs/api/payment-tokens/v3).
// Nothing is charged. PayPal ends its page by itself; the expiry asked for is the
// caller's to keep, by not reading the setup any more.
func (c *Client) OpenSetup(ctx context.Context, r billing.SetupRequest) (billing.Page, error) {
	what := "open setup " + r.SetupID
	if err := checkKey(what, r.Key); err != nil {
		return billing.Page{}, err
	}
	if err := checkID("customer", r.Customer, customerShape); err != nil {
		return billing.Page{}, err
	}
	if err := checkURLs(what, r.ReturnURL, r.CancelURL); err != nil {
		return billing.Page{}, err
	}
	experience := map[string]string{"return_url": r.ReturnURL, "cancel_url": r.CancelURL, "shipping_preference": "NO_SHIPPING"}
	if l := locale(r.Locale); l != "" {
		experience["locale"] = l
	}
	asked := wireSetup{Customer: &wireID{r.Customer}, Source: map[string]any{"paypal": map[string]any{
		"description": cut(r.Description, 128), "usage_type": "MERCHANT", "customer_type": "CONSUMER", "experience_context": experience,
	}}}
	x := c.begin(what, true)
	var got wireSetup
	if err := x.send(ctx, http.MethodPost, "/v3/vault/setup-tokens", r.Key, asked, &got); err != nil {
		return billing.Page{}, err
	}
	page := billing.Page{Reference: got.ID, URL: link(got.Links, "approve"), ExpiresAt: r.ExpiresAt}
	if !tokenIDShape.MatchString(got.ID) {
		return billing.Page{}, x.lost("the answer has no id", ErrPayload)
	}
	if page.URL == "" {
		if got.Status == "PAYER_ACTION_REQUIRED" {
			return billing.Page{}, x.lost("the answer has no page", ErrPayload)
		}
		page.URL = r.ReturnURL // approved already: the customer may come back
	}
	return page, nil
}

// ReadSetup reads a setup token (GET /v3/vault/setup-tokens/{id}) and exchanges
// one that the payer approved for a saved account (POST
// /v3/vault/payment-tokens), under a request id of the setup, so that repeating it
// saves it once. A setup that PayPal does not know (any more) saves nothing.
func (c *Client) ReadSetup(ctx context.Context, reference string) (billing.SetupReport, error) {
	report := billing.SetupReport{Reference: reference, State: billing.SetupOpen}
	if err := checkID("setup", reference, tokenIDShape); err != nil {
		return report, err
	}
	unlock, err := c.locks.lock(ctx, reference)
	if err != nil {
		return report, err
	}
	defer unlock()
	x := c.begin("read setup "+reference, false)
	var s wireSetup
	err = x.send(ctx, http.MethodGet, "/v3/vault/setup-tokens/"+reference, "", nil, &s)
	if missing(err) {
		report.State = billing.SetupCancelled
		return report, nil
	}
	if err != nil {
		return report, err
	}
	if s.Customer != nil {
		report.Customer = s.Customer.ID
	}
	switch s.Status {
	case "CREATED", "PAYER_ACTION_REQUIRED":
		return report, nil
	case "APPROVED":
		return c.saveSetup(ctx, report)
	case "VAULTED":
		return c.savedSetup(ctx, report)
	}
	return report, x.lost(fmt.Sprintf("the status is %.40q", s.Status), ErrPayload)
}

func (c *Client) saveSetup(ctx context.Context, report billing.SetupReport) (billing.SetupReport, error) {
	x := c.begin("save the method of setup "+report.Reference, true)
	body := map[string]any{"payment_source": map[string]any{"token": map[string]string{"id": report.Reference, "type": "SETUP_TOKEN"}}}
	var t wireToken
	if err := x.send(ctx, http.MethodPost, "/v3/vault/payment-tokens", "setup-"+report.Reference, body, &t); err != nil {
		return report, err
	}
	if !tokenIDShape.MatchString(t.ID) {
		return report, x.lost("the answer has no id", ErrPayload)
	}
	if t.Customer.ID != "" {
		report.Customer = t.Customer.ID
		c.owners.keep(t.ID, t.Customer.ID)
	}
	report.State, report.Method = billing.SetupDone, t.ID
	return report, nil
}

// savedSetup is a setup that was exchanged before. The exchange is asked for
// again, since PayPal answers a known request id with the first answer; where it
// has forgotten it, the account is in the customer's list all the same.
func (c *Client) savedSetup(ctx context.Context, report billing.SetupReport) (billing.SetupReport, error) {
	again, err := c.saveSetup(ctx, report)
	if err == nil {
		return again, nil
	}
	if issueOf(err) == "TOKEN_ID_NOT_FOUND" || missing(err) {
		report.State = billing.SetupDone
		return report, nil
	}
	return report, err
}
