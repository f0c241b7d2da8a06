package virtbox

import (
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// control is the page and the switches under /_sandbox/, besides those of every
// sandbox:
//
//	POST   /_sandbox/builds/break  {"times":1} makes the next builds fail
//	POST   /_sandbox/room          {"servers":0} is the number of servers that still fit; -1 is no limit
func (b *Box) control(mux *http.ServeMux) {
	panelbox.Control{
		Name: "VirtFusion sandbox", Faults: b.opts.Faults, State: func() any { return b.Snapshot() }, View: stateView, Destroy: b.Destroy,
		Switches: []panelbox.Switch{
			{Path: "/builds/break", Field: "times", Set: b.BreakBuilds}, {Path: "/room", Field: "servers", Set: b.SetRoom},
		},
	}.Register(mux)
}

const stateView = `<p>{{.Created}} servers made, {{.Deleted}} removed.</p>
<h2>Servers</h2>
<table><thead><tr><th>Id</th><th>Name</th><th>Owner</th><th>State</th><th>Power</th><th>Size</th><th>Addresses</th></tr></thead><tbody>
{{range .Servers}}<tr><td>{{.ID}}</td><td>{{.Name}}</td><td>{{.OwnerRelation}}</td>
<td>{{.State}}{{if .Suspended}}, suspended{{end}}{{if .Busy}}, busy{{end}}</td>
<td>{{if .Running}}running{{else}}stopped{{end}}</td><td>{{.MemoryMB}} MB, {{.Cores}} cores, {{.DiskGB}} GB</td><td>{{range .Addresses}}{{.}} {{end}}</td></tr>
{{else}}<tr><td colspan="7">None yet.</td></tr>{{end}}</tbody></table>
<h2>Users</h2>
<table><thead><tr><th>Id</th><th>Relation</th><th>E-mail</th></tr></thead><tbody>
{{range .Users}}<tr><td>{{.ID}}</td><td>{{.Relation}}</td><td>{{.Email}}</td></tr>
{{else}}<tr><td colspan="3">None yet.</td></tr>{{end}}</tbody></table>
`
