package pterodactyl

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

const (
	// An installation takes seconds to many minutes; the panel sends no word when
	// it ends. One that runs on is asked less often, and given up after buildLimit.
	pollSoon   = 3 * time.Second
	pollLater  = 15 * time.Second
	pollChange = 2 * time.Minute
	buildLimit = 3 * time.Hour
)

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
		return server{}, refuse(provisioning.ErrPermanent, op, "its External ID in the panel is %q, not %q; somebody changed it: set it back", clean(ref), c.tag(o.ServiceID))
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
		return b, refuse(provisioning.ErrPermanent, op, "the installation failed twice; the panel shows its log under the server's install output on the node")
	case s.failed():
		b.Data[dataReinstalled] = "true"
		return move(b, StepReinstall), nil
	case s.suspended():
		return b, refuse(provisioning.ErrPermanent, op, "somebody suspended it in the panel while it was being installed; unsuspend it there, see that it is installed, then try again")
	case s.busy():
		return c.keepWaiting(op, b)
	}
	b.Hostname = s.endpoint()
	if b.Data[dataNew] == "true" {
		return move(b, StepPassword), nil
	}
	u, err := c.readUser(ctx, op, s.User.id())
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
	case ok && s.ID.id() != b.RemoteID:
		return adopt(b, s), nil
	case ok:
		return b, refuse(provisioning.ErrTemporary, op, "the panel says both that it is there and that it is not")
	case b.Data[dataFound] != "true" && b.Data[dataRemade] == "true":
		return b, refuse(provisioning.ErrPermanent, op,
			"somebody deleted it in the panel while it was being installed, twice; terminate the service here if it is not to be, or create the server there with the External ID %s and try again", c.tag(o.ServiceID))
	case b.Data[dataFound] != "true":
		b.Data[dataRemade] = "true"
	}
	delete(b.Data, dataFound)
	b.RemoteID, b.Addresses = "", nil
	return move(b, StepCreate), nil
}

func (c *Client) keepWaiting(op string, b provisioning.Build) (provisioning.Build, error) {
	b.Wait = pollSoon
	if b.Started.IsZero() {
		return b, nil
	}
	waited := c.now().Sub(b.Started)
	if waited > buildLimit {
		return b, refuse(provisioning.ErrPermanent, op, "the installation has not ended after %s; look at the node's daemon", buildLimit)
	}
	if waited > pollChange {
		b.Wait = pollLater
	}
	return b, nil
}

// stepReinstall repeats a failed installation (POST /servers/{id}/reinstall).
func (c *Client) stepReinstall(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "reinstall server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if !s.failed() {
		return move(b, StepReady), nil
	}
	c.recent.called(o.ServiceID, c.now())
	if err := c.do(ctx, request{op: op, effect: writes, method: http.MethodPost, path: "/servers/" + s.ID.id() + "/reinstall"}, nil); err != nil {
		return b, err
	}
	return move(b, StepReady), nil
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
	return move(b, StepReady), nil
}

// stepPassword sets the first password of a new account, which the customer gets.
func (c *Client) stepPassword(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "set the password of server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	u, err := c.readUser(ctx, op, s.User.id())
	if err != nil {
		return b, err
	}
	c.recent.called(o.ServiceID, c.now())
	password, err := c.setPassword(ctx, op, u)
	if err != nil {
		return b, err
	}
	b.Secret, b.Done = &provisioning.Credentials{Username: signIn(u, s), Password: password}, true
	return b, nil
}
