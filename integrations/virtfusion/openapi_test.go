package virtfusion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// vendorDocument lies beside the repository where it is present at all; what the
// product needs of it is stated in this package and in virtbox.
const vendorDocument = "../../../shared/contracts/virtfusion-openapi.yaml"

// checker compares what passes by with the vendor's OpenAPI document: our
// requests with its schemas, the sandbox's answers with its examples.
type checker struct {
	next   http.RoundTripper
	router routers.Router

	mu       sync.Mutex
	seen     map[string]bool
	problems []string
}

func (c *checker) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) RoundTrip(r *http.Request) (*http.Response, error) {
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
		c.note("%s: %v", line, err)
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
		c.note("%s: request: %v", line, err)
	}
	c.knownFields(line, route.Operation, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil || resp.StatusCode >= 400 {
		return resp, err
	}
	return resp, c.answer(line, route.Operation, resp)
}

// knownFields finds fields that the document lacks, which its schemas allow.
func (c *checker) knownFields(line string, op *openapi3.Operation, body []byte) {
	var got map[string]any
	if len(body) == 0 || json.Unmarshal(body, &got) != nil {
		return
	}
	props := op.RequestBody.Value.Content.Get("application/json").Schema.Value.Properties
	for name := range got {
		if props[name] == nil {
			c.note("%s: the field %s is not documented", line, name)
		}
	}
}

func (c *checker) answer(line string, op *openapi3.Operation, resp *http.Response) error {
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	doc := op.Responses.Status(resp.StatusCode)
	if doc == nil {
		c.note("%s: status %d is not documented", line, resp.StatusCode)
		return nil
	}
	media := doc.Value.Content.Get("application/json")
	if media == nil || media.Example == nil || len(raw) == 0 {
		return nil
	}
	var got any
	if err := json.Unmarshal(raw, &got); err != nil {
		c.note("%s: the answer is no JSON: %v", line, err)
		return nil
	}
	c.within(line, got, media.Example)
	return nil
}

// within notes what the answer has and the vendor's example has not, or has with
// another type. Null fits everything, and so does [] where PHP means {}.
func (c *checker) within(at string, got, example any) {
	if got == nil || example == nil || strings.HasSuffix(at, ".remoteState") { // the last is not documented
		return
	}
	switch got := got.(type) {
	case map[string]any:
		c.keysWithin(at, got, example)
	case []any:
		want, ok := example.([]any)
		if !ok && len(got) > 0 {
			c.note("%s: a list, the example has %T", at, example)
		}
		for _, v := range got {
			if len(want) > 0 {
				c.within(at+"[]", v, want[0])
			}
		}
	default:
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", example) && !numbers(got, example) {
			c.note("%s: %T, the example has %T", at, got, example)
		}
	}
}

func (c *checker) keysWithin(at string, got map[string]any, example any) {
	want, ok := example.(map[string]any)
	if !ok {
		c.note("%s: an object, the example has %T", at, example)
	}
	for k, v := range got {
		if _, there := want[k]; ok && !there {
			c.note("%s.%s: not in the example", at, k)
		}
		c.within(at+"."+k, v, want[k])
	}
}

// numbers says whether both are numbers; the YAML reader has several types.
func numbers(a, b any) bool {
	is := func(v any) bool {
		switch v.(type) {
		case float64, int, int64, uint64, json.Number:
			return true
		}
		return false
	}
	return is(a) && is(b)
}

func TestAgainstTheVendorsDocument(t *testing.T) {
	if _, err := os.Stat(vendorDocument); errors.Is(err, os.ErrNotExist) {
		t.Log("the vendor's document is not present: this additional check does not run")
		return
	}
	doc, err := openapi3.NewLoader().LoadFromFile(vendorDocument)
	if err != nil {
		t.Fatalf("load the document: %v", err)
	}
	g := newRig(t, virtbox.Options{TaskTime: -1})
	doc.Servers = openapi3.Servers{{URL: g.URL + apiPath}}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	if err != nil {
		t.Fatalf("read the document: %v", err)
	}
	check := &checker{router: router, seen: map[string]bool{}}
	g.Through(func(next http.RoundTripper) http.RoundTripper { check.next = next; return check })
	everyCall(t, g)
	for _, p := range check.problems {
		t.Error(p)
	}
	if len(check.seen) < 26 {
		t.Errorf("only %d operations were seen: %v", len(check.seen), check.seen)
	}
}

// everyCall makes each call of the adapter once, so that all are checked.
func everyCall(t *testing.T, g *rig) {
	t.Helper()
	c, o, ctx := g.client(), testOrder("svc1"), t.Context()
	o.Settings[SettingIPv6], o.Settings[SettingSwap] = "true", "1.5"
	b := g.built(c, o)
	lost := b
	lost.Step, lost.Started = StepCreate, g.Clock.Now().Add(-time.Second)
	other := testOrder("svc2")
	steps := []func() error{
		func() error { return c.Test(ctx) },
		func() error { return c.Suspend(ctx, b.RemoteID) },
		func() error { return c.Unsuspend(ctx, b.RemoteID) },
		func() error { return c.Power(ctx, b.RemoteID, provisioning.PowerRestart) },
		func() error { return c.Power(ctx, b.RemoteID, provisioning.PowerShutdown) },
		func() error { return c.Power(ctx, b.RemoteID, provisioning.PowerBoot) },
		func() error { return c.Power(ctx, b.RemoteID, provisioning.PowerOff) },
		func() error { _, err := c.Status(ctx, b.RemoteID); return err },
		func() error {
			_, err := c.ChangePlan(ctx, provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, From: larger(0), To: larger(2), Unsure: true})
			return err
		},
		func() error { _, err := c.Traffic(ctx, b.RemoteID); return err },
		func() error { _, err := c.ResetPassword(ctx, b.RemoteID); return err },
		func() error { _, err := c.SignInLink(ctx, o.UserID, b.RemoteID); return err },
		func() error { _, err := c.Packages(ctx); return err },
		func() error { _, err := c.Groups(ctx); return err },
		func() error { _, err := c.Capacity(ctx, "1"); return err },
		func() error { _, err := c.Templates(ctx, "1"); return err },
		func() error { _, err := c.Recover(ctx, o, lost); return err },
		func() error { return lostTwin(ctx, g, c, other, lost) },
		func() error { _, err := c.Terminate(ctx, b.RemoteID); return err },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

// lostTwin makes Recover compare a server with its package.
func lostTwin(ctx context.Context, g *rig, c *Client, o provisioning.Order, b provisioning.Build) error {
	id := g.box.Allocate(1, 2)
	b.Data = map[string]string{dataBaseline: "1"}
	b.RemoteID = ""
	got, err := c.Recover(ctx, o, b)
	if err == nil && got.RemoteID != strconv.FormatInt(id, 10) {
		return fmt.Errorf("found %q, want %d", got.RemoteID, id)
	}
	return err
}
