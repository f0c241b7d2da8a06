package enhance

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// remoteID names a service at the panel: the customer's organization, the
// subscription, and what is sold of it where that is no website.
func remoteID(org, subscription string, k kind) string {
	id := org + ":" + subscription
	if k != kindWebsite {
		id += ":" + string(k)
	}
	return id
}

// ref is a remote id, taken apart.
type ref struct {
	org, subscription string
	kind              kind
}

func (r ref) path() string { return "/orgs/" + r.org + "/subscriptions/" + r.subscription }

// parseRef reads a remote id before parts of it become part of a path.
func parseRef(op, remoteID string) (ref, error) {
	parts := strings.Split(remoteID, ":")
	r := ref{kind: kindWebsite}
	if len(parts) == 3 {
		r.kind = kind(parts[2])
	}
	if len(parts) >= 2 {
		r.org, r.subscription = parts[0], parts[1]
	}
	n, err := strconv.ParseInt(r.subscription, 10, 32)
	if len(parts) > 3 || !uuidForm.MatchString(r.org) || err != nil || n < 1 || strconv.FormatInt(n, 10) != r.subscription || r.kind != kindWebsite && r.kind != kindMySQL {
		return ref{}, vendor.Refuse(provisioning.ErrPermanent, op, "%q is no remote id; it is the customer's organization and the number of its subscription with a colon between", remoteID)
	}
	return r, nil
}

// findSubscription looks for a service's subscription (GET
// /orgs/{org}/customers/{customer}/subscriptions); the list holds deleted ones too.
func (c *Client) findSubscription(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (found subscription, ok bool, err error) {
	list, err := readAll[subscription](ctx, c, panel.Call{Op: op, Path: "/orgs/" + c.seller + "/customers/" + b.RemoteUser + "/subscriptions"})
	if err != nil {
		return subscription{}, false, err
	}
	for _, one := range list {
		if string(one.FriendlyName) != c.tag(o.ServiceID) || one.Status == statusDeleted || one.ID.ID() == "" {
			continue
		}
		if ok {
			return subscription{}, false, vendor.Refuse(provisioning.ErrPermanent, op, "subscriptions %s and %s of customer %s are both named %s; rename or delete the one that is not to be used, then try again", found.ID.ID(), one.ID.ID(), b.RemoteUser, c.tag(o.ServiceID))
		}
		found, ok = one, true
	}
	return found, ok, nil
}

// stepSubscription subscribes the customer to the plan (POST
// /orgs/{org}/customers/{customer}/subscriptions), under the service's id.
func (c *Client) stepSubscription(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "subscribe service " + o.ServiceID
	if next, there, err := c.adoptSubscription(ctx, op, o, p, b); err != nil || there {
		return next, err
	}
	call := panel.Call{
		Op: op, Effect: panel.Grows, Method: http.MethodPost, Path: "/orgs/" + c.seller + "/customers/" + b.RemoteUser + "/subscriptions",
		Body: struct {
			PlanID       int64  `json:"planId"`
			FriendlyName string `json:"friendlyName"`
		}{p.id, c.tag(o.ServiceID)},
	}
	c.calls.Made(o.ServiceID)
	var got struct {
		ID panel.Number `json:"id"`
	}
	err := c.do(ctx, call, &got)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the panel has no plan %d of the selling organization (setting %s), or customer %s was deleted", p.id, SettingPlan, b.RemoteUser)
	case err != nil:
		return b, err
	case got.ID.ID() == "":
		return b, vendor.Unreadable(call, http.StatusCreated, "the subscription has no id")
	}
	b.RemoteID = remoteID(b.RemoteUser, got.ID.ID(), p.kind)
	return panel.Move(b, StepWebsite), nil
}

func (c *Client) adoptSubscription(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build) (next provisioning.Build, there bool, err error) {
	found, ok, err := c.findSubscription(ctx, op, o, b)
	if err != nil || !ok {
		return b, false, err
	}
	b.RemoteID = remoteID(b.RemoteUser, found.ID.ID(), p.kind)
	return panel.Move(b, StepWebsite), true, nil
}

func (c *Client) recoverSubscription(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "look for the subscription of service " + o.ServiceID
	if next, there, err := c.adoptSubscription(ctx, op, o, p, b); err != nil || there {
		return next, err
	}
	return b, c.settled(op, o, b)
}

// readOwn reads the build's subscription. there is false where it was taken back or
// deleted, so that the build begins with it again.
func (c *Client) readOwn(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (r ref, there bool, err error) {
	if r, err = parseRef(op, b.RemoteID); err != nil {
		return ref{}, false, err
	}
	s, err := c.readSubscription(ctx, op, b.RemoteID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return r, false, nil
	case err != nil:
		return ref{}, false, err
	case string(s.FriendlyName) != c.tag(o.ServiceID):
		return ref{}, false, vendor.Refuse(provisioning.ErrPermanent, op, "its subscription is named %q in the panel, not %q; somebody changed it: set it back", panel.Clean(string(s.FriendlyName)), c.tag(o.ServiceID))
	case s.suspended():
		return ref{}, false, vendor.Refuse(provisioning.ErrPermanent, op, "its subscription was suspended in the panel while it was being set up; unsuspend it there, then try again")
	}
	return r, true, nil
}

// backToSubscription begins with the subscription again.
func backToSubscription(b provisioning.Build) provisioning.Build {
	b.RemoteID = ""
	delete(b.Data, dataWebsite)
	return panel.Move(b, StepSubscription)
}

// websites lists what a subscription has (GET /orgs/{org}/websites).
func (c *Client) websites(ctx context.Context, op string, r ref) ([]website, error) {
	list, err := readAll[website](ctx, c, panel.Call{Op: op, Path: "/orgs/" + r.org + "/websites", Query: url.Values{"subscriptionId": {r.subscription}}})
	return slices.DeleteFunc(list, func(w website) bool {
		return uuid(w.ID) == "" || w.Status == statusDeleted || w.SubscriptionID.ID() != r.subscription
	}), err
}

// stepWebsite creates the website (POST /orgs/{org}/websites), once the panel says
// that its domain is free. When that cannot be, the subscription is taken back, so
// that nothing stays which the customer does not have.
func (c *Client) stepWebsite(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the website of service " + o.ServiceID
	r, there, err := c.readOwn(ctx, op, o, b)
	switch {
	case err != nil:
		return b, err
	case !there:
		return backToSubscription(b), nil
	}
	if next, there, err := c.adoptWebsite(ctx, op, p, r, b); err != nil || there {
		return next, err
	}
	if err := c.checkDomain(ctx, op, p, r); err != nil {
		return b, c.takeBack(ctx, op, r, err)
	}
	call := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/orgs/" + r.org + "/websites", Query: url.Values{"kind": {"normal"}},
		Body: struct {
			Domain         string `json:"domain"`
			SubscriptionID int64  `json:"subscriptionId"`
			ServerGroupID  string `json:"serverGroupId,omitempty"`
			PHP            string `json:"phpVersion,omitempty"`
		}{p.domain, whole(r.subscription), p.group, p.php},
	}
	c.calls.Made(o.ServiceID)
	var got created
	if err := c.do(ctx, call, &got); err != nil {
		return b, c.takeBack(ctx, op, r, err)
	}
	if b.Data[dataWebsite] = uuid(got.ID); b.Data[dataWebsite] == "" {
		return b, vendor.Unreadable(call, http.StatusCreated, "the website has no id")
	}
	return panel.Move(b, afterWebsite(p)), nil
}

func whole(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func afterWebsite(p plan) string {
	if p.kind == kindMySQL {
		return StepDatabase
	}
	return StepPassword
}

// takeBack deletes a subscription softly where what was sold with it is refused for
// good, and gives the refusal. A retry subscribes again.
func (c *Client) takeBack(ctx context.Context, op string, r ref, refusal error) error {
	if provisioning.Classify(refusal) != provisioning.ClassPermanent {
		return refusal
	}
	if err := c.deleteSubscription(ctx, op+": take its subscription back", r); err != nil {
		return again(err)
	}
	return refusal
}

// adoptWebsite takes a website of the subscription with the ordered domain. The
// panel's own search finds parts of domains.
func (c *Client) adoptWebsite(ctx context.Context, op string, p plan, r ref, b provisioning.Build) (next provisioning.Build, there bool, err error) {
	list, err := c.websites(ctx, op, r)
	if err != nil {
		return b, false, err
	}
	for _, w := range list {
		if w.domain() == p.domain {
			b.Data[dataWebsite] = uuid(w.ID)
			return panel.Move(b, afterWebsite(p)), true, nil
		}
	}
	return b, false, nil
}

func (c *Client) recoverWebsite(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "look for the website of service " + o.ServiceID
	r, err := parseRef(op, b.RemoteID)
	if err != nil {
		return b, err
	}
	if next, there, err := c.adoptWebsite(ctx, op, p, r, b); err != nil || there {
		return next, err
	}
	return b, c.settled(op, o, b)
}

// occupied says why a domain cannot be used, by the panel's words.
var occupied = map[string]string{
	"prohibited":       "the panel does not allow the domain %s; allow it there, or let the customer choose another",
	"inUseCurrentOrg":  "another website of this customer has the domain %s; delete that website, or let the customer choose another domain",
	"inUseAnotherOrg":  "another customer of the panel has the domain %s; find out whose it is, or let the customer choose another",
	"inUseDeletedSite": "a deleted website still holds the domain %s; wipe it in the panel (deleted websites), then try again",
}

// checkDomain asks whether a domain is free (POST /orgs/{org}/domains/check).
func (c *Client) checkDomain(ctx context.Context, op string, p plan, r ref) error {
	call := panel.Call{
		Op: op, Method: http.MethodPost, Path: "/orgs/" + r.org + "/domains/check",
		Body: struct {
			Domain string `json:"domain"`
		}{p.domain},
	}
	var got struct {
		Status panel.Text `json:"status"`
	}
	if err := c.do(ctx, call, &got); err != nil {
		return err
	}
	if got.Status == "notInUse" {
		return nil
	}
	if why, known := occupied[string(got.Status)]; known {
		return vendor.Refuse(provisioning.ErrPermanent, op, why, p.domain)
	}
	return vendor.Unreadable(call, http.StatusOK, "the panel does not say whether the domain is free")
}

// stepPassword sets the first password of a new account, or of a new database's
// user, which the customer gets, and hands the service over.
func (c *Client) stepPassword(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "set the password of service " + o.ServiceID
	r, there, err := c.readOwn(ctx, op, o, b)
	switch {
	case err != nil:
		return b, err
	case !there:
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "somebody deleted its subscription in the panel while it was being set up; restore it there and try again, or terminate the service here")
	}
	w, err := c.readWebsite(ctx, op, r, b.Data[dataWebsite])
	if err != nil {
		return b, err
	}
	b.Hostname, b.Addresses = w.domain(), w.addresses(p.kind)
	secret := provisioning.Credentials{Username: b.Data[dataEmail]}
	switch {
	case p.kind == kindMySQL:
		c.calls.Made(o.ServiceID)
		secret.Username = dbUser
		secret.Password, err = c.setDBPassword(ctx, op, r, b.Data[dataWebsite])
	case b.Data[dataNew] == "true":
		c.calls.Made(o.ServiceID)
		secret.Password, err = c.setPassword(ctx, op, b.Data[dataLogin])
	}
	if err != nil {
		return b, err
	}
	b.Secret, b.Done = &secret, true // an older account's password is not ours to change
	return b, nil
}

// recoverPassword waits until a lost call can come no more: it would void the
// password that is set next.
func (c *Client) recoverPassword(_ context.Context, o provisioning.Order, _ plan, b provisioning.Build) (provisioning.Build, error) {
	return b, c.settled("set the password of service "+o.ServiceID, o, b)
}

// setPassword gives a login a new password (PUT /v2/logins/{login}/password).
func (c *Client) setPassword(ctx context.Context, op, login string) (string, error) {
	if !uuidForm.MatchString(login) {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "the customer has no owner in the panel; make one there")
	}
	password := rand.Text()
	return password, c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPut, Path: "/v2/logins/" + login + "/password",
		Body: struct {
			Password string `json:"newPassword"`
		}{password},
	}, nil)
}

// readWebsite reads a website with its addresses (GET /orgs/{org}/websites/{id}).
func (c *Client) readWebsite(ctx context.Context, op string, r ref, id string) (website, error) {
	call := panel.Call{Op: op, Method: http.MethodGet, Path: "/orgs/" + r.org + "/websites/" + url.PathEscape(id)}
	var got website
	if err := c.do(ctx, call, &got); err != nil {
		return website{}, err
	}
	if uuid(got.ID) != id {
		return website{}, vendor.Unreadable(call, http.StatusOK, "the answer is about another website")
	}
	return got, nil
}

// addresses are where the domain's name, or the customer's programs, should point.
func (w website) addresses(k kind) []provisioning.Address {
	servers := w.ServerIPs
	if k == kindMySQL && len(w.DBServerIPs) > 0 {
		servers = w.DBServerIPs
	}
	servers = slices.Clone(servers)
	slices.SortStableFunc(servers, func(a, b server) int { return cmp.Compare(rank(a), rank(b)) })
	var list []provisioning.Address
	for _, s := range servers {
		if ip, err := netip.ParseAddr(string(s.IP)); err == nil && ip.Zone() == "" {
			list = append(list, provisioning.Address{IP: ip.String(), Primary: len(list) == 0})
		}
	}
	return list
}

func rank(s server) int {
	if s.IsPrimary {
		return 0
	}
	return 1
}
