package pterobox

import (
	"html/template"
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

var panelPage = template.Must(template.New("panel").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Pterodactyl sandbox</title>
<link rel="stylesheet" href="../_sandbox/style.css"></head><body><main>
<h1>Game panel (sandbox)</h1>
{{if .Name}}<p>Sign in to open <strong>{{.Name}}</strong> ({{.Address}}).</p>
{{else}}<p>There is no such server.</p>{{end}}
</main></body></html>
`))

// servePanel is where a link to a server leads. The panel asks for a password
// there; the sandbox has no such form.
func (b *Box) servePanel(w http.ResponseWriter, r *http.Request) {
	view := struct{ Name, Address string }{}
	status := http.StatusNotFound
	b.mu.Lock()
	b.tick()
	if s := b.byRef(r.PathValue("identifier")); s != nil {
		view.Name, view.Address, status = s.name, s.primary.endpoint(), http.StatusOK
	}
	b.mu.Unlock()
	panelbox.WritePage(w, panelPage, status, view)
}
