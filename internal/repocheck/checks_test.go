package repocheck

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"testing/fstest"
)

// scenario is one file tree and what a rule must say of it: "file:line: text"
// prefixes in any order, none for a clean tree.
type scenario struct {
	name  string
	files map[string]string
	want  []string
}

// run proves that a rule can fail and can pass.
func run(t *testing.T, check func(*Tree) []Finding, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, content := range s.files {
				fsys[name] = &fstest.MapFile{Data: []byte(content)}
			}
			tree, err := Load(fsys)
			if err != nil {
				t.Fatal(err)
			}
			found := check(tree)
			if len(found) != len(s.want) {
				t.Errorf("got %d findings %v, want %v", len(found), found, s.want)
			}
			for _, want := range s.want {
				hit := false
				for _, f := range found {
					hit = hit || strings.HasPrefix(f.String(), want)
				}
				if !hit {
					t.Errorf("got %v, want %q among them", found, want)
				}
			}
		})
	}
}

// one is a tree of a single file.
func one(name, content string) map[string]string { return map[string]string{name: content} }

func TestImports(t *testing.T) {
	const ours = module + "/"
	using := func(targets ...string) string {
		text := "package p\n\nimport (\n"
		for _, target := range targets {
			text += "\t_ \"" + target + "\"\n"
		}
		return text + ")\n"
	}
	run(t, imports, []scenario{
		{"engine on HTTP", one("engine/billing/a.go", using("fmt", "net/http")), []string{"engine/billing/a.go:5: imports net/http"}},
		{"engine on files", one("engine/billing/a.go", using("os/exec")), []string{"engine/billing/a.go:4:"}},
		{"engine on randomness", one("engine/billing/a.go", using("math/rand/v2", "crypto/rand")), []string{"engine/billing/a.go:4:", "engine/billing/a.go:5:"}},
		{"engine on SQL", one("engine/billing/a.go", using("database/sql")), []string{"engine/billing/a.go:4:"}},
		{"engine on PocketBase", one("engine/billing/a.go", using(pocketbase+"/pocketbase/core")), []string{"engine/billing/a.go:4:"}},
		{"engine on collections", one("engine/billing/a.go", using(ours+"collections")), []string{"engine/billing/a.go:4:"}},
		{"engine on a PDF writer elsewhere", one("engine/billing/a.go", using("github.com/go-pdf/fpdf")), []string{"engine/billing/a.go:4:"}},
		{"engine in order", map[string]string{
			"engine/billing/a.go":  using("fmt", "net/netip", "net/url", "time", ours+"engine/money"),
			"engine/document/a.go": using("github.com/go-pdf/fpdf"),
			"engine/b/a_test.go":   using("os", "pgregory.net/rapid"),
		}, nil},
		{"collections on hooks", one("collections/a.go", using(ours+"hooks/op")), []string{"collections/a.go:4:"}},
		{"collections on a vendor", one("collections/a.go", using(ours+"integrations/stripe")), []string{"collections/a.go:4:"}},
		{"collections in order", one("collections/a.go", using(pocketbase+"/pocketbase/core", ours+"engine/money")), nil},
		{"migration on ours", one("pb_migrations/1_a.go", using(ours+"collections")), []string{"pb_migrations/1_a.go:4:"}},
		{"migration on a stranger", one("pb_migrations/1_a.go", using("github.com/x/y")), []string{"pb_migrations/1_a.go:4:"}},
		{"migration in order", one("pb_migrations/1_a.go", using(pocketbase+"/pocketbase/core", "encoding/json")), nil},
		{"vendor on PocketBase", one("integrations/stripe/a.go", using(pocketbase+"/dbx")), []string{"integrations/stripe/a.go:4:"}},
		{"vendor on collections", one("integrations/stripe/a.go", using(ours+"collections")), []string{"integrations/stripe/a.go:4:"}},
		{"vendor on another vendor", one("integrations/stripe/a.go", using(ours+"integrations/stripes")), []string{"integrations/stripe/a.go:4: imports " + ours + "integrations/stripes: a vendor's folder"}},
		{"vendor on the sandbox", one("integrations/stripe/a.go", using(ours+"integrations/sandbox/fault")), []string{"integrations/stripe/a.go:4:"}},
		{"sandbox on a vendor", one("integrations/sandbox/stripe/a.go", using(ours+"integrations/stripe")), []string{"integrations/sandbox/stripe/a.go:4:"}},
		{"what vendors share on a vendor", one("integrations/panel/a.go", using(ours+"integrations/stripe")), []string{"integrations/panel/a.go:4:"}},
		{"sandbox on what vendors share", one("integrations/sandbox/stripe/a.go", using(ours+"integrations/panel")), []string{"integrations/sandbox/stripe/a.go:4:"}},
		{"vendors in order", map[string]string{
			"integrations/virtfusion/b.go":     using(ours + "integrations/panel"),
			"integrations/stripe/a.go":         using("net/http", ours+"engine/billing", ours+"integrations/stripe/wire"),
			"integrations/sandbox/stripe/a.go": using(ours+"integrations/sandbox/fault", ours+"engine/money"),
		}, nil},
		{"subject on a subject", one("hooks/payments/a.go", using(ours+"hooks/provisioning")), []string{"hooks/payments/a.go:4:"}},
		{"part of a subject on a subject", one("hooks/staff/ui/a.go", using(ours+"hooks/site")), []string{"hooks/staff/ui/a.go:4:"}},
		{"subject on a vendor", one("hooks/payments/a.go", using(ours+"integrations/stripe")), []string{"hooks/payments/a.go:4:"}},
		{"subject on the list of all", one("hooks/payments/a.go", using(ours+"hooks")), []string{"hooks/payments/a.go:4:"}},
		{"leaf on a subject", one("hooks/jobs/a.go", using(ours+"hooks/payments")), []string{"hooks/jobs/a.go:4:"}},
		{"list of all on a vendor", one("hooks/hooks.go", using(ours+"integrations/stripe")), []string{"hooks/hooks.go:4:"}},
		{"product on test helpers", one("hooks/payments/a.go", using(ours+"internal/testapp")), []string{"hooks/payments/a.go:4:"}},
		{"hooks in order", map[string]string{
			"hooks/hooks.go":       using(ours+"hooks/payments", ours+"hooks/site"),
			"hooks/payments/a.go":  using(ours+"hooks/jobs", ours+"collections", ours+"engine/billing", ours+"hooks/payments/in"),
			"hooks/op/a.go":        using(ours + "hooks/audit"),
			"hooks/site/a_test.go": using(ours+"internal/testapp", ours+"hooks/payments"),
			"main.go":              "package main\n\nimport _ \"" + ours + "integrations/stripe\"\n",
		}, nil},
	})
}

func TestCompositionRoot(t *testing.T) {
	run(t, compositionRoot, []scenario{
		{"a helper beside main", one("util.go", "package main\n"), []string{"util.go:1:"}},
		{"a second program", one("cmd/other/main.go", "package main\n"), []string{"cmd/other/main.go:1:"}},
		{"in order", map[string]string{"main.go": "package main\n", "cmd_demo.go": "package main\n", "main_test.go": "package main\n", "tools/x/main.go": "package main\n"}, nil},
	})
}

func TestClock(t *testing.T) {
	reads := "package p\n\nimport \"time\"\n\nvar at = time.Now()\n"
	names := "package p\n\nimport \"time\"\n\nvar now = time.Now\n"
	run(t, clock, []scenario{
		{"call in hooks", one("hooks/a/a.go", reads), []string{"hooks/a/a.go:5: time.Now"}},
		{"default in hooks", one("hooks/a/a.go", names), []string{"hooks/a/a.go:5:"}},
		{"call in an adapter", one("integrations/a/a.go", reads), []string{"integrations/a/a.go:5:"}},
		{"since", one("engine/a/a.go", "package p\n\nimport \"time\"\n\nfunc f(t time.Time) any { return time.Since(t) }\n"), []string{"engine/a/a.go:5: time.Since"}},
		{"under another name", one("engine/a/a.go", "package p\n\nimport clock \"time\"\n\nvar at = clock.Now()\n"), []string{"engine/a/a.go:5:"}},
		{"in order", map[string]string{
			"main.go": reads, "hooks/a/a_test.go": reads, "integrations/sandbox/a/a.go": names, "internal/sim/a.go": reads,
			"hooks/b/b.go": "package p\n\ntype T struct{ Now func() int }\n\nfunc (time T) f() int { return time.Now() }\n",
		}, nil},
	})
}

func TestDefaultClient(t *testing.T) {
	use := func(expr string) string { return "package p\n\nimport \"net/http\"\n\nvar x = " + expr + "\n" }
	run(t, defaultClient, []scenario{
		{"shared client", one("integrations/a/a.go", use("http.DefaultClient")), []string{"integrations/a/a.go:5:"}},
		{"shortcut", one("main.go", use("http.Get")), []string{"main.go:5:"}},
		{"in order", map[string]string{"main.go": use("http.Client{}"), "a_test.go": use("http.Get")}, nil},
	})
}

func TestLengths(t *testing.T) {
	file := func(lines int) string { return "package p\n" + strings.Repeat("\n", lines-2) + "// end\n" }
	function := func(lines int) string {
		return "package p\n\nfunc f() {\n" + strings.Repeat("\tf()\n", lines-2) + "}\n"
	}
	run(t, lengths, []scenario{
		{"long file", one("a/a.go", file(maxFileLines+1)), []string{"a/a.go:450: 451 lines"}},
		{"long function", one("a/a.go", function(maxFunctionLines+1)), []string{"a/a.go:3: f has 81 lines"}},
		{"in order", map[string]string{
			"a/a.go": file(maxFileLines), "a/b.go": function(maxFunctionLines), "a/a_test.go": file(2000),
			"a/zz_gen_a.go": "// Code generated by make generate; DO NOT EDIT.\n" + file(2000),
		}, nil},
	})
}

func TestDocumentation(t *testing.T) {
	run(t, documentation, []scenario{
		{"nothing is documented", one("a/a.go", "package a\n\ntype T int\n\nfunc (T) M() {}\n\nfunc F() {}\n\nconst C = 1\n\nvar V int\n"), []string{
			"a/a.go:1: package a has no opening paragraph", "a/a.go:3: T", "a/a.go:5: M", "a/a.go:7: F", "a/a.go:9: C", "a/a.go:11: V",
		}},
		{"in order", map[string]string{
			"a/a.go": "package a\n\n// T is documented.\ntype T int\n\ntype hidden int\n\nfunc (hidden) M() {}\n\n// Both are.\nconst (\n\tC = 1\n\tD = 2\n)\n",
			"a/b.go": "// Package a has its paragraph here.\npackage a\n",
		}, nil},
	})
}

func TestSecrets(t *testing.T) {
	run(t, secrets, []scenario{
		{"live key in a test", one("a/a_test.go", "package a\n\nconst k = \"sk_"+"live_"+strings.Repeat("a1", 12)+"\"\n"), []string{"a/a_test.go:3:"}},
		{"webhook secret in a document", one("README.md", "\n\nwhsec_"+strings.Repeat("Ab1", 10)), []string{"README.md:3:"}},
		{"private key", one("a/k.txt", "-----BEGIN RSA "+"PRIVATE KEY-----"), []string{"a/k.txt:1:"}},
		{"in order", one("README.md", "sk_live_… whsec_… sk_test_demo whsec_sandbox"), nil},
	})
}

func TestScriptSinks(t *testing.T) {
	run(t, scriptSinks, []scenario{
		{"each of them", one("pb_public/js/a.js", "a.innerHTML = x\nb.insertAdjacentHTML('x', y)\nc.outerHTML = x\ndocument.write(x)\neval(x)\nnew Function(x)\nh`<p dangerouslySetInnerHTML=${x}>`\n"), []string{
			"pb_public/js/a.js:1:", "pb_public/js/a.js:2:", "pb_public/js/a.js:3:", "pb_public/js/a.js:4:", "pb_public/js/a.js:5:", "pb_public/js/a.js:6:", "pb_public/js/a.js:7:",
		}},
		{"in a staff page", one("hooks/staff/ui/a.js", "a.innerHTML = x"), []string{"hooks/staff/ui/a.js:1:"}},
		{"in order", map[string]string{"pb_public/js/a.js": "a.textContent = x; medieval(x); retrieval(y)", "pb_public/vendor/b.js": "a.innerHTML = x"}, nil},
	})
}

func TestInlineCode(t *testing.T) {
	run(t, inlineCode, []scenario{
		{"each of them", one("hooks/site/templates/a.html", "<p style=\"x\">\n<a\n onclick='f()'>\n<style>p{}</style>\n<script>f()</script>\n<script type=\"module\">f()</script>\n"), []string{
			"hooks/site/templates/a.html:1: style=", "hooks/site/templates/a.html:2: onclick=", "hooks/site/templates/a.html:4: <style>",
			"hooks/site/templates/a.html:5: inline", "hooks/site/templates/a.html:6: inline",
		}},
		{"script in a mail", one("engine/document/mail/a.tmpl", "<style>p{}</style><p style=\"x\" onclick=\"f()\">"), []string{"engine/document/mail/a.tmpl:1: onclick="}},
		{"template in Go", one("hooks/a/a.go", "package a\n\nconst page = `<html>\n<p style=\"x\">`\n"), []string{"hooks/a/a.go:4: style="}},
		{"template in a Go line", one("hooks/a/a.go", "package a\n\nconst page = \"<p>\\n<b style='x'>\"\n"), []string{"hooks/a/a.go:3: style="}},
		{"in order", map[string]string{
			"a.html": "<p title=\"style = x, onclick=y\" data-on=\"1\" class='a'>{{.X}}</p>\n<script type=module src=\"./a.js\"></script>\n<script type=\"application/ld+json\">{}</script>\n",
			"a/a.go": "package a\n\nfunc f(a, b int) bool { return a < b }\n\nconst s = \"if a < b then style = c > d\"\n",
		}, nil},
	})
}

func TestScriptImports(t *testing.T) {
	run(t, scriptImports, []scenario{
		{"missing", one("pb_public/js/a.js", "import { x } from \"./b.js\";\n\nimport './c.js'\nconst p = () => import(\"./pages/d.js\")\nexport * from '../e.js'\n"), []string{
			"pb_public/js/a.js:1: imports \"./b.js\"", "pb_public/js/a.js:3: imports \"./c.js\"", "pb_public/js/a.js:4: imports \"./pages/d.js\"", "pb_public/js/a.js:5: imports \"../e.js\"",
		}},
		{"over several lines", one("pb_public/js/a.js", "\nimport {\n  x,\n  y,\n} from \"./b.js\";\n"), []string{"pb_public/js/a.js:2:"}},
		{"bare", one("pb_public/js/a.js", "import { h } from \"preact\"\n"), []string{"pb_public/js/a.js:1:"}},
		{"absolute", one("pb_public/js/a.js", "import { h } from \"/js/b.js\"\n"), []string{"pb_public/js/a.js:1:"}},
		{"in order", map[string]string{
			"pb_public/js/a.js":           "import { x } from \"../vendor/b.js\"\nimport \"./lib/c.js\"\n// from \"./nowhere.js\"\n",
			"pb_public/vendor/b.js":       "import \"preact\"",
			"pb_public/js/lib/c.js":       "export const from = \"./x.js\"\n",
			"tools/vendor/build.mjs":      "import \"esbuild\"",
			"hooks/staff/ui/extension.js": "import \"/js/ui/a.js\"\n",
		}, nil},
	})
}

func TestVendoredSums(t *testing.T) {
	sum := func(content string) string {
		s := sha256.Sum256([]byte(content))
		return hex.EncodeToString(s[:])
	}
	const list = vendorDir + "/SHA256SUMS"
	run(t, vendoredSums, []scenario{
		{"edited", map[string]string{list: sum("a") + "  a.js\n", vendorDir + "/a.js": "b"}, []string{list + ":1: a.js has another checksum"}},
		{"gone", map[string]string{list: sum("a") + "  a.js\n" + sum("b") + "  b.js\n", vendorDir + "/a.js": "a"}, []string{list + ":2: b.js does not exist"}},
		{"smuggled in", map[string]string{list: sum("a") + "  a.js\n", vendorDir + "/a.js": "a", vendorDir + "/licenses/x.txt": "x"}, []string{vendorDir + "/licenses/x.txt:1: has no line"}},
		{"no list", one(vendorDir+"/a.js", "a"), []string{vendorDir + "/a.js:1:"}},
		{"not a list", map[string]string{list: "hello\n"}, []string{list + ":1: not a line"}},
		{"in order", map[string]string{list: sum("a") + "  a.js\n", vendorDir + "/a.js": "a"}, nil},
	})
}

func TestLoadRefusesWhatDoesNotParse(t *testing.T) {
	_, err := Load(fstest.MapFS{"a.go": {Data: []byte("package")}, "b.md": {Data: []byte("x")}})
	if err == nil || !strings.Contains(err.Error(), "a.go:1:") {
		t.Errorf("got error %v, want one that names a.go:1", err)
	}
}
