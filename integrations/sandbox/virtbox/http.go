package virtbox

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// refused is the newer error shape, used with 422.
func refused(format string, args ...any) *panelbox.Failure {
	return &panelbox.Failure{Status: http.StatusUnprocessableEntity, Body: map[string]any{"errors": []string{fmt.Sprintf(format, args...)}}}
}

// told is the older error shape.
func told(status int, msg string) *panelbox.Failure {
	return &panelbox.Failure{Status: status, Body: map[string]string{"msg": msg}}
}

var (
	serverGone = told(http.StatusNotFound, "server not found")
	locked     = told(http.StatusLocked, "the server is locked or has an active task")
)

// dialect is how the vendor refuses what it cannot read.
var dialect = panelbox.Dialect{
	NoRoute: &panelbox.Failure{Status: http.StatusNotFound, Body: map[string]string{"message": "The route could not be found."}},
	BadBody: func(why string) *panelbox.Failure { return refused("%s", why) },
	BadQuery: func(name string, known bool, kind panelbox.Kind) *panelbox.Failure {
		switch {
		case !known:
			return refused("The query parameter %s is not known.", name)
		case kind == panelbox.YesNo:
			return refused("The query parameter %s must be true or false.", name)
		}
		return refused("The query parameter %s is invalid.", name)
	},
	Broken: func(field, rule string, _ panelbox.Kind) *panelbox.Failure {
		switch rule {
		case "unknown":
			return refused("The field %s is not known.", field)
		case "type":
			return refused("The field %s has the wrong type.", field)
		}
		return refused("The %s field is required.", field)
	},
}

func (b *Box) routes() http.Handler {
	return panelbox.Routes("/api/v1", dialect, b.locked, b.userEndpoints(), b.serverEndpoints(), b.taskEndpoints(), b.catalogEndpoints())
}

func (b *Box) locked(h panelbox.Handler, c panelbox.Call) (int, any, *panelbox.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	return h(c)
}

// authorize refuses a wrong token in plain text, as the vendor does.
func (b *Box) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !panelbox.Same(got, b.opts.Token) {
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

// Answer gives the next calls whose "METHOD /path" starts with match a failure of
// the caller's choice, without effect.
func (b *Box) Answer(match string, status int, body string, times int) {
	b.canned.Answer(match, status, body, times)
}
