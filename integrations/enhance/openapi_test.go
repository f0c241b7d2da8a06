package enhance

import (
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

const vendorDocument = "../../../shared/contracts/enhance-openapi.yaml"

// TestAgainstTheVendorsDocument compares our requests and the sandbox's answers with
// the schemas of the vendor's document.
func TestAgainstTheVendorsDocument(t *testing.T) {
	g := newRig(t)
	check := paneltest.LoadContract(t, paneltest.Document{
		File: vendorDocument, Root: g.URL + "/api", Mend: []string{"type: int\n", "type: integer\n"}, Drop: []string{"/email-client/", "/orgs/{org_id}/import/", "/v2/websites/"},
	})
	if check == nil {
		return
	}
	check.Answer = func(line string, in *openapi3filter.RequestValidationInput, resp *http.Response, body []byte) {
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Options: in.Options}
		out.SetBodyBytes(body)
		if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
			check.Note("%s: answer: %v", line, err)
		}
	}
	g.Through(check.Over)
	everyCall(t, g)
	check.Report(t, 28)
}

// everyCall makes each call of the adapter once, so that all are checked.
func everyCall(t *testing.T, g *rig) {
	t.Helper()
	c, ctx := g.client(), t.Context()
	o := with(testOrder("svc1"), SettingPHP, "php83")
	b, _ := g.built(c, o)
	db, _ := g.built(c, testDatabase("svc2"))
	lost := g.upTo(c, testOrder("svc3"), StepWebsite)
	g.box.Occupy("svc3.example.org", false)
	if _, err := g.advance(c, testOrder("svc3"), lost); err == nil {
		t.Error("an occupied domain was taken")
	}
	for i, step := range []func() error{
		func() error { return c.Test(ctx).Err() },
		func() error { return c.Suspend(ctx, b.RemoteID) },
		func() error { return c.Unsuspend(ctx, b.RemoteID) },
		func() error { _, err := c.Status(ctx, b.RemoteID); return err },
		func() error { _, err := c.Traffic(ctx, b.RemoteID); return err },
		func() error { _, err := c.ResetPassword(ctx, b.RemoteID); return err },
		func() error { _, err := c.ResetPassword(ctx, db.RemoteID); return err },
		func() error { _, err := c.SignInLink(ctx, o.UserID, b.RemoteID); return err },
		func() error {
			_, err := c.ChangePlan(ctx, provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, From: o.Settings, To: with(o, SettingPlan, "12").Settings})
			return err
		},
		func() error { _, err := c.Subscriptions(ctx); return err },
		func() error { _, err := c.Plans(ctx); return err },
		func() error { return c.List(ctx, func(provisioning.Seen) error { return nil }) },
		func() error {
			return c.CheckPlan(ctx, provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, From: o.Settings, To: with(o, SettingPlan, "13").Settings})
		},
		func() error { _, err := c.Terminate(ctx, b.RemoteID); return err },
	} {
		if err := step(); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	// An organization is taken back where its login turns out to be a stranger's.
	other := testOrder("svc4")
	other.UserID, other.Email = "cus2", "bob@example.com"
	next := g.upTo(c, other, StepOrg)
	g.box.Register(other.Email)
	g.Clock.Add(1e11)
	next, err := g.advance(c, other, next)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.advance(c, other, next); err == nil {
		t.Error("a stranger's login was taken")
	}
}
