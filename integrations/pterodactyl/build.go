package pterodactyl

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// buildLimit is when an installation is given up. One takes seconds to many
// minutes; the panel sends no word when it ends.
const buildLimit = 3 * time.Hour

// readOwn reads the build's server and refuses one that is not ours.
func (c *Client) readOwn(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (server, error) {
	s, err := c.readServer(ctx, op, b.RemoteID)
	if err != nil {
		return server{}, err
	}
	if err := c.ownedBy(op, s, b); err != nil {
		return server{}, err
	}
	if ref := string(s.ExternalID); ref != c.tag(o.ServiceID) {
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "its External ID in the panel is %q, not %q; somebody changed it: set it back", panel.Clean(ref), c.tag(o.ServiceID))
	}
	return s, nil
}

// stepReady waits for the installation. A failed one is repeated once by itself;
// the second failure is for a person.
func (c *Client) stepReady(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "wait for server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if errors.Is(err, provisioning.ErrNotFound) {
		return c.vanished(ctx, op, o, b)
	}
	if err != nil {
		return b, err
	}
	b.Addresses = s.addresses()
	switch {
	case s.failed() && b.Data[dataReinstalled] != "":
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation failed twice; the panel shows its log under the server's install output on the node")
	case s.failed():
		b.Data[dataReinstalled] = "true"
		return panel.Move(b, StepReinstall), nil
	case s.suspended():
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "somebody suspended it in the panel while it was being installed; unsuspend it there, see that it is installed, then try again")
	case s.busy():
		return c.keepWaiting(op, b)
	}
	b.Hostname = s.endpoint()
	if b.Data[dataNew] == "true" {
		return panel.Move(b, StepPassword), nil
	}
	u, err := c.readUser(ctx, op, s.User.ID())
	if err != nil {
		return b, err
	}
	// The customer has the account's password already; it is not ours to change.
	b.Secret, b.Done = &provisioning.Credentials{Username: signIn(u, s)}, true
	return b, nil
}

// vanished decides about a server that is not there any more. Another with our id,
// which a person may have made, is taken. One that was only found was an attempt
// that the panel took back, because the node did not answer: it is created again.
// So is one that somebody deleted, once: the customer paid for it.
func (c *Client) vanished(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	s, ok, err := c.findServer(ctx, op, o, b)
	switch {
	case err != nil:
		return b, err
	case ok && s.ID.ID() != b.RemoteID:
		return adopt(b, s), nil
	case ok:
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "the panel says both that it is there and that it is not")
	case b.Data[dataFound] != "true" && b.Data[dataRemade] == "true":
		return b, vendor.Refuse(provisioning.ErrPermanent, op,
			"somebody deleted it in the panel while it was being installed, twice; terminate the service here if it is not to be, or create the server there with the External ID %s and try again", c.tag(o.ServiceID))
	case b.Data[dataFound] != "true":
		b.Data[dataRemade] = "true"
	}
	delete(b.Data, dataFound)
	b.RemoteID, b.Addresses = "", nil
	return panel.Move(b, StepCreate), nil
}

func (c *Client) keepWaiting(op string, b provisioning.Build) (provisioning.Build, error) {
	next, late := panel.Poll(b, c.now(), buildLimit)
	if late {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation has not ended after %s; look at the node's daemon", buildLimit)
	}
	return next, nil
}

// stepReinstall repeats a failed installation (POST /servers/{id}/reinstall).
func (c *Client) stepReinstall(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "reinstall server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if !s.failed() {
		return panel.Move(b, StepReady), nil
	}
	return c.installAgain(ctx, op, o, s, b)
}

// installAgain makes the call that runs a server's installation.
func (c *Client) installAgain(ctx context.Context, op string, o provisioning.Order, s server, b provisioning.Build) (provisioning.Build, error) {
	c.calls.Made(o.ServiceID)
	if err := c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + s.ID.ID() + "/reinstall"}, nil); err != nil {
		return b, err
	}
	return panel.Move(b, StepReady), nil
}

// recoverReinstall reads whether a lost call took effect. "Not" is believed only
// once it is settled: a call that arrives late would install the game a second
// time, under the customer's hands.
func (c *Client) recoverReinstall(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "look at server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if s.failed() {
		return b, c.settled(op, o, b)
	}
	return panel.Move(b, StepReady), nil
}

// stepPassword sets the first password of a new account, which the customer gets.
func (c *Client) stepPassword(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "set the password of server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	u, err := c.readUser(ctx, op, s.User.ID())
	if err != nil {
		return b, err
	}
	c.calls.Made(o.ServiceID)
	password, err := c.setPassword(ctx, op, u)
	if err != nil {
		return b, err
	}
	b.Secret, b.Done = &provisioning.Credentials{Username: signIn(u, s), Password: password}, true
	return b, nil
}
