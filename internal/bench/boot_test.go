// Package bench measures the product against bare PocketBase and raw SQLite in
// one run, so that a figure says something on any machine. Run it with
// make bench; the last figures stand in docs/performance.md.
package bench

import (
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks"
	"github.com/ezscale/ezscale/hooks/payments"
	"github.com/ezscale/ezscale/hooks/provisioning"
	"github.com/ezscale/ezscale/integrations/manual"
	"github.com/ezscale/ezscale/integrations/stripe"
	"github.com/ezscale/ezscale/internal/sqlite"

	_ "github.com/ezscale/ezscale/pb_migrations"
)

const webhookSecret = "whsec_bench"

// server is a running app.
type server struct {
	core.App
	url string
}

// start runs an app on loopback: the product, or PocketBase with nothing but
// the product's schema when bare.
func start(b *testing.B, bare bool) *server {
	b.Helper()
	if bare {
		return startWith(b, nil)
	}
	d := deps(b)
	return startWith(b, &d)
}

// startWith runs the product with the given parts, or bare PocketBase without.
func startWith(b *testing.B, d *hooks.Deps) *server {
	b.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir(), DBConnect: connect})
	must(b, app.Bootstrap())
	must(b, app.RunAllMigrations())
	if d != nil {
		must(b, hooks.Register(app, *d))
	}
	app.Settings().RateLimits.Enabled = false
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	must(b, err)
	ready := make(chan struct{})
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		if err := e.Next(); err != nil {
			return err
		}
		e.App.Settings().RateLimits.Enabled = false
		close(ready)
		return nil
	})
	go func() { _ = apis.Serve(app, apis.ServeConfig{HttpAddr: listener.Addr().String()}) }()
	<-ready
	b.Cleanup(func() {
		_ = app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error { return app.ClearBootstrap() })
	})
	return &server{app, "http://" + listener.Addr().String()}
}

func deps(b *testing.B) hooks.Deps {
	b.Helper()
	sealer, err := collections.NewSealer(make([]byte, 32))
	must(b, err)
	return hooks.Deps{
		Now: time.Now, Sealer: sealer, LinkKey: make([]byte, 32), Public: os.DirFS("../../pb_public"),
		Gateways: map[string]payments.Factory{"stripe": func(s payments.Settings) (billing.Gateway, error) {
			return stripe.New(stripe.Config{SecretKey: s.SecretKey, WebhookSecret: s.WebhookSecret, APIURL: s.APIURL, Now: time.Now}, nil)
		}},
		GatewayOverride: map[string]payments.Settings{"stripe": {SecretKey: "sk_test_bench", WebhookSecret: webhookSecret, APIURL: "http://127.0.0.1:1"}},
		Platforms:       map[string]provisioning.Factory{"manual": func(provisioning.Settings) (any, error) { return manual.New(), nil }},
	}
}

// connect opens the data as the serve command does.
func connect(path string) (*dbx.DB, error) {
	return sqlite.Open(path, sqlite.Options{CacheKiB: 32000, Checkpoint: 4000})
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// client keeps its connections, as browsers and gateways do.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}, Timeout: time.Minute}

// get reads an address to the end and fails on any status but 200.
func get(b testing.TB, url, token string) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	must(b, err)
	req.Header.Set("Authorization", token)
	resp, err := client.Do(req)
	must(b, err)
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
}
