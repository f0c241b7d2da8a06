package repocheck

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

const (
	publicDir = "pb_public"
	vendorDir = publicDir + "/vendor"
	mailDir   = "engine/document/mail"
)

var sinks = regexp.MustCompile(`(?i:innerHTML)|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|` +
	`document\s*\.\s*write|\beval\s*\(|\bnew\s+Function\b`)

// scriptSinks finds ways by which text becomes markup or code in the browser.
// The policy of every document refuses them; here they are refused earlier.
func scriptSinks(t *Tree) (found []Finding) {
	for _, name := range t.paths {
		if !served(name) {
			continue
		}
		content := t.files[name]
		for _, at := range sinks.FindAllIndex(content, -1) {
			found = append(found, Finding{name, lineAt(content, at[0]), fmt.Sprintf("%s: text must stay text", content[at[0]:at[1]])})
		}
	}
	return found
}

// served reports whether a file is script or markup of ours that browsers get.
func served(name string) bool {
	if vendored(name) || within(name, "testdata") || below(name, "tools") {
		return false
	}
	switch path.Ext(name) {
	case ".js", ".mjs", ".html", ".gohtml", ".tmpl":
		return true
	}
	return false
}

var (
	tag        = regexp.MustCompile(`(?s)<([a-zA-Z][a-zA-Z0-9-]*)((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	badAttr    = regexp.MustCompile(`(?i)(?:^|\s)(style|on[a-z]+)\s*=`)
	sourceAttr = regexp.MustCompile(`(?i)\ssrc\s*=`)
	dataScript = regexp.MustCompile(`(?i)\stype\s*=\s*["']application/(ld\+)?json["']`)
	quoted     = regexp.MustCompile(`"[^"]*"|'[^']*'`)
)

// inlineCode finds what the content security policy blocks in a document: style
// and event attributes, style elements, scripts without an address. It reads
// HTML files and the templates that stand in Go code as literals. Mails may carry
// their style: no policy reaches them and mail programs know no style sheets.
func inlineCode(t *Tree) (found []Finding) {
	for _, name := range t.paths {
		if served(name) && path.Ext(name) != ".js" && path.Ext(name) != ".mjs" {
			for _, f := range inlineIn(string(t.files[name]), below(name, mailDir)) {
				found = append(found, Finding{name, f.Line, f.Text})
			}
		}
	}
	t.product(func(s source) bool {
		if below(s.path, "internal/repocheck") {
			return true
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, f := range inlineIn(text, below(s.path, mailDir)) {
				at := t.find(lit, "%s", f.Text)
				if strings.HasPrefix(lit.Value, "`") {
					at.Line += f.Line - 1
				}
				found = append(found, at)
			}
			return true
		})
		return true
	})
	return found
}

// inlineIn returns findings without a file, for one piece of markup. styled lets
// style attributes and elements pass.
func inlineIn(markup string, styled bool) (found []Finding) {
	for _, at := range tag.FindAllStringSubmatchIndex(markup, -1) {
		element := strings.ToLower(markup[at[2]:at[3]])
		attributes := markup[at[4]:at[5]]
		line := 1 + strings.Count(markup[:at[0]], "\n")
		switch {
		case element == "style" && !styled:
			found = append(found, Finding{"", line, "<style>: put it in a style sheet"})
		case element == "script" && !sourceAttr.MatchString(attributes) && !dataScript.MatchString(attributes):
			found = append(found, Finding{"", line, "inline <script>: put it in a module"})
		}
		names := quoted.ReplaceAllString(attributes, `""`) // values may say what they like
		for _, bad := range badAttr.FindAllStringSubmatch(names, -1) {
			if styled && strings.EqualFold(bad[1], "style") {
				continue
			}
			found = append(found, Finding{"", line, fmt.Sprintf("%s= on <%s>: the policy blocks it", bad[1], element)})
		}
	}
	return found
}

var moduleImport = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']`)

// scriptImports finds imports of modules that are not there. Without a build
// step nothing else notices before a browser does. Addresses are relative, so
// that they stay inside the versioned prefix.
func scriptImports(t *Tree) (found []Finding) {
	for _, name := range t.paths {
		if !served(name) || path.Ext(name) != ".js" && path.Ext(name) != ".mjs" {
			continue
		}
		content := string(t.files[name])
		for _, at := range moduleImport.FindAllStringSubmatchIndex(content, -1) {
			target := submatch(content, at)
			start := at[0] + len(content[at[0]:at[1]]) - len(strings.TrimLeft(content[at[0]:at[1]], " \t\n"))
			line := 1 + strings.Count(content[:start], "\n")
			if !strings.HasPrefix(target, "./") && !strings.HasPrefix(target, "../") {
				if below(name, publicDir) {
					found = append(found, Finding{name, line, fmt.Sprintf("imports %q: write a relative address", target)})
				}
				continue
			}
			if _, there := t.files[path.Join(path.Dir(name), target)]; !there {
				found = append(found, Finding{name, line, fmt.Sprintf("imports %q, which does not exist", target)})
			}
		}
	}
	return found
}

// submatch returns the one group of a match that took part.
func submatch(content string, at []int) string {
	for i := 2; i < len(at); i += 2 {
		if at[i] >= 0 {
			return content[at[i]:at[i+1]]
		}
	}
	return ""
}

// vendoredSums recomputes the checksums of the vendored libraries: a changed
// file, a file without a line and a line without a file are findings.
func vendoredSums(t *Tree) (found []Finding) {
	const list = vendorDir + "/SHA256SUMS"
	listed := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(t.files[list]))
	for n := 1; lines.Scan(); n++ {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			found = append(found, Finding{list, n, "not a line of sha256sum"})
			continue
		}
		listed[name] = true
		content, there := t.files[vendorDir+"/"+name]
		if got := sha256.Sum256(content); !there {
			found = append(found, Finding{list, n, name + " does not exist"})
		} else if hex.EncodeToString(got[:]) != sum {
			found = append(found, Finding{list, n, name + " has another checksum: build it, never edit it"})
		}
	}
	for _, name := range t.paths {
		if vendored(name) && name != list && !listed[strings.TrimPrefix(name, vendorDir+"/")] {
			found = append(found, Finding{name, 1, "has no line in " + list})
		}
	}
	return found
}
