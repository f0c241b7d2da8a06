package virtfusion

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Test reads what a build reads: GET /connect alone succeeds with a token that may do
// nothing.
func (c *Client) Test(ctx context.Context) provisioning.Report {
	const token = "API token"
	probe := func(path, right string, query url.Values) panel.Probe {
		return panel.Probe{
			Call: panel.Call{Op: "test the connection (" + path + ")", Method: http.MethodGet, Path: path, Query: query}, Key: token, Right: right,
			KeyHelp:   "Make a token under Configuration → API and enter it here; if the panel restricts addresses, ours must be among them.",
			RightHelp: "Give the token this permission under Configuration → API.",
		}
	}
	one := url.Values{"results": {"1"}}
	return panel.Exam{
		Vendor: vendor, Base: c.base, Do: c.do,
		Probes: []panel.Probe{
			probe("/connect", "", nil), probe("/compute/hypervisors/groups", "read hypervisor groups", one), probe("/packages", "read packages", nil), probe("/servers", "read servers", one),
		},
		Unproven: "Whether the token may create servers and users, and switch and delete servers, shows with the first build. The panel does not tell its version.",
	}.Run(ctx)
}
