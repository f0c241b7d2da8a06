package virtbox

import (
	"crypto/subtle"
	"html/template"
	"net/http"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

var panelPage = template.Must(template.New("panel").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>VirtFusion sandbox</title>
<link rel="stylesheet" href="../_sandbox/style.css"></head><body><main>
<h1>Control panel (sandbox)</h1>
{{if .User}}<p>Signed in as <strong>{{.User}}</strong>.</p>
{{if .Server}}<p>Server <strong>{{.Server}}</strong> ({{.Name}}) is {{.State}}.</p>{{end}}
{{else}}<p>This sign-in link is not valid or has expired.</p>{{end}}
</main></body></html>
`))

// servePanel is where a sign-in link leads. A pair of tokens works once.
func (b *Box) servePanel(w http.ResponseWriter, r *http.Request) {
	view := struct {
		User, Name, State string
		Server            int64
	}{}
	b.mu.Lock()
	b.tick()
	first := r.URL.Query().Get("1")
	in, ok := b.signIns[first]
	ok = ok && subtle.ConstantTimeCompare([]byte(in.second), []byte(r.URL.Query().Get("2"))) == 1 && b.users[in.user] != nil
	if ok {
		delete(b.signIns, first)
		view.User = b.users[in.user].email
		if s := b.servers[in.server]; s != nil {
			view.Server, view.Name, view.State = s.id, s.name, s.state
		}
	}
	b.mu.Unlock()
	panelbox.WritePage(w, panelPage, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[ok], view)
}
