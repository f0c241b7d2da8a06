package virtbox

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody bounds a request in bytes.
const maxBody = 1 << 20

// failure is an answer outside 2xx.
type failure struct {
	status int
	body   any
}

// refused is the newer error shape, used with 422.
func refused(format string, args ...any) *failure {
	return &failure{http.StatusUnprocessableEntity, map[string]any{"errors": []string{fmt.Sprintf(format, args...)}}}
}

// told is the older error shape.
func told(status int, msg string) *failure {
	return &failure{status, map[string]string{"msg": msg}}
}

var (
	serverGone = told(http.StatusNotFound, "server not found")
	locked     = told(http.StatusLocked, "the server is locked or has an active task")
)

// call is a checked request, handled under the box's lock.
type call struct {
	r     *http.Request
	body  fields
	query url.Values
}

// id reads a path value as an id; 0 is not one.
func (c call) id(name string) int64 {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

func (c call) is(param string) bool { return c.query.Get(param) == "true" }

// handler answers with a status and a payload (nil for no body), or fails.
type handler func(c call) (status int, payload any, fail *failure)

// endpoint is one documented operation.
type endpoint struct {
	pattern string // method and path below /api/v1
	body    schema // nil when the operation takes none
	query   schema
	serve   handler
}

func (b *Box) routes() http.Handler {
	mux := http.NewServeMux()
	for _, list := range [][]endpoint{b.userEndpoints(), b.serverEndpoints(), b.taskEndpoints(), b.catalogEndpoints()} {
		for _, e := range list {
			method, path, _ := strings.Cut(e.pattern, " ")
			mux.HandleFunc(method+" /api/v1"+path, func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, e) })
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusNotFound, map[string]string{"message": "The route could not be found."})
	})
	return mux
}

func (b *Box) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	c := call{r: r, query: r.URL.Query()}
	fail := checkQuery(c.query, e.query)
	if fail == nil {
		c.body, fail = readBody(r, e.body)
	}
	status, payload := 0, any(nil)
	if fail == nil {
		status, payload, fail = b.locked(e.serve, c)
	}
	if fail != nil {
		writeJSON(w, fail.status, fail.body)
		return
	}
	writeJSON(w, status, payload)
}

func (b *Box) locked(h handler, c call) (int, any, *failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	return h(c)
}

func writeJSON(w http.ResponseWriter, status int, payload any) {
	if payload == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(payload) // the client may have gone
}

// authorize refuses a wrong token in plain text, as the vendor does.
func (b *Box) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || b.opts.Token == "" || subtle.ConstantTimeCompare([]byte(got), []byte(b.opts.Token)) != 1 {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "401 Unauthorized")
			return
		}
		if r.Header.Get("Accept") != "application/json" {
			http.Error(w, "the Accept header must be application/json", http.StatusNotAcceptable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// canned is an answer given in place of the real one.
type canned struct {
	match  string
	status int
	body   string
	times  int
}

// Answer makes the next calls whose "METHOD /path" starts with match fail with a
// status and body of the caller's choice, without effect: 403, 423 and whatever
// else the fault set lacks.
func (b *Box) Answer(match string, status int, body string, times int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.canned = append(b.canned, canned{match, status, body, times})
}

func (b *Box) preset(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := b.takeCanned(r.Method + " " + r.URL.Path)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(c.status)
		_, _ = io.WriteString(w, c.body)
	})
}

func (b *Box) takeCanned(line string) (canned, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.canned {
		if c := &b.canned[i]; c.times > 0 && strings.HasPrefix(line, c.match) {
			c.times--
			return *c, true
		}
	}
	return canned{}, false
}
