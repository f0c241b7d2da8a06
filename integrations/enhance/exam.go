package enhance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// Test reads what a build reads, after what the panel says of itself to everybody.
func (c *Client) Test(ctx context.Context) provisioning.Report {
	const op = "test the connection"
	var version, status panel.Text
	own := func(path, right string, query url.Values) panel.Probe {
		return panel.Probe{
			Call: panel.Call{Op: op + " (…" + path + ")", Method: http.MethodGet, Path: "/orgs/" + c.seller + path, Query: query}, Key: "access token", Right: right,
			KeyHelp:   "Make a token under Settings → Access Tokens, with the role SuperAdmin.",
			RightHelp: "Make a token with the role SuperAdmin in the organization that sells (Settings → Access Tokens), without a restriction to other addresses than ours.",
			Missing:   fmt.Sprintf("The panel has no organization %s, or the token is of another; both are of the one that sells.", c.seller),
		}
	}
	one := url.Values{"limit": {"1"}}
	logins := own("/customers/logins", "read logins", one)
	logins.Call.Path = "/v2" + logins.Call.Path
	return panel.Exam{
		Vendor: vendor, Base: c.base, Do: c.do,
		Probes: []panel.Probe{
			{Call: panel.Call{Op: op + " (/version)", Method: http.MethodGet, Path: "/version"}, Out: &version, Version: func() string { return string(version) }},
			{Call: panel.Call{Op: op + " (/status)", Method: http.MethodGet, Path: "/status"}, Out: &status, RightHelp: "Wait until it has ended, or look at the panel.", Check: func() error {
				if status == "ready" {
					return nil
				}
				return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is not ready yet, it says %q", panel.Clean(string(status)))
			}},
			own("", "read the organization", nil), own("/plans", "read plans", one), own("/customers", "read customers", one), logins,
		},
		Unproven: "Whether the token may make customers, subscriptions and websites shows with the first build.",
	}.Run(ctx)
}
