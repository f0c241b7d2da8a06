package synergycp

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// findClient looks a client up by our id (GET /client?billing_id=); ok is false
// when there is none.
func (c *Client) findClient(ctx context.Context, userID string) (found clientObject, ok bool, err error) {
	call := panel.Call{Op: "find client " + userID, Path: "/client", Query: url.Values{"billing_id": {c.relation(userID)}, "integration_id": {"me"}}}
	list, err := readPages[clientObject](ctx, c, call)
	if err != nil {
		return clientObject{}, false, err
	}
	for _, one := range list {
		if one.relation() == c.relation(userID) && one.ID.ID() != "" {
			return one, true, nil
		}
	}
	if len(list) > 0 {
		return clientObject{}, false, vendor.Unreadable(call, http.StatusOK, "the answer is about other clients")
	}
	return clientObject{}, false, nil
}

// strangerWith says which client of the panel, the customer's own apart, has the
// customer's e-mail address (GET /client?email=); "" is none.
func (c *Client) strangerWith(ctx context.Context, o provisioning.Order) (string, error) {
	list, err := readPages[clientObject](ctx, c, panel.Call{Op: "look for the e-mail address of client " + o.UserID, Path: "/client", Query: url.Values{"email": {o.Email}}})
	if err != nil {
		return "", err
	}
	for _, one := range list {
		if one.relation() != c.relation(o.UserID) && strings.EqualFold(strings.TrimSpace(string(one.Email)), strings.TrimSpace(o.Email)) {
			return one.ID.ID(), nil
		}
	}
	return "", nil
}

// foreign is the task for staff where the address belongs to a client without our
// id. That client is never taken over: it may be a stranger's, who would get the
// customer's server, or another integration's.
func (c *Client) foreign(o provisioning.Order, clientID string) error {
	return vendor.Refuse(provisioning.ErrPermanent, "create client "+o.UserID,
		"the panel already has client %s with this customer's e-mail address that is not linked to the customer; if it is theirs, set its Billing ID in the panel to %s and its Integration to ours, otherwise change its address, then try again",
		clientID, c.relation(o.UserID))
}

// createClient makes a client (POST /client). The empty password keeps the
// panel's own sign-in closed: customers come by a link.
func (c *Client) createClient(ctx context.Context, o provisioning.Order) (string, error) {
	first, last := names(o.Name)
	call := panel.Call{
		Op: "create client " + o.UserID, Effect: panel.Writes, Method: http.MethodPost, Path: "/client",
		Body: struct {
			Email     string `json:"email"`
			First     string `json:"first"`
			Last      string `json:"last"`
			BillingID string `json:"billing_id"`
			Password  string `json:"password"`
		}{o.Email, first, last, c.relation(o.UserID), ""},
	}
	var got clientObject
	if err := c.do(ctx, call, &got); err != nil {
		return "", err
	}
	if id := got.ID.ID(); id != "" {
		return id, nil
	}
	return "", vendor.Unreadable(call, http.StatusOK, "the answer is not about the new client")
}

// names splits a customer's name; the panel wants two parts.
func names(name string) (first, last string) {
	words := strings.Fields(panel.Clean(name))
	switch len(words) {
	case 0:
		return "Customer", "-"
	case 1:
		return words[0], "-"
	}
	return words[0], strings.Join(words[1:], " ")
}

// ensureClient creates the order's client unless it is there. A refusal that names
// an existing client is settled by looking: an earlier call of ours may have
// arrived late.
func (c *Client) ensureClient(ctx context.Context, o provisioning.Order) (string, error) {
	found, ok, err := c.findClient(ctx, o.UserID)
	if err != nil || ok {
		return found.ID.ID(), err
	}
	id, err := c.createClient(ctx, o)
	if err == nil || !isRefused(err) {
		return id, err
	}
	if found, ok, again := c.findClient(ctx, o.UserID); again != nil || ok {
		return found.ID.ID(), again
	}
	if other, there := faultOf(err, faultExists); there {
		return "", c.foreign(o, other)
	}
	return "", err
}
