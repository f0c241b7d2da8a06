package panel

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

// judge calls everything refused that is not the panel's trouble.
func judge(c Call, e *Error, body []byte) {
	e.Message, e.Class = Clean(string(body)), provisioning.ErrPermanent
	if e.Status >= http.StatusInternalServerError {
		e.Class = c.Effect.Lost()
	}
}

func caller(t *testing.T, clock *paneltest.Clock, h http.HandlerFunc) *Caller {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &Caller{
		Vendor: "acme", HTTP: Client(srv.Client(), time.Second), Now: clock.Now, MaxAnswer: 1 << 10, MaxRetryAfter: time.Minute, Judge: judge,
		Root: func(Call) string { return srv.URL }, Sign: func(r *http.Request, _ Call) { r.Header.Set("Authorization", "secret-key") },
	}
}

// Half of a refusal refuses nothing: it may have been about the proxy, the
// connection, or another thing altogether.
func TestARefusalThatWasCutOffRefusesNothing(t *testing.T) {
	cuts := map[string]http.HandlerFunc{
		"the connection breaks": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"msg":"server not`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"half of the JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"msg":"server not`))
		},
	}
	for name, h := range cuts {
		for effect, want := range map[Effect]error{Reads: provisioning.ErrTemporary, Writes: provisioning.ErrOutcomeUnknown, Grows: provisioning.ErrOutcomeUnknown} {
			err := caller(t, paneltest.NewClock(), h).Do(t.Context(), Call{Op: "try", Effect: effect, Method: http.MethodGet, Path: "/x"}, nil)
			if !errors.Is(err, want) || errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "cut off") {
				t.Errorf("%s, effect %d: %v, want %v", name, effect, err, want)
			}
		}
	}
}

// A panel that asks to wait is left alone until then, on that API alone; without
// Rest its word is only passed on.
func TestAPanelThatAsksToWaitIsLeftAlone(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "": 5 * time.Second, "soon": 5 * time.Second, "999999": time.Minute} {
		clock, count := paneltest.NewClock(), atomic.Int64{}
		c := caller(t, clock, func(w http.ResponseWriter, _ *http.Request) {
			count.Add(1)
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		c.Rest = 5 * time.Second
		call := func(api string) {
			_ = c.Do(t.Context(), Call{Op: "try", API: api, Method: http.MethodGet, Path: "/x"}, nil)
		}
		call("a")
		clock.Add(want - time.Millisecond)
		call("a")
		if n := count.Load(); n != 1 {
			t.Errorf("%q: %d calls within the wait, want 1", header, n)
		}
		call("b")
		clock.Add(time.Millisecond)
		call("a")
		if n := count.Load(); n != 3 {
			t.Errorf("%q: %d calls, want 3: another API and one after the wait", header, n)
		}
		c.Rest = 0
		for range 3 {
			call("c")
		}
		if n := count.Load(); n != 6 {
			t.Errorf("%q: %d calls without rest, want 6", header, n)
		}
	}
}

func TestWhatIsNoJSONIsNoSuccess(t *testing.T) {
	answers := map[string]string{"text/html": "<html>Please wait</html>", "application/json": strings.Repeat(" ", 1<<10) + "{}"}
	for mime, body := range answers {
		c := caller(t, paneltest.NewClock(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mime)
			_, _ = w.Write([]byte(body))
		})
		for _, out := range []any{nil, &map[string]any{}} {
			if err := c.Do(t.Context(), Call{Op: "try", Effect: Writes, Method: http.MethodPost, Path: "/x"}, out); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
				t.Errorf("%s: %v, want an unknown outcome", mime, err)
			}
		}
	}
}

func TestErrorsKeepTheirSecrets(t *testing.T) {
	c := caller(t, paneltest.NewClock(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := c.Do(t.Context(), Call{Op: "try", Effect: Writes, Method: http.MethodPost, Path: "/x?key=hidden", Body: map[string]string{"password": "hidden"}}, nil)
	for _, s := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err)} {
		if strings.Contains(s, "hidden") || strings.Contains(s, "secret-key") || strings.Contains(s, "127.0.0.1") || !strings.HasPrefix(s, "acme: try: no answer") {
			t.Errorf("error = %q", s)
		}
	}
	if err := c.Do(t.Context(), Call{Op: "try", Method: http.MethodPost, Path: "/x", Body: func() {}}, nil); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("a body that cannot be sent = %v, want ErrPermanent", err)
	}
	c.HTTP.Transport = &http.Transport{DialContext: nil}
	c.Root = func(Call) string { return "http://127.0.0.1:1" }
	err = c.Do(t.Context(), Call{Op: "try", Effect: Writes, Method: http.MethodPost, Path: "/x"}, nil)
	var op *net.OpError
	if !errors.Is(err, provisioning.ErrTemporary) || !errors.As(err, &op) {
		t.Errorf("nobody listens = %v, want ErrTemporary with its cause", err)
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	asked := atomic.Int64{}
	c := caller(t, paneltest.NewClock(), func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	if err := c.Do(t.Context(), Call{Op: "try", Method: http.MethodGet, Path: "/x"}, nil); !errors.Is(err, provisioning.ErrPermanent) || asked.Load() != 1 {
		t.Errorf("%v after %d calls, want a refusal after one", err, asked.Load())
	}
}
