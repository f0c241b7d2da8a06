package virtfusion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestNewChecksTheConfiguration(t *testing.T) {
	scenarios := []struct {
		name, url, token, prefix string
		settle                   time.Duration
		want                     string // part of the error; "" is none
	}{
		{name: "a panel", url: "https://panel.example.com", token: "t"},
		{name: "with the API's path", url: "https://panel.example.com/api/v1/", token: "t"},
		{name: "below a path", url: "https://example.com/panel/", token: "t"},
		{name: "a sandbox", url: "http://127.0.0.1:8080", token: "t"},
		{name: "a sandbox by name", url: "http://localhost:8080", token: "t"},
		{name: "a sandbox on IPv6", url: "http://[::1]:8080", token: "t"},
		{name: "plain http", url: "http://panel.example.com", token: "t", want: "https is required"},
		{name: "plain http on a private address", url: "http://192.168.3.11", token: "t", want: "https is required"},
		{name: "no scheme", url: "panel.example.com", token: "t", want: "host is missing"},
		{name: "another scheme", url: "ftp://panel.example.com", token: "t", want: "not https"},
		{name: "nothing", token: "t", want: "host is missing"},
		{name: "a port alone", url: "https://:8080", token: "t", want: "host is missing"},
		{name: "a password in it", url: "https://a:b@panel.example.com", token: "t", want: "no user"},
		{name: "a query", url: "https://panel.example.com?x=1", token: "t", want: "no user, query"},
		{name: "not a URL", url: "https://pa nel/\x7f", token: "t", want: "not a URL"},
		{name: "no token", url: "https://panel.example.com", want: "token"},
		{name: "a line break in the token", url: "https://panel.example.com", token: "t\n", want: "token"},
		{name: "an odd prefix", url: "https://panel.example.com", token: "t", prefix: "a/b", want: "prefix"},
		{name: "a negative settle time", url: "https://panel.example.com", token: "t", settle: -1, want: "settle"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			_, err := New(Config{BaseURL: s.url, Token: s.token, RelationPrefix: s.prefix, Settle: s.settle}, nil)
			if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
				t.Errorf("New = %v, want %q", err, s.want)
			}
		})
	}
}

func TestTokenIsNeverPrinted(t *testing.T) {
	cfg := Config{BaseURL: "https://panel.example.com", Token: testToken}
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	slog.New(slog.NewTextHandler(&lines, nil)).Info("made", "client", c, "config", cfg)
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c), fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), lines.String()} {
		if strings.Contains(s, testToken) {
			t.Errorf("%q holds the token", s)
		}
	}
	g := newRig(t, virtbox.Options{})
	if err := g.clientWith("another-secret").Test(t.Context()).Err(); err == nil || strings.Contains(err.Error(), "another-secret") || !errors.Is(err, provisioning.ErrCredentials) {
		t.Errorf("Test = %v, want ErrCredentials without the token", err)
	}
}

// answering is a client of a panel that gives one answer to everything.
func answering(t *testing.T, status int, body string, header ...string) *Client {
	t.Helper()
	mime := "application/json"
	if strings.HasPrefix(body, "<") {
		mime = "text/html"
	}
	url, client := paneltest.Answering(t, status, body, append([]string{"Content-Type", mime}, header...)...)
	c, err := New(Config{BaseURL: url, Token: testToken, Now: paneltest.NewClock().Now}, client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	temporary, permanent, unknown := provisioning.ErrTemporary, provisioning.ErrPermanent, provisioning.ErrOutcomeUnknown
	credentials, capacity, notFound := provisioning.ErrCredentials, provisioning.ErrCapacity, provisioning.ErrNotFound
	scenarios := []struct {
		name                 string
		status               int
		body                 string
		read, write, creates error
		message              string
	}{
		{"token missing, plain text", 401, "401 Unauthorized", credentials, credentials, credentials, "unauthorized"},
		{"permission missing", 403, `{"message":"This action is unauthorized."}`, credentials, credentials, credentials, "This action is unauthorized."},
		{"server gone", 404, `{"msg":"server not found"}`, notFound, notFound, notFound, "server not found"},
		{"server gone, newer shape", 404, `{"errors":["Server not found."]}`, notFound, notFound, notFound, "Server not found."},
		{"bare 404", 404, "", permanent, permanent, permanent, "not found"},
		{"404 of a web server", 404, "<html><h1>Not Found</h1></html>", permanent, permanent, permanent, "not found"},
		{"unknown route", 404, `{"message":"The route could not be found."}`, permanent, permanent, permanent, "The route"},
		{"conflict", 409, `{"errors":["A user with this email address already exists"]}`, permanent, permanent, permanent, "already exists"},
		{"refused", 422, `{"errors":["Invalid or disabled firewall ruleset"]}`, permanent, permanent, permanent, "Invalid or disabled firewall ruleset"},
		{"refused, by field", 422, `{"message":"The given data was invalid.","errors":{"userId":["The selected user is invalid."]}}`, permanent, permanent, permanent, "The selected user is invalid."},
		{"no room", 422, `{"errors":["No hypervisor with enough resources is available in this group"]}`, permanent, permanent, capacity, "No hypervisor"},
		{"no addresses", 422, `{"errors":["Not enough IPv4 addresses are available"]}`, permanent, permanent, capacity, "IPv4"},
		{"a wrong group is no want of room", 422, `{"errors":["Invalid hypervisor group"]}`, permanent, permanent, permanent, "Invalid"},
		{"busy", 423, `{"msg":"the server is locked"}`, temporary, temporary, temporary, "locked"},
		{"too many calls", 429, `{"message":"Too Many Attempts."}`, temporary, temporary, temporary, "Too Many"},
		{"server error", 500, `{"message":"Server Error"}`, temporary, unknown, unknown, "Server Error"},
		{"proxy error", 502, "<html>", temporary, unknown, unknown, "bad gateway"},
		{"maintenance", 503, `{"message":"Service Unavailable"}`, temporary, unknown, unknown, "Service Unavailable"},
		{"proxy timeout", 504, "", temporary, unknown, unknown, "gateway timeout"},
		{"redirect", 302, "", permanent, permanent, permanent, "found"},
		{"a page in place of JSON", 200, "<html>", temporary, unknown, unknown, "JSON"},
		{"half of the JSON", 200, `{"data":{"id":7`, temporary, unknown, unknown, "JSON"},
		{"no body", 201, "", temporary, unknown, unknown, "JSON"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			c := answering(t, s.status, s.body, "Location", "https://evil.example/")
			for e, want := range map[panel.Effect]error{panel.Reads: s.read, panel.Writes: s.write, panel.Grows: s.creates} {
				var out answer[server]
				err := c.do(t.Context(), panel.Call{Op: "try", Effect: e, Method: http.MethodPost, Path: "/servers"}, &out)
				if !errors.Is(err, want) || provisioning.Classify(err) != provisioning.Classify(want) {
					t.Errorf("effect %d: %v, want %v", e, err, want)
				}
				if err == nil || !strings.Contains(err.Error(), s.message) || !strings.HasPrefix(err.Error(), "virtfusion: try: ") {
					t.Errorf("effect %d: %v, want it to say %q", e, err, s.message)
				}
			}
		})
	}
}

// Half of "server not found" is no proof that a server is gone, nor a refusal.
func TestARefusalThatWasCutOffIsNone(t *testing.T) {
	c := answering(t, 404, `{"msg":"server not fou`, "Content-Type", "application/json")
	if gone, err := c.Terminate(t.Context(), "7"); gone || !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("Terminate = %t, %v; want it to be asked again", gone, err)
	}
	for effect, want := range map[panel.Effect]error{panel.Reads: provisioning.ErrTemporary, panel.Writes: provisioning.ErrOutcomeUnknown} {
		err := c.do(t.Context(), panel.Call{Op: "try", Effect: effect, Method: http.MethodPost, Path: "/servers"}, nil)
		if !errors.Is(err, want) || errors.Is(err, provisioning.ErrPermanent) {
			t.Errorf("effect %d: %v, want %v", effect, err, want)
		}
	}
}

// A proxy's page with status 200 is no success, also where nothing is to be read:
// the suspension it stands for may have happened or not.
func TestAPageIsNoSuccess(t *testing.T) {
	c := answering(t, 200, "<html>Please wait</html>", "Content-Type", "text/html")
	err := c.do(t.Context(), panel.Call{Op: "try", Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/1/suspend"}, nil)
	if !errors.Is(err, provisioning.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "proxy") {
		t.Errorf("a page = %v, want ErrOutcomeUnknown", err)
	}
}

func TestRetryAfterIsPassedOn(t *testing.T) {
	now := paneltest.NewClock().Now()
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "": 0, "-3": 0, "soon": 0, "999999999": time.Hour, now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
	} {
		err := answering(t, 429, "", "Retry-After", header).Test(t.Context()).Err()
		var api *panel.Error
		if !errors.As(err, &api) || api.RetryAfter != want {
			t.Errorf("Retry-After %q: %v, want %s", header, err, want)
		}
	}
}

func TestUnreachablePanelGotNothing(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	tlsSrv := httptest.NewTLSServer(http.NotFoundHandler())
	tlsSrv.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is expected
	defer tlsSrv.Close()
	for name, url := range map[string]string{
		"nobody listens": srv.URL, "no such host": "https://panel.invalid", "an unknown certificate": tlsSrv.URL, "no TLS": strings.Replace(newRig(t, virtbox.Options{}).URL, "http:", "https:", 1),
	} {
		c, err := New(Config{BaseURL: url, Token: testToken}, &http.Client{})
		if err != nil {
			t.Fatal(err)
		}
		err = c.do(t.Context(), panel.Call{Op: "try", Effect: panel.Grows, Method: http.MethodPost, Path: "/servers", Body: struct{}{}}, nil)
		if provisioning.Classify(err) != provisioning.ClassTemporary || strings.Contains(err.Error(), "/servers") {
			t.Errorf("%s: %v, want ErrTemporary without the address", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := answering(t, 200, "{}")
	if err := c.do(ctx, panel.Call{Op: "try", Effect: panel.Grows, Method: http.MethodPost, Path: "/servers"}, nil); provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Errorf("canceled before: %v, want ErrTemporary", err)
	}
}

func TestMessagesAreFitForALog(t *testing.T) {
	long := strings.Repeat("é", 1000)
	raw, err := json.Marshal(map[string]any{"errors": []string{"first\nline\x1b[31m" + long}})
	if err != nil {
		t.Fatal(err)
	}
	got := parseMessage(raw)
	if strings.ContainsAny(got, "\n\x1b") || len([]rune(got)) > panel.MaxMessage+1 {
		t.Errorf("parseMessage = %q, want one line of at most %d runes", got, panel.MaxMessage)
	}
}

// fixture is a client of a panel that answers everything with a file.
func fixture(t *testing.T, name string) *Client {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return answering(t, http.StatusOK, string(body))
}
