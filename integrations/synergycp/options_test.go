package synergycp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

func TestOptions(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	paneltest.Offers(t, c.Options(t.Context(), nil), map[string][]string{
		SettingCPU: {"CPU-E2388G Xeon E-2388G", "CPU-7443P EPYC 7443P"}, SettingMemory: {"MEM-32 32 GB DDR4"}, SettingDisks: {"SSD-960 960 GB SATA SSD"},
		SettingAddons: {"HW-RAID Hardware RAID controller"}, SettingGroups: {"LOC-FRA Frankfurt"}, SettingPortSpeed: {"speed-1000 1 Gbit/s"}, SettingProfiles: {"os-debian12 Debian 12"},
	})
	g.box.Answer("GET /port-speed", http.StatusForbidden, refusal("No."), 1)
	paneltest.HasProblem(t, c.Options(t.Context(), nil), SettingPortSpeed, func(p string) bool { return strings.Contains(p, "may not read") })
	// What has no billing id can be seen, and not named by a plan.
	g.box.Answer("GET /group", http.StatusOK, `{"error":false,"data":{"data":[{"id":9,"name":"Oslo","billing_id":null}],"total":1,"per_page":100,"current_page":1,"last_page":1}}`, 1)
	for _, list := range c.Options(t.Context(), nil) {
		if list.Setting == SettingGroups && (len(list.Options) != 1 || !list.Options[0].Off || !strings.Contains(list.Options[0].Details, "billing id")) {
			t.Errorf("without a billing id: %+v", list)
		}
	}
}
