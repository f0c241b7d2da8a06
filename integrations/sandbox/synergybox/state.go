package synergybox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

type client struct {
	id             int64
	billing, email string
	first, last    string
	vip            bool // exempt from automatic suspension and wiping
}

// Rights are what a client may do with a server.
type Rights struct {
	PXE    bool `json:"pxe"`
	IPMI   bool `json:"ipmi"`
	Switch bool `json:"switch"`
}

// access is a client's right to a server; the first of a server is its owner's.
type access struct {
	id     int64
	client *client
	active bool
	reason string
	rights Rights
}

// install is an installation that is under way or waits for its parent.
type install struct {
	id       int64
	parent   int64
	profile  *profile
	password string
	start    time.Time // zero while it waits
}

type server struct {
	id    int64
	model *model
	group *group

	owner     *client // nil in the inventory
	billing   int64
	nickname  string
	speed     string
	limit     int64 // bits a cycle; 0 is no limit
	cycle     time.Time
	access    []*access
	queue     []*install
	installs  int
	installed string // password of the system on its disks
	running   bool
	switching time.Time // until when the power changes
	command   string
}

func (s *server) srv() string { return fmt.Sprintf("SRV-%d", s.id) }

func (s *server) primary() *access { return s.access[0] }

// power says whether the server runs: a command takes its time.
func (s *server) power(now time.Time) bool {
	if now.Before(s.switching) {
		return !s.running
	}
	return s.running
}

// key is a client's key.
type key struct {
	id     int64
	text   string
	client int64
}

func (b *Box) sorted() []*server {
	return slices.SortedFunc(maps.Values(b.servers), func(x, y *server) int { return cmp.Compare(x.id, y.id) })
}

// tick brings installations up to date: one after the other, each starting when
// the one before it ends.
func (b *Box) tick() {
	now := b.opts.Now()
	for _, s := range b.servers {
		for len(s.queue) > 0 {
			end := s.queue[0].start.Add(b.opts.BuildTime)
			if now.Before(end) {
				break
			}
			if done := s.queue[0]; done.profile.system {
				s.installed = done.password
			} else {
				s.installed = ""
			}
			s.installs++
			s.queue = s.queue[1:]
			if len(s.queue) > 0 {
				s.queue[0].start = end
			}
			s.running = true
		}
	}
}

// hand gives a server to a client.
func (b *Box) hand(s *server, c *client, billing int64) {
	s.owner, s.billing, s.cycle, s.running = c, billing, b.opts.Now(), true
	s.access = []*access{{id: b.ids.Next("access"), client: c, active: true}}
	b.made++
}

// assign gives a server the first free entity of a kind in its group; false where
// there is none.
func (b *Box) assign(s *server, billing string) bool {
	for _, e := range b.entities {
		if b.free(e) && e.billing == billing && e.group == s.group {
			e.server = s.id
			return true
		}
	}
	return false
}

func (b *Box) free(e *entity) bool { return e.server == 0 && !b.noIPs }

// wipe takes a server back into the inventory.
func (b *Box) wipe(s *server) {
	*s = server{id: s.id, model: s.model, group: s.group}
	for _, e := range b.entities {
		if e.server == s.id {
			e.server = 0
		}
	}
	b.wiped++
}

// texts are the addresses of a server's entities.
func (b *Box) texts(s *server) []string {
	list := []string{}
	for _, e := range b.entities {
		if e.server == s.id {
			list = append(list, e.full())
		}
	}
	return list
}

// queueInstall adds an installation to a server.
func (b *Box) queueInstall(s *server, p *profile, password string, parent int64) *install {
	in := &install{id: b.ids.Next("install"), parent: parent, profile: p, password: password}
	if len(s.queue) == 0 {
		in.start = b.opts.Now()
	}
	s.queue = append(s.queue, in)
	return in
}

// Bits a second that a running server sends and receives at its port.
const (
	bitsIn  = 800_000
	bitsOut = 2_400_000
)

// counted is what a server's port counted between two moments, in bits.
func (b *Box) counted(s *server, from, to time.Time) (in, out int64) {
	if from.Before(s.cycle) {
		from = s.cycle
	}
	if now := b.opts.Now(); to.After(now) {
		to = now
	}
	secs := max(int64(to.Sub(from)/time.Second), 0)
	return secs * bitsIn, secs * bitsOut
}

// cycleStart is the last monthly return of a server's billing date.
func (b *Box) cycleStart(s *server) time.Time {
	at, now := s.cycle, b.opts.Now()
	for n := 1; ; n++ {
		y, m, d := s.cycle.UTC().Date()
		next := time.Date(y, m+time.Month(n), d, 0, 0, 0, 0, time.UTC)
		if next.After(now) {
			return at
		}
		at = next
	}
}
