package paypal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/ezscale/ezscale/engine/billing"
)

// methodPages bounds how many pages of saved accounts are read. PayPal keeps at
// most 50 for a customer.
const methodPages = 20

type wireToken struct {
	ID       string     `json:"id"`
	Customer wireID     `json:"customer"`
	Source   wireSource `json:"payment_source"`
}

// EnsureCustomer returns the id under which the vault keeps a customer's
// accounts: our own id, shortened where it is too long. PayPal has no customers
// to be created, so nothing is called.
func (c *Client) EnsureCustomer(ctx context.Context, key, userID, _, _ string) (string, error) {
	what := "name customer for user " + userID
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("paypal: %s: %w: %w", what, billing.ErrGatewayTemporary, err)
	}
	if err := checkKey(what, key); err != nil {
		return "", err
	}
	if userID == "" {
		return "", fmt.Errorf("paypal: %s: %w: a user id is required", what, billing.ErrGatewayRefused)
	}
	return customerID(userID), nil
}

// Methods lists the accounts a customer has saved
// (GET /v3/vault/payment-tokens). A customer that PayPal does not know has none.
func (c *Client) Methods(ctx context.Context, customer string) ([]billing.SavedMethod, error) {
	if err := checkID("customer", customer, customerShape); err != nil {
		return nil, err
	}
	methods, seen := []billing.SavedMethod{}, map[string]bool{}
	for page := 1; page <= methodPages; page++ {
		var list struct {
			Tokens *[]wireToken `json:"payment_tokens"`
			Pages  int          `json:"total_pages"`
		}
		query := url.Values{"customer_id": {customer}, "page": {strconv.Itoa(page)}, "page_size": {"5"}, "total_required": {"true"}}
		x := c.begin("list methods of customer "+customer, false)
		err := x.send(ctx, http.MethodGet, "/v3/vault/payment-tokens?"+query.Encode(), "", nil, &list)
		if missing(err) && page == 1 {
			return methods, nil
		}
		if err != nil {
			return nil, err
		}
		if list.Tokens == nil { // an empty list is believed, an absent one is not
			return nil, x.lost("the answer has no list", ErrPayload)
		}
		fresh := false
		for _, t := range *list.Tokens {
			if !tokenIDShape.MatchString(t.ID) {
				return nil, x.lost("a saved method has no id", ErrPayload)
			}
			if !seen[t.ID] {
				seen[t.ID], fresh = true, true
				c.owners.keep(t.ID, customer)
				methods = append(methods, billing.SavedMethod{
					ID: t.ID, Kind: "paypal", Brand: "paypal", Fingerprint: t.Source.PayPal.AccountID, Account: t.Source.PayPal.Email,
				})
			}
		}
		if !fresh || list.Pages > 0 && page >= list.Pages {
			break
		}
	}
	return methods, nil
}

// owners remembers whose a saved account is; that never changes.
type owners struct{ byToken sync.Map }

func (o *owners) keep(token, customer string) { o.byToken.Store(token, customer) }

func (o *owners) of(token string) (string, bool) {
	v, known := o.byToken.Load(token)
	customer, _ := v.(string)
	return customer, known
}

// checkOwner refuses a saved account of another customer
// (GET /v3/vault/payment-tokens/{id}, once for each account).
func (c *Client) checkOwner(ctx context.Context, customer, method string) error {
	owner, known := c.owners.of(method)
	if !known {
		x := c.begin("read saved method "+method, false)
		var t wireToken
		if err := x.send(ctx, http.MethodGet, "/v3/vault/payment-tokens/"+method, "", nil, &t); err != nil {
			return err
		}
		if t.ID != method || t.Customer.ID == "" {
			return x.lost("the answer has no customer", ErrPayload)
		}
		owner = t.Customer.ID
		c.owners.keep(method, owner)
	}
	if owner != customer {
		return fmt.Errorf("paypal: saved method %s: %w: it belongs to another customer than %s", method, billing.ErrGatewayRefused, customer)
	}
	return nil
}

// RemoveMethod deletes a saved account
// (DELETE /v3/vault/payment-tokens/{id}), which answers the same when it is gone.
func (c *Client) RemoveMethod(ctx context.Context, customer, method string) error {
	if err := checkID("customer", customer, customerShape); err != nil {
		return err
	}
	if err := checkID("saved method", method, tokenIDShape); err != nil {
		return err
	}
	if err := c.checkOwner(ctx, customer, method); missing(err) {
		return nil
	} else if err != nil {
		return err
	}
	x := c.begin("remove saved method "+method, true)
	err := x.send(ctx, http.MethodDelete, "/v3/vault/payment-tokens/"+method, "", nil, nil)
	if missing(err) {
		return nil
	}
	return err
}

// Check asks for an access token and reads our webhook registration
// (GET /v1/notifications/webhooks/{id}).
func (c *Client) Check(ctx context.Context) error {
	if c.config.WebhookID == "" {
		if _, err := c.tokens.get(ctx); err != nil {
			return explained(err)
		}
		return fmt.Errorf("paypal: %w: client id and secret work, but without the webhook's id no payment can be confirmed", billing.ErrNotConfigured)
	}
	x := c.begin("check the connection", false)
	var hook wireID
	err := x.send(ctx, http.MethodGet, "/v1/notifications/webhooks/"+url.PathEscape(c.config.WebhookID), "", nil, &hook)
	switch {
	case missing(err):
		return fmt.Errorf("paypal: %w: client id and secret work, but this app has no webhook %s; copy the id from the app's page", billing.ErrNotConfigured, c.config.WebhookID)
	case err != nil:
		return explained(err)
	case hook.ID != c.config.WebhookID:
		return x.lost("the answer is not a webhook; is the API address right?", ErrPayload)
	}
	return nil
}

func explained(err error) error {
	if errors.Is(err, billing.ErrGatewayCredentials) {
		return fmt.Errorf("%w; client id and secret must be of one app and of the environment of the API address: sandbox or live", err)
	}
	return err
}
