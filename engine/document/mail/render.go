package mail

import (
	_ "embed" // the layout
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
)

// columns is the width of the plain text, RFC 5322's advice less room to quote.
const columns = 72

// Mail is the content of a mail, before it has a form. All texts are plain.
type Mail struct {
	Brand      string
	Language   string // "en", "de"
	Heading    string
	Paragraphs []string
	Rows       [][2]string // label and value
	Button     Button      // optional
	Footer     string      // its line breaks are kept
	Accent     string      // "#rrggbb"; anything else is the product's own
}

// Button is the one thing the reader is asked to do. URL must be http(s); any
// other address is left out.
type Button struct{ Label, URL string }

//go:embed layout.html.tmpl
var layoutSource string

var layout = template.Must(template.New("mail").Parse(layoutSource))

// Render returns m as plain text wrapped at 72 columns and as an HTML document.
// Every value is escaped.
func Render(m Mail) (text, html string) {
	if !isWeb(m.Button.URL) {
		m.Button = Button{}
	}
	l, ok := locales.Get(m.Language)
	if !ok {
		l, _ = locales.Get(locales.Default)
	}
	return plain(m), rich(m, l)
}

func rich(m Mail, l *locales.Locale) string {
	col, err := accent.Parse(m.Accent)
	if err != nil {
		col, _ = accent.Parse(accent.Default)
	}
	var out strings.Builder
	err = layout.Execute(&out, struct {
		Mail
		Lang, Accent, Link, Label, Help string
		URL                             template.URL
		FooterLines                     []string
	}{
		Mail: m, Lang: l.Code(), Accent: col.String(), Link: col.OnWhite().String(), Label: col.Label().String(),
		Help: l.Text("mail.link.help"), URL: template.URL(m.Button.URL), // isWeb has checked it
		FooterLines: strings.Split(m.Footer, "\n"),
	})
	if err != nil { // a strings.Builder does not fail and the layout is ours
		panic("mail layout: " + err.Error())
	}
	return out.String()
}

func plain(m Mail) string {
	var out strings.Builder
	out.WriteString(wrap(m.Heading) + "\n" + strings.Repeat("=", min(columns, widest(wrap(m.Heading)))) + "\n")
	for _, p := range m.Paragraphs {
		out.WriteString("\n" + wrap(p) + "\n")
	}
	if len(m.Rows) > 0 {
		out.WriteString("\n" + plainRows(m.Rows))
	}
	if m.Button.URL != "" {
		// The address stands on its own line, unbroken, so that it can be clicked.
		out.WriteString("\n" + wrap(m.Button.Label+":") + "\n" + m.Button.URL + "\n")
	}
	out.WriteString("\n-- \n" + wrap(m.Brand) + "\n")
	for _, line := range strings.Split(m.Footer, "\n") {
		out.WriteString(wrap(line) + "\n")
	}
	return out.String()
}

// plainRows aligns the values behind the longest label.
func plainRows(rows [][2]string) string {
	indent := 0
	for _, r := range rows {
		indent = max(indent, utf8.RuneCountInString(r[0])+3)
	}
	var out strings.Builder
	for _, r := range rows {
		pad := strings.Repeat(" ", indent-1-utf8.RuneCountInString(r[0]))
		lines := strings.Split(wrapAt(r[1], max(20, columns-indent)), "\n")
		out.WriteString(r[0] + ":" + pad + strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n")
	}
	return out.String()
}

func wrap(s string) string { return wrapAt(s, columns) }

// wrapAt breaks s between words; a word longer than a line stays whole.
func wrapAt(s string, limit int) string {
	var out strings.Builder
	used := 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > limit:
			out.WriteString("\n")
			used = 0
		default:
			out.WriteString(" ")
			used++
		}
		out.WriteString(word)
		used += n
	}
	return out.String()
}

func widest(s string) int {
	w := 0
	for _, line := range strings.Split(s, "\n") {
		w = max(w, utf8.RuneCountInString(line))
	}
	return w
}
