package virtfusion

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// What a change of plan does at the panel:
//
//   - another package_id: PUT /servers/{id}/package/{packageId}, with all that follows
//     a package named. Memory and processor reach the running system with its next
//     start. A disk never shrinks, which is refused before anything is done.
//   - more ipv4: POST /servers/{id}/ipv4Qty by what is missing.
//   - fewer ipv4, ipv6 and another group_id are for people: the panel has no call
//     that does them without choosing for the customer.
//   - so are options that this adapter does not know: they were paid for.
//   - template_id and swap belong to the next installation: nothing is done.

// change is what is to be done to a server, after everything was looked at.
type change struct {
	c    *Client
	op   string
	wish provisioning.PlanWish

	server  server
	pack    packageObject
	resize  bool     // the package is to be set
	missing int64    // IPv4 addresses
	people  []string // what staff has to do
}

// CheckPlan reads server and package (GET /servers/{id}, GET /packages/{id}).
func (c *Client) CheckPlan(ctx context.Context, w provisioning.PlanWish) error {
	ch, err := c.look(ctx, w)
	if err != nil {
		return err
	}
	return ch.left()
}

// ChangePlan does what is missing of a wish, the addresses first: their number can
// be read, so that a repeat adds none twice, while the package is set anew each time.
// It ends when the panel shows the wish.
func (c *Client) ChangePlan(ctx context.Context, w provisioning.PlanWish) (provisioning.PlanChange, error) {
	ch, err := c.look(ctx, w)
	if err != nil {
		return provisioning.PlanChange{}, err
	}
	if !ch.resize && ch.missing == 0 {
		return provisioning.PlanChange{}, ch.left()
	}
	if ch.server.busy() || ch.server.phase() == phaseWorking {
		return provisioning.PlanChange{}, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel is busy with it")
	}
	if err := ch.addAddresses(ctx); err != nil {
		return provisioning.PlanChange{}, err
	}
	if err := ch.setPackage(ctx); err != nil {
		return provisioning.PlanChange{}, err
	}
	done, err := ch.confirm(ctx)
	if err != nil {
		return provisioning.PlanChange{}, err
	}
	return done, ch.left()
}

// look reads what the server is and what it is to be, and refuses what cannot be.
func (c *Client) look(ctx context.Context, w provisioning.PlanWish) (*change, error) {
	ch := &change{c: c, op: "change the plan of server " + w.RemoteID, wish: w}
	var err error
	if ch.server, err = c.readServer(ctx, ch.op, w.RemoteID); err != nil {
		return nil, err
	}
	if err := ch.compare(); err != nil {
		return nil, err
	}
	if !ch.resize {
		return ch, nil
	}
	id, err := strconv.ParseInt(ch.setting(w.To, SettingPackage), 10, 64)
	if err != nil || id < 1 {
		return nil, vendor.Refuse(provisioning.ErrPermanent, ch.op, "the setting %s must be a whole number from 1, it is %q", SettingPackage, w.To[SettingPackage])
	}
	if ch.pack, err = c.readPackage(ctx, id); err != nil {
		return nil, err
	}
	has, gets := ch.server.Settings.V.Resources.V.Storage, ch.pack.PrimaryStorage
	if has.OK && gets.OK && gets.Value < has.Value {
		return nil, fmt.Errorf("virtfusion: %s: %w", ch.op, &provisioning.ImpossibleError{
			Code: "disk_shrinks", Setting: SettingPackage,
			Reason: fmt.Sprintf("The disk of a server cannot shrink, and this would take it from %v GB to %v GB. Please choose a plan with at least as much disk, or order a new server.", has.Value, gets.Value),
		})
	}
	return ch, nil
}

// setting is one setting without blanks.
func (ch *change) setting(of map[string]string, name string) string {
	return strings.TrimSpace(of[name])
}

// differs says whether a setting is to change, as far as it can be known.
func (ch *change) differs(name string) bool {
	return ch.setting(ch.wish.From, name) != ch.setting(ch.wish.To, name)
}

// compare sorts the wish into what the panel does and what people do.
func (ch *change) compare() error {
	w := ch.wish
	ch.resize = ch.differs(SettingPackage) || w.Unsure
	if ch.differs(SettingGroup) {
		ch.people = append(ch.people, "move it to hypervisor group "+ch.setting(w.To, SettingGroup))
	}
	if wantsIPv6(w.From) != wantsIPv6(w.To) {
		ch.people = append(ch.people, map[bool]string{true: "give it an IPv6 subnet", false: "take its IPv6 subnet away"}[wantsIPv6(w.To)])
	}
	if unknown := w.Besides(SettingPackage, SettingGroup, SettingTemplate, SettingIPv4, SettingIPv6, SettingSwap); len(unknown) > 0 {
		ch.people = append(ch.people, "change "+strings.Join(unknown, ", "))
	}
	if !ch.differs(SettingIPv4) && !w.Unsure {
		return nil
	}
	want := int64(1)
	if s := ch.setting(w.To, SettingIPv4); s != "" {
		var err error
		if want, err = strconv.ParseInt(s, 10, 64); err != nil || want < 0 || want > maxIPv4 {
			return vendor.Refuse(provisioning.ErrPermanent, ch.op, "the setting %s must be 0 to %d, it is %q", SettingIPv4, maxIPv4, s)
		}
	}
	ch.missing = want - ch.server.ipv4Count()
	if ch.missing < 0 {
		ch.people = append(ch.people, fmt.Sprintf("take %d of its IPv4 addresses away", -ch.missing))
		ch.missing = 0
	}
	return nil
}

func wantsIPv6(settings map[string]string) bool {
	s := strings.TrimSpace(settings[SettingIPv6])
	return s == "true" || s == "1"
}

func (s server) ipv4Count() int64 {
	n := int64(0)
	for _, a := range s.addresses() {
		if !strings.Contains(a.IP, ":") {
			n++
		}
	}
	return n
}

// left is the task for people, if any of it is theirs.
func (ch *change) left() error {
	if len(ch.people) == 0 {
		return nil
	}
	return vendor.Refuse(provisioning.ErrStaff, ch.op, "in the panel, %s", strings.Join(ch.people, " and "))
}

func (ch *change) addAddresses(ctx context.Context) error {
	if ch.missing == 0 {
		return nil
	}
	r := panel.Call{
		Op: ch.op, Effect: panel.Grows, Method: http.MethodPost, Path: "/servers/" + ch.server.ID.ID() + "/ipv4Qty",
		Body: struct {
			Interface string `json:"interface"`
			Quantity  int64  `json:"quantity"`
		}{"primary", ch.missing},
	}
	var got any // an answer that cannot be read is no proof
	return ch.c.do(ctx, r, &got)
}

// packageChange names all that follows a new package; what the panel does without
// names is not documented. The backup plan is not sold with the package.
type packageChange struct {
	CPU                         bool `json:"cpu"`
	Memory                      bool `json:"memory"`
	PrimaryDiskSize             bool `json:"primaryDiskSize"`
	PrimaryDiskReadIOPS         bool `json:"primaryDiskReadIOPS"`
	PrimaryDiskWriteIOPS        bool `json:"primaryDiskWriteIOPS"`
	PrimaryDiskReadThroughput   bool `json:"primaryDiskReadThroughput"`
	PrimaryDiskWriteThroughput  bool `json:"primaryDiskWriteThroughput"`
	PrimaryNetworkInboundSpeed  bool `json:"primaryNetworkInboundSpeed"`
	PrimaryNetworkOutboundSpeed bool `json:"primaryNetworkOutboundSpeed"`
	PrimaryNetworkTraffic       bool `json:"primaryNetworkTraffic"`
	BackupPlan                  bool `json:"backupPlan"`
}

func (ch *change) setPackage(ctx context.Context) error {
	if !ch.resize {
		return nil
	}
	return ch.c.do(ctx, panel.Call{
		Op: ch.op, Effect: panel.Grows, Method: http.MethodPut, Path: "/servers/" + ch.server.ID.ID() + "/package/" + ch.pack.ID.ID(),
		Body: packageChange{true, true, true, true, true, true, true, true, true, true, false},
	}, nil)
}

// confirm reads the server again (GET /servers/{id}?remoteState=true). 200 of the
// package call does not mean that all of it was done.
func (ch *change) confirm(ctx context.Context) (provisioning.PlanChange, error) {
	s, err := ch.c.readServerWith(ctx, ch.op, ch.wish.RemoteID, url.Values{"remoteState": {"true"}})
	if err != nil {
		return provisioning.PlanChange{}, err
	}
	if want := ch.server.ipv4Count() + ch.missing; s.ipv4Count() < want {
		return provisioning.PlanChange{}, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel shows %d IPv4 addresses, not %d", s.ipv4Count(), want)
	}
	if !ch.resize {
		return provisioning.PlanChange{}, nil
	}
	has, p := s.Settings.V.Resources.V, ch.pack
	for _, part := range []struct {
		what      string
		has, want panel.Number
	}{{"memory", has.Memory, p.Memory}, {"disk", has.Storage, p.PrimaryStorage}, {"processor cores", has.CPUCores, p.CPUCores}, {"traffic", has.Traffic, p.Traffic}} {
		if part.has.OK && part.want.OK && part.has.Value != part.want.Value {
			return provisioning.PlanChange{}, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel shows %v as its %s, not %v", part.has.Value, part.what, part.want.Value)
		}
	}
	restart, err := ch.needsRestart(ctx)
	return provisioning.PlanChange{Restart: restart && powerState(string(s.RemoteState.V.State)) != provisioning.PowerStopped}, err
}

// needsRestart compares the packages rather than the server before and after, so
// that a repeat after a lost answer says the same.
func (ch *change) needsRestart(ctx context.Context) (bool, error) {
	id, faulty := strconv.ParseInt(ch.setting(ch.wish.From, SettingPackage), 10, 64)
	known := faulty == nil && !ch.wish.Unsure
	if !known {
		return true, nil
	}
	before, err := ch.c.readPackage(ctx, id)
	if errors.Is(err, provisioning.ErrPermanent) {
		return true, nil // the panel has it no more
	}
	return before.Memory != ch.pack.Memory || before.CPUCores != ch.pack.CPUCores, err
}
