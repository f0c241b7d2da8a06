package site

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rules of the house for pb_public, as tests that name file and line.

// sources calls back with every line of our own files below dir with one of the extensions.
func sources(t *testing.T, dir string, extensions []string, visit func(name string, line int, text string)) {
	t.Helper()
	err := fs.WalkDir(publicDir, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(extensions, path.Ext(name)) || strings.HasPrefix(name, "vendor/") {
			return err
		}
		body, err := fs.ReadFile(publicDir, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(body), "\n") {
			visit(name, i+1, line)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("walk %s: %v", dir, err)
	}
}

// firstLoadBudget is the gzip size in bytes of the JavaScript that has to arrive before a page can be used.
const firstLoadBudget = 45 << 10

func TestFirstLoadBudget(t *testing.T) {
	files := mustTree(t)
	shell, err := newShell(files, Deps{}.withDefaults())
	if err != nil {
		t.Fatalf("shell: %v", err)
	}
	size := func(modules []string) int {
		sum := 0
		for _, name := range modules {
			f := files.files[name]
			if gzipped := f.gzipped(); gzipped != nil {
				sum += len(gzipped)
			} else {
				sum += len(f.body)
			}
		}
		return sum
	}
	sdk := size([]string{"vendor/pocketbase.js"})
	for page, modules := range shell.preload {
		got := size(modules)
		t.Logf("%-12s %5d bytes in %d modules, %5d with the client for signing in and live changes", page, got, len(modules), got+sdk)
		if got > firstLoadBudget {
			t.Errorf("%s: %d bytes, budget %d", page, got, firstLoadBudget)
		}
	}
}

func TestVendoredFilesAreUnchanged(t *testing.T) {
	list, err := fs.ReadFile(publicDir, "vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for scanner := bufio.NewScanner(bytes.NewReader(list)); scanner.Scan(); {
		sum, name, ok := strings.Cut(scanner.Text(), "  ")
		if !ok {
			t.Fatalf("SHA256SUMS: malformed line %q", scanner.Text())
		}
		want[name] = sum
	}
	err = fs.WalkDir(publicDir, "vendor", func(name string, d fs.DirEntry, err error) error {
		short := strings.TrimPrefix(name, "vendor/")
		if err != nil || d.IsDir() || short == "SHA256SUMS" {
			return err
		}
		body, err := fs.ReadFile(publicDir, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		if got := hex.EncodeToString(sum[:]); got != want[short] {
			t.Errorf("%s: got %s, SHA256SUMS says %q", name, got, want[short])
		}
		delete(want, short)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("%s is in SHA256SUMS and does not exist", name)
	}
}

var forbiddenInScripts = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTML|dangerouslySet|\bconsole\.|debugger`)

func TestScriptsKeepTheHouseRules(t *testing.T) {
	sources(t, "js", []string{".js"}, func(name string, line int, text string) {
		if m := forbiddenInScripts.FindString(text); m != "" {
			t.Errorf("pb_public/%s:%d: %s", name, line, m)
		}
		if strings.Contains(text, "http://") || strings.Contains(text, "https://") {
			t.Errorf("pb_public/%s:%d: address of another origin", name, line)
		}
		if strings.Contains(text, "setAttribute(\"style\"") {
			t.Errorf("pb_public/%s:%d: style attribute", name, line)
		}
	})
}

var color = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(`)

func TestColorsAreTokens(t *testing.T) {
	sources(t, "css", []string{".css"}, func(name string, line int, text string) {
		base := path.Base(name)
		if base != "tokens.css" && base != "print.css" && color.MatchString(strings.ReplaceAll(text, "light-dark(#eceef2, #1d242d)", "")) {
			t.Errorf("pb_public/%s:%d: color outside tokens.css: %s", name, line, strings.TrimSpace(text))
		}
	})
}

func messages(t *testing.T, language string) map[string]string {
	t.Helper()
	body, err := fs.ReadFile(publicDir, "locales/"+language+".json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("locales/%s.json: %v", language, err)
	}
	return m
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

func TestLocalesAgree(t *testing.T) {
	en, de := messages(t, "en"), messages(t, "de")
	for key, sentence := range en {
		other, ok := de[key]
		if !ok {
			t.Errorf("de.json lacks %q", key)
			continue
		}
		a, b := placeholder.FindAllString(sentence, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		// "One left" need not say the number.
		if !slices.Equal(a, b) && !strings.HasSuffix(key, "_one") {
			t.Errorf("%s: placeholders %v in English, %v in German", key, a, b)
		}
	}
	for key := range de {
		if _, ok := en[key]; !ok {
			t.Errorf("en.json lacks %q", key)
		}
	}
}

var (
	wholeKey  = regexp.MustCompile(`"([a-z][a-z_0-9]*(?:\.[a-z][a-z_0-9]*)+)"`)
	calledKey = regexp.MustCompile(`\b(?:t|rich|requiredRule)\(\s*"([^"]+)"`)
	keyPrefix = regexp.MustCompile(`"([a-z][a-z_]*(?:\.[a-z_]+)*[._])"\s*\+`)
)

func TestEverySentenceExistsAndIsUsed(t *testing.T) {
	en := messages(t, "en")
	has := func(key string) bool {
		_, plain := en[key]
		_, plural := en[key+"_other"]
		return plain || plural
	}
	used, prefixes := map[string]bool{}, map[string]bool{}
	sources(t, "js", []string{".js"}, func(name string, line int, text string) {
		for _, m := range calledKey.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if !has(m[1]) && !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(m[1], "_") {
				t.Errorf("pb_public/%s:%d: no sentence %q", name, line, m[1])
			}
		}
		for _, m := range wholeKey.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
		for _, m := range keyPrefix.FindAllStringSubmatch(text, -1) {
			prefixes[m[1]] = m[1] != "profile." // the server's names of fields, not sentences
		}
	})
	for prefix, sentences := range prefixes {
		if sentences && !slices.ContainsFunc(slices.Collect(keysOf(en)), func(key string) bool { return strings.HasPrefix(key, prefix) }) {
			t.Errorf("no sentence begins with %q", prefix)
		}
	}
	for key := range en {
		base := strings.TrimSuffix(strings.TrimSuffix(key, "_one"), "_other")
		byPrefix := slices.ContainsFunc(slices.Collect(keysOf(prefixes)), func(p string) bool { return strings.HasPrefix(key, p) })
		if !used[key] && !used[base] && !byPrefix {
			t.Errorf("sentence %q is never used", key)
		}
	}
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

func TestEveryPageIsInTheTable(t *testing.T) {
	files := mustTree(t)
	routes, err := readRoutes(files)
	if err != nil {
		t.Fatal(err)
	}
	for name := range files.files {
		if dir, base := path.Split(name); dir == "js/pages/" {
			page := strings.TrimSuffix(base, ".js")
			if !slices.ContainsFunc(routes, func(r route) bool { return r.page == page }) {
				t.Errorf("pb_public/%s is not in js/routes.js", name)
			}
		}
	}
	for address, want := range map[string]string{
		"/portal/": "overview", "/portal/orders/x": "order-status", "/portal/services/x/y": "", "/portal/services/": "services", "/portal/x": "",
	} {
		if got, _ := match(routes, address); got != want {
			t.Errorf("%s: got page %q, want %q", address, got, want)
		}
	}
}
