// Package synergybox is a small SynergyCP panel for tests and the demo: stateful,
// strict about what it is sent, and able to misbehave on request. It serves the
// calls that the vendor's own open-source consumers make (the WHMCS module, the PHP
// client and the two user interfaces), with their shapes, and refuses fields which
// none of them sends. It knows nothing of the adapter.
//
// Its inventory is hardware: servers of parts with billing ids, in IP groups with
// entities, of which an order takes one and a wipe gives one back. Nothing is
// reserved between looking and ordering. A page under /_sandbox/ shows it all.
package synergybox

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// Options configure a Box.
type Options struct {
	// Key is the key of the one integration, which the billing system uses.
	Key string
	// Now is the panel's clock; nil is time.Now.
	Now func() time.Time
	// BuildTime is how long one installation takes; 0 is 20 seconds.
	BuildTime time.Duration
	// TaskTime is how long a power command takes; 0 is one second, a negative
	// value none.
	TaskTime time.Duration
	// Faults may be shared with the caller; nil is a set of its own.
	Faults *fault.Set
	// RefuseWith is the status of refusals; 0 is 400. The vendor's client takes 200
	// for possible.
	RefuseWith int
	// Spare is how many servers of each model each location has; 0 is 4.
	Spare int
}

// Box is one panel. All methods are safe for concurrent use.
type Box struct {
	opts Options

	mu       sync.Mutex
	clients  map[int64]*client
	servers  map[int64]*server
	entities []*entity
	keys     map[int64]*key
	ids      panelbox.IDs
	made     int // servers ever given to somebody through the API
	wiped    int
	room     int // servers that may still be ordered; negative is no limit
	stolen   int // coming orders that find their server taken
	noIPs    bool
	canned   panelbox.Canned
}

// New makes a panel with the seeded inventory and no client.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.BuildTime = panelbox.OrDefault(o.BuildTime, 20*time.Second)
	o.TaskTime = panelbox.OrDefault(o.TaskTime, time.Second)
	o.RefuseWith = cmp.Or(o.RefuseWith, http.StatusBadRequest)
	o.Spare = cmp.Or(o.Spare, 4)
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	b := &Box{opts: o, clients: map[int64]*client{}, servers: map[int64]*server{}, keys: map[int64]*key{}, room: -1}
	b.stock()
	return b
}

// Handler serves the API at the root, as the vendor does, the stand-in for the
// client's pages under /auth/sso, and the control page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", b.opts.Faults.Wrap(b.canned.Wrap(b.authorize(b.routes()))))
	mux.HandleFunc("GET /auth/sso", b.servePanel)
	b.control(mux)
	return mux
}

// Faults are the switches of this panel.
func (b *Box) Faults() *fault.Set { return b.opts.Faults }

// Answer gives the next calls whose "METHOD /path" starts with match a failure of
// the caller's choice, without effect.
func (b *Box) Answer(match string, status int, body string, times int) {
	b.canned.Answer(match, status, body, times)
}

// SetRoom says how many more servers can be ordered; a negative n is no limit.
func (b *Box) SetRoom(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room = n
}

// SetAddresses takes all free IP entities away, or gives them back.
func (b *Box) SetAddresses(there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noIPs = !there
}

// Steal makes the next n orders find that somebody else took their server
// between the look and the order.
func (b *Box) Steal(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stolen = n
}

// Destroy wipes a server as staff can in the panel: it goes back to the
// inventory. It reports whether it was in use.
func (b *Box) Destroy(id int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.servers[id]
	if s == nil || s.owner == nil {
		return false
	}
	b.wipe(s)
	return true
}

// Suspend suspends a server as staff can, or as the panel does by itself when its
// bandwidth is used up; or takes it back.
func (b *Box) Suspend(id int64, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.servers[id]; s != nil {
		for _, a := range s.access {
			a.active = !on
		}
	}
}

// Share gives a second client access to a server, as its owner can.
func (b *Box) Share(id, clientID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, c := b.servers[id], b.clients[clientID]; s != nil && c != nil {
		s.access = append(s.access, &access{id: b.ids.Next("access"), client: c, active: true})
	}
}

// Give makes another client a server's owner, as staff can.
func (b *Box) Give(id, clientID int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, c := b.servers[id], b.clients[clientID]; s != nil && c != nil && len(s.access) > 0 {
		s.owner, s.access[0].client = c, c
	}
}

// Replace moves a service to other hardware, as staff does after a defect: the
// billing id and the client go to the second server, the first goes back.
func (b *Box) Replace(id, spare int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old, s := b.servers[id], b.servers[spare]
	if old == nil || s == nil || old.owner == nil || s.owner != nil {
		return
	}
	s.owner, s.billing, s.limit, s.cycle, s.access, s.nickname = old.owner, old.billing, old.limit, old.cycle, old.access, old.nickname
	s.running = true
	old.access = nil
	b.wipe(old)
	b.assign(s, "IP-29")
}

// SetVIP exempts a client from automatic suspension and wiping, as staff can.
func (b *Box) SetVIP(clientID int64, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.clients[clientID]; c != nil {
		c.vip = on
	}
}

// Register makes a client as somebody else would; it returns its id.
func (b *Box) Register(billingID, email string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &client{id: b.ids.Next("client"), billing: billingID, email: email, first: "Some", last: "Body"}
	b.clients[c.id] = c
	return c.id
}

// Occupy gives a free server to a client with a billing id, as staff can.
func (b *Box) Occupy(id, clientID, billing int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, c := b.servers[id], b.clients[clientID]; s != nil && c != nil && s.owner == nil {
		b.hand(s, c, billing)
	}
}

// SignIn says which server a password opens; 0 is none.
func (b *Box) SignIn(password string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	for _, s := range b.servers {
		if s.owner != nil && password != "" && s.installed == password {
			return s.id
		}
	}
	return 0
}

// Server is what a snapshot shows of a server in use.
type Server struct {
	ID          int64    `json:"id"`
	SrvID       string   `json:"srv_id"`
	Model       string   `json:"model"`
	Group       string   `json:"group"`
	BillingID   int64    `json:"billing_id"`
	Client      int64    `json:"client"`
	ClientRef   string   `json:"client_billing_id"`
	Nickname    string   `json:"nickname"`
	Suspended   bool     `json:"suspended"`
	Shared      int      `json:"shared"` // further clients with access
	Installing  []string `json:"installing"`
	Installs    int      `json:"installs"` // ever done for this client
	Running     bool     `json:"running"`
	Addresses   []string `json:"addresses"`
	PortSpeed   string   `json:"port_speed"`
	MaxBits     int64    `json:"max_bandwidth_bits"`
	Rights      Rights   `json:"rights"`
	LastCommand string   `json:"last_command"`
}

// Client is what a snapshot shows of a client.
type Client struct {
	ID        int64  `json:"id"`
	BillingID string `json:"billing_id"`
	Email     string `json:"email"`
	VIP       bool   `json:"vip"`
}

// Snapshot is the state of the panel at one moment; lists are by id. Servers are
// those in use.
type Snapshot struct {
	Servers []Server `json:"servers"`
	Clients []Client `json:"clients"`
	Free    int      `json:"free"`
	Keys    int      `json:"keys"` // of clients, not deleted
	Made    int      `json:"made"` // servers ever given out through the API
	Wiped   int      `json:"wiped"`
}

// Snapshot shows the panel's state.
func (b *Box) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	snap := Snapshot{Servers: []Server{}, Clients: []Client{}, Keys: len(b.keys), Made: b.made, Wiped: b.wiped}
	for _, s := range b.sorted() {
		if s.owner == nil {
			snap.Free++
			continue
		}
		v := Server{
			ID: s.id, SrvID: s.srv(), Model: s.model.name, Group: s.group.billing, BillingID: s.billing, Client: s.owner.id, ClientRef: s.owner.billing,
			Nickname: s.nickname, Suspended: !s.primary().active, Shared: len(s.access) - 1, Installing: []string{}, Installs: s.installs, Running: s.power(b.opts.Now()),
			Addresses: b.texts(s), PortSpeed: s.speed, MaxBits: s.limit, Rights: s.primary().rights, LastCommand: s.command,
		}
		for _, in := range s.queue {
			v.Installing = append(v.Installing, in.profile.billing)
		}
		snap.Servers = append(snap.Servers, v)
	}
	for _, c := range b.clients {
		snap.Clients = append(snap.Clients, Client{ID: c.id, BillingID: c.billing, Email: c.email, VIP: c.vip})
	}
	slices.SortFunc(snap.Clients, func(a, b Client) int { return cmp.Compare(a.ID, b.ID) })
	return snap
}
