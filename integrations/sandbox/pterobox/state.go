package pterobox

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// The words of a server's status; "" is usable, null in answers.
const (
	statusInstalling = "installing"
	statusFailed     = "install_failed"
	statusSuspended  = "suspended"
)

type user struct {
	id         int64
	externalID string
	username   string
	email      string
	first      string
	last       string
	language   string
	password   string
	root       bool
	created    time.Time
}

// Limits are a server's resources: MB, percent and weight.
type Limits struct {
	Memory  int64  `json:"memory"`
	Swap    int64  `json:"swap"`
	Disk    int64  `json:"disk"`
	IO      int64  `json:"io"`
	CPU     int64  `json:"cpu"`
	Threads string `json:"threads"`
}

// Features are how many of each a customer may make; -1 is null.
type Features struct {
	Databases   int64 `json:"databases"`
	Allocations int64 `json:"allocations"`
	Backups     int64 `json:"backups"`
}

// server is one game server.
type server struct {
	id          int64
	uuid        string
	externalID  string
	name        string
	description string
	owner       *user
	node        *nodeSpec
	egg         *eggSpec
	primary     *allocation
	image       string
	startup     string
	variables   map[string]string
	limits      Limits
	features    Features
	status      string
	installs    int
	installed   time.Time // end of the installation under way
	doomed      bool      // that installation will fail
	boots       bool      // start when it is installed
	running     bool
	started     time.Time
	switching   time.Time // end of the start or stop under way
	created     time.Time
	updated     time.Time
}

func (s *server) identifier() string { return s.uuid[:8] }

// power is the daemon's word for what the server does.
func (s *server) power(now time.Time) string {
	switch moving := now.Before(s.switching); {
	case s.running && moving:
		return "starting"
	case s.running:
		return "running"
	case moving:
		return "stopping"
	}
	return "offline"
}

// setSuspended is what the panel does: the daemon stops a running server, and
// whatever the status was is forgotten.
func (s *server) setSuspended(on bool) {
	if !on {
		if s.status == statusSuspended {
			s.status = ""
		}
		return
	}
	s.status, s.running, s.switching = statusSuspended, false, time.Time{}
}

// install starts an installation.
func (b *Box) install(s *server, boots bool) {
	s.status, s.installed, s.boots, s.running = statusInstalling, b.opts.Now().Add(b.opts.BuildTime), boots, false
	s.installs, s.updated = s.installs+1, b.opts.Now()
	s.doomed = b.breaks > 0
	if s.doomed {
		b.breaks--
	}
}

// tick brings the state up to now. It runs before every look at it.
func (b *Box) tick() {
	now := b.opts.Now()
	for _, s := range b.servers {
		if s.installed.IsZero() || now.Before(s.installed) {
			continue
		}
		done := s.installed
		s.installed = time.Time{}
		if s.status != statusInstalling {
			continue // the result of the installation keeps "suspended"
		}
		if s.status = ""; s.doomed {
			s.status = statusFailed
		} else if s.boots {
			s.running, s.started = true, done
		}
		s.updated = done
	}
}

// sorted are the servers by id.
func (b *Box) sorted() []*server {
	return slices.SortedFunc(maps.Values(b.servers), func(x, y *server) int { return cmp.Compare(x.id, y.id) })
}

// remove takes a server away and frees its allocations.
func (b *Box) remove(s *server) {
	for _, a := range b.allocations {
		if a.server == s.id {
			a.server = 0
		}
	}
	delete(b.servers, s.id)
	b.deleted++
}

// uuid is the same for the same object.
func uuid(kind string, id int64) string {
	sum := sha256.Sum256([]byte(kind + " " + strconv.FormatInt(id, 10)))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// stamp is the panel's form of time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }
