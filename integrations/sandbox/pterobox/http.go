package pterobox

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody bounds a request in bytes.
const maxBody = 1 << 20

// failure is an answer outside 2xx, in the panel's JSON:API-like shape.
type failure struct {
	status int
	body   any
}

// told is an error with the name of the panel's exception.
func told(status int, code, detail string) *failure {
	return &failure{status, map[string]any{"errors": []any{map[string]any{"code": code, "status": strconv.Itoa(status), "detail": detail}}}}
}

// invalid is a broken rule of one field.
func invalid(field, rule, detail string) *failure {
	return &failure{http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{
		"code": "ValidationException", "status": "422", "detail": detail, "meta": map[string]any{"source_field": field, "rule": rule},
	}}}}
}

// refused is what the panel shows to people as it is.
func refused(code, detail string) *failure { return told(http.StatusBadRequest, code, detail) }

var (
	gone    = told(http.StatusNotFound, "NotFoundHttpException", "The requested resource could not be found on the server.")
	noRoute = told(http.StatusNotFound, "NotFoundHttpException", "The route could not be found.")
	daemon  = told(http.StatusGatewayTimeout, "DaemonConnectionException", "An exception was encountered while attempting to communicate with the daemon.")
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

// handler answers with a status and a payload (nil for no body), or fails.
type handler func(c call) (status int, payload any, fail *failure)

// endpoint is one operation.
type endpoint struct {
	pattern string // method and path below /api
	body    schema // nil when the operation takes none
	query   schema
	serve   handler
}

func (b *Box) routes() http.Handler {
	mux := http.NewServeMux()
	for _, list := range [][]endpoint{b.userEndpoints(), b.serverEndpoints(), b.catalogEndpoints(), b.clientEndpoints()} {
		for _, e := range list {
			method, path, _ := strings.Cut(e.pattern, " ")
			mux.HandleFunc(method+" /api"+path, func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, e) })
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, noRoute.status, noRoute.body) })
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

// authorize checks the key, and which API it opens. Without a JSON Accept the
// panel answers as it does to browsers.
func (b *Box) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "json") {
			w.Header().Set("Location", b.opts.PanelURL+"/auth/login")
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusFound)
			_, _ = io.WriteString(w, "<html><body>Redirecting</body></html>")
			return
		}
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		isClient, isApplication := same(key, b.opts.ClientKey), same(key, b.opts.ApplicationKey)
		var fail *failure
		switch {
		case !isClient && !isApplication:
			fail = told(http.StatusUnauthorized, "AuthenticationException", "Unauthenticated.")
		case isApplication && strings.HasPrefix(r.URL.Path, "/api/client"):
			fail = told(http.StatusForbidden, "AccessDeniedHttpException", "You are attempting to use an application API key on an endpoint that requires a client API key.")
		}
		if fail != nil {
			writeJSON(w, fail.status, fail.body)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// canned is an answer given in place of the real one.
type canned struct {
	match  string
	status int
	body   string
	times  int
}

// Answer makes the next calls whose "METHOD /path" starts with match fail with a
// status and body of the caller's choice, without effect: 403, 409 and whatever
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
