package synergycp

import (
	"context"
	"errors"
	"net/http"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// suspensionReason is what the panel shows beside a suspended access.
const suspensionReason = "Suspended by the billing system"

// Suspend switches off the access of everybody who may use a server, its owner and
// those with whom it is shared, and returns once the panel shows it (PATCH
// /server/{id}/access/{id}). The panel has no other suspension: what runs on the
// server depends on its settings. A client whom staff exempted from automatic
// suspension there is left alone, which is for people (ErrPermanent).
func (c *Client) Suspend(ctx context.Context, remoteID string) error {
	return c.setActive(ctx, "suspend server "+remoteID, remoteID, false)
}

// Unsuspend gives a server back to all of them, like Suspend.
func (c *Client) Unsuspend(ctx context.Context, remoteID string) error {
	return c.setActive(ctx, "unsuspend server "+remoteID, remoteID, true)
}

func (c *Client) setActive(ctx context.Context, op, remoteID string, want bool) error {
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return err
	}
	list, err := c.readAccess(ctx, op, s)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return vendor.Refuse(provisioning.ErrPermanent, op, "the panel lists nobody who has access to server %s; assign its client there", s.name())
	}
	open, called := false, error(nil)
	for _, a := range list {
		if bool(a.IsActive) == want {
			continue
		}
		err := c.patchAccess(ctx, op, s, a, want)
		if err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown) {
			return err
		}
		open, called = true, errors.Join(called, err)
	}
	if !open {
		return nil
	}
	if list, err = c.readAccess(ctx, op, s); err != nil {
		return err
	}
	for _, a := range list {
		if bool(a.IsActive) != want {
			return &panel.Error{Vendor: vendor, Op: op, Message: "the panel does not show it yet", Class: provisioning.ErrTemporary, Cause: panel.Plain(called)}
		}
	}
	return nil
}

// patchAccess switches one access. "auto" asks the panel to respect exempt clients.
func (c *Client) patchAccess(ctx context.Context, op string, s server, a access, active bool) error {
	body := struct {
		IsActive bool   `json:"is_active"`
		Auto     bool   `json:"auto,omitempty"`
		Reason   string `json:"suspension_reason,omitempty"`
	}{IsActive: active}
	if !active {
		body.Auto, body.Reason = true, suspensionReason
	}
	err := c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPatch, Path: "/server/" + s.ID.ID() + "/access/" + a.ID.ID(), Body: body}, nil)
	return exempt(err, op, "suspend")
}

// exempt explains a refusal for the sake of a client whom staff exempted.
func exempt(err error, op, what string) error {
	if _, ignored := faultOf(err, faultIgnored); !ignored {
		return err
	}
	return vendor.Refuse(provisioning.ErrPermanent, op,
		"the panel exempts this client from automatic suspension and wiping (the client's VIP setting), so nothing was done; take the exemption away there and try again, or %s the server by hand", what)
}

// Terminate ends a service. With Config.WipeOnTerminate the panel wipes the server
// and takes it back into the inventory (PATCH /server/{id}); it is gone when no
// server carries the billing id any more. Otherwise the client loses access and
// the wipe is for people (ErrStaff): disks hold what nobody can bring back.
func (c *Client) Terminate(ctx context.Context, remoteID string) (gone bool, err error) {
	op := "terminate server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if errors.Is(err, provisioning.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !c.wipe {
		if err := c.setActive(ctx, op, remoteID, false); err != nil {
			return false, err
		}
		return false, vendor.Refuse(provisioning.ErrStaff, op,
			"the client has no access any more; wipe server %s in the panel when its data may go, after which this ends by itself (the platform's setting wipe_on_terminate lets it be done from here)", s.name())
	}
	body := struct {
		Wiped bool `json:"wiped"`
		Auto  bool `json:"auto"`
	}{true, true}
	err = c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPatch, Path: "/server/" + s.ID.ID(), Body: body}, nil)
	if err = exempt(err, op, "wipe"); err != nil && !errors.Is(err, provisioning.ErrOutcomeUnknown) {
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
		return false, &panel.Error{Vendor: vendor, Op: op, Message: "the server still carries its billing id", Class: provisioning.ErrTemporary, Cause: panel.Plain(called)}
	}
	return false, nil
}
