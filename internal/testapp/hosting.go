package testapp

import (
	"net/http/httptest"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
)

// HostingToken is the access token of the sandbox Enhance.
const HostingToken = "ezscaletesthostingtoken"

// startHosting opens the sandbox Enhance, where the test wants one.
func (a *App) startHosting() {
	if !a.options.hosting {
		return
	}
	server := httptest.NewUnstartedServer(nil)
	a.WebURL = "http://" + server.Listener.Addr().String()
	a.Web = enhancebox.New(enhancebox.Options{Now: a.clock.Now, Token: HostingToken, PanelURL: a.WebURL})
	server.Config.Handler = a.Web.Handler()
	server.Start()
	a.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

// offerHosting sets the platform up as staff does, with token and organization in
// one, and plans of it: web-s at 4.00 EUR and web-m at 8.00 EUR, and the managed
// database mysql-s at 6.00 EUR.
func (a *App) offerHosting() {
	a.Helper()
	known, err := collections.First(a.App, collections.Platforms, dbx.HashExp{"kind": "enhance"})
	if err != nil || known != nil {
		a.noError(err)
		return
	}
	platform, err := collections.Insert(a.App, collections.Platforms, map[string]any{
		"kind": "enhance", "name": "Enhance", "enabled": true, "url": a.WebURL, "token": HostingToken + " " + enhancebox.SellerID,
	})
	a.noError(err)
	for slug, p := range map[string]struct {
		service, group string
		minor          int64
		settings       map[string]any
	}{
		"web-s":   {"hosting", "web", 400, map[string]any{"plan_id": 11}},
		"web-m":   {"hosting", "web", 800, map[string]any{"plan_id": 12}},
		"mysql-s": {"mysql", "", 600, map[string]any{"plan_id": 21, "kind": "mysql", "domain_suffix": "db.hosting.example"}},
	} {
		plan, err := collections.Insert(a.App, collections.Plans, map[string]any{
			"name": "Plan " + slug, "slug": slug, "service_type": p.service, "platform": platform.Id, "status": "active", "position": 130, "upgrade_group": p.group, "platform_settings": p.settings,
		})
		a.noError(err)
		_, err = collections.Insert(a.App, collections.PlanPrices, map[string]any{"plan": plan.Id, "currency": "EUR", "cycle": "monthly", "amount_minor": p.minor, "setup_minor": 0, "active": true})
		a.noError(err)
	}
}
