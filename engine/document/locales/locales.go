// Package locales holds the languages of what customers receive: the texts of
// invoices and mails, and how each language writes amounts and dates. Texts are
// in one JSON file per language, so a translator needs no Go. It owns no layout.
package locales

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
)

// Default is the language used where none is wanted.
const Default = "en"

//go:embed *.json
var files embed.FS

var all = mustLoad()

// Locale is one language. It is read-only and safe for concurrent use.
type Locale struct {
	code   string
	texts  map[string]text
	months []string
	runes  string
}

// text is one entry of a language file: a string, or a list of paragraphs.
type text []string

// UnmarshalJSON accepts a string or a list of strings.
func (t *text) UnmarshalJSON(raw []byte) error {
	var one string
	if err := json.Unmarshal(raw, &one); err == nil {
		*t = text{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("text %.40s is neither a string nor a list of strings: %w", raw, err)
	}
	*t = many
	return nil
}

// Get returns the locale of a language tag, by its primary part: "de-AT" is
// "de". ok is false when we do not have the language.
func Get(tag string) (l *Locale, ok bool) {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	l, ok = all[primary]
	return l, ok
}

// Codes returns the languages we have, sorted.
func Codes() []string {
	codes := make([]string, 0, len(all))
	for code := range all {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	return codes
}

// Code is the language's primary tag (RFC 5646), as in "de".
func (l *Locale) Code() string { return l.code }

// Keys returns every text key, sorted.
func (l *Locale) Keys() []string {
	keys := make([]string, 0, len(l.texts))
	for key := range l.texts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// Runes returns the characters beyond ASCII that the language's texts use, each
// once, so that a font can be chosen for them.
func (l *Locale) Runes() string { return l.runes }

// Has reports whether the key exists.
func (l *Locale) Has(key string) bool {
	_, ok := l.texts[key]
	return ok
}

// Text returns the text of a key with its {placeholders} filled from values,
// which are name, value, name, value … A missing key shows as ⟨key⟩, so that it
// is seen and searched for rather than silently empty.
func (l *Locale) Text(key string, values ...string) string {
	t, ok := l.texts[key]
	if !ok {
		return "⟨" + key + "⟩"
	}
	return fill(strings.Join(t, "\n\n"), values)
}

// Paragraphs returns the paragraphs of a key with their {placeholders} filled.
// A paragraph that names an empty value is left out: that is how a text says
// "only when known".
func (l *Locale) Paragraphs(key string, values ...string) []string {
	if !l.Has(key) {
		return []string{l.Text(key)}
	}
	var out []string
	for _, p := range l.texts[key] {
		if !namesEmpty(p, values) {
			out = append(out, fill(p, values))
		}
	}
	return out
}

func fill(s string, values []string) string {
	if len(values) == 0 {
		return s
	}
	pairs := make([]string, len(values))
	for i, v := range values {
		if i%2 == 0 {
			v = "{" + v + "}"
		}
		pairs[i] = v
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

func namesEmpty(s string, values []string) bool {
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] == "" && strings.Contains(s, "{"+values[i]+"}") {
			return true
		}
	}
	return false
}

func mustLoad() map[string]*Locale {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("locales: " + err.Error()) // embedded at build time
	}
	loaded := map[string]*Locale{}
	for _, e := range entries {
		l, err := load(e.Name())
		if err != nil {
			panic("locales: " + err.Error())
		}
		loaded[l.code] = l
	}
	return loaded
}

func load(file string) (*Locale, error) {
	raw, err := files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	l := &Locale{code: strings.TrimSuffix(file, ".json")}
	if err := json.Unmarshal(raw, &l.texts); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	l.months = l.texts["date.months"]
	if len(l.months) != 12 {
		return nil, fmt.Errorf("%s: date.months has %d names", file, len(l.months))
	}
	l.runes = beyondASCII(l.texts)
	return l, nil
}

func beyondASCII(texts map[string]text) string {
	seen := map[rune]bool{}
	for _, t := range texts {
		for _, r := range strings.Join(t, "") {
			seen[r] = seen[r] || r > unicode.MaxASCII
		}
	}
	var out []rune
	for r, beyond := range seen {
		if beyond {
			out = append(out, r)
		}
	}
	slices.Sort(out)
	return string(out)
}
