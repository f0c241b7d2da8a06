package virtfusion

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestOptions(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	packages, groups := []string{"1 VPS 1", "2 VPS 2"}, []string{"1 Frankfurt"}
	paneltest.Offers(t, c.Options(t.Context(), nil), map[string][]string{SettingPackage: packages, SettingGroup: groups, SettingTemplate: nil, SettingSwap: {"512 512"}})
	paneltest.Offers(t, c.Options(t.Context(), map[string]string{SettingPackage: "1"}), map[string][]string{
		SettingPackage: packages, SettingGroup: groups, SettingTemplate: {"8 Debian 12 (Bookworm) Minimal"}, SettingSwap: {"512 512"},
	})
	g.box.Answer("GET /api/v1/packages", http.StatusForbidden, `{"message":"This action is unauthorized."}`, 1)
	paneltest.HasProblem(t, c.Options(t.Context(), nil), SettingPackage, func(p string) bool {
		return strings.Contains(p, "may not read") && strings.Contains(p, "unauthorized") && !strings.Contains(p, testToken)
	})
}
