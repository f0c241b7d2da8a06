package enhance

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// mark is what ends the name of one of our customers' organizations.
func (c *Client) mark(userID string) string { return "[" + c.relation(userID) + "]" }

// findOrg looks for a customer's organization (GET /orgs/{org}/customers, all
// pages: the panel searches nothing).
func (c *Client) findOrg(ctx context.Context, op, userID string) (found orgObject, ok bool, err error) {
	list, err := readAll[orgObject](ctx, c, panel.Call{Op: op, Path: "/orgs/" + c.seller + "/customers"})
	if err != nil {
		return orgObject{}, false, err
	}
	for _, one := range list {
		if uuid(one.ID) == "" || one.Status == statusDeleted || !strings.HasSuffix(strings.TrimSpace(string(one.Name)), c.mark(userID)) {
			continue
		}
		if ok {
			return orgObject{}, false, vendor.Refuse(provisioning.ErrPermanent, op,
				"the panel has two customers whose names end in %s (%s and %s); take that off the name of the one that is not to be used, or delete it, then try again", c.mark(userID), uuid(found.ID), uuid(one.ID))
		}
		found, ok = one, true
	}
	return found, ok, nil
}

// findLogin looks for an e-mail address among the logins of all customers (GET
// /v2/orgs/{org}/customers/logins).
func (c *Client) findLogin(ctx context.Context, op, email string) (found loginObject, ok bool, err error) {
	list, err := readAll[loginObject](ctx, c, panel.Call{Op: op, Path: "/v2/orgs/" + c.seller + "/customers/logins"})
	if err != nil {
		return loginObject{}, false, err
	}
	for _, one := range list {
		if strings.EqualFold(strings.TrimSpace(string(one.Email)), strings.TrimSpace(email)) && uuid(one.ID) != "" {
			return one, true, nil
		}
	}
	return loginObject{}, false, nil
}

// turn reserves the customer for a step of its account, and says how to end it.
func (c *Client) turn(op string, o provisioning.Order) (end func(finished bool), err error) {
	if !c.turns.Begin(o.UserID, o.ServiceID) {
		return nil, vendor.Refuse(provisioning.ErrTemporary, op, "another service of this customer is making the account")
	}
	return func(finished bool) { c.turns.End(o.UserID, finished) }, nil
}

// stepCustomer looks for the customer, and for a stranger's login with the same
// address before anything is made. From here on this service makes the account.
func (c *Client) stepCustomer(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "find customer " + o.UserID
	found, ok, err := c.findOrg(ctx, op, o.UserID)
	switch {
	case err != nil:
		return b, err
	case ok && uuid(found.OwnerID) != "":
		b.RemoteUser, b.Data[dataLogin], b.Data[dataEmail] = uuid(found.ID), uuid(found.OwnerLogin), string(found.OwnerEmail)
		return panel.Move(b, StepSubscription), nil
	}
	end, err := c.turn(op, o)
	if err != nil {
		return b, err
	}
	if ok {
		end(false)
		b.RemoteUser = uuid(found.ID)
		return panel.Move(b, StepLogin), nil
	}
	err = c.checkStranger(ctx, op, o)
	end(err != nil)
	if err != nil {
		return b, err
	}
	return panel.Move(b, StepOrg), nil
}

// checkStranger refuses an address that has a login already.
func (c *Client) checkStranger(ctx context.Context, op string, o provisioning.Order) error {
	_, taken, err := c.findLogin(ctx, op, o.Email)
	if err != nil || !taken {
		return err
	}
	_, made, err := c.findOrg(ctx, op, o.UserID)
	switch {
	case err != nil:
		return err
	case made:
		return vendor.Refuse(provisioning.ErrTemporary, op, "another service of this customer made the account meanwhile")
	}
	return c.foreign(o)
}

// foreign is the task for staff where the address has a login that is not the
// customer's. It is never taken over: it may be a stranger's, who would get the
// customer's websites.
func (c *Client) foreign(o provisioning.Order) error {
	return vendor.Refuse(provisioning.ErrPermanent, "create the login of customer "+o.UserID,
		"the panel already has a login with this customer's e-mail address that is not linked to the customer; if it is theirs, let the name of the organization it owns end in %s, otherwise change the login's address, then try again", c.mark(o.UserID))
}

// stepOrg creates the organization (POST /orgs/{org}/customers), whose name need
// not be unique: it looks first.
func (c *Client) stepOrg(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create customer " + o.UserID
	end, err := c.turn(op, o)
	if err != nil {
		return b, err
	}
	defer end(false)
	if next, there, err := c.adoptOrg(ctx, op, o, b); err != nil || there {
		return next, err
	}
	name := strings.TrimSpace(panel.Clean(o.Name))
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[:100])
	}
	call := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/orgs/" + c.seller + "/customers",
		Body: struct {
			Name string `json:"name"`
		}{strings.TrimSpace(name + " " + c.mark(o.UserID))},
	}
	c.calls.Made(o.ServiceID)
	var got created
	if err := c.do(ctx, call, &got); err != nil {
		return b, err
	}
	if b.RemoteUser = uuid(got.ID); b.RemoteUser == "" {
		return b, vendor.Unreadable(call, http.StatusCreated, "the customer has no id")
	}
	b.Data[dataNewOrg] = "true"
	return panel.Move(b, StepLogin), nil
}

// adoptOrg takes an organization that is there.
func (c *Client) adoptOrg(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (next provisioning.Build, there bool, err error) {
	found, ok, err := c.findOrg(ctx, op, o.UserID)
	if err != nil || !ok {
		return b, false, err
	}
	b.RemoteUser = uuid(found.ID)
	return panel.Move(b, StepLogin), true, nil
}

func (c *Client) recoverOrg(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "look for customer " + o.UserID
	if next, there, err := c.adoptOrg(ctx, op, o, b); err != nil || there {
		return next, err
	}
	return b, c.settled(op, o, b)
}

// settled refuses to believe that something is not there while a call that makes
// it may still come.
func (c *Client) settled(op string, o provisioning.Order, b provisioning.Build) error {
	if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
		return vendor.Refuse(provisioning.ErrTemporary, op, "not there yet; the answer is final in %s", wait.Round(time.Second))
	}
	return nil
}

// readOrg reads an organization (GET /orgs/{org}).
func (c *Client) readOrg(ctx context.Context, op, id string) (orgObject, error) {
	call := panel.Call{Op: op, Method: http.MethodGet, Path: "/orgs/" + id}
	var got orgObject
	if err := c.do(ctx, call, &got); err != nil {
		return orgObject{}, err
	}
	if uuid(got.ID) != id {
		return orgObject{}, vendor.Unreadable(call, http.StatusOK, "the answer is about another organization")
	}
	return got, nil
}

// stepLogin creates the customer's login (POST /logins) with a password that
// nobody gets. One that is there is ours if it is younger than the organization;
// an older one is a stranger's, and the organization is taken back.
func (c *Client) stepLogin(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the login of customer " + o.UserID
	end, err := c.turn(op, o)
	if err != nil {
		return b, err
	}
	defer end(false)
	customer, err := c.readOrg(ctx, op, b.RemoteUser)
	switch {
	case errors.Is(err, provisioning.ErrNotFound): // taken back, or deleted in the panel
		b.RemoteUser = ""
		delete(b.Data, dataNewOrg)
		return panel.Move(b, StepCustomer), nil
	case err != nil:
		return b, err
	case uuid(customer.OwnerID) != "":
		b.Data[dataLogin], b.Data[dataEmail] = uuid(customer.OwnerLogin), string(customer.OwnerEmail)
		return panel.Move(b, StepMember), nil
	}
	if next, there, err := c.adoptLogin(ctx, op, o, customer, b); err != nil || there {
		return next, err
	}
	call := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/logins", Query: url.Values{"orgId": {b.RemoteUser}},
		Body: struct {
			Email    string `json:"email"`
			Password string `json:"password"`
			Name     string `json:"name"`
		}{o.Email, rand.Text(), cmp.Or(panel.Clean(o.Name), "Customer")},
	}
	var got created
	err = c.do(ctx, call, &got)
	if hasCode(err, codeExists) { // made since our look, or by an earlier call of ours
		if next, there, again := c.adoptLogin(ctx, op, o, customer, b); again != nil || there {
			return next, again
		}
	}
	if err != nil {
		return b, err
	}
	if b.Data[dataLogin] = uuid(got.ID); b.Data[dataLogin] == "" {
		return b, vendor.Unreadable(call, http.StatusCreated, "the login has no id")
	}
	b.Data[dataNew], b.Data[dataEmail] = "true", o.Email
	return panel.Move(b, StepMember), nil
}

// adoptLogin takes a login that is there, if it was made for this organization.
func (c *Client) adoptLogin(ctx context.Context, op string, o provisioning.Order, customer orgObject, b provisioning.Build) (next provisioning.Build, there bool, err error) {
	found, ok, err := c.findLogin(ctx, op, o.Email)
	if err != nil || !ok {
		return b, false, err
	}
	made, known := parseTime(found.RegisteredAt)
	if since, dated := parseTime(customer.CreatedAt); !known || !dated || made.Before(since) {
		if err := c.takeBackOrg(ctx, op, b); err != nil {
			return b, false, err
		}
		return b, false, c.foreign(o)
	}
	b.Data[dataLogin], b.Data[dataNew], b.Data[dataEmail] = uuid(found.ID), "true", string(found.Email)
	return panel.Move(b, StepMember), true, nil
}

// takeBackOrg deletes an organization that this build made and that has nobody
// (DELETE /orgs/{org}); a retry begins with the customer again.
func (c *Client) takeBackOrg(ctx context.Context, op string, b provisioning.Build) error {
	if b.Data[dataNewOrg] != "true" {
		return nil
	}
	err := c.do(ctx, panel.Call{Op: op + ": take its organization back", Effect: panel.Writes, Method: http.MethodDelete, Path: "/orgs/" + b.RemoteUser, Query: url.Values{"force": {"false"}}}, nil)
	if errors.Is(err, provisioning.ErrNotFound) {
		return nil
	}
	return again(err)
}

// again makes an open outcome of taking something back a repeat: it is done until
// the panel says that it is gone.
func again(err error) error {
	if !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		return err
	}
	return &panel.Error{Vendor: vendor, Op: "take back", Message: "it is tried again", Class: provisioning.ErrTemporary, Cause: panel.Plain(err)}
}

// stepMember makes the login the organization's owner (POST /orgs/{org}/members),
// with which the account is complete.
func (c *Client) stepMember(ctx context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	op := "make the owner of customer " + o.UserID
	end, err := c.turn(op, o)
	if err != nil {
		return b, err
	}
	complete := false
	defer func() { end(complete) }()
	list, err := readAll[memberObject](ctx, c, panel.Call{Op: op, Path: "/orgs/" + b.RemoteUser + "/members"})
	if err != nil {
		return b, err
	}
	for _, m := range list {
		complete = complete || uuid(m.LoginID) == b.Data[dataLogin]
	}
	if !complete {
		err = c.do(ctx, panel.Call{
			Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/orgs/" + b.RemoteUser + "/members",
			Body: struct {
				LoginID string   `json:"loginId"`
				Roles   []string `json:"roles"`
			}{b.Data[dataLogin], []string{"Owner"}},
		}, &created{})
		if err != nil && !hasCode(err, codeExists) {
			return b, err
		}
	}
	complete = true
	return panel.Move(b, StepSubscription), nil
}
