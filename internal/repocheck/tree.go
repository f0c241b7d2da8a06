// Package repocheck holds the house rules that no compiler knows: which package
// may import which, where time and secrets may come from, what the browser may
// be sent, and how long a file may grow. Each rule reads a file tree and returns
// what breaks it, with file and line; ordinary tests run all of them over this
// repository and prove on a bad snippet that each can fail.
package repocheck

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Finding is one place that breaks a rule.
type Finding struct {
	File string // slash-separated, from the repository's root
	Line int    // from 1
	Text string // what is wrong and what to do instead
}

// String prints the finding as editors and terminals understand it.
func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Check is one house rule.
type Check struct {
	Name string
	Run  func(*Tree) []Finding
}

// Checks lists every house rule.
func Checks() []Check {
	return []Check{
		{"imports", imports},
		{"one composition root", compositionRoot},
		{"clock", clock},
		{"default HTTP client", defaultClient},
		{"lengths", lengths},
		{"documentation", documentation},
		{"secrets", secrets},
		{"script sinks", scriptSinks},
		{"inline code in HTML", inlineCode},
		{"JavaScript imports", scriptImports},
		{"vendored checksums", vendoredSums},
	}
}

// Tree is a repository as the rules see it.
type Tree struct {
	files map[string][]byte // by path, all that is text or vendored
	paths []string          // of files, sorted
	code  []source          // the Go files
	fset  *token.FileSet
}

// source is a parsed Go file.
type source struct {
	path      string
	file      *ast.File
	test      bool // a _test.go file, which most rules let alone
	generated bool
}

// skipped names directories that are not ours or not committed.
var skipped = []string{".git", "node_modules", "pb_data", ".cache", "bin", "demo-data"}

// Load reads the tree below fsys. Errors: unreadable files, Go that does not
// parse.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{files: map[string][]byte{}, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular() || !wanted(name):
			return nil
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		t.files[name] = content
		t.paths = append(t.paths, name)
		if path.Ext(name) == ".go" && !within(name, "testdata") {
			return t.parse(name, content)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the repository: %w", err)
	}
	slices.Sort(t.paths)
	return t, nil
}

// wanted leaves out what no rule reads: fonts, pictures, binaries.
func wanted(name string) bool {
	if vendored(name) {
		return true
	}
	switch path.Ext(name) {
	case ".go", ".js", ".mjs", ".html", ".gohtml", ".tmpl", ".css", ".json", ".md", ".txt", ".yml", ".yaml", ".sh", ".mod", ".env", ".toml", "":
		return path.Base(name) != "go.sum" && path.Dir(name) != "bin"
	}
	return false
}

func (t *Tree) parse(name string, content []byte) error {
	file, err := parser.ParseFile(t.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.code = append(t.code, source{name, file, strings.HasSuffix(name, "_test.go"), ast.IsGenerated(file)})
	return nil
}

// product yields the Go files that are neither tests nor generated.
func (t *Tree) product(yield func(source) bool) {
	for _, s := range t.code {
		if !s.test && !s.generated && !yield(s) {
			return
		}
	}
}

// find makes a finding at a node of a Go file.
func (t *Tree) find(at ast.Node, format string, args ...any) Finding {
	p := t.fset.Position(at.Pos())
	return Finding{p.Filename, p.Line, fmt.Sprintf(format, args...)}
}

// vendored reports whether a file is a browser library that others wrote.
func vendored(name string) bool { return strings.HasPrefix(name, vendorDir+"/") }

// within reports whether one of the directories above name is called dir.
func within(name, dir string) bool {
	return slices.Contains(strings.Split(path.Dir(name), "/"), dir)
}

// lineAt returns the line of a byte offset, from 1.
func lineAt(content []byte, offset int) int {
	return 1 + strings.Count(string(content[:offset]), "\n")
}
