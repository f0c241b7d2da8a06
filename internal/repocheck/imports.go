package repocheck

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	module     = "github.com/ezscale/ezscale"
	pocketbase = "github.com/pocketbase"
)

// leaves are the packages below hooks that subjects share.
var leaves = []string{"op", "jobs", "audit", "books"}

// shared are the folders below integrations that adapters of several vendors use:
// what is no vendor's own, such as how any hosting panel is called.
var shared = []string{"panel"}

// impure are packages of the standard library by which the engine would reach
// the world: the network, files, storage, randomness.
var impure = []string{
	"net", "net/http", "net/rpc", "net/smtp", "net/textproto", "os", "syscall", "plugin",
	"database/sql", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "io/ioutil",
}

// engineMay lists what packages of the engine import besides the standard
// library and each other.
var engineMay = map[string][]string{
	"engine/document": {"github.com/go-pdf/fpdf"},
}

// imports checks the direction of every import: engine knows nobody, adapters
// know the engine, subjects meet in records, main alone knows everyone.
func imports(t *Tree) (found []Finding) {
	t.product(func(s source) bool {
		for _, spec := range s.file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the parser has seen to that
			}
			if why := refuse(path.Dir(s.path), target); why != "" {
				found = append(found, t.find(spec, "imports %s: %s", target, why))
			}
		}
		return true
	})
	return found
}

// refuse says why a package in dir may not import target, or "".
func refuse(dir, target string) string {
	ours, isOurs := strings.CutPrefix(target, module+"/")
	layer, rest, _ := strings.Cut(dir, "/")
	if isOurs && below(ours, "internal") && layer != "internal" && dir != "." {
		return "internal is for tests and main"
	}
	switch layer {
	case "engine":
		return refuseEngine(dir, target, ours, isOurs)
	case "collections":
		return refuseCollection(ours, isOurs)
	case "pb_migrations", publicDir:
		return refuseUs(target, isOurs)
	case "integrations":
		return refuseIntegration(rest, target, ours, isOurs)
	case "hooks":
		return refuseHook(rest, ours, isOurs)
	}
	return ""
}

func refuseCollection(ours string, isOurs bool) string {
	if isOurs && !below(ours, "engine") && !below(ours, "collections") {
		return "what is stored knows the engine only"
	}
	return ""
}

// refuseUs serves the layers that know nothing of ours.
func refuseUs(target string, isOurs bool) string {
	switch {
	case isOurs:
		return "knows nothing of ours: history must not change when code does"
	case strings.Contains(target, ".") && !strings.HasPrefix(target, pocketbase+"/"):
		return "knows PocketBase only"
	}
	return ""
}

func refuseEngine(dir, target, ours string, isOurs bool) string {
	switch {
	case isOurs && !below(ours, "engine"):
		return "the engine knows nobody"
	case isOurs:
		return ""
	case slices.Contains(impure, target) || below(target, "os") || below(target, "database"):
		return "the engine is pure: no network, files, storage, logs or randomness"
	case strings.Contains(target, ".") && !slices.Contains(engineMay[dir], target):
		return "the engine uses the standard library only"
	}
	return ""
}

func refuseIntegration(rest, target, ours string, isOurs bool) string {
	vendor, _, _ := strings.Cut(rest, "/")
	switch {
	case strings.HasPrefix(target, pocketbase+"/"):
		return "adapters know no PocketBase"
	case !isOurs || below(ours, "engine") || below(ours, "integrations/"+vendor) || isShared(ours) && vendor != "sandbox":
		return ""
	case below(ours, "integrations"):
		return "a vendor's folder knows no other vendor"
	}
	return "adapters know the engine only"
}

// isShared says whether a folder of ours is one that adapters share.
func isShared(ours string) bool {
	return slices.ContainsFunc(shared, func(name string) bool { return below(ours, "integrations/"+name) })
}

func refuseHook(rest, ours string, isOurs bool) string {
	subject, _, _ := strings.Cut(rest, "/")
	other, isHook := strings.CutPrefix(ours, "hooks/")
	other, _, _ = strings.Cut(other, "/")
	switch {
	case !isOurs || below(ours, "engine") || below(ours, "collections"):
		return ""
	case below(ours, "integrations"):
		return "vendors come in as interfaces, from main"
	case !isHook:
		return "a subject knows PocketBase, collections, the engine and the leaves"
	case subject == "" || other == subject || slices.Contains(leaves, other):
		return ""
	case slices.Contains(leaves, subject):
		return "a leaf knows no subject"
	}
	return "subjects meet in records, not in calls"
}

// below reports whether p is dir or lies in it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// compositionRoot keeps package main in main.go and cmd_*.go of the root, so
// that one place knows everyone. Programs of tools/ are no part of the product.
func compositionRoot(t *Tree) (found []Finding) {
	t.product(func(s source) bool {
		dir, base := path.Split(s.path)
		inRoot := dir == "" && (base == "main.go" || strings.HasPrefix(base, "cmd_"))
		switch {
		case dir == "" && !inRoot:
			found = append(found, t.find(s.file, "the root holds main.go and cmd_*.go only"))
		case s.file.Name.Name == "main" && !inRoot && !below(s.path, "tools"):
			found = append(found, t.find(s.file, "a second package main: the product is one binary"))
		}
		return true
	})
	return found
}

// importedAs returns the name under which a file knows a package, or "".
func importedAs(file *ast.File, target string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value != strconv.Quote(target) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(target)
	}
	return ""
}
