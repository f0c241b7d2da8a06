package pterodactyl

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// findUser looks a user up by our id (GET /users/external/{external_id}); ok is
// false when there is none.
func (c *Client) findUser(ctx context.Context, userID string) (u userObject, ok bool, err error) {
	r := panel.Call{Op: "find user " + userID, Method: http.MethodGet, Path: "/users/external/" + url.PathEscape(c.relation(userID))}
	var got item[userObject]
	err = c.do(ctx, r, &got)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return userObject{}, false, nil
	case err != nil:
		return userObject{}, false, err
	case got.Attributes.ID.ID() == "" || string(got.Attributes.ExternalID) != c.relation(userID):
		return userObject{}, false, vendor.Unreadable(r, http.StatusOK, "the answer is about another user")
	}
	return got.Attributes, true, nil
}

// strangerWith says which account of the panel, the customer's own apart, has the
// customer's e-mail address; "" is none.
// The panel's filter finds parts of addresses, of which only the whole one counts
// (GET /users?filter[email]=).
func (c *Client) strangerWith(ctx context.Context, o provisioning.Order) (string, error) {
	found, err := readPages[userObject](ctx, c, "look for the e-mail address of user "+o.UserID, "/users", url.Values{"filter[email]": {o.Email}})
	if err != nil {
		return "", err
	}
	for _, u := range found {
		if string(u.ExternalID) == c.relation(o.UserID) {
			continue // another build of this customer has made it meanwhile
		}
		if strings.EqualFold(strings.TrimSpace(string(u.Email)), strings.TrimSpace(o.Email)) {
			return u.ID.ID(), nil
		}
	}
	return "", nil
}

// foreign is the task for staff where the address belongs to somebody without
// our external id. That account is never taken over: it may be a stranger's, who
// would get the customer's server.
func (c *Client) foreign(o provisioning.Order, panelUser string) error {
	who := "an account"
	if panelUser != "" {
		who = "an account (panel user " + panelUser + ")"
	}
	return vendor.Refuse(provisioning.ErrPermanent, "create user "+o.UserID,
		"the panel already has %s with this customer's e-mail address that is not linked to the customer; if it is theirs, set its External ID in the panel to %s, otherwise change its address, then try again", who, c.relation(o.UserID))
}

// createUser makes an account (POST /users). Its first password is thrown away:
// the last step of the build sets the one that the customer gets. The panel mails
// the customer that the account exists; nothing suppresses that.
func (c *Client) createUser(ctx context.Context, o provisioning.Order) (string, error) {
	first, last := names(o)
	r := panel.Call{
		Op: "create user " + o.UserID, Effect: panel.Writes, Method: http.MethodPost, Path: "/users",
		Body: struct {
			ExternalID string `json:"external_id"`
			Email      string `json:"email"`
			Username   string `json:"username"`
			FirstName  string `json:"first_name"`
			LastName   string `json:"last_name"`
			Password   string `json:"password"`
		}{c.relation(o.UserID), o.Email, username(o), first, last, rand.Text()},
	}
	var got item[userObject]
	if err := c.do(ctx, r, &got); err != nil {
		return "", err
	}
	if id := got.Attributes.ID.ID(); id != "" && string(got.Attributes.ExternalID) == c.relation(o.UserID) {
		return id, nil
	}
	return "", vendor.Unreadable(r, http.StatusCreated, "the answer is not about the new user")
}

// names splits a customer's name; the panel wants two parts.
func names(o provisioning.Order) (first, last string) {
	words := strings.Fields(panel.Clean(o.Name))
	switch len(words) {
	case 0:
		return "Customer", "-"
	case 1:
		return cut(words[0], 191), "-"
	}
	return cut(words[0], 191), cut(strings.Join(words[1:], " "), 191)
}

func cut(s string, n int) string {
	for i := range s {
		if i > n-4 {
			return s[:i]
		}
	}
	return s
}

// username is unique by our id: the start of the address makes it recognizable.
func username(o provisioning.Order) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
				return r
			}
			return -1
		}, strings.ToLower(s))
	}
	local, _, _ := strings.Cut(o.Email, "@")
	local = plain(local)
	return cmp.Or(local[:min(len(local), 16)], "u") + "_" + plain(o.UserID)
}

// ensureUser creates the order's account unless it is there.
func (c *Client) ensureUser(ctx context.Context, o provisioning.Order) (string, error) {
	u, ok, err := c.findUser(ctx, o.UserID)
	if err != nil || ok {
		return u.ID.ID(), err
	}
	id, err := c.createUser(ctx, o)
	if !taken(err, "email") && !taken(err, "external_id") && !taken(err, "username") {
		return id, err
	}
	// An earlier call of ours may have arrived late.
	if u, ok, again := c.findUser(ctx, o.UserID); again != nil || ok {
		return u.ID.ID(), again
	}
	if !taken(err, "email") {
		return "", err
	}
	return "", c.foreign(o, "")
}

func (c *Client) readUser(ctx context.Context, op, id string) (userObject, error) {
	r := panel.Call{Op: op, Method: http.MethodGet, Path: "/users/" + id}
	var got item[userObject]
	if err := c.do(ctx, r, &got); err != nil {
		return userObject{}, err
	}
	if got.Attributes.ID.ID() != id {
		return userObject{}, vendor.Unreadable(r, http.StatusOK, "the answer is about another user")
	}
	return got.Attributes, nil
}

// setPassword gives a panel user a new password (PATCH /users/{id}, which wants
// all of the user again). An administrator of the panel is refused: whoever
// could reset that password would have the panel.
func (c *Client) setPassword(ctx context.Context, op string, u userObject) (string, error) {
	if u.RootAdmin {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "its owner is an administrator of the panel, whose password is not set from here")
	}
	password := rand.Text()
	r := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPatch, Path: "/users/" + u.ID.ID(),
		Body: struct {
			ExternalID string     `json:"external_id,omitempty"`
			Email      panel.Text `json:"email"`
			Username   panel.Text `json:"username"`
			FirstName  panel.Text `json:"first_name"`
			LastName   panel.Text `json:"last_name"`
			Password   string     `json:"password"`
		}{string(u.ExternalID), u.Email, u.Username, u.FirstName, u.LastName, password},
	}
	var got item[userObject]
	if err := c.do(ctx, r, &got); err != nil {
		return "", err
	}
	if got.Attributes.ID.ID() != u.ID.ID() {
		return "", vendor.Unreadable(r, http.StatusOK, "the answer is about another user")
	}
	return password, nil
}

// signIn is the user name for files over SFTP; the panel itself takes the part
// before the last dot, or the e-mail address, with the same password.
func signIn(u userObject, s server) string {
	return string(u.Username) + "." + string(s.Identifier)
}
