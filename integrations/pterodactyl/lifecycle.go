package pterodactyl

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The remote id is the Application API's integer id. Whose server that is says
// Status: OwnerRef is the panel's user id (Build.RemoteUser) and Tag our service
// id, from the external id, which only administrators of the panel can change.

// Suspend stops a server and returns once the panel shows it suspended (POST
// /servers/{id}/suspend). While it installs that is refused as temporary: the
// panel would forget whether the installation succeeded. A lost answer is settled
// by reading: ErrTemporary then says that a repeat is safe and due.
func (c *Client) Suspend(ctx context.Context, remoteID string) error {
	return c.setSuspended(ctx, remoteID, true)
}

// Unsuspend gives a server back (POST /servers/{id}/unsuspend), like Suspend. The
// panel does not start it.
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
	switch {
	case err != nil || s.suspended() == want:
		return err
	case want && s.busy():
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is busy with it (%s)", panel.Clean(string(s.Status)))
	}
	err = c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + s.ID.ID() + "/" + verb}, nil)
	if err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		return err
	}
	called := err
	if s, err = c.readServer(ctx, op, remoteID); err != nil {
		return err
	}
	if s.suspended() != want {
		return &panel.Error{Vendor: vendor, Op: op, Message: "the panel does not show it yet", Class: provisioning.ErrTemporary, Cause: panel.Plain(called)}
	}
	return nil
}

// Terminate destroys a server (DELETE /servers/{id}). It is gone only when
// reading it answers that it is not there. Where the node does not answer, the
// server stays: leaving its files behind is for a person to decide.
func (c *Client) Terminate(ctx context.Context, remoteID string) (gone bool, err error) {
	op := "terminate server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if errors.Is(err, provisioning.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	err = c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodDelete, Path: "/servers/" + s.ID.ID()}, nil)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return true, nil
	case err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown):
		return false, err
	}
	called := err
	_, err = c.readServer(ctx, op, remoteID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case called != nil:
		return false, &panel.Error{
			Vendor: vendor,
			Op:     op, Message: "the server is still there (" + panel.Clean(called.Error()) + "); if its node is lost for good, force its deletion in the panel",
			Class: provisioning.ErrTemporary,
		}
	}
	return false, nil
}

// readServer reads one server (GET /servers/{id}?include=allocations).
// ErrNotFound only on the panel's own text; any other 404 is a wrong address.
func (c *Client) readServer(ctx context.Context, op, remoteID string) (server, error) {
	id, err := checkID(op, remoteID)
	if err != nil {
		return server{}, err
	}
	r := panel.Call{Op: op, Method: http.MethodGet, Path: "/servers/" + id, Query: url.Values{"include": {"allocations"}}}
	var got item[server]
	if err := c.do(ctx, r, &got); err != nil {
		return server{}, err
	}
	if got.Attributes.ID.ID() != id || got.Attributes.UUID == "" {
		return server{}, vendor.Unreadable(r, http.StatusOK, "the answer is about another server")
	}
	return got.Attributes, nil
}

// checkID refuses what is no id before it becomes part of a path.
func checkID(op, remoteID string) (string, error) {
	n, err := strconv.ParseInt(remoteID, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != remoteID {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "%q is no id", remoteID)
	}
	return remoteID, nil
}
