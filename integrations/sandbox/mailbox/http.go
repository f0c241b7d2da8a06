package mailbox

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"size": size, "join": strings.Join}).ParseFS(files, "page/*.tmpl"))

// Security policies: our pages take their style sheet and frame the mail; the
// mail itself runs nothing, loads nothing and has no origin.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mailPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
	filePolicy = "sandbox; default-src 'none'"
)

// Handler returns the page of the box and its JSON:
//
//	GET  /                                 the list
//	GET  /messages/{id}                    one mail
//	GET  /messages/{id}/html, /raw         its HTML in a sandbox, its source
//	GET  /messages/{id}/attachments/{n}    a download, n from 0
//	GET  /messages.json                    all mails, newest first
//	GET  /faults, POST /faults, DELETE /faults    what disturbs SMTP, as JSON
//
// Links are relative, so it can be mounted below any path with a slash.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.list)
	mux.HandleFunc("GET /mailbox.css", styleSheet)
	mux.HandleFunc("GET /messages.json", b.listJSON)
	mux.HandleFunc("GET /messages/{id}", b.one(showMessage))
	mux.HandleFunc("GET /messages/{id}/html", b.one(showHTML))
	mux.HandleFunc("GET /messages/{id}/raw", b.one(showRaw))
	mux.HandleFunc("GET /messages/{id}/attachments/{n}", b.one(download))
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.Faults()) })
	mux.HandleFunc("POST /faults", b.addFault)
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		b.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

func (b *Box) newestFirst() []Message {
	messages := b.Messages()
	slices.Reverse(messages)
	return messages
}

func (b *Box) list(w http.ResponseWriter, _ *http.Request) {
	writePage(w, "list.html.tmpl", struct {
		Messages []Message
		Faults   []Fault
	}{b.newestFirst(), b.Faults()})
}

func (b *Box) listJSON(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.newestFirst()) }

// one calls show with the message that the path names.
func (b *Box) one(show func(http.ResponseWriter, *http.Request, Message)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m, ok := b.Message(r.PathValue("id"))
		if !ok {
			http.Error(w, "no such message", http.StatusNotFound)
			return
		}
		show(w, r, m)
	}
}

func showMessage(w http.ResponseWriter, _ *http.Request, m Message) {
	writePage(w, "message.html.tmpl", m)
}

// showHTML serves the mail's own HTML; its links open a new tab.
func showHTML(w http.ResponseWriter, _ *http.Request, m Message) {
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	const target = `<base target="_blank">`
	markup := target + m.HTML
	if before, after, ok := strings.Cut(m.HTML, "<head>"); ok {
		markup = before + "<head>" + target + after
	}
	_, _ = io.WriteString(w, markup)
}

func showRaw(w http.ResponseWriter, _ *http.Request, m Message) {
	w.Header().Set("Content-Security-Policy", filePolicy)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(m.Raw)
}

// download sends an attachment to be saved, never to be shown.
func download(w http.ResponseWriter, r *http.Request, m Message) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		http.Error(w, "no such attachment", http.StatusNotFound)
		return
	}
	a := m.Attachments[n]
	kind := "application/octet-stream"
	if a.Type == "application/pdf" {
		kind = a.Type
	}
	w.Header().Set("Content-Security-Policy", filePolicy)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Content)))
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": a.Name})
	if disposition == "" {
		disposition = "attachment"
	}
	w.Header().Set("Content-Disposition", disposition)
	_, _ = w.Write(a.Content)
}

func (b *Box) addFault(w http.ResponseWriter, r *http.Request) {
	// A form of another site cannot send this type without asking first.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var f Fault
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&f)
	if err == nil {
		err = b.AddFault(f)
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func styleSheet(w http.ResponseWriter, _ *http.Request) {
	css, err := files.ReadFile("page/mailbox.css")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css)
}

func writePage(w http.ResponseWriter, name string, data any) {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
}
