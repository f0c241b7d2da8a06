package pterodactyl

import (
	"context"
	"slices"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Adopt takes a server of the customer's account that carries our external id, which
// an administrator of the panel can give it.
func (c *Client) Adopt(ctx context.Context, o provisioning.Order, b provisioning.Build, remoteID string) (provisioning.Build, error) {
	op := "adopt server " + panel.Clean(remoteID)
	u, ok, err := c.findUser(ctx, o.UserID)
	switch {
	case err != nil:
		return b, err
	case !ok:
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the customer has no account in the panel, so the server cannot be theirs")
	case slices.Contains(o.Taken, remoteID):
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "it belongs to another service of the customer")
	}
	next := panel.Prepare(b)
	next.RemoteUser, next.RemoteID = u.ID.ID(), remoteID
	s, err := c.readOwn(ctx, op, o, next)
	if err != nil {
		return b, err
	}
	return adopt(next, s), nil
}

// Skip leaves out the first password of a new account, which the customer can set.
func (c *Client) Skip(b provisioning.Build) (provisioning.Build, error) {
	if b.Step != StepPassword {
		return b, vendor.Refuse(provisioning.ErrPermanent, "skip step "+b.Step, "without it there is no service; only %s can be left out", StepPassword)
	}
	next := panel.Prepare(b)
	next.Done = true
	return next, nil
}
