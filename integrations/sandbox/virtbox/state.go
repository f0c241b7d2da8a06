package virtbox

import (
	"net/netip"
	"strconv"
	"time"
)

// The build states of a server.
const (
	stateAllocated = "allocated"
	stateQueued    = "queued"
	stateBuilding  = "building"
	stateFailed    = "failed"
	stateComplete  = "complete"
)

// user is a panel account.
type user struct {
	id        int64
	relInt    int64  // 0 is none
	relStr    string // "" is none
	name      string
	email     string
	suspended bool
	created   time.Time
}

func (u *user) relation() string {
	if u.relStr != "" || u.relInt == 0 {
		return u.relStr
	}
	return strconv.FormatInt(u.relInt, 10)
}

// server is a virtual server.
type server struct {
	id        int64
	uuid      string
	owner     *user
	group     *groupSpec
	pkg       packageSpec
	memoryMB  int64 // of the running system: what it had when it was switched on
	cores     int64
	name      string
	hostname  string
	template  int64
	suspended bool
	protected bool
	state     string
	built     time.Time
	created   time.Time
	updated   time.Time
	v4        []netip.Addr
	v6        netip.Prefix
	wantV6    bool
	start     time.Time // of the installation under way
	doomed    bool      // that installation will fail
	builds    int
	running   bool
	keys      []int64
	destroyAt time.Time // zero is never
	busyUntil time.Time // the end of its last task
}

// power switches the system; only a start takes over another memory and processor.
func (s *server) power(on bool) {
	if s.running = on; on {
		s.memoryMB, s.cores = s.pkg.MemoryMB, s.pkg.Cores
	}
}

func (s *server) installing() bool { return s.state == stateQueued || s.state == stateBuilding }

// texts are the addresses as the snapshot shows them.
func (s *server) texts() []string {
	list := []string{}
	for _, a := range s.v4 {
		list = append(list, a.String())
	}
	if s.v6.IsValid() {
		list = append(list, s.v6.String())
	}
	return list
}

// queueItem is a task under way or done.
type queueItem struct {
	id     int64
	server int64
	action string
	job    string
	start  time.Time
	end    time.Time
	failed bool
}

// progress is 0 to 100.
func (q *queueItem) progress(now time.Time) int {
	whole, past := q.end.Sub(q.start), now.Sub(q.start)
	if past >= whole {
		return 100
	}
	return int(100 * max(past, 0) / whole)
}

func (q *queueItem) finished(now time.Time) bool { return !now.Before(q.end) }

type sshKey struct {
	id      int64
	user    int64
	name    string
	public  string
	created time.Time
}

// signIn is a pair of login tokens.
type signIn struct {
	user    int64
	server  int64 // 0 is the panel's front page
	second  string
	expires time.Time
}

// tick brings the state up to now. It runs before every look at it.
func (b *Box) tick() {
	now := b.opts.Now()
	for _, s := range b.servers {
		if !s.destroyAt.IsZero() && !now.Before(s.destroyAt) {
			b.remove(s)
			continue
		}
		if s.installing() {
			b.install(s, now)
		}
		// The subnet comes a little after the installation, as reported of real panels.
		if s.state == stateComplete && s.wantV6 && !s.v6.IsValid() && !now.Before(s.built.Add(b.opts.BuildTime/4)) {
			s.v6 = subnet(s.id)
		}
	}
	for token, in := range b.signIns {
		if now.After(in.expires) {
			delete(b.signIns, token)
		}
	}
}

// install moves an installation on: a fifth of the time queued, then building.
func (b *Box) install(s *server, now time.Time) {
	past := now.Sub(s.start)
	switch {
	case past < b.opts.BuildTime/5:
		s.state = stateQueued
	case past < b.opts.BuildTime:
		s.state = stateBuilding
	case s.doomed:
		s.state, s.updated = stateFailed, now
	default:
		s.state = stateComplete
		s.power(true)
		s.built = s.start.Add(b.opts.BuildTime)
		s.updated = s.built
	}
}

// busy says whether a task of the server is under way.
func (b *Box) busy(s *server) bool {
	if s.installing() {
		return true
	}
	return b.opts.Now().Before(s.busyUntil)
}

// enqueue adds a task that takes d.
func (b *Box) enqueue(s *server, action, job string, d time.Duration, failed bool) *queueItem {
	now := b.opts.Now()
	q := &queueItem{id: b.ids.Next("queue"), server: s.id, action: action, job: job, start: now, end: now.Add(d), failed: failed}
	b.queue[q.id] = q
	if q.end.After(s.busyUntil) {
		s.busyUntil = q.end
	}
	return q
}

// remove takes a server away and frees its addresses.
func (b *Box) remove(s *server) {
	for _, a := range s.v4 {
		delete(b.taken, a)
	}
	delete(b.servers, s.id)
	b.deleted++
}
