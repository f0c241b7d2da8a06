// Package virtbox is a small VirtFusion panel for tests and the demo: stateful,
// strict about what it is sent, and able to misbehave on request. It serves the
// calls of the vendor's "Global API" v1 that the product uses, with shapes taken
// from the examples in the vendor's OpenAPI document, and refuses fields and
// types which that document lacks. It knows nothing of the adapter.
//
// Servers take time to build, tasks block other tasks, addresses are allocated
// and freed, and a page under /_sandbox/ shows it all.
package virtbox

import (
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// Options configure a Box.
type Options struct {
	// Token is the one API token that is accepted.
	Token string
	// Now is the panel's clock; nil is time.Now.
	Now func() time.Time
	// BuildTime is how long an installation takes; 0 is 20 seconds.
	BuildTime time.Duration
	// TaskTime is how long a power action, a password reset or a deletion
	// takes; 0 is one second, a negative value none.
	TaskTime time.Duration
	// Faults may be shared with the caller; nil is a set of its own.
	Faults *fault.Set
	// PanelURL is the address in the paginator's links; "" is the vendor's
	// habit of naming an internal host.
	PanelURL string
	// PageUserLists pages the list of a user's servers, which the vendor's
	// example does not.
	PageUserLists bool
	// Block is what IPv4 addresses come from; the zero value is 203.0.113.0/24.
	Block netip.Prefix
}

// Box is one panel. All methods are safe for concurrent use.
type Box struct {
	opts Options

	mu      sync.Mutex
	users   map[int64]*user
	servers map[int64]*server
	queue   map[int64]*queueItem
	keys    map[int64]*sshKey
	signIns map[string]signIn
	ids     panelbox.IDs
	taken   map[netip.Addr]bool
	created int
	deleted int
	breaks  int // coming builds that fail
	room    int // servers that still fit; negative is no limit
	canned  panelbox.Canned
}

// New makes an empty panel with the seeded packages, groups and templates.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.BuildTime == 0 {
		o.BuildTime = 20 * time.Second
	}
	o.TaskTime = panelbox.OrDefault(o.TaskTime, time.Second)
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	if !o.Block.IsValid() {
		o.Block = block4
	}
	if o.PanelURL == "" {
		o.PanelURL = "https://192.168.3.11"
	}
	return &Box{
		opts: o, users: map[int64]*user{}, servers: map[int64]*server{}, queue: map[int64]*queueItem{}, keys: map[int64]*sshKey{},
		signIns: map[string]signIn{}, taken: map[netip.Addr]bool{}, room: -1,
	}
}

// Handler serves the API under /api/v1/, the panel's sign-in page and the
// control page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", b.opts.Faults.Wrap(b.canned.Wrap(b.authorize(b.routes()))))
	mux.HandleFunc("GET /token_authenticate/", b.servePanel)
	b.control(mux)
	return mux
}

// Faults are the switches of this panel.
func (b *Box) Faults() *fault.Set { return b.opts.Faults }

// BreakBuilds makes the next n installations fail.
func (b *Box) BreakBuilds(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.breaks = n
}

// SetRoom says how many more servers fit; a negative n is no limit.
func (b *Box) SetRoom(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room = n
}

// Destroy removes a server as if staff had done it in the panel. It reports
// whether there was one.
func (b *Box) Destroy(id int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.servers[id]
	if s == nil {
		return false
	}
	b.remove(s)
	return true
}

// Protect sets a server's protection against deletion, as staff can.
func (b *Box) Protect(id int64, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.servers[id]; s != nil {
		s.protected = on
	}
}

// Allocate makes a server without a system for a user, as staff can. It returns
// 0 when the user or the package does not exist.
func (b *Box) Allocate(userID, packageID int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, p := b.users[userID], findPackage(packageID)
	if u == nil || p == nil {
		return 0
	}
	s, _ := b.allocate(u, *p, findGroup(1), 1)
	if s == nil {
		return 0
	}
	return s.id
}

// Server is what a snapshot shows of a server.
type Server struct {
	ID            int64     `json:"id"`
	Owner         int64     `json:"owner"`
	OwnerRelation string    `json:"owner_relation"`
	Name          string    `json:"name"`
	Hostname      string    `json:"hostname"`
	State         string    `json:"state"`
	PackageID     int64     `json:"package_id"`
	GroupID       int64     `json:"group_id"`
	TemplateID    int64     `json:"template_id"`
	Suspended     bool      `json:"suspended"`
	Running       bool      `json:"running"`
	Busy          bool      `json:"busy"`
	Addresses     []string  `json:"addresses"`
	Created       time.Time `json:"created"`
	Builds        int       `json:"builds"`
	MemoryMB      int64     `json:"memory_mb"`
	Cores         int64     `json:"cores"`
	DiskGB        int64     `json:"disk_gb"`
	TrafficGB     int64     `json:"traffic_gb"`
	// What the running system has; more comes with its next start.
	LiveMemoryMB int64 `json:"live_memory_mb"`
	LiveCores    int64 `json:"live_cores"`
}

// User is what a snapshot shows of a user.
type User struct {
	ID       int64  `json:"id"`
	Relation string `json:"relation"`
	Email    string `json:"email"`
}

// Snapshot is the state of the panel at one moment; lists are by id.
type Snapshot struct {
	Servers []Server `json:"servers"`
	Users   []User   `json:"users"`
	Created int      `json:"created"` // servers ever made
	Deleted int      `json:"deleted"` // servers ever removed
}

// Snapshot shows the panel's state.
func (b *Box) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	snap := Snapshot{Created: b.created, Deleted: b.deleted, Servers: []Server{}, Users: []User{}}
	for _, s := range b.servers {
		snap.Servers = append(snap.Servers, Server{
			ID: s.id, Owner: s.owner.id, OwnerRelation: s.owner.relation(), Name: s.name, Hostname: s.hostname, State: s.state,
			PackageID: s.pkg.ID, GroupID: s.group.ID, TemplateID: s.template, Suspended: s.suspended, Running: s.running,
			Busy: b.busy(s), Addresses: s.texts(), Created: s.created, Builds: s.builds,
			MemoryMB: s.pkg.MemoryMB, Cores: s.pkg.Cores, DiskGB: s.pkg.DiskGB, TrafficGB: s.pkg.TrafficGB, LiveMemoryMB: s.memoryMB, LiveCores: s.cores,
		})
	}
	for _, u := range b.users {
		snap.Users = append(snap.Users, User{ID: u.id, Relation: u.relation(), Email: u.email})
	}
	slices.SortFunc(snap.Servers, func(a, b Server) int { return int(a.ID - b.ID) })
	slices.SortFunc(snap.Users, func(a, b User) int { return int(a.ID - b.ID) })
	return snap
}
