package enhance

import (
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

func TestOptions(t *testing.T) {
	g := newRig(t)
	c := g.client()
	paneltest.Offers(t, c.Options(t.Context(), nil), map[string][]string{SettingPlan: {"11 Start"}, SettingKind: {"website website", "mysql mysql"}})
	g.box.Answer("GET /api/orgs/"+enhancebox.SellerID+"/plans", 403, failure("unauthorized", ""), 1)
	paneltest.HasProblem(t, c.Options(t.Context(), nil), SettingPlan, func(p string) bool { return strings.Contains(p, "may not read") })
}
