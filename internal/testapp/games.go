package testapp

import (
	"net/http/httptest"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

// The keys of the sandbox Pterodactyl.
const (
	GamesApplicationKey = "ptla_ezscaletestapplication"
	GamesClientKey      = "ptlc_ezscaletestclient"
)

// startGames opens the sandbox Pterodactyl, where the test wants one.
func (a *App) startGames() {
	if !a.options.games {
		return
	}
	server := httptest.NewUnstartedServer(nil)
	a.GamesURL = "http://" + server.Listener.Addr().String()
	a.Games = pterobox.New(pterobox.Options{
		Now: a.clock.Now, ApplicationKey: GamesApplicationKey, ClientKey: GamesClientKey, BuildTime: a.options.buildTime, TaskTime: a.options.taskTime, PanelURL: a.GamesURL,
	})
	server.Config.Handler = a.Games.Handler()
	server.Start()
	a.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

// offerGames sets the platform up as staff does, with both keys in its token, and
// two plans of it: game-s at 7.00 EUR and game-m at 14.00 EUR, with twice the
// memory. Both ask for the version.
func (a *App) offerGames() {
	a.Helper()
	known, err := collections.First(a.App, collections.Platforms, dbx.HashExp{"kind": "pterodactyl"})
	if err != nil || known != nil {
		a.noError(err)
		return
	}
	platform, err := collections.Insert(a.App, collections.Platforms, map[string]any{
		"kind": "pterodactyl", "name": "Pterodactyl", "enabled": true, "url": a.GamesURL, "token": GamesApplicationKey + " " + GamesClientKey,
	})
	a.noError(err)
	for slug, size := range map[string]int64{"game-s": 1, "game-m": 2} {
		plan, err := collections.Insert(a.App, collections.Plans, map[string]any{
			"name": "Plan " + slug, "slug": slug, "service_type": "game_server", "platform": platform.Id, "status": "active", "position": 100 + size, "upgrade_group": "games",
			"features":          map[string]int64{"ram_mb": 2048 * size},
			"platform_settings": map[string]any{"nest_id": 1, "egg_id": 3, "memory": 2048 * size, "disk": 10240 * size, "cpu": 100 * size, "backups": size, "location_ids": "1"},
			"choices": []map[string]any{{
				"name": "env_MINECRAFT_VERSION", "label": "Version", "required": true, "options": []map[string]string{{"value": "1.20.1", "label": "1.20.1"}, {"value": "1.21", "label": "1.21"}},
			}},
		})
		a.noError(err)
		_, err = collections.Insert(a.App, collections.PlanPrices, map[string]any{
			"plan": plan.Id, "currency": "EUR", "cycle": "monthly", "amount_minor": 700 * size, "setup_minor": 0, "active": true,
		})
		a.noError(err)
	}
}
