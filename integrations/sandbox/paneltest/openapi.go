package paneltest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Contract compares what passes between an adapter and its sandbox with the
// vendor's OpenAPI document: our requests with its schemas, and answers as the
// caller says.
type Contract struct {
	// Answer looks at a success, with its body.
	Answer func(line string, in *openapi3filter.RequestValidationInput, resp *http.Response, body []byte)

	next   http.RoundTripper
	router routers.Router

	mu       sync.Mutex
	seen     map[string]bool
	problems []string
}

// Document is a vendor's OpenAPI document, which lies beside the repository where it
// is present at all.
type Document struct {
	File string
	Root string   // where its paths begin
	Mend []string // what its YAML needs to be read, in pairs of old and new
	Drop []string // paths, by their start, that are not valid and that we do not use
}

// LoadContract reads a document; nil where it is not present. What the product needs
// of it is stated in adapter and sandbox.
func LoadContract(t *testing.T, d Document) *Contract {
	t.Helper()
	raw, err := os.ReadFile(d.File)
	if errors.Is(err, os.ErrNotExist) {
		t.Log("the vendor's document is not present: this additional check does not run")
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(strings.NewReplacer(d.Mend...).Replace(string(raw))))
	if err != nil {
		t.Fatalf("load the document: %v", err)
	}
	for path := range doc.Paths.Map() {
		if slices.ContainsFunc(d.Drop, func(start string) bool { return strings.HasPrefix(path, start) }) {
			doc.Paths.Delete(path)
		}
	}
	doc.Servers = openapi3.Servers{{URL: d.Root}}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatalf("read the document: %v", err)
	}
	return &Contract{router: router, seen: map[string]bool{}}
}

// Over puts the check in front of a transport.
func (c *Contract) Over(next http.RoundTripper) http.RoundTripper {
	c.next = next
	return c
}

// Report fails the test for every problem, and where fewer than least operations
// were seen.
func (c *Contract) Report(t *testing.T, least int) {
	t.Helper()
	for _, p := range c.problems {
		t.Error(p)
	}
	if len(c.seen) < least {
		t.Errorf("only %d operations were seen: %v", len(c.seen), c.seen)
	}
}

// Note records a problem.
func (c *Contract) Note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// RoundTrip is of http.RoundTripper.
func (c *Contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	line := r.Method + " " + r.URL.Path
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.Note("%s: %v", line, err)
		return c.next.RoundTrip(r)
	}
	c.mu.Lock()
	c.seen[route.Method+" "+route.Path] = true
	c.mu.Unlock()
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		c.Note("%s: request: %v", line, err)
	}
	c.knownFields(line, route.Operation, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	c.Answer(line, in, resp, raw)
	return resp, nil
}

// knownFields finds fields that the document lacks, which its schemas allow.
func (c *Contract) knownFields(line string, op *openapi3.Operation, body []byte) {
	var got map[string]any
	if len(body) == 0 || json.Unmarshal(body, &got) != nil {
		return
	}
	props := op.RequestBody.Value.Content.Get("application/json").Schema.Value.Properties
	for name := range got {
		if props[name] == nil {
			c.Note("%s: the field %s is not documented", line, name)
		}
	}
}
