// Package fault makes the sandbox vendors misbehave on request: slow answers,
// lost answers, server errors before or after the effect, broken bodies. Tests
// and the demo switch faults on; nothing is random.
package fault

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Kind is a way to misbehave.
type Kind string

// The faults. Those with an effect let the vendor do its work first.
const (
	Slow        Kind = "slow"         // waits Delay, then answers properly
	LostAnswer  Kind = "lost_answer"  // effect, then the connection is cut
	RefuseConn  Kind = "refuse_conn"  // no effect, the connection is cut
	Error500    Kind = "error_500"    // no effect, 500 in the vendor's shape is not promised
	After500    Kind = "after_500"    // effect, then a 500
	HTML502     Kind = "html_502"     // no effect, a proxy's HTML page
	Truncated   Kind = "truncated"    // effect, then half of the JSON
	RateLimited Kind = "rate_limited" // no effect, 429 with Retry-After: 1
	Unavailable Kind = "unavailable"  // no effect, 503
)

// Fault applies to requests whose "METHOD /path" starts with Match; "" matches
// all. After Times uses it is spent; Times 0 lasts until Clear.
type Fault struct {
	Match string        `json:"match"`
	Kind  Kind          `json:"kind"`
	Times int           `json:"times"`
	Delay time.Duration `json:"delay_ns"`
}

// Set holds the faults of one vendor. The zero value has none. Safe for
// concurrent use.
type Set struct {
	mu     sync.Mutex
	faults []Fault

	// Before and After, when set, see every request before it is handled and
	// after its effect but before the answer leaves. Tests kill a process there.
	Before, After func(r *http.Request)
}

// Add switches a fault on.
func (s *Set) Add(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	s.faults = append(s.faults, f)
}

// Clear switches all faults off.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// List returns the faults that are on.
func (s *Set) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault{}, s.faults...)
}

func (s *Set) take(r *http.Request) (Fault, bool) {
	call := r.Method + " " + r.URL.Path
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times == 0 || !strings.HasPrefix(call, f.Match) {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return *f, true
	}
	return Fault{}, false
}

// Wrap puts the faults in front of a vendor's API handler.
func (s *Set) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Before != nil {
			s.Before(r)
		}
		f, on := s.take(r)
		if !on && s.After == nil {
			next.ServeHTTP(w, r)
			return
		}
		s.serve(w, r, next, f)
	})
}

func (s *Set) serve(w http.ResponseWriter, r *http.Request, next http.Handler, f Fault) {
	if !f.before(w, r) {
		return
	}
	// The effect must happen even when the caller hangs up, as at a real vendor.
	answer := &held{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	if s.After != nil {
		s.After(r)
	}
	f.after(w, answer)
}

// before misbehaves ahead of the effect and reports whether it still happens.
func (f Fault) before(w http.ResponseWriter, r *http.Request) bool {
	switch f.Kind {
	case Slow:
		select {
		case <-time.After(f.Delay):
			return true
		case <-r.Context().Done():
			return false
		}
	case RefuseConn:
		panic(http.ErrAbortHandler)
	case Error500:
		http.Error(w, failed, http.StatusInternalServerError)
	case HTML502:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"sandbox fault"},"message":"Too Many Attempts."}`, http.StatusTooManyRequests)
	case Unavailable:
		http.Error(w, `{"message":"Service Unavailable"}`, http.StatusServiceUnavailable)
	default:
		return true // the fault comes after the effect
	}
	return false
}

// failed is a body that both vendors' clients can read as an error.
const failed = `{"error":{"type":"api_error","message":"sandbox fault"},"errors":["sandbox fault"]}`

// after misbehaves with the answer of an effect that has happened.
func (f Fault) after(w http.ResponseWriter, answer *held) {
	body := answer.body.Bytes()
	switch f.Kind {
	case LostAnswer:
		panic(http.ErrAbortHandler)
	case After500:
		http.Error(w, failed, http.StatusInternalServerError)
		return
	case Truncated:
		body = body[:len(body)/2]
	default: // the fault came before
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(body)
}

// held is an answer that has not left yet.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is of http.ResponseWriter.
func (h *held) Header() http.Header { return h.header }

// WriteHeader is of http.ResponseWriter.
func (h *held) WriteHeader(status int) { h.status = status }

// Write is of http.ResponseWriter.
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }
