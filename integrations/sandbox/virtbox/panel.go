package virtbox

import (
	"crypto/subtle"
	"html/template"
	"net/http"
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
	writePage(w, panelPage, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[ok], view)
}

// writePage draws a page of the sandbox: no script, and nothing from elsewhere.
func writePage(w http.ResponseWriter, t *template.Template, status int, view any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = t.Execute(w, view) // the client may have gone
}
