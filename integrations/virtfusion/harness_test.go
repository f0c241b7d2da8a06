package virtfusion

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

const testToken = "tok_9f2c-secret"

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
	box   *virtbox.Box
	url   string
	http  *http.Client
	dial  *dialer
}

// dialer refuses the next connections that tests ask it to.
type dialer struct {
	mu     sync.Mutex
	refuse []func(*http.Request) bool
	next   http.RoundTripper
}

func (d *dialer) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	for i, match := range d.refuse {
		if match(r) {
			d.refuse = append(d.refuse[:i], d.refuse[i+1:]...)
			d.mu.Unlock()
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: net.ErrClosed}
		}
	}
	d.mu.Unlock()
	return d.next.RoundTrip(r)
}

func newRig(t *testing.T, opts virtbox.Options) *rig {
	t.Helper()
	g := &rig{t: t, clock: newClock()}
	opts.Token, opts.Now = testToken, g.clock.now
	g.box = virtbox.New(opts)
	srv := httptest.NewUnstartedServer(g.box.Handler())
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.Close)
	g.url = srv.URL
	g.dial = &dialer{next: srv.Client().Transport}
	g.http = &http.Client{Transport: g.dial}
	return g
}

func (g *rig) client() *Client { return g.clientWith(testToken) }

func (g *rig) clientWith(token string) *Client {
	g.t.Helper()
	c, err := New(Config{BaseURL: g.url, Token: token, Now: g.clock.now}, g.http)
	if err != nil {
		g.t.Fatalf("New: %v", err)
	}
	return c
}

func testOrder(service string) provisioning.Order {
	return provisioning.Order{
		ServiceID: service, UserID: "cus1", Email: "ada@example.com", Name: "Ada L.", Hostname: service + ".example.com",
		Settings: map[string]string{SettingPackage: "2", SettingGroup: "1", SettingTemplate: "8"},
	}
}

// built builds a service to the end, as its caller would.
func (g *rig) built(c *Client, o provisioning.Order) provisioning.Build {
	g.t.Helper()
	b := provisioning.Build{}
	for range 100 {
		if b.Started.IsZero() {
			b.Started = g.clock.now()
		}
		next, err := c.Advance(g.t.Context(), o, b)
		if err != nil {
			g.t.Fatalf("Advance(%q): %v", b.Step, err)
		}
		if b = next; b.Done {
			return b
		}
		g.clock.add(b.Wait)
	}
	g.t.Fatalf("the build of %s has not ended: %+v", o.ServiceID, b)
	return b
}
