package stripebox

import (
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// endpoint is one API call: its parameters and what it does. do runs with the
// box locked, after everything about the request's shape was checked.
type endpoint struct {
	spec spec
	do   func(b *Box, c *call) (object, *apiError)
}

// call is one request under way.
type call struct {
	id   string // the {id} of the path
	form form
	base string // address of the hosted pages
	key  string // idempotency key
	req  string // request id
}

// api serves /v1/.
func (b *Box) api() http.Handler {
	mux := http.NewServeMux()
	for route, e := range routes() {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, e) })
	}
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		e := invalid("", "", "Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)
		e.status = http.StatusNotFound
		write(w, answer{e.status, e.body()})
	})
	return mux
}

func (b *Box) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	c := &call{id: r.PathValue("id"), base: b.base(r), key: r.Header.Get("Idempotency-Key"), req: b.newID("req")}
	w.Header().Set("Request-Id", c.req)
	w.Header().Set("Stripe-Version", Version)
	if c.key != "" {
		w.Header().Set("Idempotency-Key", c.key)
	}
	if fault := b.admit(r, c); fault != nil {
		write(w, answer{fault.status, fault.body()})
		return
	}
	f, fault := readForm(r)
	if fault != nil {
		write(w, answer{fault.status, fault.body()})
		return
	}
	c.form = f
	if r.Method == http.MethodGet || c.key == "" {
		a, _ := b.execute(e, c)
		write(w, a)
		return
	}
	stored, fault := b.keys.claim(c.key, r.Method+" "+r.URL.Path+"?"+f.canonical())
	switch {
	case fault != nil:
		write(w, answer{fault.status, fault.body()})
		return
	case stored != nil:
		w.Header().Set("Idempotent-Replayed", "true")
		write(w, *stored)
		return
	}
	a, executed := b.execute(e, c)
	if executed && b.spendStoredError() {
		a = answer{http.StatusInternalServerError, encode(object{"error": object{"type": "api_error", "message": "An unknown error occurred"}})}
	}
	b.keys.settle(c.key, a, executed)
	write(w, a)
}

// admit checks key and version.
func (b *Box) admit(r *http.Request, c *call) *apiError {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		key, _, _ = r.BasicAuth()
	}
	genuine := strings.HasPrefix(key, "sk_test_") || strings.HasPrefix(key, "rk_test_")
	switch {
	case key == "":
		return unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")
	case b.opts.SecretKey != "" && key != b.opts.SecretKey, b.opts.SecretKey == "" && !genuine:
		return unauthorized("Invalid API Key provided: " + mask(key))
	}
	if v := r.Header.Get("Stripe-Version"); v != Version {
		b.complain("%s %s came with Stripe-Version %q", r.Method, r.URL.Path, v)
	}
	if r.Method == http.MethodPost && c.key == "" {
		b.complain("%s %s came without an idempotency key", r.Method, r.URL.Path)
	}
	if len(c.key) > 255 {
		return invalid("", "", "Idempotency keys can be at most 255 characters.")
	}
	return nil
}

// mask shows a key as Stripe's error does.
func mask(key string) string {
	if len(key) < 13 {
		return strings.Repeat("*", len(key))
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}

// execute checks the parameters, does the work and renders the answer. executed
// is false when nothing was done because the request is not valid.
func (b *Box) execute(e endpoint, c *call) (a answer, executed bool) {
	fault := merged(e.spec, spec{"expand[#]": {}}).check(c.form)
	var o object
	if fault == nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sweep()
		o, fault = e.do(b, c)
	}
	if fault == nil {
		if fault = b.expandAll(o, c.form.list("expand")); fault != nil {
			fault.executed = true // the work is done, only its rendering is not
		}
	}
	if fault != nil {
		return answer{fault.status, fault.body()}, fault.executed
	}
	return answer{http.StatusOK, encode(o)}, true
}

// expandAll replaces ids by their objects along each path.
func (b *Box) expandAll(o object, paths []string) *apiError {
	sort.Strings(paths) // parents before children
	for _, path := range paths {
		if strings.Count(path, ".") > 3 {
			return invalid("expand", "", "You cannot expand more than 4 levels of a property.")
		}
		if !b.expand(o, strings.Split(path, ".")) {
			return invalid("expand", "", "This property cannot be expanded (%s).", path)
		}
	}
	return nil
}

var expandable = map[string]bool{"customer": true, "payment_method": true, "payment_intent": true, "latest_charge": true, "charge": true, "source": true, "setup_intent": true, "latest_invoice": true}

func (b *Box) expand(o object, path []string) bool {
	name := path[0]
	if name == "data" && len(path) > 1 {
		items, isList := o["data"].([]object)
		for _, item := range items {
			isList = isList && b.expand(item, path[1:])
		}
		return isList
	}
	value, there := o[name]
	if !there || !expandable[name] {
		return false
	}
	if id, ok := value.(string); ok {
		full, ok := b.find(id)
		if !ok {
			return false
		}
		o[name], value = full, full
	}
	if len(path) == 1 || value == nil {
		return true
	}
	full, ok := value.(object)
	return ok && b.expand(full, path[1:])
}

// find renders any object by its id.
func (b *Box) find(id string) (object, bool) {
	if v, ok := b.setups.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.customers.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.methods.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.intents.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.charges.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.refunds.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.disputes.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.payouts.get(id); ok {
		return v.render(), true
	}
	if v, ok := b.bills.get(id); ok {
		return v.render(), true
	}
	return nil, false
}

func write(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// page renders a list as Stripe pages it: newest first, limit 1 to 100, from
// after an id.
func page[T interface{ render() object }](c *call, path string, ids []string, items []T) (object, *apiError) {
	limit := 10
	if c.form.has("limit") {
		if limit = int(c.form.num("limit")); limit < 1 || limit > 100 {
			return nil, invalid("limit", "", "This value must be between 1 and 100.")
		}
	}
	start := len(items) - 1
	if after := c.form.str("starting_after"); after != "" {
		start = -2
		for i, id := range ids {
			if id == after {
				start = i - 1
			}
		}
		if start == -2 {
			return nil, noSuch("object", after, "starting_after", http.StatusBadRequest)
		}
	}
	data := []object{}
	for ; start >= 0 && len(data) < limit; start-- {
		data = append(data, items[start].render())
	}
	return object{"object": "list", "url": path, "has_more": start >= 0, "data": data}, nil
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
