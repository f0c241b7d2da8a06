package virtfusion

import (
	"context"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// listedServer is a server in the list of all, which has much less than the object:
// neither sizes nor addresses.
type listedServer struct {
	ID        panel.Number `json:"id"`
	Owner     panel.Number `json:"owner"`
	Name      panel.Text   `json:"name"`
	Suspended panel.Flag   `json:"suspended"`
}

// List reads all servers of the panel (GET /servers, of type simple by default: the
// full one has no documented shape, and a screenshot of each server in it).
func (c *Client) List(ctx context.Context, each func(provisioning.Seen) error) error {
	const op = "list all servers"
	l := panel.NewListing(vendor, op)
	err := eachPage(ctx, c, op, "/servers", func(part []listedServer, total panel.Number) error {
		if err := l.Page(total); err != nil {
			return err
		}
		for _, s := range part {
			fresh, err := l.Fresh(s.ID.ID())
			if err == nil && fresh {
				err = each(c.seen(s))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.End()
}

func (c *Client) seen(s listedServer) provisioning.Seen {
	id := s.ID.ID()
	seen := provisioning.Seen{Key: id, RemoteID: id, Name: panel.Clean(string(s.Name)), Owner: s.Owner.ID(), Suspended: bool(s.Suspended)}
	seen.ServiceID, seen.Ours = strings.CutPrefix(string(s.Name), c.prefix)
	if !seen.Ours {
		seen.ServiceID = ""
	}
	return seen
}

// Terms is the server's id; the list shows nothing of a plan.
func (c *Client) Terms(remoteID string, _ map[string]string) (key, plan string) { return remoteID, "" }
