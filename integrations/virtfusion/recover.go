package virtfusion

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// clockSkew is how far the panel's clock may be from ours when a server's
// creation time is compared with our call.
const clockSkew = 10 * time.Minute

// recoverCreate searches what a lost POST /servers left behind. See Recover.
func (c *Client) recoverCreate(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "look for the server of service " + o.ServiceID
	if b.Started.IsZero() {
		return b, nil // the call was never made
	}
	if !c.creates.Begin(b.RemoteUser, o.ServiceID) {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "another create for this customer is being resolved")
	}
	resolved := false
	defer func() { c.creates.End(b.RemoteUser, resolved) }()

	found, err := c.search(ctx, op, o, p, b)
	if err != nil {
		return b, err
	}
	if found == "" {
		if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
			return b, vendor.Refuse(provisioning.ErrTemporary, op, "none yet; the answer is final in %s", wait.Round(time.Second))
		}
		if found, err = c.search(ctx, op, o, p, b); err != nil {
			return b, err
		}
	}
	if found == "" {
		resolved = true
		return b, nil
	}
	if !c.creates.claim(found, o.ServiceID, c.now()) {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "server %s went to another service", found)
	}
	resolved = true
	b.RemoteID = found
	return panel.Move(b, StepTag), nil
}

// search returns the one server that must be the lost one, "" for none, or
// ErrOutcomeUnknown where a person must choose.
func (c *Client) search(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build) (string, error) {
	listed, err := c.userServers(ctx, b.RemoteUser)
	if err != nil {
		return "", err
	}
	var sure, doubtful []string
	for _, s := range listed {
		id := s.ID.ID()
		if string(s.Name) == c.tag(o.ServiceID) {
			return id, nil // it carries our name: it is ours beyond doubt
		}
		if !c.mayBeOurs(o, b, s) {
			continue
		}
		full, err := c.readServer(ctx, op, id)
		if errors.Is(err, provisioning.ErrNotFound) {
			continue // deleted since the list was read
		}
		if err != nil {
			return "", err
		}
		fits, err := c.fits(ctx, p, b, full)
		if err != nil {
			return "", err
		}
		if fits {
			sure = append(sure, id)
		} else {
			doubtful = append(doubtful, id)
		}
	}
	switch {
	case len(sure) == 1:
		return sure[0], nil
	case len(sure) > 1:
		return "", vendor.Refuse(provisioning.ErrOutcomeUnknown, op, "servers %s could all be it; delete or name the wrong ones", strings.Join(sure, ", "))
	case len(doubtful) > 0:
		return "", vendor.Refuse(provisioning.ErrOutcomeUnknown, op, "unused servers %s do not fit the order's time or size; delete or name them", strings.Join(doubtful, ", "))
	}
	return "", nil
}

// mayBeOurs is the part of the test that the list answers.
func (c *Client) mayBeOurs(o provisioning.Order, b provisioning.Build, s server) bool {
	id := s.ID.ID()
	baseline, _ := strconv.ParseFloat(b.Data[dataBaseline], 64) // absent: 0, every server is new
	return id != "" && s.ID.Value > baseline && s.phase() == phaseAllocated &&
		!c.isForeign(s, o.ServiceID) && !slices.Contains(o.Taken, id) && !c.creates.claimed(id, o.ServiceID)
}

// isForeign says whether a server's name is that of another service of ours.
func (c *Client) isForeign(s server, serviceID string) bool {
	return strings.HasPrefix(string(s.Name), c.prefix) && string(s.Name) != c.tag(serviceID)
}

// fits compares what only the full object tells: when the server was made and
// whether it has the ordered size and place. What the panel leaves out fits.
func (c *Client) fits(ctx context.Context, p plan, b provisioning.Build, s server) (bool, error) {
	made, ok := s.createdAt()
	if !ok || made.Before(b.Started.Add(-clockSkew)) || made.After(c.now().Add(clockSkew)) {
		return false, nil
	}
	if owner := s.OwnerID.ID(); owner != "" && owner != b.RemoteUser {
		return false, nil
	}
	if group := s.Hypervisor.V.GroupID; group.OK && group.Value != float64(p.groupID) {
		return false, nil
	}
	pkg, err := c.readPackage(ctx, p.packageID)
	if err != nil {
		return false, err
	}
	has := s.Settings.V.Resources.V
	same := func(a, b panel.Number) bool { return !a.OK || !b.OK || a.Value == b.Value }
	return same(has.Memory, pkg.Memory) && same(has.Storage, pkg.PrimaryStorage) && same(has.CPUCores, pkg.CPUCores), nil
}
