// Package sim lives through years of hosting in seconds. It runs the real hooks
// on the real database with the sandbox vendors in the same process, in one
// goroutine and on one clock, so that a seed decides everything: who orders what
// and when, which card is declined, which webhook is lost, and after which write
// the process dies. After each simulated day it proves the books.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks"
	"github.com/ezscale/ezscale/hooks/provisioning"
)

// Options say what is simulated.
type Options struct {
	Seed      uint64
	Days      int
	Customers int
	Faults    bool   // declines and mistakes of people happen without, too
	Dir       string // data directory; it must be empty
	Public    fs.FS  // the tree of pb_public
}

// start is the first simulated moment: two days before a month's end, in a leap
// year.
var start = time.Date(2024, time.January, 29, 8, 0, 0, 0, time.UTC)

// world is one simulation.
type world struct {
	Options
	clock   clock
	fuse    fuse
	vendors *vendors
	courier courier
	sealer  *collections.Sealer
	draw    *rand.Rand // what people do
	trouble *rand.Rand // what goes wrong
	jitter  *rand.Rand

	app    core.App
	driver *hooks.Driver
	mux    http.Handler

	people  []*person
	agenda  agenda
	weather weather
	ran     time.Time // when the timed tasks last went through, by the product's clock
	diary   []string
	proof   proof
	counts  Summary
	keys    int // submissions so far

	// What the proofs expect, from what was done and not from what the product says
	// of it: a customer's money that moved without a gateway, by customer; when
	// pauses ended, by subscription; the invoices that staff took back.
	purse    map[string]int64
	rests    map[string][]time.Time
	changed  map[string][]time.Time // when changes were asked for, by subscription
	credited map[string]bool
}

func newWorld(o Options) (*world, error) {
	stream := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, n)) } //nolint:gosec // to be repeatable is the point
	w := &world{Options: o, clock: clock{at: start}, draw: stream(1), trouble: stream(2), jitter: stream(3)}
	w.purse, w.rests, w.credited = map[string]int64{}, map[string][]time.Time{}, map[string]bool{}
	w.changed = map[string][]time.Time{}
	w.vendors = newVendors(&w.clock, &w.fuse, stream(4))
	w.courier = courier{box: w.vendors.stripe, draw: stream(5)}
	w.counts.Seed = o.Seed
	var err error
	if w.sealer, err = collections.NewSealer(make([]byte, 32)); err != nil {
		return nil, err
	}
	if err := layFoundation(o.Dir); err != nil {
		return nil, err
	}
	if err := w.boot(); err != nil {
		return nil, err
	}
	return w, w.settle()
}

// boot starts a process on the directory. It may die while starting, and is
// then started again.
func (w *world) boot() error {
	for {
		err := w.startProcess()
		if err == nil {
			return nil
		}
		if w.app != nil {
			_ = w.app.ClearBootstrap()
		}
		if !w.fuse.dead {
			return fmt.Errorf("start the product: %w", err)
		}
		w.fuse.relight()
	}
}

// startProcess builds the app as main does, up to the handler of requests.
func (w *world) startProcess() error {
	w.app = core.NewBaseApp(core.BaseAppConfig{DataDir: w.Dir, DBConnect: w.fuse.connect})
	if err := w.app.Bootstrap(); err != nil {
		return err
	}
	w.driver = &hooks.Driver{Jitter: w.jitter.Float64}
	if err := hooks.Register(w.app, w.deps()); err != nil {
		return err
	}
	w.app.OnMailerSend().Bind(&hook.Handler[*core.MailerEvent]{Id: "simulationMail", Func: w.deliverMail})
	router, err := apis.NewRouter(w.app)
	if err != nil {
		return err
	}
	event := &core.ServeEvent{App: w.app, Router: router, Server: &http.Server{ReadHeaderTimeout: time.Minute}}
	err = w.app.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		w.mux, err = e.Router.BuildMux()
		return err
	})
	w.app.Cron().Stop() // PocketBase's own timers follow the machine's clock
	return err
}

func (w *world) deps() hooks.Deps {
	return hooks.Deps{
		Now: w.clock.product, Sealer: w.sealer, LinkKey: make([]byte, 32), Public: w.Public, Driver: w.driver,
		Gateways: w.vendors.gateways(w.clock.product), Platforms: w.vendors.platforms(w.clock.product),
		GatewayOverride:  w.vendors.settings(),
		PlatformOverride: map[string]provisioning.Settings{"virtfusion": {URL: panelURL, Token: panelToken}},
	}
}

// deliverMail is the mail server: it counts what arrives.
func (w *world) deliverMail(e *core.MailerEvent) error {
	if err := w.fuse.pass("before a mail"); err != nil {
		return err
	}
	if w.vendors.mailDown {
		return errCut
	}
	w.vendors.mails[e.Message.Headers["Message-ID"]]++
	w.counts.Mails++
	return w.fuse.pass("after a mail")
}

// restart throws everything in memory away, as a crash does, and starts again.
func (w *world) restart() error {
	w.counts.Crashes++
	_ = w.app.ClearBootstrap() // closes the connections, which rolls back what was open
	w.fuse.relight()
	return w.boot()
}

// close ends the simulation's process.
func (w *world) close() error { return errors.Join(w.app.ClearBootstrap(), w.fuse.extinguish()) }

// alive restarts a process that died. died reports whether it had.
func (w *world) alive() (died bool, err error) {
	if !w.fuse.dead {
		return false, nil
	}
	return true, w.restart()
}

// work lets the product do all that is due now, dying and coming back as fate
// wants it.
func (w *world) work() error {
	for range restless {
		worked, err := w.driver.Step(context.Background())
		died, restart := w.alive()
		switch {
		case restart != nil:
			return restart
		case died:
			continue
		case err != nil:
			return fmt.Errorf("work the queue: %w", err)
		case !worked:
			return nil
		}
	}
	due := []string{}
	_ = w.app.DB().NewQuery("SELECT `key` || ' ' || `state` || ' ' || `attempts` || ' ' || `next_at` || ' ' || `error` FROM `jobs` WHERE `state` != 'done' ORDER BY `next_at` LIMIT 3").Column(&due) // for the message alone
	return fmt.Errorf("the product does not come to rest; next are %q", due)
}

// restless is how many things at one moment are too many.
const restless = 5000

// deliver brings the webhooks that are due.
func (w *world) deliver() error {
	w.courier.collect(w.clock.world())
	for {
		p, there := w.courier.take(w.clock.world())
		if !there {
			return nil
		}
		if w.weather.off {
			w.courier.refused(p, w.clock.world())
			continue
		}
		r, err := p.request(w.clock.world())
		if err != nil {
			return err
		}
		a, err := w.serve(r)
		if err != nil && !errors.Is(err, errDead) {
			return err
		}
		if err != nil || a.status/100 != 2 {
			w.courier.refused(p, w.clock.world())
		}
	}
}

// serve lets the product answer a request. Errors: errDead when the process
// died over it, so that nobody read an answer; it is up again by then.
func (w *world) serve(r *http.Request) (*answer, error) {
	r.RequestURI, r.RemoteAddr, r.Host = r.URL.RequestURI(), "192.0.2.1:1234", "shop.test"
	a, err := serve(w.mux, r)
	died, restart := w.alive()
	switch {
	case restart != nil:
		return nil, restart
	case died:
		return nil, errDead
	}
	return a, err
}
