package pterobox

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// control adds the pages and switches under /_sandbox/:
//
//	GET    /_sandbox/              the state as a page
//	GET    /_sandbox/state         the state as JSON
//	GET    /_sandbox/faults        the faults that are on
//	POST   /_sandbox/faults        adds one: {"match":"POST /api/application/servers","kind":"lost_answer","times":1}
//	DELETE /_sandbox/faults        clears them
//	POST   /_sandbox/builds/break  {"times":1} makes the next builds fail
//	POST   /_sandbox/room          {"servers":0} is the number of servers that still fit; -1 is no limit
//	POST   /_sandbox/daemon        {"up":0} takes the nodes' daemons down; 1 is up again
//	DELETE /_sandbox/servers/{id}  destroys a server behind the product's back
func (b *Box) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "_sandbox/") // relative: the panel may be mounted below a path
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("GET /_sandbox/{$}", b.serveState)
	mux.HandleFunc("GET /_sandbox/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, style)
	})
	mux.HandleFunc("GET /_sandbox/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, b.Snapshot()) })
	mux.HandleFunc("GET /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, b.opts.Faults.List()) })
	mux.HandleFunc("POST /_sandbox/faults", b.addFault)
	mux.HandleFunc("DELETE /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		b.opts.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sandbox/builds/break", b.setNumber("times", b.BreakBuilds))
	mux.HandleFunc("POST /_sandbox/room", b.setNumber("servers", b.SetRoom))
	mux.HandleFunc("POST /_sandbox/daemon", b.setNumber("up", func(n int) { b.SetDaemon(n != 0) }))
	mux.HandleFunc("DELETE /_sandbox/servers/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil || !b.Destroy(id) {
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

func (b *Box) addFault(w http.ResponseWriter, r *http.Request) {
	var f fault.Fault
	if !readControl(w, r, &f) {
		return
	}
	switch f.Kind {
	case fault.Slow, fault.LostAnswer, fault.RefuseConn, fault.Error500, fault.After500, fault.HTML502, fault.Truncated, fault.RateLimited, fault.Unavailable:
		b.opts.Faults.Add(f)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "there is no such kind of fault", http.StatusBadRequest)
	}
}

// setNumber is a switch with one number.
func (b *Box) setNumber(field string, set func(int)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body map[string]int
		if !readControl(w, r, &body) {
			return
		}
		n, ok := body[field]
		if !ok || len(body) != 1 {
			http.Error(w, "the body must be {\""+field+"\": number}", http.StatusBadRequest)
			return
		}
		set(n)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (b *Box) serveState(w http.ResponseWriter, _ *http.Request) {
	writePage(w, statePage, http.StatusOK, struct {
		Snapshot
		Faults []fault.Fault
	}{b.Snapshot(), b.opts.Faults.List()})
}

var statePage = template.Must(template.New("state").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pterodactyl sandbox</title>
<link rel="stylesheet" href="style.css"></head><body><main>
<h1>Pterodactyl sandbox</h1>
<p>{{.Created}} servers made, {{.Deleted}} removed.</p>
<h2>Servers</h2>
<table><thead><tr><th>Id</th><th>Name</th><th>External id</th><th>Owner</th><th>State</th><th>Power</th><th>Size</th><th>Address</th></tr></thead><tbody>
{{range .Servers}}<tr><td>{{.ID}}</td><td>{{.Name}}</td><td>{{.ExternalID}}</td><td>{{.OwnerRef}}</td>
<td>{{if .Status}}{{.Status}}{{else}}ready{{end}}</td><td>{{.Power}}</td>
<td>{{.Limits.Memory}} MB, {{.Limits.CPU}} %, {{.Limits.Disk}} MB disk</td><td>{{.Address}}</td></tr>
{{else}}<tr><td colspan="8">None yet.</td></tr>{{end}}</tbody></table>
<h2>Users</h2>
<table><thead><tr><th>Id</th><th>External id</th><th>User name</th><th>E-mail</th></tr></thead><tbody>
{{range .Users}}<tr><td>{{.ID}}</td><td>{{.ExternalID}}</td><td>{{.Username}}</td><td>{{.Email}}</td></tr>
{{else}}<tr><td colspan="4">None yet.</td></tr>{{end}}</tbody></table>
<h2>Faults</h2>
<table><thead><tr><th>Calls</th><th>Kind</th><th>Uses left</th></tr></thead><tbody>
{{range .Faults}}<tr><td>{{.Match}}</td><td>{{.Kind}}</td><td>{{.Times}}</td></tr>
{{else}}<tr><td colspan="3">All calls work.</td></tr>{{end}}</tbody></table>
</main></body></html>
`))

const style = `:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
`
