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
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

// till is a shop with one customer, who has a saved way to pay. Time passes when
// the product has nothing to do.
type till struct {
	*world
	t        *testing.T
	gateway  string
	silent   bool // no webhook arrives
	customer string
	token    string
	method   string
	heard    int // events delivered
	invoice  string
}

// price is what is sold and given back.
const price = 1500

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
	owner, err := adapter.EnsureCustomer(context.Background(), "customer:"+u.Id, u.Id, u.Email(), "Ada")
	must(err)
	saved := ""
	if k.gateway == "paypal" {
		saved, err = k.vendors.paypal.SaveToken(owner, "works@payer.example")
	} else {
		saved, err = k.vendors.stripe.SaveCard(owner, "4242424242424242")
	}
	must(err)
	_, err = collections.Insert(k.app, collections.GatewayCustomers, map[string]any{"user": u.Id, "gateway": k.gateway, "customer_id": owner})
	must(err)
	m, err := collections.Insert(k.app, collections.PaymentMethods, map[string]any{
		"user": u.Id, "gateway": k.gateway, "gateway_method_id": saved, "kind": "card", "is_default": true, "active": true,
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

// sellAndGiveBack is the way from an invoice to its money being back with the
// customer; the points passed on it are where it can be killed.
func (k *till) sellAndGiveBack() {
	k.t.Helper()
	ask := func(path, token string, body map[string]any) reply {
		k.t.Helper()
		r, err := k.insist(http.MethodPost, path, token, body)
		if err != nil {
			k.t.Fatal(err)
		}
		return r
	}
	staff, err := k.staff()
	if err != nil {
		k.t.Fatal(err)
	}
	r := ask("/api/v1/staff/invoices", staff, map[string]any{
		"key": "invoice-0001", "customer": k.customer, "currency": "EUR", "issue": true, "lines": []any{map[string]any{"description": "Work", "quantity": 1, "unit_minor": price}},
	})
	if k.invoice = r.str("id"); k.invoice == "" {
		k.t.Fatalf("no invoice: %d %.300s", r.status, r.text)
	}
	ask("/api/v1/invoices/pay", k.token, map[string]any{"invoices": []any{k.invoice}, "method": k.method}) // once more is refused, or is the same
	k.until("the invoice is paid", "`invoices` WHERE `id` = '"+k.invoice+"' AND `status` = 'paid'")
	back := map[string]any{"key": "refund-00001", "reason": "sorry", "to": "source"}
	if r := ask("/api/v1/staff/invoices/"+k.invoice+"/refunds", staff, back); !r.ok() {
		k.t.Fatalf("no refund: %d %.300s", r.status, r.text)
	}
	k.until("the money is back", "`refunds` WHERE `status` = 'succeeded'")
	for range 3 { // what comes late changes nothing
		k.clock.to(k.clock.world().Add(15 * time.Minute))
		k.tell()
		if err := k.work(); err != nil {
			k.t.Fatal(err)
		}
	}
}

// once checks that everything happened once.
func (k *till) once() {
	k.t.Helper()
	taken, back, sum := 0, 0, int64(0)
	if k.gateway == "paypal" {
		for _, p := range k.vendors.paypal.Payments() {
			taken, sum = taken+1, sum+p.Refunded
		}
		back = k.vendors.paypal.Snapshot().Refunds
	} else {
		taken = k.vendors.stripe.Paid(k.invoice)
		for _, r := range k.vendors.stripe.Refunds() {
			back, sum = back+1, sum+r.Amount
		}
	}
	total := int64(0)
	if err := k.app.DB().NewQuery("SELECT `total_minor` FROM `invoices` WHERE `id` = '" + k.invoice + "'").Row(&total); err != nil {
		k.t.Fatal(err)
	}
	if sum != total {
		k.t.Errorf("%d went back, want %d", sum, total)
	}
	for what, n := range map[string]int{
		"charges": taken, "refunds at the gateway": back, "invoices": k.count("`invoices`"),
		"payments": k.count("`payment_transactions` WHERE `status` = 'succeeded'"), "attempts": k.count("`payment_transactions`"),
		"credit notes": k.count("`credit_notes`"), "refunds": k.count("`refunds`"), "settled refunds": k.count("`refunds` WHERE `status` = 'succeeded' AND `gateway_refund_id` != ''"),
		"receipts": k.count("`mails` WHERE `kind` = 'receipt'"), "mails about the refund": k.count("`mails` WHERE `kind` = 'refund_made'"),
		"postings of the refund": k.count("`ledger_entries` WHERE `posting` LIKE 'refund%' AND `account` LIKE 'cash:%'"),
	} {
		if n != 1 {
			k.t.Errorf("%d %s, want 1", n, what)
		}
	}
	if n := k.count("`credit_balances` WHERE `balance_minor` != 0"); n != 0 {
		k.t.Error("credit is left over")
	}
	if found, err := books.Audit(k.app.DB()); err != nil || len(found) > 0 {
		k.t.Errorf("the books: %v %v", found, err)
	}
}

// TestKilledAnywhereInChargeAndRefund kills the process at every write, commit
// and call to the gateway, before and after its effect, on the way from an
// invoice by a charge of the saved method to the refund. Whatever the place, one
// charge and one refund come of it, at the gateway and in the books.
func TestKilledAnywhereInChargeAndRefund(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, gateway := range []string{"stripe", "paypal"} {
		for name, silent := range map[string]bool{"webhooks arrive": false, "nobody tells": true} {
			t.Run(gateway+", "+name, func(t *testing.T) {
				k := newTill(t, gateway, silent)
				before := k.fuse.seen
				k.sellAndGiveBack()
				points := k.fuse.seen - before
				k.once()
				if points < 60 {
					t.Errorf("the way has %d points, want 60 at least", points)
				}
				lanes := make(chan int)
				wait := sync.WaitGroup{}
				for range 4 {
					wait.Go(func() {
						for n := range lanes {
							killAt(t, gateway, silent, n)
						}
					})
				}
				for n := 1; n <= points; n += step {
					lanes <- n
				}
				close(lanes)
				wait.Wait()
				t.Logf("%d points, of which every %d. was tried", points, step)
			})
		}
	}
}

func killAt(t *testing.T, gateway string, silent bool, n int) {
	t.Run(fmt.Sprintf("at %d", n), func(t *testing.T) {
		k := newTill(t, gateway, silent)
		k.fuse.arm(n)
		k.sellAndGiveBack()
		k.fuse.arm(0)
		k.once()
		if k.counts.Crashes == 0 {
			t.Errorf("it was never killed")
		}
		if t.Failed() {
			t.Logf("killed %s", k.fuse.last)
		}
	})
}

// openPayPal adds PayPal to the world.
func (v *vendors) openPayPal(c *clock, f *fuse) {
	v.paypal = paypalbox.New(paypalbox.Options{Now: c.world, ClientID: paypalID, Secret: paypalSecret, WebhookID: paypalWebhook, PublicURL: paypalURL})
	v.paypal.Close()
	v.paypalWire = &wire{vendor: v.paypal.Handler(), fuse: f}
}
