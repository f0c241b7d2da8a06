package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

// payer is an account at PayPal whose payments work.
const payer = "works@payer.example"

// till is a shop with one customer, who has a saved way to pay. Time passes when
// the product has nothing to do.
type till struct {
	*world
	t        *testing.T
	gateway  string
	silent   bool // no webhook arrives
	customer string
	token    string
	owner    string // the customer at the gateway
	saved    string // the saved way to pay at the gateway
	method   string // the same here
	heard    int    // events delivered
}

func newTill(t *testing.T, gateway string, silent bool) *till {
	t.Helper()
	w, err := newWorld(Options{Seed: 1, Dir: t.TempDir(), Public: public})
	if err != nil {
		t.Fatal(err)
	}
	w.vendors.openPayPal(&w.clock, &w.fuse)
	if err := w.restart(); err != nil { // with PayPal
		t.Fatal(err)
	}
	w.counts.Crashes = 0
	t.Cleanup(func() { _ = w.close() })
	k := &till{world: w, t: t, gateway: gateway, silent: silent}
	k.arrive()
	k.heard = len(k.events())
	return k
}

// arrive makes the customer, here and at the gateway.
func (k *till) arrive() {
	k.t.Helper()
	u, err := collections.New(k.app, collections.Users)
	if err != nil {
		k.t.Fatal(err)
	}
	u.SetEmail("ada@customer.test")
	u.SetPassword(password)
	u.Load(map[string]any{"name": "Ada", "status": "active", "locale": "en", "time_zone": "UTC", "verified": true})
	must := func(err error) {
		k.t.Helper()
		if err != nil {
			k.t.Fatal(err)
		}
	}
	must(collections.Save(k.app, u))
	_, err = collections.Insert(k.app, collections.UserProfiles, map[string]any{"user": u.Id, "street": "2 Test Road", "postcode": "10115", "city": "Berlin", "country": "DE"})
	must(err)
	k.customer = u.Id
	k.token, err = u.NewAuthToken()
	must(err)
	adapter, err := k.vendors.gateways(k.clock.product)[k.gateway](k.vendors.settings()[k.gateway])
	must(err)
	k.owner, err = adapter.EnsureCustomer(context.Background(), "customer:"+u.Id, u.Id, u.Email(), "Ada")
	must(err)
	if k.gateway == "paypal" {
		_, err = collections.Insert(k.app, collections.Gateways, map[string]any{"kind": "paypal", "label": "PayPal", "enabled": true, "position": 20})
		must(err)
		k.saved, err = k.vendors.paypal.SaveToken(k.owner, payer)
	} else {
		k.saved, err = k.vendors.stripe.SaveCard(k.owner, "4242424242424242")
	}
	must(err)
	_, err = collections.Insert(k.app, collections.GatewayCustomers, map[string]any{"user": u.Id, "gateway": k.gateway, "customer_id": k.owner})
	must(err)
	m, err := collections.Insert(k.app, collections.PaymentMethods, map[string]any{
		"user": u.Id, "gateway": k.gateway, "gateway_method_id": k.saved, "kind": "card", "is_default": true, "active": true,
	})
	must(err)
	k.method = m.Id
}

// delivery is a webhook of either gateway.
type delivery struct {
	body []byte
	sign func(at time.Time) http.Header
}

func (k *till) events() []delivery {
	all := []delivery{}
	if k.gateway == "paypal" {
		for _, e := range k.vendors.paypal.EventsFrom(0) {
			all = append(all, delivery{e.Body, func(at time.Time) http.Header { return k.vendors.paypal.SignedHeader(e.Body, at) }})
		}
		return all
	}
	for _, e := range k.vendors.stripe.EventsFrom(0) {
		all = append(all, delivery{e.Body, func(at time.Time) http.Header { return stripebox.SignedHeader(e.Body, webhookSecret, at) }})
	}
	return all
}

// tell delivers what happened at the gateway, each event until it is accepted.
func (k *till) tell() {
	k.t.Helper()
	events := k.events()
	if k.silent {
		k.heard = len(events)
	}
	for ; k.heard < len(events); k.heard++ {
		e := events[k.heard]
		for range 5 {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/webhooks/"+k.gateway, strings.NewReader(string(e.body)))
			if err != nil {
				k.t.Fatal(err)
			}
			r.Header = e.sign(k.clock.world())
			a, err := k.serve(r)
			if err == nil && a.status/100 == 2 {
				break
			}
			if err != nil && !errors.Is(err, errDead) {
				k.t.Fatal(err)
			}
		}
	}
}

// until works, with time passing, until something is true.
func (k *till) until(what, query string) {
	k.t.Helper()
	for range 300 {
		k.tell()
		if err := k.work(); err != nil {
			k.t.Fatal(err)
		}
		if k.count(query) > 0 {
			return
		}
		next := k.clock.world().Add(30 * time.Second)
		if at, there, err := k.nextJob(); err == nil && there && at.After(next) {
			next = at
		}
		k.clock.to(next)
	}
	k.t.Fatalf("did not happen: %s", what)
}

func (k *till) count(query string) int {
	k.t.Helper()
	n := 0
	if err := k.app.DB().NewQuery("SELECT COUNT(*) FROM " + query).Row(&n); err != nil {
		k.t.Fatal(err)
	}
	return n
}

// ask presses a button until the process survives it, and wants it done.
func (k *till) ask(path, token string, body map[string]any) reply {
	k.t.Helper()
	r, err := k.insist(http.MethodPost, path, token, body)
	if err != nil {
		k.t.Fatal(err)
	}
	return r
}

// desk is the token of a member of staff.
func (k *till) desk() string {
	k.t.Helper()
	token, err := k.staff()
	if err != nil {
		k.t.Fatal(err)
	}
	return token
}

// story is one of money, in which the process may die anywhere while it is lived.
type story interface {
	begin(k *till)
	live(k *till)
	once(k *till) // checks that everything happened once
}

// killEverywhere lives a story undisturbed and then once for each of its points, at
// which the process dies; there are so many at least. With little time it tries one
// of so many.
func killEverywhere(t *testing.T, fresh func() story, least, of int) {
	t.Helper()
	if !testing.Short() {
		of = 1
	}
	for _, gateway := range []string{"stripe", "paypal"} {
		for name, silent := range map[string]bool{"webhooks arrive": false, "nobody tells": true} {
			t.Run(gateway+", "+name, func(t *testing.T) {
				points := newTill(t, gateway, silent).die(fresh(), 0)
				if points < least {
					t.Errorf("the way has %d points, want %d at least", points, least)
				}
				lanes := make(chan int)
				wait := sync.WaitGroup{}
				for range 4 {
					wait.Go(func() {
						for n := range lanes {
							t.Run(fmt.Sprintf("at %d", n), func(t *testing.T) { newTill(t, gateway, silent).die(fresh(), n) })
						}
					})
				}
				for n := 1; n <= points; n += of {
					lanes <- n
				}
				close(lanes)
				wait.Wait()
				t.Logf("%d points, of which every %d. was tried", points, of)
			})
		}
	}
}

// die lives a story, dies at a point of it, unless that is 0, and returns how many
// points there were.
func (k *till) die(s story, at int) int {
	k.t.Helper()
	s.begin(k)
	before := k.fuse.seen
	k.fuse.arm(at)
	s.live(k)
	k.fuse.arm(0)
	points := k.fuse.seen - before
	s.once(k)
	if want := min(at, 1); k.counts.Crashes != want {
		k.t.Errorf("it was killed %d times, want %d", k.counts.Crashes, want)
	}
	if k.t.Failed() {
		k.t.Logf("killed %s", k.fuse.last)
	}
	return points
}

// openPayPal adds PayPal to the world.
func (v *vendors) openPayPal(c *clock, f *fuse) {
	v.paypal = paypalbox.New(paypalbox.Options{Now: c.world, ClientID: paypalID, Secret: paypalSecret, WebhookID: paypalWebhook, PublicURL: paypalURL})
	v.paypal.Close()
	v.paypalWire = &wire{vendor: v.paypal.Handler(), fuse: f}
}
