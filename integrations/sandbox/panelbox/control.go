package panelbox

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// Control is the page and the switches under /_sandbox/:
//
//	GET    /_sandbox/              the state as a page
//	GET    /_sandbox/state         the state as JSON
//	GET    /_sandbox/faults        the faults that are on
//	POST   /_sandbox/faults        adds one: {"match":"POST /api/v1/servers","kind":"lost_answer","times":1}
//	DELETE /_sandbox/faults        clears them
//	POST   /_sandbox<path>         sets a switch: {"<field>":1}
//	DELETE /_sandbox/servers/{id}  destroys a server behind the product's back
type Control struct {
	Name   string // "VirtFusion sandbox"
	Faults *fault.Set
	State  func() any
	// View is a template of what State returns, which draws it within the page.
	View     string
	Switches []Switch
	// Destroy removes a server and reports whether there was one.
	Destroy func(id int64) bool
}

// Switch is a number that is set from outside.
type Switch struct {
	Path, Field string
	Set         func(n int)
}

// Register adds the control page to a sandbox's routes.
func (c Control) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "_sandbox/") // relative: the panel may be mounted below a path
		w.WriteHeader(http.StatusFound)
	})
	page := template.Must(template.Must(frame.Clone()).New("view").Parse(c.View)).Lookup("frame")
	mux.HandleFunc("GET /_sandbox/{$}", func(w http.ResponseWriter, _ *http.Request) {
		WritePage(w, page, http.StatusOK, struct {
			Name   string
			State  any
			Faults []fault.Fault
		}{c.Name, c.State(), c.Faults.List()})
	})
	mux.HandleFunc("GET /_sandbox/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, style)
	})
	mux.HandleFunc("GET /_sandbox/state", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, http.StatusOK, c.State()) })
	mux.HandleFunc("GET /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, http.StatusOK, c.Faults.List()) })
	mux.HandleFunc("POST /_sandbox/faults", c.addFault)
	mux.HandleFunc("DELETE /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		c.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	for _, s := range c.Switches {
		mux.HandleFunc("POST /_sandbox"+s.Path, s.serve)
	}
	mux.HandleFunc("DELETE /_sandbox/servers/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil || !c.Destroy(id) {
			http.Error(w, "there is no such server", http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// readControl decodes a JSON switch. Its Content-Type keeps forms of other
// sites from reaching it.
func readControl(w http.ResponseWriter, r *http.Request, out any) bool {
	if mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mime != "application/json" {
		http.Error(w, "the Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		http.Error(w, "the body is not the documented JSON", http.StatusBadRequest)
		return false
	}
	return true
}

func (c Control) addFault(w http.ResponseWriter, r *http.Request) {
	var f fault.Fault
	if !readControl(w, r, &f) {
		return
	}
	switch f.Kind {
	case fault.Slow, fault.LostAnswer, fault.RefuseConn, fault.Error500, fault.After500, fault.HTML502, fault.Truncated, fault.RateLimited, fault.Unavailable:
		c.Faults.Add(f)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "there is no such kind of fault", http.StatusBadRequest)
	}
}

func (s Switch) serve(w http.ResponseWriter, r *http.Request) {
	var body map[string]int
	if !readControl(w, r, &body) {
		return
	}
	n, ok := body[s.Field]
	if !ok || len(body) != 1 {
		http.Error(w, "the body must be {\""+s.Field+"\": number}", http.StatusBadRequest)
		return
	}
	s.Set(n)
	w.WriteHeader(http.StatusNoContent)
}

var frame = template.Must(template.New("frame").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Name}}</title>
<link rel="stylesheet" href="style.css"></head><body><main>
<h1>{{.Name}}</h1>
{{template "view" .State}}
<h2>Faults</h2>
<table><thead><tr><th>Calls</th><th>Kind</th><th>Uses left</th></tr></thead><tbody>
{{range .Faults}}<tr><td>{{.Match}}</td><td>{{.Kind}}</td><td>{{.Times}}</td></tr>
{{else}}<tr><td colspan="3">All calls work.</td></tr>{{end}}</tbody></table>
</main></body></html>
`))

// WritePage draws a page of a sandbox: no script, and nothing from elsewhere.
func WritePage(w http.ResponseWriter, t *template.Template, status int, view any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = t.Execute(w, view) // the client may have gone
}

const style = `:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
`
