package virtfusion

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	// A build takes some 20 seconds in the vendor's example; it is given up after
	// buildLimit.
	buildLimit = 2 * time.Hour
	// ipv6Polls bounds the wait for a subnet, which some panels add a little
	// after the build. The server is handed over without it in the end.
	ipv6Polls = 12
	// maxResets bounds how often a failed password reset is asked for.
	maxResets = 3
)

// stepTag names the fresh server after the service (PUT
// /servers/{id}/modify/name), so that from here on the panel itself knows whose
// it is. A panel that refuses to name an unbuilt server is no obstacle: the
// build names it too.
func (c *Client) stepTag(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "name server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if string(s.Name) == c.tag(o.ServiceID) {
		return panel.Move(b, StepBuild), nil
	}
	if !c.creates.claim(b.RemoteID, o.ServiceID, c.now()) {
		return b, vendor.Refuse(provisioning.ErrOutcomeUnknown, op, "another service has claimed it")
	}
	err = c.do(ctx, panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPut, Path: "/servers/" + b.RemoteID + "/modify/name",
		Body: struct {
			Name string `json:"name"`
		}{c.tag(o.ServiceID)},
	}, nil)
	if err != nil && provisioning.Classify(err) != provisioning.ClassPermanent {
		return b, err
	}
	return panel.Move(b, StepBuild), nil
}

// recoverTag goes on when the name is there. A server that turned out to be
// another service's is given back, and ours is looked for again.
func (c *Client) recoverTag(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	s, err := c.readServer(ctx, "look at server "+b.RemoteID, b.RemoteID)
	if err != nil {
		return b, err
	}
	switch {
	case string(s.Name) == c.tag(o.ServiceID):
		return panel.Move(b, StepBuild), nil
	case c.isForeign(s, o.ServiceID) || c.creates.claimed(b.RemoteID, o.ServiceID):
		back := b
		back.Step, back.RemoteID = StepCreate, ""
		if back.Started.IsZero() {
			back.Started = c.now()
		}
		return c.recoverCreate(ctx, o, p, back)
	}
	return b, nil
}

// readOwn reads the build's server and refuses one that is not ours.
func (c *Client) readOwn(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (server, error) {
	s, err := c.readServer(ctx, op, b.RemoteID)
	if err != nil {
		return server{}, err
	}
	if owner := s.OwnerID.ID(); owner != "" && b.RemoteUser != "" && owner != b.RemoteUser {
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "it belongs to panel user %s, not %s", owner, b.RemoteUser)
	}
	if c.isForeign(s, o.ServiceID) {
		return s, vendor.Refuse(provisioning.ErrOutcomeUnknown, op, "it carries the name of another service")
	}
	return s, nil
}

// stepBuild installs the operating system (POST /servers/{id}/build), unless
// the server shows that this has happened. The same call would reinstall.
func (c *Client) stepBuild(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "build server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	switch ph := s.phase(); {
	case ph == phaseWorking || ph == phaseComplete:
		return withoutPassword(b), nil
	case ph == phaseFailed && b.Data[dataRebuilt] == "":
		return withoutPassword(b), nil // our build ran and failed: the next step counts it
	}
	return c.install(ctx, op, o, p, b)
}

// install makes the call that a build and a reinstallation have in common.
func (c *Client) install(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	r := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + b.RemoteID + "/build",
		Body: buildRequest(p, c.tag(o.ServiceID), o.Hostname),
	}
	c.calls.Made(o.ServiceID)
	var got answer[server]
	if err := c.do(ctx, r, &got); err != nil {
		return b, err
	}
	if got.Data.ID.ID() != b.RemoteID {
		return b, vendor.Unreadable(r, http.StatusOK, "the answer is about another server")
	}
	b.Hostname = o.Hostname
	password := string(got.Data.Settings.V.DecryptedPassword)
	if password == "" {
		return withoutPassword(b), nil
	}
	delete(b.Data, dataNoPass)
	b.Secret = &provisioning.Credentials{Username: username(b.Data[dataWindows] == "true"), Password: password}
	return panel.Move(b, StepReady), nil
}

func buildRequest(p plan, name, hostname string) any {
	body := struct {
		OperatingSystemID int64    `json:"operatingSystemId"`
		Name              string   `json:"name"`
		Hostname          string   `json:"hostname,omitempty"`
		IPv6              bool     `json:"ipv6"`
		Email             bool     `json:"email"`
		Swap              *float64 `json:"swap,omitempty"`
	}{p.templateID, name, hostname, p.ipv6, false, nil}
	if p.swap > 0 {
		body.Swap = &p.swap
	}
	return body
}

// withoutPassword goes on to the wait, noting that the password of the build is
// not known and must be set anew once the server runs.
func withoutPassword(b provisioning.Build) provisioning.Build {
	b.Data[dataNoPass] = "true"
	return panel.Move(b, StepReady)
}

func username(windows bool) string {
	if windows {
		return "Administrator"
	}
	return "root"
}

// recoverBuild reads whether a lost build call took effect. "Not" is believed
// only once it is settled: a call that arrives late would install the system a
// second time, under the customer's hands and with a password nobody knows.
func (c *Client) recoverBuild(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "look at server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil || b.Started.IsZero() {
		return b, err
	}
	ph := s.phase()
	if ph == phaseAllocated && !s.busy() || ph == phaseFailed && b.Data[dataRebuilt] != "" {
		if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
			return b, vendor.Refuse(provisioning.ErrTemporary, op, "no installation yet; the answer is final in %s", wait.Round(time.Second))
		}
		return b, nil
	}
	b.Hostname = o.Hostname
	return withoutPassword(b), nil
}

// stepReady waits for the installation. A failed one is repeated once by
// itself; the second failure is for a person.
func (c *Client) stepReady(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "wait for server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	b.Addresses = s.addresses()
	ph := s.phase()
	switch {
	case ph == phaseFailed && b.Data[dataRebuilt] != "":
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation failed twice; the panel's queue says why")
	case ph == phaseFailed:
		b.Data[dataRebuilt] = "true"
		return panel.Move(b, StepBuild), nil
	case ph == phaseAllocated && !s.busy():
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "it has no operating system although one was ordered")
	case ph != phaseComplete || s.busy():
		return c.keepWaiting(op, b)
	}
	if p.ipv6 && !hasIPv6(b.Addresses) {
		if n, _ := strconv.Atoi(b.Data[dataIPv6Poll]); n < ipv6Polls {
			b.Data[dataIPv6Poll] = strconv.Itoa(n + 1)
			b.Wait = 5 * time.Second
			return b, nil
		}
	}
	b.Hostname = o.Hostname
	if b.Data[dataNoPass] == "true" {
		return panel.Move(b, StepPassword), nil
	}
	b.Done = true
	return b, nil
}

func (c *Client) keepWaiting(op string, b provisioning.Build) (provisioning.Build, error) {
	next, late := panel.Poll(b, c.now(), buildLimit)
	if late {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "the installation has not ended after %s", buildLimit)
	}
	return next, nil
}

// stepPassword replaces a password that was lost with its answer: it asks for a
// new one and then waits for the queue item that sets it.
func (c *Client) stepPassword(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "set the password of server " + b.RemoteID
	if b.Data[dataQueue] == "" {
		if _, err := c.readOwn(ctx, op, o, b); err != nil {
			return b, err
		}
		queue, cred, err := c.startReset(ctx, op, b.RemoteID, username(b.Data[dataWindows] == "true"))
		if err != nil {
			return b, err
		}
		b.Data[dataQueue], b.Secret, b.Wait = queue, &cred, panel.PollSoon
		return b, nil
	}
	state, err := c.readQueue(ctx, op, b.Data[dataQueue])
	if err != nil {
		return b, err
	}
	switch state {
	case queueDone:
		b.Done = true
		return b, nil
	case queueFailed:
		n, _ := strconv.Atoi(b.Data[dataResets])
		if n+1 >= maxResets {
			return b, vendor.Refuse(provisioning.ErrPermanent, op, "it failed %d times; the panel's queue says why", maxResets)
		}
		b.Data[dataResets], b.Wait = strconv.Itoa(n+1), panel.PollLater
		delete(b.Data, dataQueue)
		return b, nil
	case queueOpen:
	}
	return c.keepWaiting(op, b)
}
