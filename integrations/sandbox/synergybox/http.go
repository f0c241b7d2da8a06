package synergybox

import (
	"context"
	"net/http"
	"regexp"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// refuse is the panel's error envelope, with the data that some refusals carry.
func (b *Box) refuse(text string, data any) *panelbox.Failure {
	return failure(b.opts.RefuseWith, text, data)
}

func failure(status int, text string, data any) *panelbox.Failure {
	return &panelbox.Failure{Status: status, Body: map[string]any{
		"error": true, "data": data, "messages": []any{map[string]any{"type": "danger", "text": text}},
	}}
}

// data is the envelope of success.
func data(v any, messages ...string) map[string]any {
	list := []any{}
	for _, text := range messages {
		list = append(list, map[string]any{"type": "success", "text": text})
	}
	return map[string]any{"error": false, "data": v, "messages": list}
}

var (
	gone    = failure(http.StatusNotFound, "The requested resource was not found.", nil)
	noRight = failure(http.StatusForbidden, "You do not have permission to do that.", nil)
)

func (b *Box) dialect() panelbox.Dialect {
	return panelbox.Dialect{
		NoRoute: failure(http.StatusNotFound, "The route could not be found.", nil),
		BadBody: func(why string) *panelbox.Failure { return b.refuse(why, nil) },
		BadQuery: func(name string, known bool, _ panelbox.Kind) *panelbox.Failure {
			if !known {
				return b.refuse("The query parameter "+name+" is not known.", nil)
			}
			return b.refuse("The query parameter "+name+" is invalid.", nil)
		},
		Broken: func(field, rule string, _ panelbox.Kind) *panelbox.Failure {
			switch rule {
			case "unknown":
				return b.refuse("The "+field+" field is not known.", nil)
			case "type":
				return b.refuse("The "+field+" field has the wrong type.", nil)
			}
			return b.refuse("The "+field+" field is required.", nil)
		},
		Trim: true,
	}
}

func (b *Box) routes() http.Handler {
	return panelbox.Routes("", b.dialect(), b.locked, b.clientEndpoints(), b.serverEndpoints(), b.controlEndpoints(), b.catalogEndpoints())
}

func (b *Box) locked(h panelbox.Handler, c panelbox.Call) (int, any, *panelbox.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	return h(c)
}

// caller is whose key a request came with.
type caller struct {
	integration bool
	client      int64
	key         int64
}

type callerKey struct{}

func callerOf(c panelbox.Call) caller {
	who, _ := c.R.Context().Value(callerKey{}).(caller)
	return who
}

// index is PHP's number of an entry in a list.
var index = regexp.MustCompile(`\[\d+\]$`)

// authorize reads the key, which comes in the query, and takes it off; numbers of
// list entries too.
func (b *Box) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		who, ok := b.who(q.Get("key"))
		if !ok {
			fail := failure(http.StatusUnauthorized, "Invalid API key.", nil)
			panelbox.WriteJSON(w, fail.Status, fail.Body)
			return
		}
		q.Del("key")
		for name, values := range q {
			if plain := index.ReplaceAllString(name, "[]"); plain != name {
				q.Del(name)
				q[plain] = append(q[plain], values...)
			}
		}
		r = r.Clone(context.WithValue(r.Context(), callerKey{}, who))
		r.URL.RawQuery = q.Encode()
		next.ServeHTTP(w, r)
	})
}

func (b *Box) who(text string) (caller, bool) {
	if panelbox.Same(text, b.opts.Key) {
		return caller{integration: true}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.keys {
		if panelbox.Same(text, k.text) {
			return caller{client: k.client, key: k.id}, true
		}
	}
	return caller{}, false
}
