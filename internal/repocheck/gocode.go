package repocheck

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
)

// Limits on product code. Generated files and tests are free of them.
const (
	maxFileLines     = 450
	maxFunctionLines = 80
)

// clock finds readings of the machine's clock. Time comes in as an argument or a
// Now field; only main, what tests share, and adapters as their stated default
// may name time.Now, and of these only main may call it.
func clock(t *Tree) (found []Finding) {
	t.product(func(s source) bool {
		if !strings.Contains(s.path, "/") || below(s.path, "internal") {
			return true
		}
		called := map[ast.Node]bool{}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				called[call.Fun] = true
			}
			name, ok := selected(s.file, n, "time")
			if !ok || name != "Now" && name != "Since" && name != "Until" {
				return true
			}
			if called[n] || !below(s.path, "integrations") {
				found = append(found, t.find(n, "time.%s: take now as an argument or from a Now field", name))
			}
			return true
		})
		return true
	})
	return found
}

// defaultClient finds uses of net/http's shared client, which has no timeout and
// which every library of the process can change.
func defaultClient(t *Tree) (found []Finding) {
	shared := map[string]bool{"DefaultClient": true, "Get": true, "Head": true, "Post": true, "PostForm": true}
	t.product(func(s source) bool {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if name, ok := selected(s.file, n, "net/http"); ok && shared[name] {
				found = append(found, t.find(n, "http.%s: the client comes from outside, with a timeout", name))
			}
			return true
		})
		return true
	})
	return found
}

// selected returns the name that n selects from a package, as in time.Now.
func selected(file *ast.File, n ast.Node, target string) (string, bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	from, ok := sel.X.(*ast.Ident)
	if !ok || from.Name == "" || from.Name != importedAs(file, target) {
		return "", false
	}
	return sel.Sel.Name, true
}

// lengths finds files and functions that have outgrown one idea.
func lengths(t *Tree) (found []Finding) {
	t.product(func(s source) bool {
		if lines := t.fset.Position(s.file.FileEnd).Line; lines > maxFileLines {
			found = append(found, Finding{s.path, maxFileLines, fmt.Sprintf("%d lines, at most %d: split it by concept", lines, maxFileLines)})
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := t.fset.Position(f.End()).Line - t.fset.Position(f.Pos()).Line + 1
			if lines > maxFunctionLines {
				found = append(found, t.find(f, "%s has %d lines, at most %d", f.Name.Name, lines, maxFunctionLines))
			}
		}
		return true
	})
	return found
}

// documentation finds exported names without a comment and packages without an
// opening paragraph.
func documentation(t *Tree) (found []Finding) {
	documented, first := map[string]bool{}, map[string]source{}
	t.product(func(s source) bool {
		dir := path.Dir(s.path)
		if _, seen := first[dir]; !seen {
			first[dir] = s
		}
		documented[dir] = documented[dir] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			found = append(found, undocumented(t, d)...)
		}
		return true
	})
	for dir, s := range first {
		if !documented[dir] {
			found = append(found, t.find(s.file, "package %s has no opening paragraph", s.file.Name.Name))
		}
	}
	return found
}

func undocumented(t *Tree, d ast.Decl) (found []Finding) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			found = append(found, t.find(d, "%s has no doc comment", d.Name.Name))
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return nil // it speaks for the whole group
		}
		for _, spec := range d.Specs {
			if name := bareName(spec); name != "" {
				found = append(found, t.find(spec, "%s has no doc comment", name))
			}
		}
	}
	return found
}

// bareName returns the exported name that a spec leaves undocumented, or "".
func bareName(spec ast.Spec) string {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && spec.Doc == nil {
			return spec.Name.Name
		}
	case *ast.ValueSpec:
		if spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil {
			return spec.Names[0].Name
		}
	}
	return ""
}

// exportedReceiver reports whether readers of the documentation see a function:
// it has no receiver, or one of an exported type.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}
	visible := true
	ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok {
			visible = name.IsExported()
			return false
		}
		return true
	})
	return visible
}

// secretShapes are shapes that only real secrets have. Keys of test modes move no
// money and are let alone; made-up webhook secrets and live keys in tests are
// shorter or say so.
var secretShapes = regexp.MustCompile(`[sr]k_live_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/]{24,}|` +
	`AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{30,}|xox[bp]-[0-9A-Za-z-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----`)

// secrets finds what looks like a key that somebody could use.
func secrets(t *Tree) (found []Finding) {
	for _, name := range t.paths {
		for _, at := range secretShapes.FindAllIndex(t.files[name], -1) {
			found = append(found, Finding{name, lineAt(t.files[name], at[0]), "looks like a real secret"})
		}
	}
	return found
}
