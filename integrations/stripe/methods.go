package stripe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v79"

	"github.com/ezscale/ezscale/engine/billing"
)

// methodPages bounds how many pages of 100 saved methods are read.
const methodPages = 5

// EnsureCustomer creates the customer (POST /v1/customers) under the key. Stripe
// remembers a key for at least 24 hours; store the id. Where the key is known
// with another name or address, as after a customer edited them, the customer
// is found by its metadata (GET /v1/customers/search).
func (c *Client) EnsureCustomer(ctx context.Context, key, userID, email, name string) (string, error) {
	what := "create customer for user " + userID
	if err := checkKey(what, key); err != nil {
		return "", err
	}
	if userID == "" || strings.ContainsAny(userID, `'"\`) {
		return "", fmt.Errorf("stripe: %s: %w: a user id without quotes is required", what, billing.ErrGatewayRefused)
	}
	x := c.begin(what, true)
	params := &stripe.CustomerParams{
		Params:   x.params(ctx, key),
		Metadata: map[string]string{metaUser: userID},
	}
	if email != "" {
		params.Email = &email
	}
	if name != "" {
		params.Name = &name
	}
	customer, err := c.api.Customers.New(params)
	if err := x.failure(err); err != nil {
		if mismatched(err) {
			return c.findCustomer(ctx, userID, err)
		}
		return "", err
	}
	if checkID("customer", customer.ID, "cus_") != nil {
		return "", x.incomplete("id")
	}
	return customer.ID, nil
}

func (c *Client) findCustomer(ctx context.Context, userID string, failed error) (string, error) {
	x := c.begin("find customer of user "+userID, false)
	found := c.api.Customers.Search(&stripe.CustomerSearchParams{
		SearchParams: stripe.SearchParams{
			Context: x.watch(ctx), Limit: stripe.Int64(2), Single: true,
			Query: fmt.Sprintf("metadata['%s']:'%s'", metaUser, userID),
		},
	})
	if err := x.failure(found.Err()); err != nil {
		return "", err
	}
	if data := found.CustomerSearchResult().Data; len(data) == 1 && data[0] != nil && checkID("customer", data[0].ID, "cus_") == nil {
		return data[0].ID, nil
	}
	return "", failed
}

// Methods lists what a customer has saved
// (GET /v1/customers/{id}/payment_methods), at most 500.
func (c *Client) Methods(ctx context.Context, customer string) ([]billing.SavedMethod, error) {
	if err := checkID("customer", customer, "cus_"); err != nil {
		return nil, err
	}
	methods := []billing.SavedMethod{}
	var after *string
	for range methodPages {
		x := c.begin("list methods of customer "+customer, false)
		list := c.api.Customers.ListPaymentMethods(&stripe.CustomerListPaymentMethodsParams{
			ListParams: stripe.ListParams{Context: x.watch(ctx), Limit: stripe.Int64(100), Single: true, StartingAfter: after},
			Customer:   &customer,
		})
		if err := x.failure(list.Err()); err != nil {
			return nil, err
		}
		page := list.PaymentMethodList()
		if page.URL == "" { // every list has one; an empty list is believed only with it
			return nil, x.incomplete("list")
		}
		for _, pm := range page.Data {
			if pm == nil || pm.ID == "" || pm.Type == "" {
				return nil, x.incomplete("id or type of a method")
			}
			methods = append(methods, savedMethodOf(pm))
			after = &pm.ID
		}
		if !page.HasMore || len(page.Data) == 0 {
			break
		}
	}
	return methods, nil
}

func savedMethodOf(pm *stripe.PaymentMethod) billing.SavedMethod {
	m := billing.SavedMethod{ID: pm.ID, Kind: string(pm.Type)}
	switch {
	case pm.Card != nil:
		m.Brand, m.Last4, m.Fingerprint = string(pm.Card.Brand), pm.Card.Last4, pm.Card.Fingerprint
		m.ExpMonth, m.ExpYear = int(pm.Card.ExpMonth), int(pm.Card.ExpYear)
	case pm.SEPADebit != nil:
		m.Last4, m.Fingerprint = pm.SEPADebit.Last4, pm.SEPADebit.Fingerprint
	}
	return m
}

// Check reads the account's balance (GET /v1/balance), which every secret key
// may, and looks whether webhooks can be verified.
func (c *Client) Check(ctx context.Context) error {
	x := c.begin("check the connection", false)
	balance, err := c.api.Balance.Get(&stripe.BalanceParams{Params: x.params(ctx, "")})
	failed := x.failure(err)
	switch {
	case errors.Is(failed, billing.ErrGatewayCredentials) && x.status.Load() == 403:
		return fmt.Errorf("%w: the key is genuine but restricted; let it read the balance, balance transactions, disputes and events, and write customers, Checkout sessions, PaymentIntents, payment methods and refunds", failed)
	case errors.Is(failed, billing.ErrGatewayCredentials):
		return fmt.Errorf("%w: Stripe does not know this secret key; copy it again from Developers → API keys", failed)
	case failed != nil:
		return failed
	case balance.Object != "balance":
		return x.incomplete("balance; is the API address right?")
	case c.config.WebhookSecret == "":
		return fmt.Errorf("stripe: %w: the key works, but without the webhook's signing secret (whsec_…) no payment can be confirmed", billing.ErrNotConfigured)
	}
	return nil
}
