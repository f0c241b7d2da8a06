package pterodactyl

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

const (
	testApplicationKey = "ptla_9f2csecretapplication"
	testClientKey      = "ptlc_71aasecretclient"
)

// clock is a time that only tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rig is a panel, a client and the clock they share.
type rig struct {
	t     *testing.T
	clock *clock
	box   *pterobox.Box
	url   string
	http  *http.Client
	dial  *dialer
}

// dialFault is one call that goes wrong on our side of the network: it is not
// sent at all, or its answer comes after the caller has given up.
type dialFault struct {
	match string // start of "METHOD /path"
	slow  bool
	late  bool // the panel gets it after lateBy
}

// lateBy is how long a late request is under way.
const lateBy = 20 * time.Second

// dialer applies the faults that tests ask for, each once.
type dialer struct {
	mu     sync.Mutex
	faults []dialFault
	next   http.RoundTripper
	clock  *clock
	late   []lateRequest
}

// lateRequest has left us and not yet reached the panel.
type lateRequest struct {
	due time.Time
	r   *http.Request
}

// deliver hands over what is due by now.
func (d *dialer) deliver() {
	d.mu.Lock()
	due := slices.Clone(d.late)
	d.late = slices.DeleteFunc(d.late, func(l lateRequest) bool { return !d.clock.now().Before(l.due) })
	d.mu.Unlock()
	for _, l := range due {
		if d.clock.now().Before(l.due) {
			continue
		}
		if resp, err := d.next.RoundTrip(l.r); err == nil {
			_ = resp.Body.Close()
		}
	}
}

// postpone keeps a copy of a request for later and lets its caller wait.
func (d *dialer) postpone(r *http.Request) error {
	cp := r.Clone(context.WithoutCancel(r.Context()))
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return err
		}
		cp.Body = body
	}
	d.mu.Lock()
	d.late = append(d.late, lateRequest{d.clock.now().Add(lateBy), cp})
	d.mu.Unlock()
	<-r.Context().Done()
	return r.Context().Err()
}

func (d *dialer) add(f dialFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, f)
}

func (d *dialer) take(r *http.Request) (dialFault, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, f := range d.faults {
		if strings.HasPrefix(r.Method+" "+r.URL.Path, f.match) {
			d.faults = slices.Delete(d.faults, i, i+1)
			return f, true
		}
	}
	return dialFault{}, false
}

func (d *dialer) RoundTrip(r *http.Request) (*http.Response, error) {
	f, broken := d.take(r)
	switch {
	case !broken:
		return d.next.RoundTrip(r)
	case f.late:
		return nil, d.postpone(r)
	case !f.slow:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	resp, err := d.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// timeout is a context that ends soon.
func timeout(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), deadline)
}

func newRig(t *testing.T, opts pterobox.Options) *rig {
	t.Helper()
	g := &rig{t: t, clock: newClock()}
	opts.ApplicationKey, opts.ClientKey, opts.Now = testApplicationKey, testClientKey, g.clock.now
	g.box = pterobox.New(opts)
	srv := httptest.NewUnstartedServer(g.box.Handler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are expected
	srv.Start()
	t.Cleanup(srv.Close)
	g.url = srv.URL
	g.dial = &dialer{next: srv.Client().Transport, clock: g.clock}
	g.http = &http.Client{Transport: g.dial}
	return g
}

// sleep moves the clock and delivers what becomes due.
func (g *rig) sleep(d time.Duration) {
	g.clock.add(d)
	g.dial.deliver()
}

func (g *rig) client() *Client { return g.clientWith(testApplicationKey, testClientKey) }

func (g *rig) clientWith(application, client string) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.url, ApplicationKey: application, ClientKey: client, Now: g.clock.now}, g.http)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

// testOrder is a Paper server.
func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: "My server " + service,
		Settings: map[string]string{
			SettingNest: "1", SettingEgg: "3", SettingMemory: "2048", SettingDisk: "10240", SettingCPU: "100", SettingLocations: "1", SettingBackups: "1",
			VariablePrefix + "MINECRAFT_VERSION": "1.20.1",
		},
	}
}

// built builds a service to the end, as its caller would, and returns what its
// customer signs in with.
func (g *rig) built(c *Client, o provisioning.Order) (provisioning.Build, provisioning.Credentials) {
	g.t.Helper()
	b, secret := g.upTo(c, o, ""), provisioning.Credentials{}
	if b.Secret != nil {
		secret = *b.Secret
	}
	return b, secret
}

// upTo builds a service until a step is next; "" is to the end.
func (g *rig) upTo(c *Client, o provisioning.Order, step string) provisioning.Build {
	g.t.Helper()
	b := provisioning.Build{}
	for range 100 {
		if b.Started.IsZero() {
			b.Started = g.clock.now()
		}
		if step != "" && b.Step == step {
			return b
		}
		next, err := c.Advance(g.t.Context(), o, b)
		if err != nil {
			g.t.Fatalf("Advance(%q): %v", b.Step, err)
		}
		if b = next; b.Done {
			return b
		}
		g.sleep(b.Wait)
	}
	g.t.Fatalf("the build of %s has not ended: %+v", o.ServiceID, b)
	return b
}

// server is one server of the panel.
func (g *rig) server(id string) pterobox.Server {
	g.t.Helper()
	for _, s := range g.box.Snapshot().Servers {
		if strconv.FormatInt(s.ID, 10) == id {
			return s
		}
	}
	g.t.Fatalf("there is no server %s", id)
	return pterobox.Server{}
}
