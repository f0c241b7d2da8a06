package site

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Bounds of the report endpoint. It is open to everybody, so it must not become a way to fill the log.
const (
	maxReportBytes      = 16 << 10
	maxReportsPerBody   = 10
	maxReportsPerMinute = 60
	maxReportText       = 200 // characters of one logged value
)

// reportSink logs policy violations that browsers report, at most maxReportsPerMinute of them from all browsers together:
// one page that is wrong for everybody is as visible in sixty lines as in a million.
type reportSink struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	count  int
}

func newReportSink(now func() time.Time) *reportSink { return &reportSink{now: now} }

// violation is one report in our words, whichever of the two formats it came in.
type violation struct {
	Document, Directive, Blocked, Source string
	Line                                 int
}

// legacyReport is the application/csp-report body (Content Security Policy level 2).
type legacyReport struct {
	Report struct {
		Document  string `json:"document-uri"`
		Directive string `json:"effective-directive"`
		Violated  string `json:"violated-directive"`
		Blocked   string `json:"blocked-uri"`
		Source    string `json:"source-file"`
		Line      int    `json:"line-number"`
	} `json:"csp-report"`
}

// report is one member of an application/reports+json body (Reporting API).
type report struct {
	Type string `json:"type"`
	Body struct {
		Document  string `json:"documentURL"`
		Directive string `json:"effectiveDirective"`
		Blocked   string `json:"blockedURL"`
		Source    string `json:"sourceFile"`
		Line      int    `json:"lineNumber"`
	} `json:"body"`
}

var errNotAReport = errors.New("not a content security policy report")

// serve answers POST /api/v1/csp-reports: 204 for what was read, 400 for what is no report, 429 past the limit.
func (s *reportSink) serve(e *core.RequestEvent) error {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, maxReportBytes+1))
	if err != nil || len(body) > maxReportBytes {
		return e.Error(http.StatusRequestEntityTooLarge, "The report is too large.", nil)
	}
	violations, err := parseReports(body)
	if err != nil {
		return e.BadRequestError("The body is not a content security policy report.", nil)
	}
	for _, v := range violations {
		if !s.allow() {
			return e.TooManyRequestsError("Too many reports.", nil)
		}
		e.App.Logger().Warn("content security policy violated", slog.String("type", "csp"),
			slog.String("document", v.Document), slog.String("directive", v.Directive),
			slog.String("blocked", v.Blocked), slog.String("source", v.Source), slog.Int("line", v.Line))
	}
	return e.NoContent(http.StatusNoContent)
}

// allow counts one report against the current minute.
func (s *reportSink) allow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.window) >= time.Minute || now.Before(s.window) {
		s.window, s.count = now, 0
	}
	s.count++
	return s.count <= maxReportsPerMinute
}

// parseReports reads either format. Values are cut to maxReportText characters, and addresses lose query and fragment, which
// may hold tokens.
func parseReports(body []byte) ([]violation, error) {
	var many []report
	if err := json.Unmarshal(body, &many); err == nil {
		var found []violation
		for _, r := range many[:min(len(many), maxReportsPerBody)] {
			if r.Type != "csp-violation" {
				continue
			}
			b := r.Body
			found = append(found, newViolation(b.Document, b.Directive, b.Blocked, b.Source, b.Line))
		}
		return found, nil
	}
	var one legacyReport
	if err := json.Unmarshal(body, &one); err != nil {
		return nil, errNotAReport
	}
	r := one.Report
	if r.Directive == "" {
		r.Directive = r.Violated
	}
	if r.Directive == "" {
		return nil, errNotAReport
	}
	return []violation{newViolation(r.Document, r.Directive, r.Blocked, r.Source, r.Line)}, nil
}

func newViolation(document, directive, blocked, source string, line int) violation {
	return violation{
		Document: bareAddress(document), Directive: clip(directive),
		Blocked: bareAddress(blocked), Source: bareAddress(source), Line: line,
	}
}

func bareAddress(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	if u.Scheme == "data" || u.Opaque != "" {
		return clip(u.Scheme + ":")
	}
	u.RawQuery, u.Fragment, u.RawFragment, u.User, u.ForceQuery = "", "", "", nil, false
	return clip(u.String())
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	if runes := []rune(s); len(runes) > maxReportText {
		return string(runes[:maxReportText])
	}
	return s
}
