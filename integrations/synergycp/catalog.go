package synergycp

import (
	"context"
	"net/url"

	"github.com/ezscale/ezscale/integrations/panel"
)

// Choice is something a plan can name by its billing id.
type Choice struct {
	BillingID string // "" where staff has given it none, so that no plan can name it
	Name      string
}

// PartKind is a kind of component.
type PartKind string

// The kinds of components.
const (
	CPUs   PartKind = "cpu"
	Memory PartKind = "mem"
	Disks  PartKind = "disk"
	Addons PartKind = "add-on"
)

func (c *Client) choices(ctx context.Context, op, path string, query url.Values) ([]Choice, error) {
	found, err := readPages[struct {
		Name    panel.Text `json:"name"`
		Billing panel.Text `json:"billing_id"`
	}](ctx, c, panel.Call{Op: op, Path: path, Query: query})
	if err != nil {
		return nil, err
	}
	list := make([]Choice, 0, len(found))
	for _, one := range found {
		list = append(list, Choice{string(one.Billing), panel.Clean(string(one.Name))})
	}
	return list, nil
}

// Parts lists the components of a kind (GET /part).
func (c *Client) Parts(ctx context.Context, kind PartKind) ([]Choice, error) {
	return c.choices(ctx, "list parts", "/part", url.Values{"part_type": {string(kind)}})
}

// Groups lists the IP groups, which are the locations (GET /group).
func (c *Client) Groups(ctx context.Context) ([]Choice, error) {
	return c.choices(ctx, "list IP groups", "/group", nil)
}

// PortSpeeds lists the speeds of ports (GET /port-speed).
func (c *Client) PortSpeeds(ctx context.Context) ([]Choice, error) {
	return c.choices(ctx, "list port speeds", "/port-speed", nil)
}

// Profiles lists what can be installed (GET /pxe/profile).
func (c *Client) Profiles(ctx context.Context) ([]Choice, error) {
	return c.choices(ctx, "list PXE profiles", "/pxe/profile", nil)
}

// Free counts the servers of the inventory that a plan could get now.
func (c *Client) Free(ctx context.Context, settings map[string]string) (int, error) {
	const op = "count free servers"
	p, err := parsePlan(settings, op)
	if err != nil {
		return 0, err
	}
	list, err := c.free(ctx, op, p)
	return len(list), err
}
