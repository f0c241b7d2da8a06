package pterodactyl

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// What a change of plan does at the panel:
//
//   - memory, swap, disk, io, cpu, threads, databases, backups, allocations: PATCH
//     /servers/{id}/build, which replaces all of them: what the wish does not change
//     is sent back as the panel has it.
//   - docker_image, startup and env_…: PATCH /servers/{id}/startup, likewise. What
//     the customer set in the panel stays unless the wish changes that variable.
//   - another egg, location, address or port is for people: the panel has no call
//     that moves a server, and another game means installing over its files.
//   - so are options that this adapter does not know: they were paid for.
//
// The panel checks neither whether a node has room for more nor whether the files
// fit a smaller disk, after which the server would not start: both are checked here.

// growing are the settings of the first call, starting those of the second, and
// placing those for people.
func growing() []string {
	return []string{SettingMemory, SettingSwap, SettingDisk, SettingIO, SettingCPU, SettingThreads, SettingDatabases, SettingBackups, SettingAllocations}
}

func starting() []string { return []string{SettingImage, SettingStartup} }

func placing() []string {
	return []string{SettingNest, SettingEgg, SettingLocations, SettingDedicatedIP, SettingPorts}
}

// size is what a server gets of everything; -1 is null, which is unlimited.
type size struct {
	Memory, Swap, Disk, IO, CPU     int64
	Threads                         string
	Databases, Backups, Allocations int64
}

func (s server) size() size {
	l, f := s.Limits, s.Features
	return size{
		l.Memory.Whole(0), l.Swap.Whole(0), l.Disk.Whole(0), l.IO.Whole(500), l.CPU.Whole(0), string(l.Threads), f.Databases.Whole(-1), f.Backups.Whole(0), f.Allocations.Whole(-1),
	}
}

// start is how a server starts.
type start struct {
	image, startup string
	env            map[string]string
}

// equal ignores the blanks that the panel takes off what it is sent.
func (s start) equal(o start) bool {
	same := func(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }
	return same(s.image, o.image) && same(s.startup, o.startup) && maps.EqualFunc(s.env, o.env, same)
}

// change is what is to be done to a server, after everything was looked at.
type change struct {
	c    *Client
	op   string
	wish provisioning.PlanWish

	server    server
	to        plan
	size      size
	start     start
	startable bool // the start is looked at
	people    []string
}

// CheckPlan reads the server, its node and egg where they count, and the room its
// files take where the disk gets smaller.
func (c *Client) CheckPlan(ctx context.Context, w provisioning.PlanWish) error {
	ch, err := c.look(ctx, w)
	if err != nil {
		return err
	}
	return ch.left()
}

// ChangePlan does what is missing of a wish and ends when the panel shows it.
func (c *Client) ChangePlan(ctx context.Context, w provisioning.PlanWish) (provisioning.PlanChange, error) {
	none := provisioning.PlanChange{}
	ch, err := c.look(ctx, w)
	if err != nil {
		return none, err
	}
	if ch.server.busy() && !ch.done(ch.server) {
		return none, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel is busy with it (%s)", panel.Clean(string(ch.server.Status)))
	}
	if err := ch.setBuild(ctx); err != nil {
		return none, err
	}
	if err := ch.setStartup(ctx); err != nil {
		return none, err
	}
	s, err := c.readServer(ctx, ch.op, w.RemoteID)
	if err != nil {
		return none, err
	}
	if !ch.done(s) {
		return none, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel does not show the change yet")
	}
	return provisioning.PlanChange{Restart: ch.needsRestart(ctx)}, ch.left()
}

// look reads what the server is and what it is to be, and refuses what cannot be.
func (c *Client) look(ctx context.Context, w provisioning.PlanWish) (*change, error) {
	ch := &change{c: c, op: "change the plan of server " + w.RemoteID, wish: w}
	var err error
	if ch.server, err = c.readServer(ctx, ch.op, w.RemoteID); err != nil {
		return nil, err
	}
	if ch.to, err = parsePlan(w.To, ch.op); err != nil {
		return nil, err
	}
	ch.compare()
	if err := ch.compareStart(ctx); err != nil {
		return nil, err
	}
	if err := ch.fits(ctx); err != nil {
		return nil, err
	}
	return ch, nil
}

// differs says whether one of some settings is to change, as far as it can be
// known.
func (ch *change) differs(names ...string) bool {
	return ch.wish.Unsure || ch.changed(names...)
}

func (ch *change) changed(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return strings.TrimSpace(ch.wish.From[name]) != strings.TrimSpace(ch.wish.To[name])
	})
}

// variables are the names of the settings that are values of the egg's variables.
func (ch *change) variables() []string {
	list := []string{}
	for _, of := range []map[string]string{ch.wish.From, ch.wish.To} {
		for name := range of {
			if strings.HasPrefix(name, VariablePrefix) && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// compare sorts the wish into what the panel does and what people do. What the
// wish does not change stays as the panel has it.
func (ch *change) compare() {
	ch.size = ch.server.size()
	l, f := ch.to.limits, ch.to.features
	for name, part := range map[string]struct {
		has  *int64
		gets int64
	}{
		SettingMemory: {&ch.size.Memory, l.Memory}, SettingSwap: {&ch.size.Swap, l.Swap}, SettingDisk: {&ch.size.Disk, l.Disk}, SettingIO: {&ch.size.IO, l.IO},
		SettingCPU: {&ch.size.CPU, l.CPU}, SettingDatabases: {&ch.size.Databases, f.Databases}, SettingBackups: {&ch.size.Backups, f.Backups},
		SettingAllocations: {&ch.size.Allocations, f.Allocations},
	} {
		if ch.differs(name) {
			*part.has = part.gets
		}
	}
	if ch.differs(SettingThreads) {
		ch.size.Threads = ""
		if l.Threads != nil {
			ch.size.Threads = *l.Threads
		}
	}
	for _, name := range placing() {
		if ch.changed(name) {
			ch.people = append(ch.people, fmt.Sprintf("change %s from %q to %q", name, ch.wish.From[name], ch.wish.To[name]))
		}
	}
	known := slices.Concat(growing(), starting(), placing(), ch.variables())
	if unknown := ch.wish.Besides(known...); len(unknown) > 0 {
		ch.people = append(ch.people, "change "+strings.Join(unknown, ", "))
	}
}

// compareStart looks at image, command and variables if the wish may change them.
// With another egg they belong to it, and so to people.
func (ch *change) compareStart(ctx context.Context) error {
	if !ch.differs(append(starting(), ch.variables()...)...) || ch.changed(SettingNest, SettingEgg) {
		return nil
	}
	e, err := ch.c.readEgg(ctx, ch.op, ch.server.Nest.Whole(0), ch.server.Egg.Whole(0))
	if err != nil {
		return err
	}
	ch.startable, ch.start = true, ch.server.start(e)
	if ch.differs(SettingImage) {
		if ch.start.image, err = e.imageOf(ch.op, ch.to.image); err != nil {
			return err
		}
	}
	if ch.differs(SettingStartup) {
		ch.start.startup = cmp.Or(ch.to.startup, string(e.Startup))
	}
	given, kept := maps.Clone(ch.to.variables), maps.Clone(ch.start.env)
	for _, name := range ch.variables() {
		variable := strings.TrimPrefix(name, VariablePrefix)
		if !ch.differs(name) {
			delete(given, variable) // as the customer has set it
		} else if _, planned := ch.wish.To[name]; !planned {
			delete(kept, variable) // no longer of the plan: the egg's default
		}
	}
	ch.start.env, err = e.environment(ch.op, given, kept)
	return err
}

// start reads how a server starts; the panel's own variables are left out.
func (s server) start(e egg) start {
	out := start{image: string(s.Container.Image), startup: string(s.Container.Startup), env: map[string]string{}}
	for _, v := range e.variables() {
		if value, there := s.Container.Environment.V[string(v.Env)]; there {
			out.env[string(v.Env)] = string(value)
		}
	}
	return out
}

// fits refuses a disk that is too small for the files on it, and more than the
// node has.
func (ch *change) fits(ctx context.Context) error {
	has, gets := ch.server.size(), ch.size
	if gets.Disk > 0 && (has.Disk == 0 || gets.Disk < has.Disk) {
		if err := ch.filesFit(ctx); err != nil {
			return err
		}
	}
	more := func(has, gets int64) int64 {
		if has == 0 || gets == 0 { // unlimited: the panel counts it as nothing
			return gets
		}
		return gets - has
	}
	memory, disk := more(has.Memory, gets.Memory), more(has.Disk, gets.Disk)
	if memory <= 0 && disk <= 0 {
		return nil
	}
	n, err := ch.c.readNode(ctx, ch.op, ch.server.Node.ID())
	if err != nil {
		return err
	}
	if freeMemory, freeDisk := n.free(); memory > freeMemory || disk > freeDisk {
		return vendor.Refuse(provisioning.ErrCapacity, ch.op, "node %s has %d MB of memory and %d MB of disk left, %d and %d more are wanted", panel.Clean(string(n.Name)), freeMemory, freeDisk, max(memory, 0), max(disk, 0))
	}
	return nil
}

func (ch *change) filesFit(ctx context.Context) error {
	live, err := ch.c.readUsage(ctx, ch.op, ch.server)
	if err != nil {
		return err
	}
	used := live.Resources.Disk.Times(1)
	if used < 0 {
		return vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel does not say how much its files take")
	}
	if used <= ch.size.Disk*mebibyte {
		return nil
	}
	return fmt.Errorf("pterodactyl: %s: %w", ch.op, &provisioning.ImpossibleError{
		Code: "disk_in_use", Setting: SettingDisk,
		Reason: fmt.Sprintf("The files on the server take %d MB and this plan has %d MB of disk. Please delete files first, or choose a plan with more disk.", (used+mebibyte-1)/mebibyte, ch.size.Disk),
	})
}

// done says whether a server is what was wished.
func (ch *change) done(s server) bool {
	if s.size() != ch.size {
		return false
	}
	return !ch.startable || ch.startOf(s).equal(ch.start)
}

// startOf reads how a server starts, of the variables that the wish has.
func (ch *change) startOf(s server) start {
	out := start{image: string(s.Container.Image), startup: string(s.Container.Startup), env: map[string]string{}}
	for name := range ch.start.env {
		out.env[name] = string(s.Container.Environment.V[name])
	}
	return out
}

// left is the task for people, if any of it is theirs.
func (ch *change) left() error {
	if len(ch.people) == 0 {
		return nil
	}
	return vendor.Refuse(provisioning.ErrStaff, ch.op, "in the panel, %s", strings.Join(ch.people, " and "))
}

// orNil is null for what is unlimited.
func orNil(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func (ch *change) setBuild(ctx context.Context) error {
	if ch.server.size() == ch.size {
		return nil
	}
	type features struct {
		Databases   *int64 `json:"databases"`
		Allocations *int64 `json:"allocations"`
		Backups     *int64 `json:"backups"`
	}
	z := ch.size
	l := limits{Memory: z.Memory, Swap: z.Swap, Disk: z.Disk, IO: z.IO, CPU: z.CPU}
	if z.Threads != "" {
		l.Threads = &z.Threads
	}
	return ch.c.do(ctx, panel.Call{
		Op: ch.op, Effect: panel.Writes, Method: http.MethodPatch, Path: "/servers/" + ch.server.ID.ID() + "/build",
		Body: struct {
			Allocation  int64       `json:"allocation"`
			OOMDisabled *panel.Flag `json:"oom_disabled,omitempty"`
			Limits      limits      `json:"limits"`
			Features    features    `json:"feature_limits"`
		}{ch.server.Allocation.Whole(0), ch.server.Limits.OOMDisabled, l, features{orNil(z.Databases), orNil(z.Allocations), orNil(z.Backups)}},
	}, nil)
}

func (ch *change) setStartup(ctx context.Context) error {
	if !ch.startable || ch.startOf(ch.server).equal(ch.start) {
		return nil
	}
	return ch.c.do(ctx, panel.Call{
		Op: ch.op, Effect: panel.Writes, Method: http.MethodPatch, Path: "/servers/" + ch.server.ID.ID() + "/startup",
		Body: struct {
			Startup     string            `json:"startup"`
			Egg         int64             `json:"egg"`
			Image       string            `json:"image"`
			Environment map[string]string `json:"environment"`
			SkipScripts bool              `json:"skip_scripts"`
		}{ch.start.startup, ch.server.Egg.Whole(0), ch.start.image, ch.start.env, false},
	}, nil)
}

// needsRestart compares the plans rather than the server before and after, so that
// a repeat after a lost answer says the same. A server that is off needs none.
func (ch *change) needsRestart(ctx context.Context) bool {
	names := slices.Concat([]string{SettingMemory, SettingSwap, SettingIO, SettingCPU, SettingThreads}, starting(), ch.variables())
	if !ch.differs(names...) {
		return false
	}
	live, err := ch.c.readUsage(ctx, ch.op, ch.server)
	return err != nil || powerState(string(live.State)) != provisioning.PowerStopped
}
