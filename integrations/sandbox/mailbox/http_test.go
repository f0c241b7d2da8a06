package mailbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func filled() *Box {
	box := New(Options{Now: func() time.Time { return noon }})
	box.keep("a@example.com", []string{"b@example.com"}, []byte(full))
	box.keep("a@example.com", []string{"c@example.com"}, []byte("Subject: <script>alert(1)</script>\n\n<img src=x onerror=y> https://evil.example/\"><b>"))
	return box
}

func call(t *testing.T, h http.Handler, method, path, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	h := filled().Handler()
	scenarios := []struct {
		name, path string
		status     int
		kind       string
		has, lacks []string
	}{
		{"list", "/", 200, "text/html", []string{"2 messages", `href="messages/1"`, "Rechnung über", "1 attached"}, []string{"<script>"}},
		{
			"mail", "/messages/1", 200, "text/html",
			[]string{`href="https://example.com/verify?a=1&amp;b=2"`, `href="1/attachments/0"`, "Rü.pdf", `src="1/html"`, `sandbox="allow-popups allow-popups-to-escape-sandbox"`},
			[]string{`href="javascript`, "style="},
		},
		{"hostile mail", "/messages/2", 200, "text/html", []string{"&lt;script&gt;", "&lt;img src=x"}, []string{"<script", "<img", "<b>"}},
		{"html", "/messages/1/html", 200, "text/html", []string{`<head><base target="_blank">`}, nil},
		{"source", "/messages/1/raw", 200, "text/plain", []string{"--outer--"}, nil},
		{"attachment", "/messages/1/attachments/0", 200, "application/pdf", []string{"%PDF-"}, nil},
		{"style", "/mailbox.css", 200, "text/css", []string{"--accent"}, nil},
		{"no such mail", "/messages/9", 404, "text/plain", nil, nil},
		{"no such attachment", "/messages/1/attachments/1", 404, "text/plain", nil, nil},
		{"attachment that is no number", "/messages/1/attachments/-1", 404, "text/plain", nil, nil},
		{"no such page", "/nothing", 404, "text/plain", nil, nil},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			w := call(t, h, http.MethodGet, s.path, "", "")
			if w.Code != s.status || !strings.HasPrefix(w.Header().Get("Content-Type"), s.kind) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Header().Get("Content-Type"), s.status, s.kind)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("weak headers: %v", w.Header())
			}
			for _, want := range s.has {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("lacks %q in\n%s", want, w.Body)
				}
			}
			for _, bad := range s.lacks {
				if strings.Contains(w.Body.String(), bad) {
					t.Errorf("has %q in\n%s", bad, w.Body)
				}
			}
		})
	}
	if got := call(t, h, http.MethodGet, "/messages/1/attachments/0", "", "").Header().Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename*=utf-8''R%C3%BC.pdf") {
		t.Errorf("got disposition %q", got)
	}
	if got := call(t, h, http.MethodGet, "/messages/1/html", "", "").Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox ") || strings.Contains(got, "allow-scripts") {
		t.Errorf("the mail's HTML is not sandboxed: %q", got)
	}
}

func TestListJSON(t *testing.T) {
	w := call(t, filled().Handler(), http.MethodGet, "/messages.json", "", "")
	var got []map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0]["id"] != "2" || got[1]["id"] != "1" {
		t.Fatalf("got %v, want messages 2 and 1", got)
	}
	for _, key := range []string{"id", "from", "to", "subject", "text", "html", "links", "attachments", "at"} {
		if _, ok := got[1][key]; !ok {
			t.Errorf("key %q is missing", key)
		}
	}
	if a, _ := json.Marshal(got[1]["attachments"]); string(a) != `[{"name":"Rü.pdf","size":5,"type":"application/pdf"}]` {
		t.Errorf("got attachments %s", a)
	}
	if w := call(t, New(Options{}).Handler(), http.MethodGet, "/messages.json", "", ""); w.Body.String() != "[]" {
		t.Errorf("empty box: got %s, want []", w.Body)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	box := New(Options{})
	h := box.Handler()
	scenarios := []struct {
		name, method, kind, body string
		status, faults           int
	}{
		{"switch on", "POST", "application/json", `{"kind":"slow","times":2,"delay_ns":1000}`, 204, 1},
		{"unknown kind", "POST", "application/json", `{"kind":"explode"}`, 400, 1},
		{"unknown field", "POST", "application/json", `{"kind":"slow","speed":1}`, 400, 1},
		{"no JSON", "POST", "application/json", `kind=slow`, 400, 1},
		{"a form", "POST", "application/x-www-form-urlencoded", `{"kind":"slow"}`, 415, 1},
		{"too large", "POST", "application/json", `{"kind":"` + strings.Repeat("x", 5000) + `"}`, 413, 1},
		{"list", "GET", "", "", 200, 1},
		{"switch off", "DELETE", "", "", 204, 0},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			w := call(t, h, s.method, "/faults", s.kind, s.body)
			if w.Code != s.status || len(box.Faults()) != s.faults {
				t.Errorf("got %d with %d faults, want %d with %d: %s", w.Code, len(box.Faults()), s.status, s.faults, w.Body)
			}
		})
	}
}
