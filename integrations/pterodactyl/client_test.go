package pterodactyl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

func TestConfigurationIsChecked(t *testing.T) {
	good := Config{BaseURL: "https://panel.example.com", ApplicationKey: "ptla_a", ClientKey: "ptlc_c"}
	scenarios := []struct {
		name string
		edit func(c *Config)
		want string
	}{
		{"good", func(*Config) {}, ""},
		{"with the API's path", func(c *Config) { c.BaseURL += "/api/application/" }, ""},
		{"loopback", func(c *Config) { c.BaseURL = "http://127.0.0.1:80" }, ""},
		{"both keys in one", func(c *Config) { c.ApplicationKey, c.ClientKey = "ptlc_c,\nptla_a", "" }, ""},
		{"an administrator's key alone", func(c *Config) { c.ApplicationKey = "" }, ""},
		{"no client key", func(c *Config) { c.ClientKey = "" }, "client key (ptlc_…) is missing"},
		{"no key", func(c *Config) { c.ApplicationKey, c.ClientKey = "", "" }, "keys are missing"},
		{"a key of neither kind", func(c *Config) { c.ClientKey = "sk_1" }, "neither ptla_ nor ptlc_"},
		{"two application keys", func(c *Config) { c.ClientKey = "ptla_b" }, "two keys of one kind"},
		{"an odd key", func(c *Config) { c.ClientKey = "ptlc_ä" }, "unprintable"},
		{"plain http", func(c *Config) { c.BaseURL = "http://panel.example.com" }, "https is required"},
		{"no host", func(c *Config) { c.BaseURL = "panel" }, "host is missing"},
		{"a password", func(c *Config) { c.BaseURL = "https://a:b@panel.example.com" }, "no user"},
		{"ftp", func(c *Config) { c.BaseURL = "ftp://panel.example.com" }, "not https"},
		{"an odd prefix", func(c *Config) { c.RelationPrefix = "a b" }, "relation prefix"},
		{"a negative settle time", func(c *Config) { c.Settle = -1 }, "settle"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			cfg := good
			s.edit(&cfg)
			c, err := New(cfg, nil)
			if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
				t.Fatalf("New = %v, want %q", err, s.want)
			}
			if err == nil && strings.Contains(c.base.Path, "api") {
				t.Errorf("base = %s, want it without the path of an API", c.base)
			}
		})
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	cfg := Config{BaseURL: "https://panel.example.com", ApplicationKey: testApplicationKey, ClientKey: testClientKey}
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	slog.New(slog.NewTextHandler(&lines, nil)).Info("made", "client", c, "config", cfg)
	_, badKey := New(Config{BaseURL: cfg.BaseURL, ApplicationKey: "secret-but-wrong"}, nil)
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c), fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), lines.String(), badKey.Error()} {
		if strings.Contains(s, testApplicationKey) || strings.Contains(s, testClientKey) || strings.Contains(s, "secret-but-wrong") {
			t.Errorf("%q holds a key", s)
		}
	}
}

// answering is a client of a panel that gives one answer to everything.
func answering(t *testing.T, status int, body string, header ...string) *Client {
	t.Helper()
	url, client := paneltest.Answering(t, status, body, append([]string{"Content-Type", "application/json"}, header...)...)
	c, err := New(Config{BaseURL: url, ApplicationKey: testApplicationKey, ClientKey: testClientKey, Now: paneltest.NewClock().Now}, client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func failure(status int, code, detail string) string {
	return fmt.Sprintf(`{"errors":[{"code":%q,"status":"%d","detail":%q}]}`, code, status, detail)
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	temporary, permanent, unknown := provisioning.ErrTemporary, provisioning.ErrPermanent, provisioning.ErrOutcomeUnknown
	credentials, capacity, notFound := provisioning.ErrCredentials, provisioning.ErrCapacity, provisioning.ErrNotFound
	const html = "text/html; charset=utf-8"
	scenarios := []struct {
		name        string
		status      int
		body        string
		read, write error
		message     string
		mime        string
	}{
		{"key wrong", 401, failure(401, "AuthenticationException", "Unauthenticated."), credentials, credentials, "the application key (Unauthenticated.)", ""},
		{"right missing", 403, failure(403, "AccessDeniedHttpException", "This action is unauthorized."), credentials, credentials, "This action", ""},
		{"a second factor is demanded", 400, failure(400, "TwoFactorAuthRequiredException", "Two-factor authentication is required."), credentials, credentials, "Two-factor", ""},
		{"gone", 404, failure(404, "NotFoundHttpException", "The requested resource could not be found on the server."), notFound, notFound, "requested resource", ""},
		{"bare 404", 404, "", permanent, permanent, "not found", ""},
		{"404 of a web server", 404, "<html><h1>Not Found</h1></html>", permanent, permanent, "not found", html},
		{"unknown route", 404, failure(404, "NotFoundHttpException", "The route could not be found."), permanent, permanent, "The route", ""},
		{"404 of a node", 404, failure(404, "DaemonConnectionException", "The requested resource could not be found."), temporary, unknown, "requested", ""},
		{"403 of a node", 403, failure(403, "DaemonConnectionException", "You are not authorized."), temporary, unknown, "authorized", ""},
		{"wrong verb", 405, "", permanent, permanent, "method not allowed", ""},
		{"conflict", 409, failure(409, "ServerStateConflictException", "This server is currently suspended."), temporary, temporary, "suspended", ""},
		{"invalid", 422, `{"errors":[{"code":"ValidationException","status":"422","detail":"The limits.io must be at least 10.","meta":{"source_field":"limits.io","rule":"min"}},{"detail":"And more."}]}`, permanent, permanent, "limits.io: The limits.io must be at least 10.; And more.", ""},
		{"no node", 400, failure(400, "NoViableNodeException", "No nodes satisfying the requirements."), capacity, capacity, "No nodes", ""},
		{"no allocation", 400, failure(400, "NoViableAllocationException", "No allocations satisfying the requirements."), capacity, capacity, "No allocations", ""},
		{"another refusal", 400, failure(400, "DisplayException", "Cannot delete a user with active servers."), permanent, permanent, "active servers", ""},
		{"too many calls", 429, `{"message":"Too Many Attempts."}`, temporary, temporary, "too many", ""},
		{"server error", 500, failure(500, "HttpException", "An unexpected error was encountered."), temporary, unknown, "unexpected", ""},
		{"proxy error", 502, "<html>", temporary, unknown, "bad gateway", html},
		{"maintenance", 503, `{"message":"Service Unavailable"}`, temporary, unknown, "service unavailable", ""},
		{"node does not answer", 504, failure(504, "DaemonConnectionException", "Could not reach the daemon."), temporary, unknown, "daemon", ""},
		{"redirect to the login", 302, "<html>", permanent, permanent, "is its address right?", html},
		{"a page in place of JSON", 200, "<html>", temporary, unknown, "no JSON", html},
		{"JSON that says it is a page", 200, `{"object":"server","attributes":{"id":7}}`, temporary, unknown, "no JSON", html},
		{"half of the JSON", 200, `{"attributes":{"id":7`, temporary, unknown, "JSON", ""},
		{"a refusal that was cut off", 404, `{"errors":[{"code":"NotFoundHttpEx`, temporary, unknown, "cut off", ""},
		{"no body", 201, "", temporary, unknown, "JSON", ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			for e, want := range map[panel.Effect]error{panel.Reads: s.read, panel.Writes: s.write} {
				mime := s.mime
				if mime == "" {
					mime = "application/json"
				}
				c := answering(t, s.status, s.body, "Location", "https://evil.example/", "Content-Type", mime)
				var out item[server]
				err := c.do(t.Context(), panel.Call{Op: "try", Effect: e, Method: http.MethodPost, Path: "/servers"}, &out)
				if !errors.Is(err, want) || provisioning.Classify(err) != provisioning.Classify(want) {
					t.Errorf("effect %d: %v, want %v", e, err, want)
				}
				if err == nil || !strings.Contains(err.Error(), s.message) || !strings.HasPrefix(err.Error(), "pterodactyl: try: ") {
					t.Errorf("effect %d: %v, want it to say %q", e, err, s.message)
				}
			}
		})
	}
	c := answering(t, 200, "<html>Please wait</html>", "Content-Type", html)
	if err := c.do(t.Context(), panel.Call{Op: "try", Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/1/suspend"}, nil); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Errorf("a page for a call without an answer = %v, want ErrOutcomeUnknown", err)
	}
}

// A 429 is obeyed: nothing is sent until its time is over, on that API alone.
func TestTooManyCallsAreNotMadeWorse(t *testing.T) {
	for header, want := range map[string]time.Duration{"30": 30 * time.Second, "": restWithoutWord, "soon": restWithoutWord, "999999": 5 * time.Minute} {
		var count atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			count.Add(1)
			w.Header().Set("Content-Type", "application/json")
			if strings.HasPrefix(r.URL.Path, "/api/application") {
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
			}
			_, _ = w.Write([]byte(`{"attributes":{"admin":true}}`))
		}))
		clock := paneltest.NewClock()
		c, err := New(Config{BaseURL: srv.URL, ApplicationKey: testApplicationKey, ClientKey: testClientKey, Now: clock.Now}, srv.Client())
		if err != nil {
			t.Fatal(err)
		}
		call := func() error {
			return c.do(t.Context(), panel.Call{Op: "try", Effect: panel.Writes, Method: http.MethodPost, Path: "/servers"}, nil)
		}
		for range 3 {
			if err := call(); !errors.Is(err, provisioning.ErrTemporary) {
				t.Errorf("%q: %v, want ErrTemporary", header, err)
			}
		}
		clock.Add(want - time.Second)
		_ = call()
		if n := count.Load(); n != 1 {
			t.Errorf("%q: %d calls reached the panel, want 1", header, n)
		}
		if err := c.do(t.Context(), panel.Call{Op: "account", API: onClient, Method: http.MethodGet, Path: "/account"}, nil); err != nil {
			t.Errorf("%q: the other API: %v, want it unharmed", header, err)
		}
		clock.Add(time.Second)
		_ = call()
		if n := count.Load(); n != 3 {
			t.Errorf("%q: %d calls after the wait, want 3", header, n)
		}
		srv.Close()
	}
}

func TestUnreachablePanelGotNothing(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	tlsSrv := httptest.NewTLSServer(http.NotFoundHandler())
	tlsSrv.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is expected
	defer tlsSrv.Close()
	for name, url := range map[string]string{"nobody listens": srv.URL, "no such host": "https://panel.invalid", "an unknown certificate": tlsSrv.URL} {
		c, err := New(Config{BaseURL: url, ClientKey: testClientKey}, &http.Client{})
		if err != nil {
			t.Fatal(err)
		}
		err = c.do(t.Context(), panel.Call{Op: "try", Effect: panel.Writes, Method: http.MethodPost, Path: "/servers", Body: struct{}{}}, nil)
		if provisioning.Classify(err) != provisioning.ClassTemporary || strings.Contains(err.Error(), "/servers") {
			t.Errorf("%s: %v, want ErrTemporary without the address", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answering(t, 200, "{}").do(ctx, panel.Call{Op: "try", Effect: panel.Writes, Method: http.MethodPost, Path: "/servers"}, nil); provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Errorf("canceled before: %v, want ErrTemporary", err)
	}
}

// The test of the connection says which key is wrong, and what it lacks.
func TestTestNamesTheKeyThatIsWrong(t *testing.T) {
	scenarios := []struct {
		name   string
		app    string
		client string
		before func(g *rig)
		want   string
	}{
		{"both work", testApplicationKey, testClientKey, nil, ""},
		{"an administrator's key for both", "", testClientKey, nil, ""},
		{"application key wrong", "ptla_x", testClientKey, nil, "The panel refuses the application key"},
		{"client key wrong", testApplicationKey, "ptlc_x", nil, "The panel refuses the client key"},
		{"right missing", testApplicationKey, testClientKey, func(g *rig) {
			g.box.Answer("GET /api/application/nests", 403, failure(403, "AccessDeniedHttpException", "This action is unauthorized."), 1)
		}, "lacks the right to read Nests"},
		{"no administrator", testApplicationKey, testClientKey, func(g *rig) { g.box.SetAdmin(false) }, `the client key belongs to "admin", who is no administrator`},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			if s.before != nil {
				s.before(g)
			}
			err := g.clientWith(s.app, s.client).Test(t.Context()).Err()
			if s.want == "" && err != nil {
				t.Errorf("Test = %v, want none", err)
			}
			if s.want != "" && (!errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), s.want) || strings.Contains(err.Error(), "ptlc_x")) {
				t.Errorf("Test = %v, want ErrCredentials saying %q", err, s.want)
			}
		})
	}
	if err := answering(t, 502, "").Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("a panel that is down = %v, want ErrTemporary", err)
	}
}

func TestCatalogReads(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	g.built(c, testOrder("svc1"))
	nests, err := c.Nests(t.Context())
	if err != nil || len(nests) != 2 || nests[0] != (Choice{"1", "Minecraft"}) {
		t.Errorf("Nests = %v, %v", nests, err)
	}
	eggs, err := c.Eggs(t.Context(), "1")
	if err != nil || len(eggs) != 2 || eggs[1] != (Choice{"3", "Paper"}) {
		t.Errorf("Eggs = %v, %v", eggs, err)
	}
	if _, err := c.Eggs(t.Context(), "1/../2"); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("Eggs of no id = %v, want ErrPermanent", err)
	}
	locations, err := c.Locations(t.Context())
	if err != nil || len(locations) != 2 || locations[1] != (Choice{"2", "ash Ashburn"}) {
		t.Errorf("Locations = %v, %v", locations, err)
	}
	nodes, err := c.Nodes(t.Context())
	if want := (Node{"1", "fra-1", "1", true, 65_536 - 2048, 1_000_000 - 10_240}); err != nil || len(nodes) != 3 || nodes[0] != want {
		t.Errorf("Nodes = %+v, %v; want the first to be %+v", nodes, err, want)
	}
}

func listAll(t *testing.T, c *Client) ([]provisioning.Seen, error) {
	t.Helper()
	var list []provisioning.Seen
	err := c.List(t.Context(), func(s provisioning.Seen) error {
		list = append(list, s)
		return nil
	})
	return list, err
}

// The list for a comparison with our records has every page, and all servers; a part
// of one is none.
func TestAllServersAreListed(t *testing.T) {
	g := newRig(t, pterobox.Options{Ports: 300})
	c := g.client()
	first, _ := g.built(c, testOrder("svc0"))
	for range 230 {
		g.box.Make(1, "", 128)
	}
	g.box.Suspend(1, true)
	list, err := listAll(t, c)
	if err != nil || len(list) != 231 {
		t.Fatalf("%d servers, %v; want 231", len(list), err)
	}
	key, plan := c.Terms(first.RemoteID, testOrder("").Settings)
	got := list[0]
	if got.Key != key || got.ServiceID != "svc0" || !got.Ours || got.Name != "My server svc0" || got.Owner != first.RemoteUser || !got.Suspended || got.Plan != plan || plan == "" || len(got.Addresses) != 1 {
		t.Errorf("the first = %+v, want key %s with %q", got, key, plan)
	}
	if other := list[1]; other.Ours || other.ServiceID != "" || other.Plan == plan {
		t.Errorf("one of others = %+v", other)
	}
	if _, plan := c.Terms("7", map[string]string{SettingMemory: "x"}); plan != "" {
		t.Errorf("a plan that cannot be read is %q, want nothing", plan)
	}
	for _, body := range []string{`{}`, `{"data":null}`, `{"data":[null]}`, `{"data":["x"]}`, `[]`, ``, `{"data":[{"attributes":{"id":1}}]}`, `{"data":[],"meta":{"pagination":{"total":1,"current_page":1,"total_pages":1}}}`} {
		if list, err := listAll(t, answering(t, 200, body)); !errors.Is(err, provisioning.ErrTemporary) {
			t.Errorf("%q = %v, %v; want no list", body, list, err)
		}
	}
	endless := `{"data":[],"meta":{"pagination":{"current_page":1,"total_pages":3,"total":300}}}`
	if _, err := listAll(t, answering(t, 200, endless)); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("a list that repeats itself = %v, want ErrTemporary", err)
	}
}
