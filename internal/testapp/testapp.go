// Package testapp runs the whole product inside a test: a real PocketBase app
// in a temporary directory with every migration, all hooks, an HTTP server, and
// the sandbox vendors (Stripe, VirtFusion, mail) in the same process, all on one
// clock that tests move. When a test ends the books are checked as well, see
// CheckBooks.
package testapp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/hooks/schedule"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/integrations/sandbox/paypalbox"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
	"github.com/ezscale/ezscale/integrations/sandbox/viesbox"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
	"github.com/ezscale/ezscale/integrations/vies"
)

// The keys of the sandbox vendors.
const (
	StripeKey     = "sk_test_ezscale_test"
	WebhookSecret = "whsec_ezscale_test"
	PanelToken    = "ezscale-test-panel-token"
	PayPalID      = "AZezscaleTestClient"
	PayPalSecret  = "EHezscaleTestSecret"
	PayPalWebhook = "8PT597110X687430L"
)

// App is the product under test with its vendors.
type App struct {
	*testing.T
	core.App
	URL    string // "http://127.0.0.1:port", no trailing slash
	Stripe *stripebox.Box
	PayPal *paypalbox.Box // with the option PayPal, else nil
	Panel  *virtbox.Box
	Games  *pterobox.Box   // with the option Games, else nil
	Iron   *synergybox.Box // with the option Hardware, else nil
	Web    *enhancebox.Box // with the option Hosting, else nil
	Mail   *mailbox.Box
	VIES   *viesbox.Box
	Sealer *collections.Sealer

	// StripeFaults disturb the API of the sandbox Stripe; those of the panel are
	// Panel.Faults().
	StripeFaults *fault.Set
	PayPalFaults *fault.Set

	StripeURL, PanelURL, PayPalURL, GamesURL, IronURL, WebURL string

	viesURL  string
	clock    *Clock
	options  options
	client   *http.Client
	smtpPort int
	staffing sync.Mutex
	staff    string
	tasks    *schedule.Schedule
	stop     func()
}

// New starts the product with the seeded catalog (see catalog.go). It stops,
// and its books are checked, when the test ends.
func New(t *testing.T, opts ...Option) *App {
	t.Helper()
	o := options{drift: 250 * time.Millisecond, buildTime: 2 * time.Second, taskTime: 500 * time.Millisecond, sealKey: make([]byte, 32)}
	for _, set := range opts {
		set(&o)
	}
	a := &App{T: t, options: o, clock: &Clock{}, StripeFaults: &fault.Set{}, PayPalFaults: &fault.Set{}}
	a.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	dir := o.dir
	if dir == "" {
		dir = t.TempDir()
	}
	if _, err := os.Stat(filepath.Join(dir, "data.db")); err != nil {
		copyTemplate(t, dir)
	}
	a.startVendors()
	a.startPayPal()
	a.startGames()
	a.startHardware()
	a.startHosting()
	a.boot(dir)
	a.clock.moved = a.Wake
	t.Cleanup(a.Close)
	return a
}

// startVendors opens the sandboxes on loopback; they outlive the app by a
// moment, so that its last calls find them.
func (a *App) startVendors() {
	now := a.clock.Now
	stripe := httptest.NewUnstartedServer(nil)
	a.StripeURL = "http://" + stripe.Listener.Addr().String()
	a.Stripe = stripebox.New(stripebox.Options{
		Now: now, SecretKey: StripeKey, WebhookSecret: WebhookSecret, PublicURL: a.StripeURL, Faults: a.StripeFaults,
		RetryDelays: []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond, time.Second},
	})
	stripe.Config.Handler = a.Stripe.Handler()
	stripe.Start()
	panel := httptest.NewUnstartedServer(nil)
	a.PanelURL = "http://" + panel.Listener.Addr().String()
	a.Panel = virtbox.New(virtbox.Options{Token: PanelToken, Now: now, BuildTime: a.options.buildTime, TaskTime: a.options.taskTime, PanelURL: a.PanelURL})
	panel.Config.Handler = a.Panel.Handler()
	panel.Start()
	a.Mail = mailbox.New(mailbox.Options{Now: now})
	a.VIES = viesbox.New(viesbox.Options{Now: now})
	register := httptest.NewServer(a.VIES.Handler())
	a.viesURL = register.URL + "/taxation_customs/vies/rest-api"
	smtp := listen(a.T)
	a.smtpPort = smtp.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = a.Mail.ServeSMTP(ctx, smtp)
	}()
	a.Cleanup(func() {
		a.Stripe.Close()
		stripe.CloseClientConnections()
		stripe.Close()
		panel.CloseClientConnections()
		panel.Close()
		register.Close()
		cancel()
		<-served
	})
}

// boot starts the app as the serve command does.
func (a *App) boot(dir string) {
	a.Helper()
	var err error
	if a.Sealer, err = collections.NewSealer(a.options.sealKey); err != nil {
		a.Fatal(err)
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: connect})
	a.App = app
	if err := app.Bootstrap(); err != nil {
		a.Fatalf("bootstrap: %v", err)
	}
	if err := hooks.Register(app, a.deps()); err != nil {
		a.Fatalf("register hooks: %v", err)
	}
	listener := listen(a.T)
	a.URL = "http://" + listener.Addr().String()
	a.Stripe.SetWebhook(a.URL+"/webhooks/stripe", WebhookSecret)
	if a.PayPal != nil {
		a.PayPal.SetWebhook(a.URL + "/webhooks/paypal")
		a.offerPayPal()
	}
	if a.Games != nil {
		a.offerGames()
	}
	if a.Iron != nil {
		a.offerHardware()
	}
	if a.Web != nil {
		a.offerHosting()
	}
	a.configure()
	ready, ended := make(chan struct{}), make(chan error, 1)
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "testServe", Priority: -2000, Func: func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		if err := e.Next(); err != nil {
			return err
		}
		close(ready)
		return nil
	}})
	go func() {
		ended <- apis.Serve(app, apis.ServeConfig{HttpAddr: listener.Addr().String(), AllowedOrigins: []string{"null"}})
	}()
	select {
	case <-ready:
	case err := <-ended:
		a.Fatalf("serve: %v", err)
	}
	a.stop = func() {
		a.client.CloseIdleConnections()
		err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ClearBootstrap() })
		if err != nil {
			a.Errorf("terminate: %v", err)
		}
		if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
			a.Errorf("serve: %v", err)
		}
	}
}

// configure puts the test's address and mail server over the stored settings,
// as the environment does in production.
func (a *App) configure() {
	apply := func(app core.App) {
		s := app.Settings()
		s.Meta.AppURL = a.URL
		s.Meta.SenderName, s.Meta.SenderAddress = "Test Hosting", "billing@hosting.test"
		s.SMTP = core.SMTPConfig{Enabled: true, Host: "127.0.0.1", Port: a.smtpPort}
		if !a.options.rateLimits {
			s.RateLimits.Enabled = false
		}
	}
	a.OnServe().Bind(&hook.Handler[*core.ServeEvent]{Id: "testConfigure", Priority: -1000, Func: func(e *core.ServeEvent) error {
		apply(e.App)
		return e.Next()
	}})
	a.OnSettingsReload().Bind(&hook.Handler[*core.SettingsReloadEvent]{Id: "testConfigure", Func: func(e *core.SettingsReloadEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		apply(e.App)
		return nil
	}})
}

// deps is what main gives to hooks.Register, with the sandboxes in place of the
// vendors.
func (a *App) deps() hooks.Deps {
	return hooks.Deps{
		Now: a.clock.Now, Sealer: a.Sealer, LinkKey: []byte("test download links, 32 bytes ok"), Public: os.DirFS(filepath.Join(Root(a.T), "pb_public")), SQLConsole: a.options.sqlConsole,
		TakeTasks: func(tasks *schedule.Schedule) { a.tasks = tasks },
		Gateways:  gateways(a.clock.Now), Platforms: platforms(a.clock.Now),
		GatewayOverride:  a.gatewayOverride(),
		PlatformOverride: map[string]provisioning.Settings{"virtfusion": {URL: a.PanelURL, Token: a.options.panelToken()}},
		VATRegister: func(requester string) (tax.IDChecker, error) {
			return vies.New(vies.Config{BaseURL: a.viesURL, Requester: requester}, nil)
		},
	}
}

// Close checks the books and stops the app; it may be called before the test
// ends, for example to start another app on the same directory.
func (a *App) Close() {
	a.Helper()
	if a.stop == nil {
		return
	}
	if !a.options.unchecked {
		a.CheckBooks()
	}
	a.stop()
	a.stop = nil
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen on loopback: %v", err)
	}
	return l
}
