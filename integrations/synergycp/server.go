package synergycp

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// remoteID names a service at the panel: the server it was built on and its
// billing id. The second is what counts; the first changes when staff moves the
// service to other hardware, and comes again with the next customer.
func remoteID(server, billing string) string { return server + ":" + billing }

// billingOf reads the billing id out of a remote id, before it becomes part of a
// call.
func billingOf(op, remoteID string) (string, error) {
	server, billing, _ := strings.Cut(remoteID, ":")
	for _, part := range []string{server, billing} {
		if n, err := strconv.ParseInt(part, 10, 64); err != nil || n < 1 || strconv.FormatInt(n, 10) != part {
			return "", vendor.Refuse(provisioning.ErrPermanent, op, "%q is no remote id; it is the panel's server id and the server's billing id with a colon between, such as 301:1482239911", remoteID)
		}
	}
	return billing, nil
}

// name is a server's for people.
func (s server) name() string { return cmp.Or(panel.Clean(string(s.SrvID)), s.ID.ID()) }

// serverOf finds the server that carries a billing id (GET /server?billing_id=).
// there is false only where the panel lists none.
func (c *Client) serverOf(ctx context.Context, op, billing string) (s server, there bool, err error) {
	call := panel.Call{Op: op, Path: "/server", Query: url.Values{"billing_id": {billing}, "integration_id": {"me"}}}
	list, err := readPages[server](ctx, c, call)
	if err != nil {
		return server{}, false, err
	}
	for _, one := range list {
		if one.ID.ID() == "" || one.Billing.V.ID.ID() != billing {
			continue
		}
		if there {
			return server{}, false, vendor.Refuse(provisioning.ErrPermanent, op, "servers %s and %s both carry the billing id %s; take it off the wrong one in the panel", s.name(), one.name(), billing)
		}
		s, there = one, true
	}
	if !there && len(list) > 0 {
		return server{}, false, vendor.Unreadable(call, http.StatusOK, "the answer is about other servers")
	}
	return s, there, nil
}

// readServer finds the server of a remote id; ErrNotFound where no server carries
// its billing id.
func (c *Client) readServer(ctx context.Context, op, remoteID string) (server, error) {
	billing, err := billingOf(op, remoteID)
	if err != nil {
		return server{}, err
	}
	s, there, err := c.serverOf(ctx, op, billing)
	if err == nil && !there {
		err = vendor.Refuse(provisioning.ErrNotFound, op, "no server of the panel carries the billing id %s: it was wiped, or its billing id was taken away", billing)
	}
	return s, err
}

// readAccess reads who may use a server (GET /server/{id}/access): its owner and
// those with whom it is shared.
func (c *Client) readAccess(ctx context.Context, op string, s server) ([]access, error) {
	return readPages[access](ctx, c, panel.Call{Op: op, Path: "/server/" + s.ID.ID() + "/access"})
}

// readInstalls reads what is being installed (GET /server/{id}/install); a
// finished one is not listed any more.
func (c *Client) readInstalls(ctx context.Context, op string, s server) ([]installation, error) {
	return readPages[installation](ctx, c, panel.Call{Op: op, Path: "/server/" + s.ID.ID() + "/install"})
}
