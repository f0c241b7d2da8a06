// Package pterobox is a small Pterodactyl panel for tests and the demo: stateful,
// strict about what it is sent, and able to misbehave on request. It serves the
// calls of the Application API and the Client API that the product uses, with
// the shapes and rules of the panel's source (pterodactyl/panel 1.11: requests,
// transformers and services), and refuses fields and types which those lack. It
// knows nothing of the adapter.
//
// Servers take time to install, external ids are unique, nodes fill up, a node's
// daemon can be down, usage figures are up to 20 seconds old, and a page under
// /_sandbox/ shows it all.
package pterobox

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// Options configure a Box.
type Options struct {
	// ApplicationKey ("ptla_…") opens the Application API alone, ClientKey
	// ("ptlc_…", of an administrator) both.
	ApplicationKey, ClientKey string
	// Now is the panel's clock; nil is time.Now.
	Now func() time.Time
	// BuildTime is how long an installation takes; 0 is 20 seconds.
	BuildTime time.Duration
	// TaskTime is how long a start or a stop takes; 0 is one second, a negative
	// value none.
	TaskTime time.Duration
	// CacheTime is how old usage figures may be; 0 is the panel's 20 seconds, a
	// negative value none.
	CacheTime time.Duration
	// Ports is how many allocations each node has; 0 is 100.
	Ports int
	// Faults may be shared with the caller; nil is a set of its own.
	Faults *fault.Set
	// PanelURL is the address in answers; "" is https://panel.example.com.
	PanelURL string
}

// Box is one panel. All methods are safe for concurrent use.
type Box struct {
	opts Options

	mu          sync.Mutex
	users       map[int64]*user
	servers     map[int64]*server
	allocations []*allocation
	cache       map[int64]cached // usage figures by server
	ids         panelbox.IDs
	created     int
	deleted     int
	breaks      int  // coming installations that fail
	room        int  // servers that still fit; negative is no limit
	daemonDown  bool // the nodes' daemons do not answer
	canned      panelbox.Canned
}

// New makes a panel with the seeded nests, eggs, locations and nodes, and the
// administrator to whom the keys belong.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.BuildTime = panelbox.OrDefault(o.BuildTime, 20*time.Second)
	o.TaskTime = panelbox.OrDefault(o.TaskTime, time.Second)
	o.CacheTime = panelbox.OrDefault(o.CacheTime, 20*time.Second)
	if o.Ports == 0 {
		o.Ports = 100
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	if o.PanelURL == "" {
		o.PanelURL = "https://panel.example.com"
	}
	b := &Box{opts: o, users: map[int64]*user{}, servers: map[int64]*server{}, cache: map[int64]cached{}, room: -1}
	b.allocations = allocations(o.Ports)
	admin := &user{id: b.ids.Next("user"), username: "admin", email: "admin@panel.example", first: "Panel", last: "Admin", root: true, created: o.Now()}
	b.users[admin.id] = admin
	return b
}

// Handler serves the APIs under /api/, a stand-in for the panel's own pages
// under /server/, and the control page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", b.opts.Faults.Wrap(b.canned.Wrap(b.authorize(b.routes()))))
	mux.HandleFunc("GET /server/{identifier}", b.servePanel)
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

// SetDaemon takes the daemons of all nodes down, or up again.
func (b *Box) SetDaemon(up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.daemonDown = !up
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

// Suspend suspends a server as staff can in the panel, or takes it back.
func (b *Box) Suspend(id int64, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	if s := b.servers[id]; s != nil {
		s.setSuspended(on)
	}
}

// Give makes another user a server's owner, as staff can.
func (b *Box) Give(id, userID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, u := b.servers[id], b.users[userID]; s != nil && u != nil {
		s.owner = u
	}
}

// Register makes an account as somebody else would; it returns its id.
func (b *Box) Register(externalID, email string, root bool) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.ids.Next("user")
	name, _, _ := strings.Cut(strings.ToLower(email), "@")
	b.users[id] = &user{id: id, externalID: externalID, username: name + "-own", email: email, first: "Some", last: "Body", root: root, password: "theirs", created: b.opts.Now()}
	return id
}

// Make gives a user a ready server, as staff can; memory is MB. It returns 0 when
// there is no such user or no port is free.
func (b *Box) Make(userID int64, externalID string, memory int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.server == 0 })
	if b.users[userID] == nil || i < 0 {
		return 0
	}
	now, at := b.opts.Now(), b.allocations[i]
	s := &server{
		id: b.ids.Next("server"), externalID: externalID, name: "by hand", owner: b.users[userID], node: findNode(at.node), egg: findEgg(3), primary: at,
		limits: Limits{Memory: memory, IO: 500}, created: now, updated: now,
	}
	s.uuid, at.server = uuid("server", s.id), s.id
	b.servers[s.id] = s
	return s.id
}

// Resize gives a server another memory, in MB, as staff can.
func (b *Box) Resize(id, memory int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.servers[id]; s != nil {
		s.limits.Memory = memory
	}
}

// Readdress gives a server a port of another address in place of its own, as staff
// can.
func (b *Box) Readdress(id int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.servers[id]
	if s == nil {
		return
	}
	i := slices.IndexFunc(b.allocations, func(a *allocation) bool { return a.server == 0 && a.ip != s.primary.ip })
	if i >= 0 {
		s.primary.server, b.allocations[i].server = 0, id
		s.primary = b.allocations[i]
	}
}

// SignIn says which server a user name and a password open over SFTP
// ("ada.1a2b3c4d"); 0 is none.
func (b *Box) SignIn(username, password string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := strings.LastIndex(username, ".")
	if at < 0 || password == "" {
		return 0
	}
	for _, s := range b.servers {
		if s.identifier() == username[at+1:] && s.owner.username == username[:at] && s.owner.password == password {
			return s.id
		}
	}
	return 0
}

// Server is what a snapshot shows of a server.
type Server struct {
	ID         int64             `json:"id"`
	ExternalID string            `json:"external_id"`
	Identifier string            `json:"identifier"`
	Name       string            `json:"name"`
	Owner      int64             `json:"owner"`
	OwnerRef   string            `json:"owner_external_id"`
	Node       int64             `json:"node"`
	Egg        int64             `json:"egg"`
	Status     string            `json:"status"`
	Suspended  bool              `json:"suspended"`
	Power      string            `json:"power"`
	Address    string            `json:"address"`
	Image      string            `json:"image"`
	Startup    string            `json:"startup"`
	Variables  map[string]string `json:"variables"`
	Limits     Limits            `json:"limits"`
	Features   Features          `json:"feature_limits"`
	Installs   int               `json:"installs"`
	Created    time.Time         `json:"created"`
}

// User is what a snapshot shows of a user.
type User struct {
	ID         int64  `json:"id"`
	ExternalID string `json:"external_id"`
	Username   string `json:"username"`
	Email      string `json:"email"`
}

// Snapshot is the state of the panel at one moment; lists are by id. Users lacks
// the administrator.
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
	for _, s := range b.sorted() {
		snap.Servers = append(snap.Servers, Server{
			ID: s.id, ExternalID: s.externalID, Identifier: s.identifier(), Name: s.name, Owner: s.owner.id, OwnerRef: s.owner.externalID, Node: s.node.id,
			Egg: s.egg.id, Status: s.status, Suspended: s.status == statusSuspended, Power: s.power(b.opts.Now()), Address: s.primary.endpoint(),
			Image: s.image, Startup: s.startup, Variables: s.variables, Limits: s.limits, Features: s.features, Installs: s.installs, Created: s.created,
		})
	}
	for _, u := range b.users {
		if u.id != 1 {
			snap.Users = append(snap.Users, User{ID: u.id, ExternalID: u.externalID, Username: u.username, Email: u.email})
		}
	}
	slices.SortFunc(snap.Users, func(a, b User) int { return int(a.ID - b.ID) })
	return snap
}
