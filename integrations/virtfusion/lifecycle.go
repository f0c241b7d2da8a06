package virtfusion

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The remote id is the panel's plain server id. Whose server that is says
// Status: OwnerRef is the panel's user id (Build.RemoteUser) and Tag our service
// id. The caller compares them before it suspends or destroys; customers may
// rename a server in the panel, so a differing Tag alone proves nothing, a
// differing OwnerRef does.

// Suspend stops a server and returns once the panel shows it suspended (POST
// /servers/{id}/suspend). A lost answer is settled by reading: ErrTemporary then
// says that a repeat is safe and due.
func (c *Client) Suspend(ctx context.Context, remoteID string) error {
	return c.setSuspended(ctx, remoteID, true)
}

// Unsuspend gives a server back (POST /servers/{id}/unsuspend), like Suspend.
// Whether the panel boots it again is not documented.
func (c *Client) Unsuspend(ctx context.Context, remoteID string) error {
	return c.setSuspended(ctx, remoteID, false)
}

func (c *Client) setSuspended(ctx context.Context, remoteID string, want bool) error {
	verb := "unsuspend"
	if want {
		verb = "suspend"
	}
	op := verb + " server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil || bool(s.Suspended) == want {
		return err
	}
	err = c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + s.ID.ID() + "/" + verb}, nil)
	if err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		return err
	}
	if s, err = c.readServer(ctx, op, remoteID); err != nil {
		return err
	}
	if bool(s.Suspended) != want {
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel does not show it yet")
	}
	return nil
}

// Terminate destroys a server at once (DELETE /servers/{id}?delay=0; the delay
// is always sent, since its default is disputed). It is gone only when reading
// it answers "server not found". A server protected in the panel is refused.
func (c *Client) Terminate(ctx context.Context, remoteID string) (gone bool, err error) {
	op := "terminate server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if errors.Is(err, provisioning.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if s.Protected {
		return false, vendor.Refuse(provisioning.ErrPermanent, op, "it is protected in the panel; remove the protection there first")
	}
	err = c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodDelete, Path: "/servers/" + s.ID.ID(), Query: url.Values{"delay": {"0"}},
	}, nil)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return true, nil
	case err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown):
		return false, err
	}
	lostAnswer := err
	_, err = c.readServer(ctx, op, remoteID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case lostAnswer != nil:
		return false, vendor.Refuse(provisioning.ErrTemporary, op, "the answer was lost and the server is still there")
	}
	return false, nil
}

// readServer reads one server (GET /servers/{id}). ErrNotFound only on the
// panel's own text; any other 404 is a wrong address.
func (c *Client) readServer(ctx context.Context, op, remoteID string) (server, error) {
	return c.readServerWith(ctx, op, remoteID, nil)
}

func (c *Client) readServerWith(ctx context.Context, op, remoteID string, query url.Values) (server, error) {
	id, err := serverID(op, remoteID)
	if err != nil {
		return server{}, err
	}
	r := panel.Call{Op: op, Method: http.MethodGet, Path: "/servers/" + id, Query: query}
	var got answer[server]
	if err := c.do(ctx, r, &got); err != nil {
		return server{}, err
	}
	if got.Data.ID.ID() != id {
		return server{}, vendor.Unreadable(r, http.StatusOK, "the answer is about another server")
	}
	return got.Data, nil
}

// serverID refuses what is no id before it becomes part of a path.
func serverID(op, remoteID string) (string, error) {
	n, err := strconv.ParseInt(remoteID, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != remoteID {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "%q is no server id", remoteID)
	}
	return remoteID, nil
}
