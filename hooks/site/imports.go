package site

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// staticImport finds import and re-export statements that name a file: `import x from "./y.js"`, `export * from "./y.js"`,
// `import "./y.js"`. Calls of import() are left out on purpose: what loads later need not be fetched now.
var staticImport = regexp.MustCompile(`(?m)^\s*(?:import|export)\b(?:[^"';()]*?\bfrom)?\s*["']([^"']+)["']`)

// route is one line of the page table: a pattern of path segments, where ":name" stands for any one segment, and the module
// under js/pages that draws it.
type route struct {
	segments []string
	page     string
}

// routeLine reads one entry of js/routes.js, such as `{ path: "/portal/services/:id", page: "service" },`.
var routeLine = regexp.MustCompile(`\{\s*path:\s*"(/portal/[^"]*)",\s*page:\s*"([a-z-]+)"`)

// readRoutes reads the portal's page table, which the browser uses too, so that the two cannot disagree.
func readRoutes(files *tree) ([]route, error) {
	table := files.files["js/routes.js"]
	if table == nil {
		return nil, fmt.Errorf("js/routes.js is missing")
	}
	var routes []route
	for _, m := range routeLine.FindAllStringSubmatch(string(table.body), -1) {
		if files.files[pageModule(m[2])] == nil {
			return nil, fmt.Errorf("js/routes.js: page %q of %s has no module %s", m[2], m[1], pageModule(m[2]))
		}
		routes = append(routes, route{segments: splitPath(m[1]), page: m[2]})
	}
	if len(routes) == 0 {
		return nil, fmt.Errorf("js/routes.js: no page found")
	}
	return routes, nil
}

// match finds the page of a path; ok is false for an address the portal does not have.
func match(routes []route, urlPath string) (page string, ok bool) {
	segments := splitPath(urlPath)
	for _, r := range routes {
		if slices.EqualFunc(r.segments, segments, func(pattern, got string) bool {
			return pattern == got || strings.HasPrefix(pattern, ":") && got != ""
		}) {
			return r.page, true
		}
	}
	return "", false
}

func pageModule(page string) string { return "js/pages/" + page + ".js" }

func splitPath(p string) []string { return strings.Split(strings.Trim(p, "/"), "/") }

// graph knows which module imports which. Each file is read once, however many pages need it.
type graph struct {
	files   *tree
	imports map[string][]string
}

func newGraph(files *tree) *graph { return &graph{files, map[string][]string{}} }

// of lists what a module imports statically.
func (g *graph) of(name string, f *file) ([]string, error) {
	if found, known := g.imports[name]; known {
		return found, nil
	}
	found := []string{}
	for _, m := range staticImport.FindAllStringSubmatch(string(f.body), -1) {
		if !strings.HasPrefix(m[1], ".") {
			return nil, fmt.Errorf("%s imports %q: only relative addresses work without a build step", name, m[1])
		}
		found = append(found, path.Join(path.Dir(name), m[1]))
	}
	g.imports[name] = found
	return found, nil
}

// modules returns the roots and everything they import statically, each once, those first that the others wait for. It returns
// an error that names the importer when a file does not exist.
func (g *graph) modules(roots ...string) ([]string, error) {
	var order []string
	seen := map[string]bool{}
	var visit func(name, importer string) error
	visit = func(name, importer string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		f := g.files.files[name]
		if f == nil {
			return fmt.Errorf("%s imports %s, which does not exist", importer, name)
		}
		if !strings.HasPrefix(name, "vendor/") {
			imports, err := g.of(name, f)
			if err != nil {
				return err
			}
			for _, next := range imports {
				if err := visit(next, name); err != nil {
					return err
				}
			}
		}
		order = append(order, name)
		return nil
	}
	for _, root := range roots {
		if err := visit(root, "the page table"); err != nil {
			return nil, err
		}
	}
	return order, nil
}
