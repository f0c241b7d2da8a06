package virtfusion

import (
	"context"
	"slices"
	"strconv"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Adopt takes a server of the customer's panel user that carries no other service's
// name. The build goes on with its naming; a system that is installed on it stays.
func (c *Client) Adopt(ctx context.Context, o provisioning.Order, b provisioning.Build, remoteID string) (provisioning.Build, error) {
	op := "adopt server " + panel.Clean(remoteID)
	p, err := parsePlan(o)
	if err != nil {
		return b, err
	}
	user, err := c.findUser(ctx, o.UserID)
	if err != nil {
		return b, err
	}
	if user == "" {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the customer has no user in the panel, so the server cannot be theirs")
	}
	next := panel.Prepare(b)
	next.RemoteUser, next.RemoteID = user, remoteID
	s, err := c.readOwn(ctx, op, o, next)
	switch {
	case provisioning.Classify(err) == provisioning.ClassUnknown:
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "it carries the name of another service, %s", panel.Clean(string(s.Name)))
	case err != nil:
		return b, err
	case slices.Contains(o.Taken, remoteID):
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "it belongs to another service of the customer")
	}
	tpl, err := c.findTemplate(ctx, p)
	if err != nil {
		return b, err
	}
	if !c.creates.Begin(user, o.ServiceID) {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "another create for this customer is being resolved")
	}
	defer c.creates.End(user, true)
	if !c.creates.claim(remoteID, o.ServiceID, c.now()) {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "another service has claimed it")
	}
	next.Data[dataWindows] = strconv.FormatBool(tpl.Windows)
	return panel.Move(next, StepTag), nil
}

// Skip leaves out the naming, which the installation does too, and the new password
// at the end, which the customer can set.
func (c *Client) Skip(b provisioning.Build) (provisioning.Build, error) {
	next := panel.Prepare(b)
	switch b.Step {
	case StepTag:
		return panel.Move(next, StepBuild), nil
	case StepPassword:
		next.Done = true
		return next, nil
	}
	return b, vendor.Refuse(provisioning.ErrPermanent, "skip step "+b.Step, "without it there is no service; only %s and %s can be left out", StepTag, StepPassword)
}
