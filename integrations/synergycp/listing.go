package synergycp

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// List reads all servers of our integration, counted anew (GET
// /server?integration_id=me&force_refresh_count=true). It shows no addresses: they
// are entities, of each server its own list. One without a billing id stands for no
// service.
func (c *Client) List(ctx context.Context, each func(provisioning.Seen) error) error {
	call := panel.Call{Op: "list all servers", Path: "/server", Query: url.Values{"integration_id": {"me"}, "force_refresh_count": {"true"}}}
	l := panel.NewListing(vendor, call.Op)
	err := eachPage(ctx, c, call, func(part []server, total *panel.Number) error {
		if total != nil {
			if err := l.Page(*total); err != nil {
				return err
			}
		}
		for _, s := range part {
			fresh, err := l.Fresh(s.ID.ID())
			if err == nil && fresh {
				err = each(s.seen())
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.End()
}

// seen has the billing id as its key: it stays where staff moves a service to other
// hardware.
func (s server) seen() provisioning.Seen {
	billing := s.Billing.V.ID.ID()
	seen := provisioning.Seen{Key: billing, Name: s.name(), Owner: s.owner(), Suspended: s.suspended(), Ours: billing != ""}
	if s.usedUp() {
		seen.Why = "its bandwidth limit is reached, at which the panel suspends by itself"
	}
	if billing == "" {
		return seen
	}
	seen.RemoteID = remoteID(s.ID.ID(), billing)
	if limit := s.Billing.V.MaxBandwidth; limit.OK {
		seen.Plan = sold(limit.Whole(0))
	}
	return seen
}

// sold is the one thing of a plan that the list shows for certain. A server without
// a limit may be one of a panel that leaves it out, of which nothing is concluded.
func sold(bits int64) string {
	if bits == 0 {
		return "no bandwidth limit"
	}
	return "bandwidth limit " + strconv.FormatFloat(float64(bits)/8e9, 'f', -1, 64) + " GB"
}

// Terms is the billing id and the bandwidth limit of a plan.
func (c *Client) Terms(remoteID string, settings map[string]string) (key, plan string) {
	_, key, _ = strings.Cut(remoteID, ":")
	p, err := parsePlan(settings, "read the plan of server "+remoteID)
	if err != nil {
		return key, ""
	}
	return key, sold(p.limit)
}
