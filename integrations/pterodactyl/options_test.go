package pterodactyl

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

func TestOptions(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	nests, places, nodes := []string{"1 Minecraft", "2 Source Engine"}, []string{"1 fra Frankfurt"}, []string{" fra-1"}
	paneltest.Offers(t, c.Options(t.Context(), nil), map[string][]string{SettingNest: nests, SettingEgg: nil, SettingImage: nil, SettingLocations: places, "": nodes})
	paneltest.Offers(t, c.Options(t.Context(), map[string]string{SettingNest: "1", SettingEgg: "3"}), map[string][]string{
		SettingNest: nests, SettingEgg: {"3 Paper"}, SettingImage: {"Java 21 Java 21"}, SettingLocations: places, "": nodes,
	})
	g.box.Answer("GET /api/application/locations", 403, failure(403, "AccessDeniedHttpException", "This action is unauthorized."), 1)
	paneltest.HasProblem(t, c.Options(t.Context(), nil), SettingLocations, func(p string) bool { return strings.Contains(p, "may not read") })
	g.box.Answer("GET /api/application/nests", http.StatusBadGateway, "", 1)
	paneltest.HasProblem(t, c.Options(t.Context(), nil), SettingNest, func(p string) bool { return strings.Contains(p, "did not answer") })
	paneltest.HasProblem(t, c.Options(t.Context(), map[string]string{SettingEgg: "3"}), SettingImage, func(p string) bool { return strings.Contains(p, "choose the nest") })
}
