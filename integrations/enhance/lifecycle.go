package enhance

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// readSubscription reads a subscription (GET /orgs/{org}/subscriptions/{id}). One
// that is deleted, softly too, is ErrNotFound.
func (c *Client) readSubscription(ctx context.Context, op, remoteID string) (subscription, error) {
	r, err := parseRef(op, remoteID)
	if err != nil {
		return subscription{}, err
	}
	call := panel.Call{Op: op, Method: http.MethodGet, Path: r.path()}
	var got subscription
	switch err := c.do(ctx, call, &got); {
	case err != nil:
		return subscription{}, err
	case got.ID.ID() != r.subscription || uuid(got.SubscriberID) != r.org:
		return subscription{}, vendor.Unreadable(call, http.StatusOK, "the answer is about another subscription")
	case got.Status == statusDeleted:
		return subscription{}, vendor.Refuse(provisioning.ErrNotFound, op, "the subscription is deleted; until it is wiped it can be restored in the panel")
	}
	return got, nil
}

// Suspend suspends the subscription, and with it its websites (PATCH
// /orgs/{org}/subscriptions/{id}), and returns once the panel shows it.
func (c *Client) Suspend(ctx context.Context, remoteID string) error {
	return c.setSuspended(ctx, "suspend subscription "+remoteID, remoteID, true)
}

// Unsuspend gives it back. The panel suspends on three levels that know nothing of
// each other: where the customer as a whole is suspended, which only its staff does,
// nothing would work, and that is for people (ErrPermanent).
func (c *Client) Unsuspend(ctx context.Context, remoteID string) error {
	op := "unsuspend subscription " + remoteID
	if err := c.setSuspended(ctx, op, remoteID, false); err != nil {
		return err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return err
	}
	customer, err := c.readOrg(ctx, op, r.org)
	if err != nil {
		return err
	}
	if customer.SuspendedBy != "" {
		return vendor.Refuse(provisioning.ErrPermanent, op, "it is unsuspended, but its customer (organization %s) is suspended as a whole in the panel, so nothing of it works; unsuspend the customer there, then try again", r.org)
	}
	return nil
}

func (c *Client) setSuspended(ctx context.Context, op, remoteID string, want bool) error {
	s, err := c.readSubscription(ctx, op, remoteID)
	if err != nil || s.suspended() == want {
		return err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return err
	}
	err = c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPatch, Path: r.path(),
		Body: struct {
			IsSuspended bool `json:"isSuspended"`
		}{want},
	}, nil)
	if err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		return err
	}
	called := err
	if s, err = c.readSubscription(ctx, op, remoteID); err != nil {
		return err
	}
	if s.suspended() != want {
		return &panel.Error{Vendor: vendor, Op: op, Message: "the panel does not show it yet", Class: provisioning.ErrTemporary, Cause: panel.Plain(called)}
	}
	return nil
}

// Terminate deletes the subscription softly, with its websites (DELETE
// /orgs/{org}/subscriptions/{id}?force=false): its data and domains stay until
// people wipe it in the panel. The customer stays.
func (c *Client) Terminate(ctx context.Context, remoteID string) (gone bool, err error) {
	op := "terminate subscription " + remoteID
	_, err = c.readSubscription(ctx, op, remoteID)
	if errors.Is(err, provisioning.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return false, err
	}
	called := c.deleteSubscription(ctx, op, r)
	if called != nil && !errors.Is(called, provisioning.ErrOutcomeUnknown) {
		return false, called
	}
	_, err = c.readSubscription(ctx, op, remoteID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case called != nil:
		return false, &panel.Error{Vendor: vendor, Op: op, Message: "it is still there", Class: provisioning.ErrTemporary, Cause: panel.Plain(called)}
	}
	return false, nil
}

// deleteSubscription deletes softly; one that is gone counts as done.
func (c *Client) deleteSubscription(ctx context.Context, op string, r ref) error {
	err := c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodDelete, Path: r.path(), Query: url.Values{"force": {"false"}}}, nil)
	if errors.Is(err, provisioning.ErrNotFound) {
		return nil
	}
	return err
}

// Status reads a subscription and its first website. OwnerRef is the customer's
// organization, Tag our service id if the friendly name is one of ours, else the
// name. There is no power: hosting runs or is suspended.
func (c *Client) Status(ctx context.Context, remoteID string) (provisioning.Status, error) {
	op := "read subscription " + remoteID
	s, err := c.readSubscription(ctx, op, remoteID)
	if err != nil {
		return provisioning.Status{}, err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return provisioning.Status{}, err
	}
	st := provisioning.Status{
		Power: provisioning.PowerUnknown, Suspended: s.suspended(), OwnerRef: uuid(s.SubscriberID), Tag: strings.TrimPrefix(panel.Clean(string(s.FriendlyName)), c.prefix),
		CPUPercent: -1, MemoryUsed: -1, MemoryTotal: -1, DiskUsed: -1, DiskTotal: -1,
	}
	if disk, there := s.resource("diskspace"); there {
		st.DiskUsed, st.DiskTotal = disk.Usage.Times(1), disk.Total.Times(1)
	}
	list, err := c.websites(ctx, op, r)
	if err != nil || len(list) == 0 {
		return st, err
	}
	w, err := c.readWebsite(ctx, op, r, uuid(list[0].ID))
	if err != nil {
		return provisioning.Status{}, err
	}
	st.Hostname, st.Addresses = w.domain(), w.addresses(r.kind)
	return st, nil
}

// Traffic reads what a subscription sent in the present calendar month (GET
// …/bandwidth), which the panel counts anew every twelve hours and not by
// direction: all of it stands as outgoing.
func (c *Client) Traffic(ctx context.Context, remoteID string) (provisioning.Traffic, error) {
	op := "read the traffic of subscription " + remoteID
	s, err := c.readSubscription(ctx, op, remoteID)
	if err != nil {
		return provisioning.Traffic{}, err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return provisioning.Traffic{}, err
	}
	call := panel.Call{Op: op, Method: http.MethodGet, Path: r.path() + "/bandwidth", Query: url.Values{"refreshCache": {"false"}}}
	var bytes panel.Number
	if err := c.do(ctx, call, &bytes); err != nil {
		return provisioning.Traffic{}, err
	}
	if !bytes.OK || bytes.Value < 0 {
		return provisioning.Traffic{}, vendor.Unreadable(call, http.StatusOK, "the answer is no amount")
	}
	y, m, _ := c.now().UTC().Date()
	start := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	t := provisioning.Traffic{Start: start, End: start.AddDate(0, 1, 0), BytesOut: bytes.Times(1)}
	if transfer, there := s.resource("transfer"); there {
		t.Limit = max(transfer.Total.Times(1), 0)
	}
	return t, nil
}

// ResetPassword sets a new password and returns it: of a managed database's user,
// or else of the customer's account, which counts for all their services there.
// After ErrOutcomeUnknown the old one may be void: reset again, which is always
// safe.
func (c *Client) ResetPassword(ctx context.Context, remoteID string) (provisioning.Credentials, error) {
	op := "reset the password of subscription " + remoteID
	if _, err := c.readSubscription(ctx, op, remoteID); err != nil {
		return provisioning.Credentials{}, err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	if r.kind == kindMySQL {
		return c.resetDBPassword(ctx, op, r)
	}
	customer, err := c.readOrg(ctx, op, r.org)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	password, err := c.setPassword(ctx, op, uuid(customer.OwnerLogin))
	if err != nil {
		return provisioning.Credentials{}, err
	}
	return provisioning.Credentials{Username: string(customer.OwnerEmail), Password: password}, nil
}

func (c *Client) resetDBPassword(ctx context.Context, op string, r ref) (provisioning.Credentials, error) {
	list, err := c.websites(ctx, op, r)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	if len(list) == 0 {
		return provisioning.Credentials{}, vendor.Refuse(provisioning.ErrPermanent, op, "its website, on which the database hangs, was deleted in the panel")
	}
	password, err := c.setDBPassword(ctx, op, r, uuid(list[0].ID))
	if err != nil {
		return provisioning.Credentials{}, err
	}
	return provisioning.Credentials{Username: dbUser, Password: password}, nil
}

// SignInLink makes a link that signs the customer's owner in to the panel (GET
// /orgs/{org}/members/{member}/sso). It works once, for a short time, and asks for
// no second factor: it is made on the click and never stored.
func (c *Client) SignInLink(ctx context.Context, userID, remoteID string) (string, error) {
	op := "link customer " + userID + " to subscription " + remoteID
	if _, err := c.readSubscription(ctx, op, remoteID); err != nil {
		return "", err
	}
	r, err := parseRef(op, remoteID)
	if err != nil {
		return "", err
	}
	customer, err := c.readOrg(ctx, op, r.org)
	switch {
	case err != nil:
		return "", err
	case !strings.HasSuffix(strings.TrimSpace(string(customer.Name)), c.mark(userID)):
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "its customer's name in the panel does not end in %s: it belongs to another, or somebody renamed it", c.mark(userID))
	case uuid(customer.OwnerID) == "":
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "its customer has no owner in the panel; make one there")
	}
	call := panel.Call{Op: op, Method: http.MethodGet, Path: "/orgs/" + r.org + "/members/" + uuid(customer.OwnerID) + "/sso"}
	var link panel.Text
	if err := c.do(ctx, call, &link); err != nil {
		return "", err
	}
	if u, err := url.Parse(string(link)); err != nil || u.Scheme != "https" && u.Host != c.base.Host || u.Host == "" {
		return "", vendor.Unreadable(call, http.StatusCreated, "the answer is no link")
	}
	return string(link), nil
}
