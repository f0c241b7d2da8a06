package virtfusion

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

func relStr() url.Values { return url.Values{"relStr": {"true"}} }

// findUser looks a user up by our string relation and returns the panel's id,
// or "" when there is none (GET /users/{rel}/byExtRelation?relStr=true). Any 404
// counts as none: were it a wrong address, creating the user would fail too.
func (c *Client) findUser(ctx context.Context, userID string) (string, error) {
	r := panel.Call{
		Op: "find user " + userID, Method: http.MethodGet, Query: relStr(),
		Path: "/users/" + url.PathEscape(c.relation(userID)) + "/byExtRelation",
	}
	var got answer[userObject]
	err := c.do(ctx, r, &got)
	var api *panel.Error
	if errors.As(err, &api) && api.Status == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if id := got.Data.ID.ID(); id != "" {
		return id, nil
	}
	return "", vendor.Unreadable(r, http.StatusOK, "the user has no id")
}

// createUser makes a user under our string relation (POST /users). The answer's
// one-time password is not read: customers come in by SignInLink.
func (c *Client) createUser(ctx context.Context, o provisioning.Order) (string, error) {
	name := strings.TrimSpace(o.Name)
	if name == "" {
		name, _, _ = strings.Cut(o.Email, "@")
	}
	r := panel.Call{
		Op: "create user " + o.UserID, Effect: panel.Writes, Method: http.MethodPost, Path: "/users",
		Body: struct {
			Name     string `json:"name"`
			Email    string `json:"email"`
			RelStr   string `json:"relStr"`
			SendMail bool   `json:"sendMail"`
		}{name, o.Email, c.relation(o.UserID), false},
	}
	var got answer[userObject]
	if err := c.do(ctx, r, &got); err != nil {
		return "", err
	}
	if id := got.Data.ID.ID(); id != "" {
		return id, nil
	}
	return "", vendor.Unreadable(r, http.StatusCreated, "the user has no id")
}

// ensureUser finds or creates the order's user. A taken e-mail address is not
// adopted: that account belongs to somebody without our relation, and giving it
// a server would hand the server to a stranger.
func (c *Client) ensureUser(ctx context.Context, o provisioning.Order) (string, error) {
	id, err := c.findUser(ctx, o.UserID)
	if err != nil || id != "" {
		return id, err
	}
	id, err = c.createUser(ctx, o)
	var api *panel.Error
	if !errors.As(err, &api) || api.Status != http.StatusConflict {
		return id, err
	}
	// An earlier call of ours may have arrived late and taken the address.
	if id, err := c.findUser(ctx, o.UserID); err != nil || id != "" {
		return id, err
	}
	return "", &panel.Error{
		Vendor: vendor,
		Op:     api.Op, Status: api.Status, Class: provisioning.ErrPermanent,
		Message: "the panel already has an account with this e-mail address that is not linked to this customer; " +
			"set that account's relation string to " + c.relation(o.UserID) + " or change its address, then try again",
	}
}

// SignInLink makes a link that signs our user userID into the panel at one
// server. It lives 60 seconds by the vendor's example; never store or log it.
// (POST /users/{rel}/serverAuthenticationTokens/{serverId}?relStr=true)
func (c *Client) SignInLink(ctx context.Context, userID, remoteID string) (string, error) {
	op := "sign user " + userID + " in at server " + remoteID
	id, err := serverID(op, remoteID)
	if err != nil {
		return "", err
	}
	r := panel.Call{
		Op: op, Effect: panel.Reads, Method: http.MethodPost, Query: relStr(),
		Path: "/users/" + url.PathEscape(c.relation(userID)) + "/serverAuthenticationTokens/" + id,
	}
	var got answer[struct {
		Authentication struct {
			Endpoint panel.Text `json:"endpoint_complete"`
		} `json:"authentication"`
	}]
	if err := c.do(ctx, r, &got); err != nil {
		return "", err
	}
	link, ok := c.joinPanel(string(got.Data.Authentication.Endpoint))
	if !ok {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "the panel's link leads to another host")
	}
	return link, nil
}

// joinPanel puts a path the panel gave behind its address. The result must stay
// on the configured host, or the portal would redirect to wherever an answer says.
func (c *Client) joinPanel(endpoint string) (string, bool) {
	if !strings.HasPrefix(endpoint, "/") {
		return "", false
	}
	u, err := url.Parse(c.base.String() + endpoint)
	if err != nil || u.Scheme != c.base.Scheme || u.Host != c.base.Host || u.User != nil {
		return "", false
	}
	return u.String(), true
}
