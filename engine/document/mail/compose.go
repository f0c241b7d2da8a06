package mail

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
)

// Compose writes the mail of a kind in a language; a language we do not have
// falls back to English, since a mail in English is better than none. Errors:
// ErrKind; ErrData naming the field that is missing or unusable.
func Compose(kind Kind, lang string, data Data) (Message, error) {
	f, ok := forms[kind]
	if !ok {
		return Message{}, fmt.Errorf("%w: %q", ErrKind, kind)
	}
	l, ok := locales.Get(lang)
	if !ok {
		l, _ = locales.Get(locales.Default)
	}
	values := data.values(l)
	if err := f.check(kind, data, values); err != nil {
		return Message{}, err
	}
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		pairs = append(pairs, string(name), value)
	}
	key := "mail." + string(kind)
	m := Mail{
		Brand: values["brand"], Language: l.Code(), Accent: data.Accent,
		Heading:    l.Text(key+".heading", pairs...),
		Paragraphs: append([]string{greeting(l, values["name"])}, l.Paragraphs(key+".body", pairs...)...),
		Rows:       f.labeled(l, data, values),
		Footer:     strings.TrimSpace(l.Text("mail.footer", "brand", values["brand"]) + "\n" + data.Footer),
	}
	if data.Link != "" {
		m.Button = Button{Label: l.Text(key + ".button"), URL: data.Link}
	}
	text, html := Render(m)
	return Message{Subject: l.Text(key+".subject", pairs...), Text: text, HTML: html}, nil
}

func (f form) check(kind Kind, data Data, values map[field]string) error {
	if values["brand"] == "" {
		return refuse(kind, "brand", "is empty")
	}
	for _, need := range f.needs {
		if values[need] == "" {
			return refuse(kind, string(need), "is empty")
		}
	}
	if data.Link != "" && !isWeb(data.Link) {
		return refuse(kind, "link", "is not an http(s) address")
	}
	if _, err := accent.Parse(data.Accent); err != nil {
		return refuse(kind, "accent", err.Error())
	}
	return nil
}

func (f form) labeled(l *locales.Locale, data Data, values map[field]string) [][2]string {
	var rows [][2]string
	for _, r := range f.rows {
		label := r.label
		if r.field == fieldIPs && len(data.IPs) == 1 {
			label = "ip"
		}
		if values[r.field] != "" {
			rows = append(rows, [2]string{l.Text("mail.row." + label), values[r.field]})
		}
	}
	if slices.Contains(f.needs, fieldChanges) {
		for _, c := range data.Changes {
			rows = append(rows, [2]string{oneLine(c.Service), l.Text("mail.price_changes.item", "was", oneLine(l.Money(c.Was)), "on", oneLine(l.Date(c.On)))})
		}
	}
	if slices.Contains(f.needs, fieldCounts) {
		for _, c := range data.Counts {
			rows = append(rows, [2]string{finding(l, c.Kind), l.Integer(int64(c.N))})
		}
	}
	return rows
}

// finding names a kind of finding; one without a name keeps its code.
func finding(l *locales.Locale, kind string) string {
	if key := "finding." + kind; l.Has(key) {
		return l.Text(key)
	}
	return oneLine(kind)
}

func greeting(l *locales.Locale, name string) string {
	if name == "" {
		return l.Text("mail.greeting.plain")
	}
	return l.Text("mail.greeting", "name", name)
}

// isWeb reports whether link is an absolute http(s) address without spaces or
// control characters, so that it can be neither a script nor a second header.
func isWeb(link string) bool {
	return (strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")) &&
		!strings.ContainsFunc(link, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// oneLine makes a value fit for a subject and a row: control and direction
// marks go, white space becomes single spaces, broken UTF-8 is replaced.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}
