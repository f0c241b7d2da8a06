package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// contentTypes lists what is served. A file of another kind in the tree (a README, a checksum list) is not reachable.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml; charset=utf-8",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json; charset=utf-8",
	".woff2":       "font/woff2",
}

const (
	immutable = "public, max-age=31536000, immutable"
	shortLife = "public, max-age=3600"
	// minGain is how many bytes compression must save before the compressed form is kept.
	minGain = 128
)

// tree is the public tree in memory: every file as it is and, where that is smaller, as gzip. It never changes after
// loadTree, so requests share it without a lock.
type tree struct {
	hash  string // names this version in addresses: 16 hex digits over all paths and contents
	files map[string]*file
}

type file struct {
	body        []byte
	gzipped     func() []byte // made at the first request that takes it; nil when compression does not pay
	contentType string
	etag        string // without quotes; the gzip form appends "-gz"
}

// loadTree reads every servable file of public.
func loadTree(public fs.FS) (*tree, error) {
	t := &tree{files: map[string]*file{}}
	sum := sha256.New()
	err := fs.WalkDir(public, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		contentType, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil
		}
		body, err := fs.ReadFile(public, name)
		if err != nil {
			return err
		}
		if path.Ext(name) == ".js" && !strings.HasPrefix(name, "vendor/") {
			body = dropComments(body)
		}
		// WalkDir goes in lexical order; lengths keep two trees apart whose concatenated bytes are equal.
		fmt.Fprintf(sum, "%d %s %d\n", len(name), name, len(body))
		sum.Write(body)
		t.files[name] = newFile(body, contentType)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return t, nil
}

func newFile(body []byte, contentType string) *file {
	sum := sha256.Sum256(body)
	return &file{
		body: body, contentType: contentType, etag: hex.EncodeToString(sum[:12]),
		gzipped: sync.OnceValue(func() []byte { return compress(body) }), // compressing the tree at start would cost a tenth of a second
	}
}

// compress returns nil when compression does not pay.
func compress(body []byte) []byte {
	var buf bytes.Buffer
	zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil // the level is a constant that gzip knows
	}
	if _, err := zw.Write(body); err != nil {
		return nil // a buffer takes everything
	}
	if err := zw.Close(); err != nil || buf.Len()+minGain > len(body) {
		return nil
	}
	return buf.Bytes()
}

// dropComments empties the lines of a module that are comment and nothing else. A third of our modules is documentation, which
// browsers need not load; what remains keeps its line numbers. A comment counts only where it begins a line, so a string or a
// template that holds "//" further in is safe.
func dropComments(module []byte) []byte {
	lines := bytes.Split(module, []byte("\n"))
	inside := false
	for i, line := range lines {
		text := bytes.TrimSpace(line)
		switch {
		case inside:
			inside = !bytes.Contains(text, []byte("*/"))
		case bytes.HasPrefix(text, []byte("/*")) && !bytes.Contains(text, []byte("*/")):
			inside = true
		case bytes.HasPrefix(text, []byte("/*")) && bytes.HasSuffix(text, []byte("*/")):
		case bytes.HasPrefix(text, []byte("//")):
		default:
			continue
		}
		lines[i] = nil
	}
	return bytes.Join(lines, []byte("\n"))
}

// prefix is the address under which this version of the tree stands, "/a/<hash>".
func (t *tree) prefix() string { return "/a/" + t.hash }

// serveVersioned answers /a/{hash}/{path...}. Any hash gives the current tree, so a tab that was open across an update goes
// on; only the current hash may be kept for ever, or a rollback would find newer files under its own address.
func (t *tree) serveVersioned(e *core.RequestEvent) error {
	f := t.files[e.Request.PathValue("path")]
	if f == nil {
		return e.NotFoundError("There is no such file.", nil)
	}
	caching := "public, no-cache"
	if e.Request.PathValue("hash") == t.hash {
		caching = immutable
	}
	f.serve(e.Response, e.Request, caching)
	return nil
}

// serveNamed answers with one file at an address without a version.
func (t *tree) serveNamed(name string) func(*core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		f := t.files[name]
		if f == nil {
			return e.NotFoundError("There is no such file.", nil)
		}
		f.serve(e.Response, e.Request, shortLife)
		return nil
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request, caching string) {
	h := w.Header()
	body, etag := f.body, `"`+f.etag+`"`
	if gzipped := f.gzipped(); gzipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			body, etag = gzipped, `"`+f.etag+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", caching)
	h.Set("ETag", etag)
	if etagMatches(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the browser went away; there is nobody to tell
	}
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110 §12.5.3): gzip or * named without a weight of zero.
func acceptsGzip(header string) bool {
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		weight, hasWeight := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		refused := false
		if hasWeight {
			q, err := strconv.ParseFloat(weight, 64)
			refused = err != nil || q <= 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return !refused
		case "*":
			accepted = !refused
		}
	}
	return accepted
}

// etagMatches compares weakly, as If-None-Match does (RFC 9110 §13.1.2).
func etagMatches(header, etag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == etag {
			return true
		}
	}
	return false
}
