package synergybox

import (
	"html/template"
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// control is the page and the switches under /_sandbox/, besides those of every
// sandbox:
//
//	POST /_sandbox/room       {"servers":0} is the number of servers that can still be ordered; -1 is no limit
//	POST /_sandbox/addresses  {"there":0} takes the free IP entities away; 1 gives them back
//	POST /_sandbox/steal      {"times":1} gives the server of the next orders to somebody else just before
func (b *Box) control(mux *http.ServeMux) {
	panelbox.Control{
		Name: "SynergyCP sandbox", Faults: b.opts.Faults, State: func() any { return b.Snapshot() }, View: stateView, Destroy: b.Destroy,
		Switches: []panelbox.Switch{
			{Path: "/room", Field: "servers", Set: b.SetRoom},
			{Path: "/steal", Field: "times", Set: b.Steal},
			{Path: "/addresses", Field: "there", Set: func(n int) { b.SetAddresses(n != 0) }},
		},
	}.Register(mux)
}

const stateView = `<p>{{.Made}} servers given out, {{.Wiped}} wiped, {{.Free}} free.</p>
<h2>Servers in use</h2>
<table><thead><tr><th>Server</th><th>Model</th><th>Group</th><th>Billing id</th><th>Client</th><th>Nickname</th><th>State</th><th>Power</th><th>Addresses</th></tr></thead><tbody>
{{range .Servers}}<tr><td>{{.SrvID}}</td><td>{{.Model}}</td><td>{{.Group}}</td><td>{{.BillingID}}</td><td>{{.ClientRef}}</td><td>{{.Nickname}}</td>
<td>{{if .Suspended}}suspended{{else}}active{{end}}{{range .Installing}}, installs {{.}}{{end}}</td><td>{{if .Running}}on{{else}}off{{end}}</td><td>{{range .Addresses}}{{.}} {{end}}</td></tr>
{{else}}<tr><td colspan="9">None yet.</td></tr>{{end}}</tbody></table>
<h2>Clients</h2>
<table><thead><tr><th>Id</th><th>Billing id</th><th>E-mail</th><th>VIP</th></tr></thead><tbody>
{{range .Clients}}<tr><td>{{.ID}}</td><td>{{.BillingID}}</td><td>{{.Email}}</td><td>{{if .VIP}}yes{{else}}no{{end}}</td></tr>
{{else}}<tr><td colspan="4">None yet.</td></tr>{{end}}</tbody></table>
`

var panelPage = template.Must(template.New("panel").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>SynergyCP sandbox</title>
<link rel="stylesheet" href="../_sandbox/style.css"></head><body><main>
<h1>Control panel (sandbox)</h1>
{{if .User}}<p>Signed in as <strong>{{.User}}</strong>.</p>{{if .Server}}<p>Server <strong>{{.Server}}</strong>.</p>{{end}}
{{else}}<p>This sign-in link is not valid any more.</p>{{end}}
</main></body></html>
`))

// servePanel is where a sign-in link leads: a client's key opens the servers to
// which the client has access.
func (b *Box) servePanel(w http.ResponseWriter, r *http.Request) {
	view := struct{ User, Server string }{}
	who, _ := b.who(r.URL.Query().Get("key"))
	b.mu.Lock()
	if c := b.clients[who.client]; c != nil {
		view.User = c.email
		for _, s := range b.servers {
			for _, a := range s.access {
				if a.client == c && a.active && r.URL.Query().Get("view_type") == "server" && r.URL.Query().Get("view_id") == s.srv()[len("SRV-"):] {
					view.Server = s.srv()
				}
			}
		}
	}
	b.mu.Unlock()
	panelbox.WritePage(w, panelPage, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[view.User != ""], view)
}
