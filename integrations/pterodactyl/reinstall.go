package pterodactyl

import (
	"cmp"
	"context"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The step of a reinstallation besides StepReinstall and StepReady.
const StepCheck = "check" // look whether it can be done

// dataUpdated is the key of Build.Data for when the panel last changed the server
// before the call.
const dataUpdated = "updated"

// Images is the egg that a server has: another one is another plan.
func (c *Client) Images(ctx context.Context, _ provisioning.Order, remoteID string) ([]provisioning.Image, error) {
	op := "list the images of server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return nil, err
	}
	e, err := c.readEgg(ctx, op, s.Nest.Times(1), s.Egg.Times(1))
	if err != nil {
		return nil, err
	}
	return []provisioning.Image{{ID: s.Egg.ID(), Name: cmp.Or(panel.Clean(string(e.Name)), s.Egg.ID()), Current: true}}, nil
}

// ReinstallSteps names the steps in order.
func (c *Client) ReinstallSteps() []string { return []string{StepCheck, StepReinstall, StepReady} }

// Reinstall does one step. The panel runs the egg's installation again (POST
// /servers/{id}/reinstall); whether files that its script does not write stay is up
// to the egg. Nobody's sign-in changes.
func (c *Client) Reinstall(ctx context.Context, o provisioning.Order, image string, b provisioning.Build) (provisioning.Build, error) {
	op, next := "reinstall server "+b.RemoteID, panel.Prepare(b)
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	next.Addresses, next.Hostname = s.addresses(), s.endpoint()
	switch b.Step {
	case "", StepCheck:
		if err = reinstallable(op, s, image); err == nil {
			next.Data[dataUpdated] = string(s.Updated)
			next = panel.Move(next, StepReinstall)
		}
	case StepReinstall:
		if err = reinstallable(op, s, image); err == nil {
			next, err = c.installAgain(ctx, op, o, s, next)
		}
	case StepReady:
		next, err = c.waitAgain(op, s, next)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, op, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// RecoverReinstall finds out whether a lost call began an installation: one is under
// way or failed, or the panel has changed the server since. It counts as not done
// once the call can come no more.
func (c *Client) RecoverReinstall(ctx context.Context, o provisioning.Order, _ string, b provisioning.Build) (provisioning.Build, error) {
	if b.Step != StepReinstall || b.Started.IsZero() {
		return b, nil // they only read
	}
	op := "look at server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if s.suspended() {
		return b, vendor.Refuse(provisioning.ErrOutcomeUnknown, op, "it was suspended meanwhile, and the panel forgets whether an installation was under way; unsuspend it, then try again")
	}
	if s.busy() || b.Data[dataUpdated] != string(s.Updated) {
		return panel.Move(panel.Prepare(b), StepReady), nil
	}
	return b, c.settled(op, o, b)
}

// reinstallable says why a server cannot be installed anew now, if so.
func reinstallable(op string, s server, image string) error {
	switch {
	case image != s.Egg.ID():
		return vendor.Refuse(provisioning.ErrPermanent, op, "its egg is %s, not %q", s.Egg.ID(), panel.Clean(image))
	case s.suspended():
		return vendor.Refuse(provisioning.ErrPermanent, op, "it is suspended")
	case s.busy():
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is busy with it (%s)", panel.Clean(string(s.Status)))
	}
	return nil
}

// waitAgain waits for the installation. A failed one is repeated once by itself.
func (c *Client) waitAgain(op string, s server, b provisioning.Build) (provisioning.Build, error) {
	switch {
	case s.failed() && b.Data[dataReinstalled] != "":
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation failed twice; the panel shows its log under the server's install output on the node")
	case s.failed():
		b.Data[dataReinstalled], b.Data[dataUpdated] = "true", string(s.Updated)
		return panel.Move(b, StepReinstall), nil
	case s.busy():
		return c.keepWaiting(op, b)
	}
	b.Done = true
	return b, nil
}
