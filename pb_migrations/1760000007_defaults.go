package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(defaultsUp, func(core.App) error { return nil }) }

// defaultsUp makes a new installation safe and usable before anybody has set
// anything: limits on, quiet request log, bank transfer and manual work ready.
func defaultsUp(app core.App) error {
	s := app.Settings()
	s.Meta.AppName = "EZSCALE"
	s.Meta.SenderName = "EZSCALE"
	s.Logs.MaxDays = 5
	s.Logs.MinLevel = 4 // warnings: success logs cost a third of the throughput
	s.Logs.LogIP = true
	s.RateLimits.Enabled = true
	s.RateLimits.Rules = []core.RateLimitRule{
		{Label: "*:auth", MaxRequests: 10, Duration: 30},
		{Label: "users:requestPasswordReset", MaxRequests: 5, Duration: 60},
		{Label: "users:requestVerification", MaxRequests: 5, Duration: 60},
		{Label: "POST /api/v1/account/sign-up", MaxRequests: 10, Duration: 60},
		{Label: "*:create", MaxRequests: 30, Duration: 10},
		{Label: "/api/batch", MaxRequests: 3, Duration: 1},
		{Label: "/api/v1/", MaxRequests: 300, Duration: 10},
		{Label: "/api/", MaxRequests: 300, Duration: 10},
	}
	if err := app.Save(s); err != nil {
		return err
	}
	if err := insert(app, "gateways", map[string]any{"kind": "manual", "label": "Bank transfer", "enabled": true, "position": 90}); err != nil {
		return err
	}
	return insert(app, "platforms", map[string]any{"kind": "manual", "name": "Manual", "enabled": true})
}

func insert(app core.App, collection string, values map[string]any) error {
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return err
	}
	r := core.NewRecord(c)
	r.Load(values)
	return app.Save(r)
}
