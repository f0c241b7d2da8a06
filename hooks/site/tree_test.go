package site

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func mustTree(t *testing.T) *tree {
	t.Helper()
	files, err := loadTree(publicDir)
	if err != nil {
		t.Fatalf("load tree: %v", err)
	}
	return files
}

func TestVersionedFiles(t *testing.T) {
	h, _ := newServer(t, Deps{})
	prefix := mustTree(t).prefix()

	current := get(t, h, prefix+"/js/app.js")
	if got := current.header.Get("Cache-Control"); got != immutable {
		t.Errorf("current version: Cache-Control %q, want %q", got, immutable)
	}
	if got := current.header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("Content-Type: got %q", got)
	}
	older := get(t, h, "/a/0123456789abcdef/js/app.js")
	if older.status != http.StatusOK || strings.Contains(older.header.Get("Cache-Control"), "immutable") {
		t.Errorf("older version: got %d %q, want 200 and not immutable", older.status, older.header.Get("Cache-Control"))
	}
	if a, b := current.body, older.body; a != b {
		t.Error("an older prefix does not answer with the current file")
	}

	etag := current.header.Get("ETag")
	again := get(t, h, prefix+"/js/app.js", "If-None-Match", `"x", W/`+etag)
	if again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("If-None-Match: got %d, want 304 without a body", again.status)
	}
	head := do(t, h, http.MethodHead, prefix+"/js/app.js", "")
	if head.status != http.StatusOK || head.header.Get("Content-Length") == "0" || head.body != "" {
		t.Errorf("HEAD: got %d with length %s", head.status, head.header.Get("Content-Length"))
	}
}

func TestCompression(t *testing.T) {
	h, _ := newServer(t, Deps{})
	path := mustTree(t).prefix() + "/css/components.css"
	plain := get(t, h, path)
	packed := get(t, h, path, "Accept-Encoding", "br, gzip")
	if packed.header.Get("Content-Encoding") != "gzip" || !strings.Contains(packed.header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("not compressed: %v", packed.header)
	}
	if packed.header.Get("ETag") == plain.header.Get("ETag") {
		t.Error("both forms have the same ETag")
	}
	zr, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	body, err := io.ReadAll(zr)
	if err != nil {
		t.Fatalf("gunzip: %v", err)
	}
	if string(body) != plain.body {
		t.Error("the compressed form holds something else")
	}
	if refused := get(t, h, path, "Accept-Encoding", "gzip;q=0"); refused.header.Get("Content-Encoding") != "" {
		t.Error("compressed for a client that refuses it")
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.5": true,
		"*": true, "*;q=0": false, "gzip;q=0, *": false, "br;q=1": false, "gzip;q=x": false, "notgzip": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: got %t, want %t", header, got, want)
		}
	}
}

func FuzzAcceptsGzip(f *testing.F) {
	f.Add("gzip;q=0.5, *;q=0")
	f.Add(";,;q=")
	f.Fuzz(func(t *testing.T, header string) {
		if acceptsGzip(header) && !strings.Contains(strings.ToLower(header), "gzip") && !strings.Contains(header, "*") {
			t.Errorf("%q accepts gzip without naming it", header)
		}
	})
}

func TestNothingElseIsServed(t *testing.T) {
	h, _ := newServer(t, Deps{})
	for _, path := range []string{
		"/a/x/", "/a/x/js", "/a/x/js/", "/a/x/vendor/README.md", "/a/x/vendor/SHA256SUMS",
		"/a/x/%2e%2e/go.mod", "/a/x/..%2f..%2fgo.mod", "/a/x/js/..%2f..%2f..%2fgo.mod", "/a/x/%2Fetc%2Fpasswd", "/a/x/js%5c..%5capp.js",
	} {
		if res := get(t, h, path); res.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, res.status)
		}
	}
}

func TestHashFollowsContent(t *testing.T) {
	first := fstest.MapFS{"js/a.js": {Data: []byte("1")}, "css/b.css": {Data: []byte("2")}}
	hash := func(m fstest.MapFS) string {
		t.Helper()
		files, err := loadTree(m)
		if err != nil {
			t.Fatalf("load: %v", err)
		}
		return files.hash
	}
	if a, b := hash(first), hash(first); a != b {
		t.Errorf("two readings of one tree: %s and %s", a, b)
	}
	for name, other := range map[string]fstest.MapFS{
		"changed file": {"js/a.js": {Data: []byte("3")}, "css/b.css": {Data: []byte("2")}},
		"renamed file": {"js/c.js": {Data: []byte("1")}, "css/b.css": {Data: []byte("2")}},
		"removed file": {"js/a.js": {Data: []byte("1")}},
	} {
		if hash(other) == hash(first) {
			t.Errorf("%s: same hash", name)
		}
	}
	unserved := fstest.MapFS{"js/a.js": {Data: []byte("1")}, "css/b.css": {Data: []byte("2")}, "README.md": {Data: []byte("x")}}
	if hash(unserved) != hash(first) {
		t.Error("a file that is not served changes the hash")
	}
}

func TestDropComments(t *testing.T) {
	scenarios := []struct{ name, in, want string }{
		{"line comment", "a;\n  // gone\nb;", "a;\n\nb;"},
		{"block on one line", "/** gone */\na;", "\na;"},
		{"block on several lines", "/**\n * gone\n */\na;", "\n\n\na;"},
		{"comment after code stays", "a; // stays\nb; /* stays */", "a; // stays\nb; /* stays */"},
		{"code after a comment stays", "/** @type {x} */ (a).b;", "/** @type {x} */ (a).b;"},
		{"address in a string stays", "a(\"http://x\");", "a(\"http://x\");"},
	}
	for _, s := range scenarios {
		if got := string(dropComments([]byte(s.in))); got != s.want {
			t.Errorf("%s: got %q, want %q", s.name, got, s.want)
		}
	}
	source := mustTree(t)
	for name, f := range source.files {
		if strings.HasPrefix(name, "js/") && bytes.Contains(f.body, []byte("/**\n")) {
			t.Errorf("%s still holds a documentation block", name)
		}
	}
}
