package virtfusion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// vendorDocument lies beside the repository where it is present at all; what the
// product needs of it is stated in this package and in virtbox.
const vendorDocument = "../../../shared/contracts/virtfusion-openapi.yaml"

// examples compares answers with the examples of the vendor's OpenAPI document,
// which has no schemas for them.
type examples struct{ *paneltest.Contract }

func (c *examples) answer(line string, in *openapi3filter.RequestValidationInput, resp *http.Response, raw []byte) {
	doc := in.Route.Operation.Responses.Status(resp.StatusCode)
	if doc == nil {
		c.Note("%s: status %d is not documented", line, resp.StatusCode)
		return
	}
	media := doc.Value.Content.Get("application/json")
	if media == nil || media.Example == nil || len(raw) == 0 {
		return
	}
	var got any
	if err := json.Unmarshal(raw, &got); err != nil {
		c.Note("%s: the answer is no JSON: %v", line, err)
		return
	}
	c.within(line, got, media.Example)
}

// within notes what the answer has and the vendor's example has not, or has with
// another type. Null fits everything, and so does [] where PHP means {}.
func (c *examples) within(at string, got, example any) {
	if got == nil || example == nil || strings.HasSuffix(at, ".remoteState") { // the last is not documented
		return
	}
	switch got := got.(type) {
	case map[string]any:
		c.keysWithin(at, got, example)
	case []any:
		want, ok := example.([]any)
		if !ok && len(got) > 0 {
			c.Note("%s: a list, the example has %T", at, example)
		}
		for _, v := range got {
			if len(want) > 0 {
				c.within(at+"[]", v, want[0])
			}
		}
	default:
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", example) && !numbers(got, example) {
			c.Note("%s: %T, the example has %T", at, got, example)
		}
	}
}

func (c *examples) keysWithin(at string, got map[string]any, example any) {
	want, ok := example.(map[string]any)
	if !ok {
		c.Note("%s: an object, the example has %T", at, example)
	}
	for k, v := range got {
		if _, there := want[k]; ok && !there {
			c.Note("%s.%s: not in the example", at, k)
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
	g := newRig(t, virtbox.Options{TaskTime: -1})
	check := &examples{paneltest.LoadContract(t, paneltest.Document{File: vendorDocument, Root: g.URL + apiPath})}
	if check.Contract == nil {
		return
	}
	check.Answer = check.answer
	g.Through(check.Over)
	everyCall(t, g)
	check.Report(t, 28)
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
		func() error { return c.Test(ctx).Err() },
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
		func() error { return optionsOf(c.Options(ctx, o.Settings)) },
		func() error { _, err := c.Images(ctx, o, b.RemoteID); return err },
		func() error {
			return c.CheckPlan(ctx, provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, From: larger(1), To: larger(2)})
		},
		func() error { return c.List(ctx, func(provisioning.Seen) error { return nil }) },
		func() error { _, err := c.Adopt(ctx, o, lost, b.RemoteID); return err },
		func() error { return reinstalled(ctx, g, c, o, b) },
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

// optionsOf is the first failure of reading what can be chosen.
func optionsOf(lists []provisioning.OptionList) error {
	for _, l := range lists {
		if l.Problem != "" {
			return fmt.Errorf("%s: %s", l.Label, l.Problem)
		}
	}
	return nil
}

// reinstalled installs a server anew, and looks after it as if an answer were lost.
func reinstalled(ctx context.Context, g *rig, c *Client, o provisioning.Order, b provisioning.Build) error {
	at := provisioning.Build{RemoteUser: b.RemoteUser, RemoteID: b.RemoteID, Addresses: b.Addresses, Started: g.Clock.Now()}
	for range 50 {
		next, err := c.Reinstall(ctx, o, "8", at)
		if err != nil || next.Done {
			return err
		}
		if next.Started = g.Clock.Now(); next.Step == StepWipe {
			if _, err := c.RecoverReinstall(ctx, o, "8", next); err != nil && provisioning.Classify(err) != provisioning.ClassTemporary && provisioning.Classify(err) != provisioning.ClassUnknown {
				return err
			}
		}
		at = next
		g.Clock.Add(10 * time.Second)
	}
	return errors.New("the installation does not end")
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
