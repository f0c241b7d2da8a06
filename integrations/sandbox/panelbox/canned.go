package panelbox

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// Canned are answers given in place of the real ones. The zero value has none.
type Canned struct {
	mu   sync.Mutex
	list []canned
}

type canned struct {
	match  string
	status int
	body   string
	times  int
}

// Answer makes the next calls whose "METHOD /path" starts with match fail with a
// status and body of the caller's choice, without effect: 403, 409, 423 and
// whatever else the fault set lacks.
func (c *Canned) Answer(match string, status int, body string, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, canned{match, status, body, times})
}

// Wrap gives the answers in front of a handler.
func (c *Canned) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := c.take(r.Method + " " + r.URL.Path)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	})
}

func (c *Canned) take(line string) (canned, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		if a := &c.list[i]; a.times > 0 && strings.HasPrefix(line, a.match) {
			a.times--
			return *a, true
		}
	}
	return canned{}, false
}
