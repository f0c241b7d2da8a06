package pterodactyl

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Test reads with both keys what a build reads; the panel has no call for it.
func (c *Client) Test(ctx context.Context) provisioning.Report {
	probe := func(path, what string) panel.Probe {
		return panel.Probe{
			Call: panel.Call{Op: "test the connection (" + path + ")", Method: http.MethodGet, Path: path, Query: url.Values{"per_page": {"1"}}}, Out: &list{},
			Key: "application key", Right: "read " + what, KeyHelp: "Make one under Admin → Application API and enter it whole, both parts of it (ptla_…).",
			RightHelp: "Make a key with this right under Admin → Application API; if it is bound to addresses, ours must be among them.",
		}
	}
	return panel.Exam{
		Vendor: vendor, Base: c.base, Do: c.do,
		Probes:   []panel.Probe{probe("/nodes", "Nodes"), probe("/servers", "Servers"), probe("/users", "Users"), probe("/locations", "Locations"), probe("/nests", "Nests"), c.accountProbe()},
		Unproven: "Whether the application key may write Servers and Users shows with the first build. The panel does not tell its version; 1.11 or newer is needed.",
	}.Run(ctx)
}

// accountProbe asks whose the account key is (GET /api/client/account).
func (c *Client) accountProbe() panel.Probe {
	const op = "test the connection (account)"
	got := &item[struct {
		Admin    panel.Flag `json:"admin"`
		Username panel.Text `json:"username"`
	}]{}
	return panel.Probe{
		Call: panel.Call{Op: op, API: onClient, Method: http.MethodGet, Path: "/account"}, Out: got, Key: "client key", Right: "open every server",
		KeyHelp:   "Make one as an administrator under Account → API Credentials and enter it after the application key (ptlc_…).",
		RightHelp: "Make one as an administrator, under Account → API Credentials; power and live usage need it.",
		Check: func() error {
			if got.Attributes.Admin {
				return nil
			}
			return vendor.Refuse(provisioning.ErrCredentials, op, "the client key belongs to %q, who is no administrator, so it opens that user's own servers alone", panel.Clean(string(got.Attributes.Username)))
		},
	}
}
