package site

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // PocketBase's own tables

	"github.com/ezscale/ezscale/hooks/op"
)

var publicDir = os.DirFS("../../pb_public")

// newServer runs PocketBase with this package on a data directory of its own, behind the same handler apis.Serve would use.
func newServer(t *testing.T, deps Deps) (http.Handler, core.App) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := app.Bootstrap(); err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	if err := app.RunAllMigrations(); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	if deps.Public == nil {
		deps.Public = publicDir
	}
	table := op.NewTable(time.Now)
	if err := Register(app, table, deps); err != nil {
		t.Fatalf("register: %v", err)
	}
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatalf("router: %v", err)
	}
	router.GET("/_/{path...}", func(e *core.RequestEvent) error { return e.HTML(http.StatusOK, "admin") })
	table.Bind(&core.ServeEvent{App: app, Router: router})
	router.GET("/api/v1/boom", func(*core.RequestEvent) error { panic("boom") })
	se := &core.ServeEvent{App: app, Router: router, Server: &http.Server{ReadHeaderTimeout: 1}}
	err = app.OnServe().Trigger(se, func(e *core.ServeEvent) error {
		mux, err := e.Router.BuildMux()
		e.Server.Handler = mux
		return err
	})
	if err != nil {
		t.Fatalf("serve hook: %v", err)
	}
	return se.Server.Handler, app
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks the handler; header holds pairs of names and values.
func get(t *testing.T, h http.Handler, path string, header ...string) answer {
	t.Helper()
	return do(t, h, http.MethodGet, path, "", header...)
}

func do(t *testing.T, h http.Handler, method, path, body string, header ...string) answer {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, "http://portal.example.com"+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

func TestEveryResponseCarriesHeaders(t *testing.T) {
	h, _ := newServer(t, Deps{})
	scenarios := []struct {
		name, method, path string
		status             int
		policy             string
	}{
		{"page", "GET", "/portal/order", 200, documentPolicy},
		{"page of the signed-in", "GET", "/portal/services/abc", 200, documentPolicy},
		{"unknown page", "GET", "/portal/nothing", 404, documentPolicy},
		{"home redirects", "GET", "/", 302, documentPolicy},
		{"portal without slash", "GET", "/portal", 301, documentPolicy},
		{"unknown address", "GET", "/nothing", 404, documentPolicy},
		{"address cleaned by the mux", "GET", "/portal//order", 307, documentPolicy},
		{"icon", "GET", "/favicon.ico", 200, documentPolicy},
		{"script", "GET", "/a/x/js/app.js", 200, documentPolicy},
		{"missing script", "GET", "/a/x/js/none.js", 404, documentPolicy},
		{"wrong method", "DELETE", "/portal/order", 404, documentPolicy},
		{"API", "GET", "/api/health", 200, apiPolicy},
		{"unknown API route", "GET", "/api/v1/none", 404, apiPolicy},
		{"panic in a handler", "GET", "/api/v1/boom", 500, apiPolicy},
		{"refused list", "GET", "/api/collections", 401, apiPolicy},
		{"webhook", "POST", "/webhooks/none", 404, apiPolicy},
		{"file", "GET", "/api/files/users/a/b.png", 404, filePolicy},
		{"admin UI", "GET", "/_/", 200, adminPolicy},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			res := do(t, h, s.method, s.path, "")
			if res.status != s.status {
				t.Errorf("status: got %d, want %d", res.status, s.status)
			}
			want := map[string]string{
				"Content-Security-Policy":      s.policy,
				"X-Content-Type-Options":       "nosniff",
				"X-Frame-Options":              "DENY",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin",
				"Permissions-Policy":           permissionsPolicy,
				"Strict-Transport-Security":    "",
			}
			for name, value := range want {
				if got := strings.Join(res.header.Values(name), " | "); got != value {
					t.Errorf("%s: got %q, want %q", name, got, value)
				}
			}
			if res.header.Get("Referrer-Policy") == "" {
				t.Error("no Referrer-Policy")
			}
		})
	}
}

// The document policy word for word as the product promises it, apart from where violations are reported to.
func TestDocumentPolicy(t *testing.T) {
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
		"font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	if got, _, _ := strings.Cut(documentPolicy, "; report-uri"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, policy := range map[string]string{"document": documentPolicy, "api": apiPolicy} {
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("%s policy is loose: %s", name, policy)
		}
	}
}

func TestReferrerPolicy(t *testing.T) {
	for path, want := range map[string]string{
		"/portal/order":           "strict-origin-when-cross-origin",
		"/portal/reset":           "no-referrer",
		"/portal/reset?token=abc": "no-referrer",
		"/portal/verify?token=ab": "no-referrer",
		"/portal/orders/abc":      "no-referrer",
	} {
		path, _, _ = strings.Cut(path, "?")
		if got := referrerPolicyFor(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestStrictTransport(t *testing.T) {
	h, app := newServer(t, Deps{})
	forwarded := []string{"X-Forwarded-Proto", "https"}
	if got := get(t, h, "/api/health", forwarded...).header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("a proxy nobody configured was believed: %q", got)
	}
	app.Settings().TrustedProxy.Headers = []string{"X-Forwarded-For"}
	if got := get(t, h, "/api/health", forwarded...).header.Get("Strict-Transport-Security"); got != hstsValue {
		t.Errorf("behind the configured proxy: got %q, want %q", got, hstsValue)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://portal.example.com/portal/order", nil)
	req.TLS = &tls.ConnectionState{}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if got := rec.Header().Get("Strict-Transport-Security"); got != hstsValue {
		t.Errorf("over TLS: got %q, want %q", got, hstsValue)
	}
}

func TestPersonalAnswersAreNotStored(t *testing.T) {
	h, _ := newServer(t, Deps{})
	if got := get(t, h, "/api/health").header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("API: got %q, want no-store", got)
	}
	if got := get(t, h, "/portal/order").header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("page: got %q, want private, no-cache", got)
	}
}

func TestHomeLeadsToTheCatalog(t *testing.T) {
	h, _ := newServer(t, Deps{})
	if got := get(t, h, "/").header.Get("Location"); got != "/portal/order" {
		t.Errorf("got %q, want /portal/order", got)
	}
}
