package panelbox

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Failure is an answer outside 2xx.
type Failure struct {
	Status int
	Body   any
}

// Call is a checked request, handled under the sandbox's lock.
type Call struct {
	R     *http.Request
	Body  Fields
	Query url.Values
}

// ID reads a path value as an id; 0 is not one.
func (c Call) ID(name string) int64 {
	n, err := strconv.ParseInt(c.R.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// Is says whether a query parameter is true.
func (c Call) Is(param string) bool { return c.Query.Get(param) == "true" }

// Handler answers with a status and a payload (nil for no body), or fails.
type Handler func(c Call) (status int, payload any, fail *Failure)

// Endpoint is one documented operation, see Op.
type Endpoint struct {
	Pattern     string // method and path below the API's root
	Body, Query Schema
	Serve       Handler
}

// Op is an operation by its method and path, with the fields of its body (nil when
// it takes none) and its query.
func Op(pattern string, body, query Schema, serve Handler) Endpoint {
	return Endpoint{Pattern: pattern, Body: body, Query: query, Serve: serve}
}

// Routes serves endpoints below root. locked calls a handler under the sandbox's
// lock, once what takes time has been brought up to date.
func Routes(root string, d Dialect, locked func(h Handler, c Call) (int, any, *Failure), lists ...[]Endpoint) http.Handler {
	mux := http.NewServeMux()
	for _, list := range lists {
		for _, e := range list {
			method, path, _ := strings.Cut(e.Pattern, " ")
			mux.HandleFunc(method+" "+root+path, func(w http.ResponseWriter, r *http.Request) {
				status, payload, fail := serve(r, e, d, locked)
				if fail != nil {
					status, payload = fail.Status, fail.Body
				}
				WriteJSON(w, status, payload)
			})
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, d.NoRoute.Status, d.NoRoute.Body) })
	return mux
}

func serve(r *http.Request, e Endpoint, d Dialect, locked func(h Handler, c Call) (int, any, *Failure)) (int, any, *Failure) {
	c := Call{R: r, Query: r.URL.Query()}
	if fail := d.checkQuery(c.Query, e.Query); fail != nil {
		return 0, nil, fail
	}
	var fail *Failure
	if c.Body, fail = d.readBody(r, e.Body); fail != nil {
		return 0, nil, fail
	}
	return locked(e.Serve, c)
}

// Plain is a payload that is no JSON, as vendors send by mistake.
type Plain string

// WriteJSON writes an answer; a nil payload is no body.
func WriteJSON(w http.ResponseWriter, status int, payload any) {
	if payload == nil {
		w.WriteHeader(status)
		return
	}
	if text, plain := payload.(Plain); plain {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, string(text)) // the client may have gone
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(payload) // the client may have gone
}

// Same compares a key that came with the one that opens; none opens nothing.
func Same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
