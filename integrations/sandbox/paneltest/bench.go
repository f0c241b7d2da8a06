package paneltest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Bench calls a sandbox without a network.
type Bench struct {
	T     *testing.T
	Clock *Clock
	// Handler is the sandbox, Path in front of every API path.
	Handler http.Handler
	Path    string
	// Header are the headers of a careful client, in pairs, for a path below Path.
	Header func(path string) []string
}

// Sleep moves the clock.
func (b *Bench) Sleep(d time.Duration) { b.Clock.Add(d) }

// Reply is a status and the decoded body, whatever it is.
type Reply struct {
	Status int
	Body   string
	Header http.Header
	v      any
}

// At walks a decoded body: keys of objects, indices of lists.
func (r Reply) At(path ...any) any {
	v := r.v
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// Raw is one request with headers in pairs.
func (b *Bench) Raw(method, path, body string, header ...string) Reply {
	b.T.Helper()
	req := httptest.NewRequestWithContext(b.T.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	b.Handler.ServeHTTP(rec, req)
	r := Reply{Status: rec.Code, Body: rec.Body.String(), Header: rec.Header()}
	_ = json.Unmarshal(rec.Body.Bytes(), &r.v) // pages are looked at as text
	return r
}

// Call is one API request as a careful client makes it.
func (b *Bench) Call(method, path, body string) Reply {
	b.T.Helper()
	header := append([]string{"Accept", "application/json"}, b.Header(path)...)
	if body != "" {
		header = append(header, "Content-Type", "application/json")
	}
	return b.Raw(method, b.Path+path, body, header...)
}

// Must is a Call that ends with a status.
func (b *Bench) Must(status int, method, path, body string) Reply {
	b.T.Helper()
	r := b.Call(method, path, body)
	if r.Status != status {
		b.T.Fatalf("%s %s %s = %d %s, want %d", method, path, body, r.Status, r.Body, status)
	}
	return r
}

// Switch sets a switch of the control page.
func (b *Bench) Switch(path, body string) Reply {
	b.T.Helper()
	return b.Raw(http.MethodPost, "/_sandbox"+path, body, "Content-Type", "application/json")
}

var inline = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:`)

// Pages checks pages by their address and status: nothing inline, one title. The
// style and the way from the front page to the control page are there.
func (b *Bench) Pages(pages map[string]int) {
	b.T.Helper()
	for at, want := range pages {
		got := b.Raw(http.MethodGet, at, "")
		if got.Status != want || inline.MatchString(got.Body) || strings.Count(got.Body, "<title>") != 1 {
			b.T.Errorf("%s = %d %s", at, got.Status, got.Body)
		}
	}
	if got := b.Raw(http.MethodGet, "/_sandbox/style.css", ""); got.Status != http.StatusOK || got.Body == "" {
		b.T.Errorf("style = %d", got.Status)
	}
	if got := b.Raw(http.MethodGet, "/", ""); got.Status != http.StatusFound {
		b.T.Errorf("front page = %d, want 302", got.Status)
	}
}

// Fuzz makes a request of any kind: no body and no path makes a sandbox answer
// with a server error. Headers come in pairs.
func Fuzz(t *testing.T, h http.Handler, method, path, body string, header ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://panel"+path, strings.NewReader(body))
	if err != nil || !strings.HasPrefix(path, "/") {
		return
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code >= http.StatusInternalServerError {
		t.Errorf("%s %s %s = %d %s", method, path, body, rec.Code, rec.Body)
	}
}
