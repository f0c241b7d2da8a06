package pterodactyl

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// List reads all servers of the panel, by id, so that new ones come at the end (GET
// /servers?sort=id&include=allocations). A key without the right to read
// allocations sees no addresses.
func (c *Client) List(ctx context.Context, each func(provisioning.Seen) error) error {
	const op = "list all servers"
	l := panel.NewListing(vendor, op)
	err := eachPage(ctx, c, op, "/servers", url.Values{"sort": {"id"}, "include": {"allocations"}}, func(part []server, total panel.Number) error {
		if err := l.Page(total); err != nil {
			return err
		}
		for _, s := range part {
			fresh, err := l.Fresh(s.ID.ID())
			if err == nil && fresh {
				err = each(c.seen(s))
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

func (c *Client) seen(s server) provisioning.Seen {
	id := s.ID.ID()
	seen := provisioning.Seen{Key: id, RemoteID: id, Name: panel.Clean(string(s.Name)), Owner: s.User.ID(), Suspended: s.suspended(), Plan: s.sold()}
	seen.ServiceID, seen.Ours = strings.CutPrefix(string(s.ExternalID), c.prefix)
	if !seen.Ours {
		seen.ServiceID = ""
	}
	for _, a := range s.addresses() {
		seen.Addresses = append(seen.Addresses, a.IP)
	}
	return seen
}

// sold is what a server gets of what customers pay for; "" where the panel leaves
// out a part of it. The system's own settings are not of it: image, start, variables.
func (s server) sold() string {
	l := s.Limits
	if !l.Memory.OK || !l.Swap.OK || !l.Disk.OK || !l.CPU.OK || s.Egg.ID() == "" {
		return ""
	}
	z := s.size()
	return sold(s.Egg.Whole(0), limits{Memory: z.Memory, Swap: z.Swap, Disk: z.Disk, CPU: z.CPU}, features{z.Databases, z.Allocations, z.Backups})
}

func sold(egg int64, l limits, f features) string {
	return fmt.Sprintf("egg %d, memory %d MB, swap %d MB, disk %d MB, cpu %d %%, databases %d, allocations %d, backups %d", egg, l.Memory, l.Swap, l.Disk, l.CPU, f.Databases, f.Allocations, f.Backups)
}

// Terms is the server's id and what a plan gives it.
func (c *Client) Terms(remoteID string, settings map[string]string) (key, plan string) {
	p, err := parsePlan(settings, "read the plan of server "+remoteID)
	if err != nil {
		return remoteID, ""
	}
	return remoteID, sold(p.egg, p.limits, p.features)
}
