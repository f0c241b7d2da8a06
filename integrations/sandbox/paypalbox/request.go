package paypalbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// endpoint is one API call. do runs with the box locked, after everything about
// the request's shape was checked.
type endpoint struct {
	body  spec // nil: the call has no body
	empty bool // the body may be left out
	query []string
	// memory is how long a PayPal-Request-Id of this call is remembered; 0: the
	// call has no such header. needsID: it is required.
	memory  time.Duration
	needsID bool
	do      func(b *Box, c *call) (reply, *apiError)
}

// call is one request under way.
type call struct {
	id    string // the {id} of the path
	body  object
	raw   []byte
	query url.Values
	base  string // address of the sandbox
}

// reply is the answer of a call that worked. again renders the object anew, for
// a repeat of the same PayPal-Request-Id: PayPal then answers with the latest
// state.
type reply struct {
	status int
	body   object
	again  func() object
}

// remembered is the answer kept under a PayPal-Request-Id.
type remembered struct {
	request string // call and fingerprint of the body
	until   time.Time
	reply   reply
	refusal *apiError
}

// api serves /v1/, /v2/ and /v3/.
func (b *Box) api() http.Handler {
	mux := http.NewServeMux()
	for route, e := range routes() {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, e, route) })
	}
	mux.HandleFunc("POST /v1/oauth2/token", b.serveToken)
	mux.HandleFunc("GET /v1/notifications/certs/{name}", b.serveCertificate)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e := notFound(r.Method + " " + r.URL.Path)
		write(w, e.status, e.body("unknown"))
	})
	return mux
}

func (b *Box) serve(w http.ResponseWriter, r *http.Request, e endpoint, route string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	debug := strings.ToLower(b.newID(""))
	w.Header().Set("Paypal-Debug-Id", debug)
	answer, refusal := b.answer(r, e, route)
	if refusal != nil {
		write(w, refusal.status, refusal.body(debug))
		return
	}
	if answer.status == http.StatusNoContent {
		w.WriteHeader(answer.status)
		return
	}
	body := answer.body
	if e.memory > 0 && r.Header.Get("Prefer") != "return=representation" {
		body = minimal(body)
	}
	write(w, answer.status, encode(body))
}

// minimal is what PayPal answers without "Prefer: return=representation".
func minimal(full object) object {
	o := object{}
	for _, name := range []string{"id", "status", "links", "customer"} {
		if v, there := full[name]; there {
			o[name] = v
		}
	}
	return o
}

// answer checks a request and executes it, or repeats what it was answered. The
// box is locked.
func (b *Box) answer(r *http.Request, e endpoint, route string) (reply, *apiError) {
	c := &call{id: r.PathValue("id"), base: b.base(r), query: r.URL.Query()}
	if err := b.admit(r); err != nil {
		return reply{}, err
	}
	if err := c.read(r, e); err != nil {
		return reply{}, err
	}
	for name := range c.query {
		if !slices.Contains(e.query, name) {
			return reply{}, invalid("", "INVALID_PARAMETER_SYNTAX", "The sandbox knows no query parameter %s.", name)
		}
	}
	id := r.Header.Get("Paypal-Request-Id")
	switch {
	case len(id) > 108:
		return reply{}, invalid("", "INVALID_STRING_LENGTH", "PayPal-Request-Id has at most 108 characters.")
	case e.memory == 0:
		return e.do(b, c)
	case id == "" && e.needsID:
		return reply{}, invalid("", "PAYPAL_REQUEST_ID_REQUIRED", "A PayPal-Request-Id is required if you are trying to process payment for an Order. Please specify a PayPal-Request-Id or Create the Order without a 'payment_source' specified.")
	case id == "":
		b.complain("%s %s came without a PayPal-Request-Id", r.Method, r.URL.Path)
		return e.do(b, c)
	}
	return b.once(id, r.Method+" "+r.URL.Path, route, e, c)
}

// once executes a request the first time and repeats its answer afterwards.
func (b *Box) once(id, path, route string, e endpoint, c *call) (reply, *apiError) {
	now := b.now()
	for key, m := range b.requests {
		if !m.until.After(now) {
			delete(b.requests, key)
		}
	}
	digest := sha256.Sum256(c.raw)
	request := path + " " + hex.EncodeToString(digest[:])
	key := route + " " + id
	if m, known := b.requests[key]; known {
		switch {
		case m.request != request:
			return reply{}, refused("PAYPAL_REQUEST_ID_PREVIOUSLY_USED", "The PayPal-Request-Id was used before with another request.")
		case m.refusal != nil:
			return reply{}, m.refusal
		}
		return reply{status: http.StatusOK, body: m.reply.again()}, nil
	}
	answer, refusal := e.do(b, c)
	if refusal == nil || refusal.remember {
		b.requests[key] = &remembered{request: request, until: now.Add(e.memory), reply: answer, refusal: refusal}
	}
	return answer, refusal
}

// admit checks the access token.
func (b *Box) admit(r *http.Request) *apiError {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	until, known := b.tokens[token]
	if !bearer || !known || !until.After(b.now()) {
		return unauthorized()
	}
	return nil
}

func (c *call) read(r *http.Request, e endpoint) *apiError {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 2<<20))
	if err != nil {
		return invalid("", "MALFORMED_REQUEST_JSON", "The request body could not be read.")
	}
	c.raw, c.body = raw, object{}
	if len(bytes.TrimSpace(raw)) == 0 {
		if e.body != nil && !e.empty {
			return invalid("", "MALFORMED_REQUEST_JSON", "The request has no body.")
		}
		return nil
	}
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/json" {
		return &apiError{status: http.StatusUnsupportedMediaType, name: "UNSUPPORTED_MEDIA_TYPE", issue: "UNSUPPORTED_MEDIA_TYPE", text: "Send application/json."}
	}
	if e.body == nil {
		return invalid("", "MALFORMED_REQUEST_JSON", "This request takes no body.")
	}
	if patches := []any(nil); json.Unmarshal(raw, &patches) == nil {
		c.body = object{"patches": patches}
		return e.body.check(c.body, "", "")
	}
	if err := json.Unmarshal(raw, &c.body); err != nil || c.body == nil {
		return invalid("", "MALFORMED_REQUEST_JSON", "The request body is not a JSON object.")
	}
	return e.body.check(c.body, "", "")
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// tokenLife is how long an access token works, as PayPal says in expires_in.
const tokenLife = 9 * time.Hour

// serveToken is POST /v1/oauth2/token; its errors have a shape of their own.
func (b *Box) serveToken(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	wrong := b.opts.ClientID != "" && id != b.opts.ClientID || b.opts.Secret != "" && secret != b.opts.Secret
	switch {
	case !basic || id == "" || secret == "" || wrong:
		write(w, http.StatusUnauthorized, encode(object{"error": "invalid_client", "error_description": "Client Authentication failed"}))
		return
	case r.PostFormValue("grant_type") != "client_credentials":
		write(w, http.StatusBadRequest, encode(object{"error": "unsupported_grant_type", "error_description": "unsupported grant_type"}))
		return
	}
	token := "A21AA" + b.newID("") + b.newID("")
	b.tokens[token] = b.now().Add(tokenLife)
	write(w, http.StatusOK, encode(object{
		"scope": "https://uri.paypal.com/services/payments/payment", "access_token": token, "token_type": "Bearer",
		"app_id": "APP-80W284485P519543T", "expires_in": int(tokenLife.Seconds()), "nonce": stamp(b.now()) + b.newID(""),
	}))
}

// RevokeTokens makes every access token invalid, as PayPal may at any time.
func (b *Box) RevokeTokens() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = map[string]time.Time{}
}
