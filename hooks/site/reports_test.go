package site

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const legacySample = `{"csp-report":{"document-uri":"https://p.example.com/portal/reset?token=secret","effective-directive":"script-src-elem",
	"violated-directive":"script-src","blocked-uri":"https://evil.example/x.js?y=1","source-file":"https://p.example.com/portal/","line-number":7}}`

const modernSample = `[{"type":"csp-violation","age":1,"url":"u","body":{"documentURL":"https://p.example.com/portal/verify?token=secret#x",
	"effectiveDirective":"style-src-attr","blockedURL":"inline","sourceFile":"","lineNumber":3}},{"type":"deprecation","body":{}}]`

func TestParseReports(t *testing.T) {
	scenarios := []struct {
		name, body string
		want       []violation
		fails      bool
	}{
		{"level 2", legacySample, []violation{{"https://p.example.com/portal/reset", "script-src-elem", "https://evil.example/x.js", "https://p.example.com/portal/", 7}}, false},
		{"reporting API, other reports left out", modernSample, []violation{{"https://p.example.com/portal/verify", "style-src-attr", "inline", "", 3}}, false},
		{"data address is not kept", `{"csp-report":{"effective-directive":"img-src","blocked-uri":"data:text/html,<b>"}}`, []violation{{"", "img-src", "data:", "", 0}}, false},
		{"old browsers name one directive", `{"csp-report":{"violated-directive":"img-src x"}}`, []violation{{"", "img-src x", "", "", 0}}, false},
		{"empty list", `[]`, nil, false},
		{"empty", ``, nil, true},
		{"other JSON", `{"a":1}`, nil, true},
		{"not JSON", `<xml/>`, nil, true},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := parseReports([]byte(s.body))
			if (err != nil) != s.fails {
				t.Fatalf("error: got %v, want failure %t", err, s.fails)
			}
			if len(got) != len(s.want) {
				t.Fatalf("got %+v, want %+v", got, s.want)
			}
			for i := range got {
				if got[i] != s.want[i] {
					t.Errorf("got %+v, want %+v", got[i], s.want[i])
				}
			}
		})
	}
}

func FuzzParseReports(f *testing.F) {
	f.Add([]byte(legacySample))
	f.Add([]byte(modernSample))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := parseReports(body)
		if err != nil && found != nil {
			t.Fatal("violations together with an error")
		}
		if len(found) > maxReportsPerBody {
			t.Fatalf("%d violations of one body", len(found))
		}
		for _, v := range found {
			for _, s := range []string{v.Document, v.Directive, v.Blocked, v.Source} {
				if len([]rune(s)) > maxReportText {
					t.Fatalf("value of %d characters", len([]rune(s)))
				}
			}
		}
	})
}

func TestReportEndpoint(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h, _ := newServer(t, Deps{Now: func() time.Time { return now }})
	send := func(body string) int {
		t.Helper()
		return do(t, h, http.MethodPost, reportPath, body, "Content-Type", "application/csp-report").status
	}
	if got := send(legacySample); got != http.StatusNoContent {
		t.Errorf("report: got %d, want 204", got)
	}
	if got := send("no report"); got != http.StatusBadRequest {
		t.Errorf("nonsense: got %d, want 400", got)
	}
	if got := send(`{"csp-report":{"effective-directive":"` + strings.Repeat("x", maxReportBytes) + `"}}`); got != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized: got %d, want 413", got)
	}
	for range maxReportsPerMinute - 1 {
		send(legacySample)
	}
	if got := send(legacySample); got != http.StatusTooManyRequests {
		t.Errorf("past the limit: got %d, want 429", got)
	}
	now = now.Add(time.Minute)
	if got := send(legacySample); got != http.StatusNoContent {
		t.Errorf("a minute later: got %d, want 204", got)
	}
}
