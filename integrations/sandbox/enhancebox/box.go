// Package enhancebox is a small Enhance panel for tests and the demo: stateful,
// strict about what it is sent, and able to misbehave on request. It serves the
// calls of the orchestrator's API that the product uses, with the shapes of the
// vendor's OpenAPI document (12.21), and refuses fields and types which that
// document lacks. It knows nothing of the adapter.
//
// A selling organization has customers, which are organizations of their own with
// members, subscriptions and websites; what is deleted softly keeps its domain. A
// page under /_sandbox/ shows it all.
package enhancebox

import (
	"cmp"
	"maps"
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
	// Token is an access token of the selling organization.
	Token string
	// Now is the panel's clock; nil is time.Now.
	Now func() time.Time
	// Faults may be shared with the caller; nil is a set of its own.
	Faults *fault.Set
	// PanelURL is the address in sign-in links; "" is https://panel.example.com.
	PanelURL string
}

// SellerID is the id of the selling organization.
const SellerID = "6f1c0000-0000-4000-8000-000000000001"

// Box is one panel. All methods are safe for concurrent use.
type Box struct {
	opts Options

	mu       sync.Mutex
	orgs     map[string]*org
	logins   map[string]*login
	subs     map[int64]*subscription
	websites map[string]*website
	links    map[string]string // one-time passwords to members
	ids      panelbox.IDs
	made     int // subscriptions ever made
	canned   panelbox.Canned
}

// New makes a panel with the seeded plans and the selling organization.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	o.PanelURL = cmp.Or(o.PanelURL, "https://panel.example.com")
	b := &Box{opts: o, orgs: map[string]*org{}, logins: map[string]*login{}, subs: map[int64]*subscription{}, websites: map[string]*website{}, links: map[string]string{}}
	b.orgs[SellerID] = &org{id: SellerID, name: "Hosting Company", status: active, made: o.Now()}
	return b
}

// Handler serves the API under /api/, the stand-in for the panel's pages under
// /login/, and the control page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", b.opts.Faults.Wrap(b.canned.Wrap(b.authorize(b.routes()))))
	mux.HandleFunc("GET /login/sessions/sso", b.servePanel)
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

// Register makes a login as somebody else would.
func (b *Box) Register(email string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addLogin(email, "Some Body", "theirs-12345")
}

// Occupy makes a website of another organization on a domain; deleted, it keeps
// the domain all the same.
func (b *Box) Occupy(domain string, deleted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &website{id: b.uuid("website"), org: b.orgs[SellerID], domain: domain, status: active, made: b.opts.Now()}
	if deleted {
		w.status = gone
	}
	b.websites[w.id] = w
}

// Destroy deletes a subscription with its data, as staff can. It reports whether
// there was one.
func (b *Box) Destroy(id int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.subs[id]
	if s == nil {
		return false
	}
	b.drop(s)
	return true
}

// Crowd gives a customer n more subscriptions, as its staff can.
func (b *Box) Crowd(customer string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		s := &subscription{id: 500 + b.ids.Next("subscription"), org: b.orgs[customer], plan: planList[0], status: active, usage: map[string]int64{}, made: b.opts.Now()}
		b.subs[s.id] = s
		b.made++
	}
}

// Populate makes n more customers, as its staff can.
func (b *Box) Populate(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range n {
		o := &org{id: b.uuid("org"), parent: SellerID, name: "Somebody", status: active, made: b.opts.Now()}
		b.orgs[o.id] = o
	}
}

// Leave deletes a customer, as its staff can.
func (b *Box) Leave(customer string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.orgs[customer]; o != nil {
		o.status = gone
	}
}

// Suspend suspends a subscription as staff can, or takes it back.
func (b *Box) Suspend(id int64, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.subs[id]; s != nil {
		s.suspended = on
	}
}

// SuspendOrg suspends a whole customer, as staff can, or takes it back.
func (b *Box) SuspendOrg(id string, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.orgs[id]; o != nil {
		o.suspended = on
	}
}

// Use says what a subscription uses of a resource.
func (b *Box) Use(id int64, resource string, amount int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.subs[id]; s != nil {
		s.usage[resource] = amount
	}
}

// SignIn says whether an e-mail address and a password open the panel.
func (b *Box) SignIn(email, password string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.loginOf(email)
	return l != nil && password != "" && l.password == password
}

// DBSignIn says which website's database a user name and a password open, with the
// rights to work in it; "" is none.
func (b *Box) DBSignIn(username, password string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.websites {
		if u := w.users[username]; u != nil && u.password == password && password != "" && len(u.grants) > 0 && w.status == active {
			return w.domain
		}
	}
	return ""
}

// Subscription is what a snapshot shows of a subscription that is not deleted.
type Subscription struct {
	ID        int64    `json:"id"`
	Org       string   `json:"org"`
	OrgName   string   `json:"org_name"`
	Name      string   `json:"friendly_name"`
	Plan      int64    `json:"plan_id"`
	Suspended bool     `json:"suspended"`
	Websites  []string `json:"websites"`
	Databases []string `json:"databases"`
}

// Customer is what a snapshot shows of a customer that is not deleted.
type Customer struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Owner  string `json:"owner"` // e-mail address
	Logins int    `json:"logins"`
}

// Snapshot is the state of the panel at one moment.
type Snapshot struct {
	Subscriptions []Subscription `json:"subscriptions"`
	Customers     []Customer     `json:"customers"`
	Logins        int            `json:"logins"`
	Made          int            `json:"made"` // subscriptions ever made
}

// Snapshot shows the panel's state.
func (b *Box) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	snap := Snapshot{Subscriptions: []Subscription{}, Customers: []Customer{}, Logins: len(b.logins), Made: b.made}
	for _, id := range slices.Sorted(maps.Keys(b.subs)) {
		s := b.subs[id]
		if s.status != active {
			continue
		}
		v := Subscription{ID: s.id, Org: s.org.id, OrgName: s.org.name, Name: s.name, Plan: s.plan.id, Suspended: s.suspended, Websites: []string{}, Databases: []string{}}
		for _, w := range b.sortedWebsites() {
			if w.sub == s && w.status == active {
				v.Websites = append(v.Websites, w.domain)
				v.Databases = append(v.Databases, w.dbs...)
			}
		}
		snap.Subscriptions = append(snap.Subscriptions, v)
	}
	for _, o := range b.orgs {
		if o.parent == SellerID && o.status == active {
			c := Customer{ID: o.id, Name: o.name, Logins: len(o.members)}
			if m := o.owner(); m != nil {
				c.Owner = m.login.email
			}
			snap.Customers = append(snap.Customers, c)
		}
	}
	slices.SortFunc(snap.Customers, func(a, b Customer) int { return strings.Compare(a.ID, b.ID) })
	return snap
}
