package enhance

import (
	"context"
	"strings"

	"github.com/ezscale/ezscale/integrations/panel"
)

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
