package enhancebox

import (
	"html/template"
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// control is the page and the switches under /_sandbox/; the servers of a sandbox
// are its subscriptions here.
func (b *Box) control(mux *http.ServeMux) {
	panelbox.Control{Name: "Enhance sandbox", Faults: b.opts.Faults, State: func() any { return b.Snapshot() }, View: stateView, Destroy: b.Destroy}.Register(mux)
}

const stateView = `<p>{{.Made}} subscriptions made.</p>
<h2>Subscriptions</h2>
<table><thead><tr><th>Id</th><th>Customer</th><th>Name</th><th>Plan</th><th>State</th><th>Websites</th><th>Databases</th></tr></thead><tbody>
{{range .Subscriptions}}<tr><td>{{.ID}}</td><td>{{.OrgName}}</td><td>{{.Name}}</td><td>{{.Plan}}</td><td>{{if .Suspended}}suspended{{else}}active{{end}}</td>
<td>{{range .Websites}}{{.}} {{end}}</td><td>{{range .Databases}}{{.}} {{end}}</td></tr>
{{else}}<tr><td colspan="7">None yet.</td></tr>{{end}}</tbody></table>
<h2>Customers</h2>
<table><thead><tr><th>Id</th><th>Name</th><th>Owner</th></tr></thead><tbody>
{{range .Customers}}<tr><td>{{.ID}}</td><td>{{.Name}}</td><td>{{.Owner}}</td></tr>
{{else}}<tr><td colspan="3">None yet.</td></tr>{{end}}</tbody></table>
`

var panelPage = template.Must(template.New("panel").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Enhance sandbox</title>
<link rel="stylesheet" href="../../_sandbox/style.css"></head><body><main>
<h1>Control panel (sandbox)</h1>
{{if .}}<p>Signed in as <strong>{{.}}</strong>.</p>{{else}}<p>This sign-in link is not valid any more.</p>{{end}}
</main></body></html>
`))

// servePanel is where a sign-in link leads; it works once.
func (b *Box) servePanel(w http.ResponseWriter, r *http.Request) {
	otp := r.URL.Query().Get("otp")
	b.mu.Lock()
	email, ok := b.links[otp]
	delete(b.links, otp)
	b.mu.Unlock()
	panelbox.WritePage(w, panelPage, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[ok], email)
}
