package vies

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/viesbox"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const path = "/taxation_customs/vies/rest-api"

// serve runs a handler and returns a client that asks it.
func serve(t *testing.T, h http.Handler, requester string) *Client {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are expected
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL + path, Requester: requester}, srv.Client())
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return c
}

func newBox(t *testing.T, requester string) (*viesbox.Box, *Client) {
	t.Helper()
	box := viesbox.New(viesbox.Options{Now: func() time.Time { return now }})
	return box, serve(t, box.Handler(), requester)
}

// sample reads a file of testdata.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestCheckID(t *testing.T) {
	_, c := newBox(t, "DE136695976")
	scenarios := []struct {
		name, id string
		want     tax.IDCheck
	}{
		{"in use", "FR40303265045", tax.IDCheck{Status: tax.IDValid, Name: "SA HEBERGEMENT", Address: "1 RUE DE LA PAIX\n75002 PARIS", Consultation: "WAPIAAAA00000001"}},
		{"in use, the state tells no name", "ESB58378431", tax.IDCheck{Status: tax.IDValid, Consultation: "WAPIAAAA00000002"}},
		{"Greece", "EL094259216", tax.IDCheck{Status: tax.IDValid, Name: "ΦΙΛΟΞΕΝΙΑ ΑΕ", Address: "ΕΡΜΟΥ 1\n10563 ΑΘΗΝΑ", Consultation: "WAPIAAAA00000003"}},
		{"not in use", "BE0403019261", tax.IDCheck{Status: tax.IDInvalid, Consultation: "WAPIAAAA00000004"}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			s.want.ID, s.want.At, s.want.By = s.id, now, "vies"
			if got := c.CheckID(t.Context(), s.id, now); got != s.want {
				t.Errorf("got %+v, want %+v", got, s.want)
			}
		})
	}
}

func TestCheckIDWithoutRequester(t *testing.T) {
	_, c := newBox(t, "")
	if got := c.CheckID(t.Context(), "FR40303265045", now); got.Status != tax.IDValid || got.Consultation != "" {
		t.Errorf("got %+v, want valid without a consultation number", got)
	}
}

// TestCheckIDNeverTakesAFailureForAVerdict: each way to fail is "could not
// check", of an id that is in use.
func TestCheckIDNeverTakesAFailureForAVerdict(t *testing.T) {
	type failure struct {
		name  string
		cause func(*viesbox.Box)
		why   string
		retry bool
	}
	var all []failure
	for _, code := range viesbox.Codes {
		transient := strings.Contains(code, "UNAVAILABLE") || strings.Contains(code, "CONCURRENT") || code == "TIMEOUT"
		all = append(all, failure{code, func(b *viesbox.Box) { b.Fail("FR", code) }, code, transient})
	}
	for _, f := range []struct {
		kind  fault.Kind
		why   string
		retry bool
	}{
		{fault.HTML502, "status 502", true},
		{fault.RateLimited, "status 429", true},
		{fault.Unavailable, "status 503", true},
		{fault.Error500, "status 500", true},
		{fault.Truncated, "the answer is not the documented JSON", true},
		{fault.LostAnswer, "no answer: EOF", true},
		{fault.RefuseConn, "no answer: EOF", true},
	} {
		all = append(all, failure{string(f.kind), func(b *viesbox.Box) { b.Faults().Add(fault.Fault{Kind: f.kind}) }, f.why, f.retry})
	}
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			box, c := newBox(t, "")
			f.cause(box)
			got := c.CheckID(t.Context(), "FR40303265045", now)
			want := tax.IDCheck{ID: "FR40303265045", Status: tax.IDUnchecked, By: "vies", Why: f.why, TriedAt: now, Retry: f.retry}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			box.Fail("FR", "")
			box.Faults().Clear()
			if again := c.CheckID(t.Context(), "FR40303265045", now); again.Status != tax.IDValid {
				t.Errorf("asked again: got %+v, want valid", again)
			}
		})
	}
}

func TestCheckIDWaitsNoLongerThanItsContext(t *testing.T) {
	box, c := newBox(t, "")
	box.Faults().Add(fault.Fault{Kind: fault.Slow, Delay: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got := c.CheckID(ctx, "FR40303265045", now); got.Status != tax.IDUnchecked || got.Why != "no answer in time" || !got.Retry {
		t.Errorf("got %+v, want unchecked for want of time", got)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if got := c.CheckID(ctx, "FR40303265045", now); got.Status != tax.IDUnchecked || !got.Retry {
		t.Errorf("after it was canceled: got %+v, want unchecked", got)
	}
}

func TestCheckIDAsksOnlyWhatVIESKnows(t *testing.T) {
	box, c := newBox(t, "")
	for _, id := range []string{"GB980780684", "CHE107787577", "NO995525828", "DE136695978", "nonsense", ""} {
		got := c.CheckID(t.Context(), id, now)
		if got.Status != tax.IDUnchecked || got.Retry || !strings.HasPrefix(got.Why, "not asked: ") || got.ID != id {
			t.Errorf("%q: got %+v, want unchecked without a question", id, got)
		}
	}
	if asked := box.Snapshot().Asked; asked != 0 {
		t.Errorf("got %d questions, want none", asked)
	}
}

// TestSamples reads real answers and compares the request with the contract's.
func TestSamples(t *testing.T) {
	scenarios := []struct {
		file, id string
		want     tax.IDCheck
	}{
		{"check_vat_number.json", "BE0244142664", tax.IDCheck{
			Status: tax.IDValid, At: now, Name: "NV OR De Vlaamse Radio- en Televisieomroeporganisatie",
			Address: "Auguste Reyerslaan 52\n1030 Schaarbeek", Consultation: "WAPIAAAAZNgfuVoL",
		}},
		{"check_vat_number_hidden.json", "ESB58378431", tax.IDCheck{Status: tax.IDValid, At: now}},
		{"check_vat_number_invalid.json", "BE0244142664", tax.IDCheck{Status: tax.IDInvalid, At: now}},
		{"check_vat_number.json", "BE0403019261", tax.IDCheck{Status: tax.IDUnchecked, TriedAt: now, Why: "the answer is about another VAT id", Retry: true}},
		{"failure.json", "BE0244142664", tax.IDCheck{Status: tax.IDUnchecked, TriedAt: now, Why: "MS_MAX_CONCURRENT_REQ", Retry: true}},
		{"failure_older_path.json", "BE0244142664", tax.IDCheck{Status: tax.IDUnchecked, TriedAt: now, Why: "IP_BLOCKED"}},
	}
	for _, s := range scenarios {
		t.Run(s.file+" of "+s.id, func(t *testing.T) {
			c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(sample(t, s.file)) }), "")
			s.want.ID, s.want.By = s.id, "vies"
			if got := c.CheckID(t.Context(), s.id, now); got != s.want {
				t.Errorf("got %+v, want %+v", got, s.want)
			}
		})
	}
	var sent []byte
	c := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent, _ = io.ReadAll(r.Body) }), "DE 136 695 976")
	c.CheckID(t.Context(), "EL094259216", now)
	if got, want := string(sent), strings.NewReplacer(" ", "", "\n", "").Replace(string(sample(t, "check_vat_number-request.json"))); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func TestOddAnswers(t *testing.T) {
	scenarios := []struct {
		name   string
		status int
		body   string
		why    string
		retry  bool
	}{
		{"nothing", 200, "", "the answer is not the documented JSON", true},
		{"no verdict", 200, `{"countryCode":"FR","vatNumber":"40303265045"}`, "the answer says neither valid nor invalid", true},
		{"null", 200, `null`, "the answer says neither valid nor invalid", true},
		{"valid as text", 200, `{"countryCode":"FR","vatNumber":"40303265045","valid":"true"}`, "the answer is not the documented JSON", true},
		{"about nobody", 200, `{"valid":false}`, "the answer is about another VAT id", true},
		{"failed without a code", 200, `{"actionSucceed":false,"valid":false}`, "the answer says neither valid nor invalid", true},
		{"a code that is new", 200, `{"actionSucceed":false,"errorWrappers":[{"error":"MS_ON_HOLIDAY"}]}`, "MS_ON_HOLIDAY", true},
		{"a code with status 400", 400, `{"actionSucceed":false,"errorWrappers":[{"error":"TIMEOUT"}]}`, "TIMEOUT", true},
		{"bad request", 400, `<html>`, "status 400", false},
		{"moved", 302, ``, "status 302", true},
		{"a verdict with status 500", 500, `{"countryCode":"FR","vatNumber":"40303265045","valid":false}`, "status 500", true},
		{"far too long", 200, `"` + strings.Repeat("x", maxAnswer) + `"`, "no answer: the answer is too long", true},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(s.status)
				_, _ = io.WriteString(w, s.body)
			}), "")
			got := c.CheckID(t.Context(), "FR40303265045", now)
			if got.Status != tax.IDUnchecked || got.Why != s.why || got.Retry != s.retry {
				t.Errorf("got %+v, want unchecked: %s, retry %v", got, s.why, s.retry)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	scenarios := []struct {
		name string
		cfg  Config
		ok   bool
	}{
		{"the Commission's", Config{}, true},
		{"with requester", Config{Requester: "de 136695976"}, true},
		{"Northern Ireland asks", Config{Requester: "XI980780684"}, true},
		{"a local test", Config{BaseURL: "http://127.0.0.1:8080/rest-api/"}, true},
		{"plain http", Config{BaseURL: "http://ec.europa.eu/rest-api"}, false},
		{"no host", Config{BaseURL: "/rest-api"}, false},
		{"not a URL", Config{BaseURL: "https://%"}, false},
		{"with a password", Config{BaseURL: "https://a:b@ec.europa.eu"}, false},
		{"own id is wrong", Config{Requester: "DE136695978"}, false},
		{"own id is not of the Union", Config{Requester: "CHE107787577"}, false},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if _, err := New(s.cfg, nil); (err == nil) != s.ok || err != nil && !strings.HasPrefix(err.Error(), "vies: ") {
				t.Errorf("got error %v, want ok %v", err, s.ok)
			}
		})
	}
}

// FuzzRead: whatever the service sends, a verdict is only what says so about the
// very id that was asked for.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"check_vat_number.json", "check_vat_number_hidden.json", "check_vat_number_invalid.json", "failure.json", "failure_older_path.json"} {
		f.Add(200, sample(f, name))
	}
	f.Add(502, []byte("<html>"))
	id, err := vatid.Parse("BE0244142664", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a, why := read(status, body, id)
		if why != "" {
			return
		}
		if status != 200 || a.Valid == nil || a.CountryCode != "BE" && a.CountryCode != "be" || len(a.ErrorWrappers) > 0 && a.ErrorWrappers[0].Error != "" {
			t.Fatalf("status %d, %q became the verdict %+v", status, body, a)
		}
		if text := told(a.Name); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }) {
			t.Fatalf("the name %q is stored as %q", a.Name, text)
		}
	})
}
