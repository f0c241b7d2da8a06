package enhancebox

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// told is the panel's error: a word and what it is about.
func told(status int, code, detail string) *panelbox.Failure {
	return &panelbox.Failure{Status: status, Body: map[string]any{"code": code, "detail": detail}}
}

func missing(what string) *panelbox.Failure { return told(http.StatusNotFound, "not_found", what) }

func invalid(detail string) *panelbox.Failure {
	return told(http.StatusBadRequest, "invalid_input", detail)
}

// words are what the panel calls a type.
var words = map[panelbox.Kind]string{panelbox.Whole: "i32", panelbox.Str: "a string", panelbox.YesNo: "a boolean", panelbox.Strs: "a sequence"}

var dialect = panelbox.Dialect{
	NoRoute: &panelbox.Failure{Status: http.StatusNotFound, Body: panelbox.Plain("Not Found")},
	BadBody: invalid,
	BadQuery: func(name string, known bool, _ panelbox.Kind) *panelbox.Failure {
		if !known {
			return invalid("unknown query parameter " + name)
		}
		return invalid("invalid value for " + name)
	},
	Broken: func(field, rule string, kind panelbox.Kind) *panelbox.Failure {
		switch rule {
		case "unknown":
			return invalid("unknown field " + field)
		case "type":
			return invalid("invalid type: " + field + ", expected " + words[kind])
		}
		return invalid("missing field " + field)
	},
}

func (b *Box) routes() http.Handler {
	return panelbox.Routes("/api", dialect, b.locked, b.orgEndpoints(), b.subscriptionEndpoints(), b.websiteEndpoints())
}

func (b *Box) locked(h panelbox.Handler, c panelbox.Call) (int, any, *panelbox.Failure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return h(c)
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// badUUID is the panel's answer to an id that is none, in plain text.
var badUUID = &panelbox.Failure{Status: http.StatusNotFound, Body: panelbox.Plain("UUID parsing failed")}

// orgOf is the organization of a path.
func (b *Box) orgOf(c panelbox.Call, name string) (*org, *panelbox.Failure) {
	id := c.R.PathValue(name)
	if !uuidForm.MatchString(id) {
		return nil, badUUID
	}
	o := b.orgs[id]
	if o == nil || o.status == gone {
		return nil, missing("org")
	}
	return o, nil
}

// authorize takes the one token, except where none is asked for.
func (b *Box) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.URL.Path != "/api/version" && r.URL.Path != "/api/status" && !panelbox.Same(got, b.opts.Token) {
			fail := told(http.StatusUnauthorized, "invalid_session_token", "")
			panelbox.WriteJSON(w, fail.Status, fail.Body)
			return
		}
		next.ServeHTTP(w, r)
	})
}
