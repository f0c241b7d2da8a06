package pterobox

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// told is an error with the name of the panel's exception.
func told(status int, code, detail string) *panelbox.Failure {
	return &panelbox.Failure{Status: status, Body: map[string]any{"errors": []any{map[string]any{"code": code, "status": strconv.Itoa(status), "detail": detail}}}}
}

// invalid is a broken rule of one field.
func invalid(field, rule, detail string) *panelbox.Failure {
	return &panelbox.Failure{Status: http.StatusUnprocessableEntity, Body: map[string]any{"errors": []any{map[string]any{
		"code": "ValidationException", "status": "422", "detail": detail, "meta": map[string]any{"source_field": field, "rule": rule},
	}}}}
}

// refused is what the panel shows to people as it is.
func refused(code, detail string) *panelbox.Failure { return told(http.StatusBadRequest, code, detail) }

var (
	gone   = told(http.StatusNotFound, "NotFoundHttpException", "The requested resource could not be found on the server.")
	daemon = told(http.StatusGatewayTimeout, "DaemonConnectionException", "An exception was encountered while attempting to communicate with the daemon.")
)

// rules are the panel's words for what a field must be.
var rules = map[panelbox.Kind]string{
	panelbox.Whole: "integer", panelbox.Str: "string", panelbox.YesNo: "boolean", panelbox.Wholes: "array", panelbox.Strs: "array", panelbox.Object: "array",
}

// dialect is how the panel refuses what it cannot read.
var dialect = panelbox.Dialect{
	NoRoute: told(http.StatusNotFound, "NotFoundHttpException", "The route could not be found."),
	BadBody: func(why string) *panelbox.Failure {
		if why == panelbox.Malformed {
			why = "The JSON data passed in the request appears to be malformed."
		}
		return told(http.StatusBadRequest, "BadRequestHttpException", why)
	},
	BadQuery: func(name string, known bool, _ panelbox.Kind) *panelbox.Failure {
		if !known {
			return told(http.StatusBadRequest, "BadRequestHttpException", "The query parameter "+name+" is not allowed.")
		}
		return invalid(name, "integer", "The "+name+" must be a whole number.")
	},
	Broken: func(field, rule string, kind panelbox.Kind) *panelbox.Failure {
		switch rule {
		case "unknown":
			return invalid(field, "prohibited", "The "+field+" field is not known.")
		case "type":
			return invalid(field, rules[kind], "The "+field+" field has the wrong type.")
		}
		return invalid(field, rule, "The "+field+" field must be "+rule+".")
	},
	Trim: true,
}

func (b *Box) routes() http.Handler {
	return panelbox.Routes("/api", dialect, b.locked, b.userEndpoints(), b.serverEndpoints(), b.catalogEndpoints(), b.clientEndpoints())
}

func (b *Box) locked(h panelbox.Handler, c panelbox.Call) (int, any, *panelbox.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tick()
	return h(c)
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
		isClient, isApplication := panelbox.Same(key, b.opts.ClientKey), panelbox.Same(key, b.opts.ApplicationKey)
		var fail *panelbox.Failure
		switch {
		case !isClient && !isApplication:
			fail = told(http.StatusUnauthorized, "AuthenticationException", "Unauthenticated.")
		case isApplication && strings.HasPrefix(r.URL.Path, "/api/client"):
			fail = told(http.StatusForbidden, "AccessDeniedHttpException", "You are attempting to use an application API key on an endpoint that requires a client API key.")
		}
		if fail != nil {
			panelbox.WriteJSON(w, fail.Status, fail.Body)
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
