package enhance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Test proves the address, the token and the organization by reading what a build
// reads. Rights to write show only when used.
func (c *Client) Test(ctx context.Context) error {
	const op = "test the connection"
	var status panel.Text
	if err := c.do(ctx, panel.Call{Op: op + " (/status)", Method: http.MethodGet, Path: "/status"}, &status); err != nil {
		return err
	}
	if status != "ready" {
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is not ready yet, it says %q", panel.Clean(string(status)))
	}
	one := url.Values{"limit": {"1"}}
	for _, call := range []panel.Call{
		{Path: "/orgs/" + c.seller}, {Path: "/orgs/" + c.seller + "/plans", Query: one}, {Path: "/orgs/" + c.seller + "/customers", Query: one}, {Path: "/v2/orgs/" + c.seller + "/customers/logins", Query: one},
	} {
		call.Op, call.Method = op+" ("+strings.ReplaceAll(call.Path, c.seller, "…")+")", http.MethodGet
		err := c.do(ctx, call, nil)
		var failed *panel.Error
		switch {
		case err == nil:
		case errors.Is(err, provisioning.ErrNotFound):
			return fmt.Errorf("enhance: the panel has no organization %s, or the token is of another; both are of the one that sells: %w", c.seller, errors.Join(provisioning.ErrCredentials, panel.Plain(err)))
		case errors.As(err, &failed) && failed.Status == http.StatusForbidden:
			return fmt.Errorf("enhance: the token lacks a right in organization %s; make one with the role SuperAdmin there (Settings → Access Tokens), without a restriction to other addresses than ours: %w", c.seller, err)
		case errors.Is(err, provisioning.ErrCredentials):
			return fmt.Errorf("enhance: the token is wrong, deleted or expired; make one under Settings → Access Tokens: %w", err)
		default:
			return err
		}
	}
	return nil
}

// Choice is something a plan can name by its id.
type Choice struct {
	ID   string
	Name string
}

// Plans lists the plans of the selling organization.
func (c *Client) Plans(ctx context.Context) ([]Choice, error) {
	found, err := c.readPlans(ctx, "list plans")
	if err != nil {
		return nil, err
	}
	list := make([]Choice, 0, len(found))
	for _, p := range found {
		list = append(list, Choice{p.ID.ID(), panel.Clean(string(p.Name))})
	}
	return list, nil
}

// Held is a subscription at the panel, as a comparison with our records needs it.
type Held struct {
	RemoteID  string // without what is sold of it
	ServiceID string // "" where its friendly name is not one of ours
	OwnerRef  string // the customer's organization
	PlanID    string
	Suspended bool
}

// Subscriptions lists all subscriptions to the selling organization that are not
// deleted (GET /orgs/{org}/customers and each customer's subscriptions).
func (c *Client) Subscriptions(ctx context.Context) ([]Held, error) {
	const op = "list subscriptions"
	customers, err := readAll[orgObject](ctx, c, panel.Call{Op: op, Path: "/orgs/" + c.seller + "/customers"})
	if err != nil {
		return nil, err
	}
	var list []Held
	for _, customer := range customers {
		id := uuid(customer.ID)
		if id == "" || customer.Status == statusDeleted {
			continue
		}
		found, err := readAll[subscription](ctx, c, panel.Call{Op: op, Path: "/orgs/" + c.seller + "/customers/" + id + "/subscriptions"})
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if s.Status == statusDeleted || s.ID.ID() == "" {
				continue
			}
			h := Held{RemoteID: remoteID(id, s.ID.ID(), kindWebsite), OwnerRef: id, PlanID: s.PlanID.ID(), Suspended: s.suspended()}
			if service, ours := strings.CutPrefix(string(s.FriendlyName), c.prefix); ours {
				h.ServiceID = service
			}
			list = append(list, h)
		}
	}
	return list, nil
}
