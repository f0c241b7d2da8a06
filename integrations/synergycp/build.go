package synergycp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	// buildLimit is when an installation is given up: the slowest take hours.
	buildLimit = 6 * time.Hour
	// unseenLimit is how long an ordered installation may stay out of the list. One
	// that ended is not listed either, but none is so fast.
	unseenLimit = time.Minute
	queuePause  = time.Second
)

// stepQueue decides what is installed next, and notes what the panel lists before
// that is queued, so that what a call adds is recognized.
func (c *Client) stepQueue(ctx context.Context, p plan, b provisioning.Build) (provisioning.Build, error) {
	if int(whole(b.Data[dataQueued])) >= len(p.profiles) {
		return panel.Move(b, StepReady), nil
	}
	op := "look what is installed on server " + b.RemoteID
	s, err := c.built(ctx, op, b)
	if err != nil {
		return b, err
	}
	list, err := c.readInstalls(ctx, op, s)
	if err != nil {
		return b, err
	}
	if len(list) > 0 {
		b.Data[dataSeen] = "true"
	}
	b.Data[dataLast] = strconv.FormatInt(max(highestOf(list), whole(b.Data[dataLast])), 10)
	b.Wait = queuePause
	return panel.Move(b, StepInstall), nil
}

// installBody is what POST /server/{id}/install takes. Parent is the installation
// after which this one starts.
type installBody struct {
	Profile  string     `json:"pxe_profile_billing"`
	Password string     `json:"password"`
	Queue    bool       `json:"queue"`
	Parent   *parentRef `json:"parent,omitempty"`
}

type parentRef struct {
	ID int64 `json:"id"`
}

// stepInstall queues the next of the plan's profiles behind those that are queued
// (POST /server/{id}/install); the first came with the order.
func (c *Client) stepInstall(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "install on server " + b.RemoteID
	if err := c.sameKey(op, b); err != nil {
		return b, err
	}
	s, err := c.built(ctx, op, b)
	if err != nil {
		return b, err
	}
	list, err := c.readInstalls(ctx, op, s)
	if err != nil {
		return b, err
	}
	highest := highestOf(list)
	if highest > whole(b.Data[dataLast]) {
		return queued(b), nil // an earlier call of ours came late
	}
	body := installBody{Profile: p.profiles[whole(b.Data[dataQueued])], Password: c.password(b), Queue: true}
	if highest > 0 {
		body.Parent = &parentRef{highest}
	}
	c.calls.Made(o.ServiceID)
	if err := c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/server/" + s.ID.ID() + "/install", Body: body}, nil); err != nil {
		return b, err
	}
	return queued(b), nil
}

// queued counts one more profile as queued.
func queued(b provisioning.Build) provisioning.Build {
	b.Data[dataQueued] = strconv.FormatInt(whole(b.Data[dataQueued])+1, 10)
	return panel.Move(b, StepQueue)
}

func whole(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func highestOf(list []installation) int64 {
	highest := int64(0)
	for _, in := range list {
		highest = max(highest, in.ID.Whole(0))
	}
	return highest
}

// recoverInstall looks whether the list has an installation that it had not
// before the call. "Not" is believed only once it is settled.
func (c *Client) recoverInstall(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "look at server " + b.RemoteID
	if b.Started.IsZero() {
		return b, nil // the call was never made
	}
	s, err := c.built(ctx, op, b)
	if err != nil {
		return b, err
	}
	list, err := c.readInstalls(ctx, op, s)
	if err != nil {
		return b, err
	}
	if highestOf(list) > whole(b.Data[dataLast]) {
		return queued(b), nil
	}
	if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "not queued yet; the answer is final in %s", wait.Round(time.Second))
	}
	return b, nil
}

// built reads the build's server and explains what staff did to it meanwhile.
func (c *Client) built(ctx context.Context, op string, b provisioning.Build) (server, error) {
	s, err := c.readServer(ctx, op, b.RemoteID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op,
			"somebody wiped it in the panel, or took its billing id %s away, while it was being installed; give a server that billing id and the customer's client and try again, or terminate the service here", b.Data[dataBilling])
	case err != nil:
		return server{}, err
	case s.owner() != b.RemoteUser:
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "server %s belongs to panel client %q, not %s; somebody changed it: set it back", s.name(), s.owner(), b.RemoteUser)
	case s.suspended():
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "server %s was suspended in the panel while it was being installed; activate it there, then try again", s.name())
	}
	return s, nil
}

// stepReady waits until nothing is being installed any more.
func (c *Client) stepReady(ctx context.Context, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "wait for server " + b.RemoteID
	s, err := c.built(ctx, op, b)
	if err != nil {
		return b, err
	}
	list, err := c.readInstalls(ctx, op, s)
	if err != nil {
		return b, err
	}
	if b.Addresses, err = c.addresses(ctx, op, s); err != nil {
		return b, err
	}
	next, late := panel.Poll(b, c.now(), buildLimit)
	switch {
	case len(list) > 0 && late:
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation has not ended after %s (%s); look at the server's console in the panel", buildLimit, panel.Clean(string(list[0].Step)))
	case len(list) > 0:
		next.Data[dataSeen] = "true"
		return next, nil
	case len(p.profiles) > 0 && b.Data[dataSeen] != "true":
		return c.unseen(op, p, next, s)
	}
	return c.finish(op, p, b, s)
}

// unseen decides about an installation that was ordered and never seen. One that
// the panel took is over: nobody looked while it ran. A server that was only found
// may have been set up by people instead; nobody has it yet, so all is installed
// once more, by which its password is known.
func (c *Client) unseen(op string, p plan, b provisioning.Build, s server) (provisioning.Build, error) {
	switch {
	case b.Started.IsZero() || c.now().Sub(b.Started) < unseenLimit:
		return b, nil
	case b.Data[dataFound] != "true" || b.Data[dataAgain] == "true":
		return c.finish(op, p, b, s)
	}
	b.Data[dataAgain], b.Data[dataQueued], b.Wait = "true", "0", 0
	return panel.Move(b, StepQueue), nil
}

// finish hands the server over, with what its customer signs in with.
func (c *Client) finish(op string, p plan, b provisioning.Build, s server) (provisioning.Build, error) {
	if len(p.profiles) > 0 {
		if err := c.sameKey(op, b); err != nil {
			return b, err
		}
		b.Secret = &provisioning.Credentials{Username: p.username, Password: c.password(b)}
	}
	delete(b.Data, dataNonce) // with it the password could be drawn again
	b.RemoteID, b.Hostname, b.Wait, b.Done = remoteID(s.ID.ID(), b.Data[dataBilling]), panel.Clean(string(s.Nickname)), 0, true
	return b, nil
}
