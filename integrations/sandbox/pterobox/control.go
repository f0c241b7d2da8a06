package pterobox

import (
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// control is the page and the switches under /_sandbox/, besides those of every
// sandbox:
//
//	POST   /_sandbox/builds/break  {"times":1} makes the next builds fail
//	POST   /_sandbox/room          {"servers":0} is the number of servers that still fit; -1 is no limit
//	POST   /_sandbox/daemon        {"up":0} takes the nodes' daemons down; 1 is up again
func (b *Box) control(mux *http.ServeMux) {
	panelbox.Control{
		Name: "Pterodactyl sandbox", Faults: b.opts.Faults, State: func() any { return b.Snapshot() }, View: stateView, Destroy: b.Destroy,
		Switches: []panelbox.Switch{
			{Path: "/builds/break", Field: "times", Set: b.BreakBuilds},
			{Path: "/room", Field: "servers", Set: b.SetRoom},
			{Path: "/daemon", Field: "up", Set: func(n int) { b.SetDaemon(n != 0) }},
		},
	}.Register(mux)
}

const stateView = `<p>{{.Created}} servers made, {{.Deleted}} removed.</p>
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
`
