package virtfusion

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The steps of a reinstallation besides StepReady and StepPassword.
const (
	StepCheck = "check" // look whether it can be done
	StepWipe  = "wipe"  // install the system, which destroys the old one
)

// Keys of Build.Data of a reinstallation: the server as it was before its call.
const (
	dataBuilt = "built"
	dataPhase = "phase"
)

// Images lists the operating systems that the panel offers for a server (GET
// /servers/{id}/templates).
func (c *Client) Images(ctx context.Context, _ provisioning.Order, remoteID string) ([]provisioning.Image, error) {
	op := "list the images of server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return nil, err
	}
	groups, err := c.readTemplates(ctx, op, "/servers/"+s.ID.ID()+"/templates")
	if err != nil {
		return nil, err
	}
	list := []provisioning.Image{}
	for _, t := range templatesOf(groups) {
		list = append(list, provisioning.Image{ID: t.ID, Name: t.Name, Family: t.Family, Old: t.EOL, Current: t.ID == s.Settings.V.OSTemplateID.ID()})
	}
	return list, nil
}

// ReinstallSteps names the steps in order. It is done after "ready" unless the
// answer that held the new password was lost.
func (c *Client) ReinstallSteps() []string {
	return []string{StepCheck, StepWipe, StepReady, StepPassword}
}

// Reinstall does one step. The call is that of a build, POST /servers/{id}/build;
// the server keeps its addresses and gets o.Hostname.
func (c *Client) Reinstall(ctx context.Context, o provisioning.Order, image string, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(withTemplate(o, image))
	if err != nil {
		return b, err
	}
	next := panel.Prepare(b)
	p.ipv6 = p.ipv6 || hasIPv6(b.Addresses)
	switch b.Step {
	case "", StepCheck:
		next, err = c.stepCheck(ctx, o, image, next)
	case StepWipe:
		next, err = c.stepWipe(ctx, o, p, next)
	case StepReady:
		if next, err = c.stepReady(ctx, o, p, next); next.Step == StepBuild { // it failed for the first time
			next.Step, next.Data[dataPhase] = StepWipe, strconv.Itoa(int(phaseFailed))
		}
	case StepPassword:
		next, err = c.stepPassword(ctx, o, next)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "reinstall service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// RecoverReinstall finds out whether a lost call began an installation: one is under
// way, the server's time of installation has changed, or it is in another state. A
// server that looks as before counts as untouched once the call can come no more.
func (c *Client) RecoverReinstall(ctx context.Context, o provisioning.Order, _ string, b provisioning.Build) (provisioning.Build, error) {
	if b.Step != StepWipe || b.Started.IsZero() {
		return b, nil // reading repeats, and a password may be set twice
	}
	op := "look at server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if s.phase() == phaseWorking || string(s.Built) != b.Data[dataBuilt] || strconv.Itoa(int(s.phase())) != b.Data[dataPhase] {
		next := panel.Prepare(b)
		next.Hostname = o.Hostname
		return withoutPassword(next), nil
	}
	if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "no installation yet; the answer is final in %s", wait.Round(time.Second))
	}
	return b, nil
}

// stepCheck refuses, before anything is destroyed, what the panel would refuse.
func (c *Client) stepCheck(ctx context.Context, o provisioning.Order, image string, b provisioning.Build) (provisioning.Build, error) {
	op := "reinstall server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if s.phase() != phaseFailed || s.busy() { // a failed installation is repeated with another image
		if err := ready(op, s); err != nil {
			return b, err
		}
	}
	groups, err := c.readTemplates(ctx, op, "/servers/"+s.ID.ID()+"/templates")
	if err != nil {
		return b, err
	}
	for _, t := range templatesOf(groups) {
		if t.ID != image {
			continue
		}
		b.Addresses = s.addresses()
		b.Data[dataBuilt], b.Data[dataPhase] = string(s.Built), strconv.Itoa(int(s.phase()))
		b.Data[dataWindows] = strconv.FormatBool(t.Windows)
		return panel.Move(b, StepWipe), nil
	}
	return b, vendor.Refuse(provisioning.ErrPermanent, op, "the panel does not offer image %q for it", panel.Clean(image))
}

// stepWipe installs the system.
func (c *Client) stepWipe(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "reinstall server " + b.RemoteID
	s, err := c.readOwn(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if s.Suspended {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "it is suspended")
	}
	if s.busy() || s.phase() == phaseWorking {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "the panel is busy with it")
	}
	return c.install(ctx, op, o, p, b)
}

// withTemplate is an order of another operating system.
func withTemplate(o provisioning.Order, image string) provisioning.Order {
	o.Settings = maps.Clone(o.Settings)
	if o.Settings == nil {
		o.Settings = map[string]string{}
	}
	o.Settings[SettingTemplate] = image
	return o
}
