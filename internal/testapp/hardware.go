package testapp

import (
	"net/http/httptest"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

// HardwareKey is the integration's key of the sandbox SynergyCP.
const HardwareKey = "ezscaletestintegrationkey"

// startHardware opens the sandbox SynergyCP, where the test wants one.
func (a *App) startHardware() {
	if !a.options.hardware {
		return
	}
	a.Iron = synergybox.New(synergybox.Options{Now: a.clock.Now, Key: HardwareKey, BuildTime: a.options.buildTime, TaskTime: a.options.taskTime})
	server := httptest.NewServer(a.Iron.Handler())
	a.IronURL = server.URL
	a.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

// offerHardware sets the platform up as staff does, and one plan of it: iron-s at
// 89.00 EUR, which asks for the system. Nothing is wiped unless a test says so.
func (a *App) offerHardware() {
	a.Helper()
	known, err := collections.First(a.App, collections.Platforms, dbx.HashExp{"kind": "synergycp"})
	if err != nil || known != nil {
		a.noError(err)
		return
	}
	platform, err := collections.Insert(a.App, collections.Platforms, map[string]any{"kind": "synergycp", "name": "SynergyCP", "enabled": true, "url": a.IronURL, "token": HardwareKey})
	a.noError(err)
	plan, err := collections.Insert(a.App, collections.Plans, map[string]any{
		"name": "Plan iron-s", "slug": "iron-s", "service_type": "dedicated", "platform": platform.Id, "status": "active", "position": 120,
		"platform_settings": map[string]any{
			"cpu_billing": "CPU-E2388G", "mem_billing": "MEM-32", "disks_billing": "SSD-960,SSD-960", "ip_group_billing": "LOC-FRA", "ips_billing": "IP-29", "access_ipmi": true,
		},
		"choices": []map[string]any{{
			"name": "pxe_profile_billing", "label": "Operating system", "required": true,
			"options": []map[string]string{{"value": "os-debian12", "label": "Debian 12"}, {"value": "os-ubuntu2404", "label": "Ubuntu 24.04"}},
		}},
	})
	a.noError(err)
	_, err = collections.Insert(a.App, collections.PlanPrices, map[string]any{"plan": plan.Id, "currency": "EUR", "cycle": "monthly", "amount_minor": 8900, "setup_minor": 0, "active": true})
	a.noError(err)
}
