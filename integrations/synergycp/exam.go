package synergycp

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Test reads what a build reads.
func (c *Client) Test(ctx context.Context) provisioning.Report {
	probe := func(path, what string) panel.Probe {
		return panel.Probe{
			Call: panel.Call{Op: "test the connection (" + path + ")", Method: http.MethodGet, Path: path, Query: url.Values{"per_page": {"1"}}},
			Key:  "key of the integration", Right: "view " + what,
			KeyHelp:   "Make a key for an integration under System → Integrations; the panel must take it from our address.",
			RightHelp: "Edit the integration in the panel under System → Integrations.",
		}
	}
	return panel.Exam{
		Vendor: vendor, Base: c.base, Do: c.do,
		Probes: []panel.Probe{
			probe("/server", "Servers In Use and Servers In Inventory"), probe("/client", "Clients"), probe("/entity", "IP Entities"), probe("/group", "IP Groups"),
		},
		Unproven: "Whether the integration may edit servers, clients and IP entities shows with the first build. The panel tells its version to administrators alone.",
	}.Run(ctx)
}
