package site

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

//go:embed templates/shell.html
var shellSource string

var shellTemplate = template.Must(template.New("shell").Parse(shellSource))

// The two cookies the portal writes so that the first byte of a page already has the reader's theme and language. Neither
// identifies anybody.
const (
	themeCookie    = "ez_theme"
	languageCookie = "ez_lang"
)

// styles are the layers of the portal's style sheet in their order.
var styles = []string{"reset", "tokens", "base", "layout", "components", "utilities", "print"}

const entryModule = "js/app.js"

// shell draws the one HTML document that every /portal/* address answers with.
type shell struct {
	files     *tree
	deps      Deps
	routes    []route
	languages []string            // base names of locales/*.json, "en" first
	preload   map[string][]string // page → modules; "" is an unknown address
}

type shellData struct {
	Brand, Support, Prefix, Theme, Language string
	Styles, Modules                         []string
	Demo                                    bool
}

func newShell(files *tree, deps Deps) (*shell, error) {
	routes, err := readRoutes(files)
	if err != nil {
		return nil, err
	}
	s := &shell{files: files, deps: deps, routes: routes, preload: map[string][]string{}}
	imports := newGraph(files)
	if s.preload[""], err = imports.modules(entryModule); err != nil {
		return nil, err
	}
	for _, r := range routes {
		if s.preload[r.page], err = imports.modules(entryModule, pageModule(r.page)); err != nil {
			return nil, err
		}
	}
	for name := range files.files {
		if dir, base := path.Split(name); dir == "locales/" {
			s.languages = append(s.languages, strings.TrimSuffix(base, ".json"))
		}
	}
	slices.SortFunc(s.languages, func(a, b string) int {
		if (a == "en") != (b == "en") {
			if a == "en" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	if len(s.languages) == 0 {
		return nil, fmt.Errorf("locales holds no language")
	}
	for _, name := range styles {
		if files.files["css/"+name+".css"] == nil {
			return nil, fmt.Errorf("css/%s.css is missing", name)
		}
	}
	return s, nil
}

// serve answers with the shell. An address the portal does not have is a 404 with the same document, whose script then says
// so in the reader's language.
func (s *shell) serve(e *core.RequestEvent) error {
	page, known := match(s.routes, e.Request.URL.Path)
	status := http.StatusOK
	if !known {
		status = http.StatusNotFound
	}
	data := shellData{
		Brand:    s.deps.BrandName(),
		Support:  s.deps.SupportEmail(),
		Prefix:   s.files.prefix(),
		Theme:    cookieValue(e.Request, themeCookie, "light", "dark"),
		Language: s.language(e.Request),
		Styles:   styles,
		Modules:  s.preload[page],
		Demo:     s.deps.Demo,
	}
	var buf bytes.Buffer
	if err := shellTemplate.Execute(&buf, data); err != nil {
		return e.InternalServerError("", fmt.Errorf("draw portal page %s: %w", e.Request.URL.Path, err))
	}
	h := e.Response.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Cookie, Accept-Language")
	return e.HTML(status, buf.String())
}

// language is the reader's choice, or the first language of the browser that the portal has, or the first one it has.
func (s *shell) language(r *http.Request) string {
	if chosen := cookieValue(r, languageCookie, s.languages...); chosen != "" {
		return chosen
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if slices.Contains(s.languages, base) {
			return base
		}
	}
	return s.languages[0]
}

// cookieValue returns the cookie's value if it is one of those allowed, and "" otherwise.
func cookieValue(r *http.Request, name string, allowed ...string) string {
	c, err := r.Cookie(name)
	if err != nil || !slices.Contains(allowed, c.Value) {
		return ""
	}
	return c.Value
}
