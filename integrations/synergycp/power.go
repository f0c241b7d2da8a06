package synergycp

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// commands are the panel's words for the actions.
var commands = map[provisioning.PowerAction]string{
	provisioning.PowerBoot: "on", provisioning.PowerRestart: "reset", provisioning.PowerShutdown: "soft", provisioning.PowerOff: "off",
}

// Power switches a server over its IPMI control (POST
// /server/{id}/control/{id}/command). As the vendor's own module does, it acts as
// the client, so that the panel checks that client's rights: the plan must grant
// IPMI, and a suspended client is refused (ErrPermanent). ErrOutcomeUnknown: do
// not repeat a restart blindly; the panel does not say whether a server runs.
func (c *Client) Power(ctx context.Context, remoteID string, a provisioning.PowerAction) error {
	op := "power " + string(a) + " server " + remoteID
	word, known := commands[a]
	if !known {
		return vendor.Refuse(provisioning.ErrPermanent, op, "there is no such action")
	}
	s, err := c.readServer(ctx, op, remoteID)
	switch {
	case err != nil:
		return err
	case s.suspended():
		return vendor.Refuse(provisioning.ErrPermanent, op, "it is suspended")
	case !bool(s.Access.V.IPMI):
		return vendor.Refuse(provisioning.ErrPermanent, op, "its client may not switch it: grant IPMI access in the panel, and set %s in the plan for the next", SettingIPMI)
	}
	k, err := c.createKey(ctx, op, s.owner())
	if err != nil {
		return err
	}
	defer c.deleteKey(ctx, k)
	controls, err := readPages[struct {
		ID panel.Number `json:"id"`
	}](ctx, c, panel.Call{Op: op, API: k.text, Path: "/server/" + s.ID.ID() + "/control"})
	if err != nil {
		return err
	}
	if len(controls) == 0 || controls[0].ID.ID() == "" {
		return vendor.Refuse(provisioning.ErrPermanent, op, "server %s has no power control in the panel; add its IPMI there", s.name())
	}
	return c.do(ctx, panel.Call{
		Op: op, API: k.text, Effect: panel.Writes, Method: http.MethodPost, Path: "/server/" + s.ID.ID() + "/control/" + controls[0].ID.ID() + "/command",
		Body: struct {
			Power string `json:"power"`
		}{word},
	}, nil)
}

// clientKey is a client's key, made for one purpose.
type clientKey struct {
	id, text string
	made     time.Time
}

// createKey makes a key with which the panel takes us for a client (POST /key).
// One whose answer is lost is known to nobody, so asking again is safe.
func (c *Client) createKey(ctx context.Context, op, clientID string) (clientKey, error) {
	owner, err := strconv.ParseInt(clientID, 10, 64)
	if err != nil {
		return clientKey{}, vendor.Refuse(provisioning.ErrPermanent, op, "the server has no client in the panel")
	}
	call := panel.Call{
		Op: op, Effect: panel.Reads, Method: http.MethodPost, Path: "/key",
		Body: struct {
			OwnerID   int64  `json:"owner_id"`
			OwnerType string `json:"owner_type"`
		}{owner, "client"},
	}
	var got struct {
		ID  panel.Number `json:"id"`
		Key panel.Text   `json:"key"`
	}
	if err := c.do(ctx, call, &got); err != nil {
		return clientKey{}, err
	}
	if got.ID.ID() == "" || got.Key == "" {
		return clientKey{}, vendor.Unreadable(call, http.StatusOK, "the answer holds no key")
	}
	return clientKey{got.ID.ID(), string(got.Key), c.now()}, nil
}

// deleteKey takes a key away, with itself as signing out does (DELETE
// /auth/key/{id}), even when the caller has given up. One that stays opens no more
// than its client may: that it failed stops nothing.
func (c *Client) deleteKey(ctx context.Context, k clientKey) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	_ = c.do(ctx, panel.Call{Op: "delete a key", API: k.text, Effect: panel.Writes, Method: http.MethodDelete, Path: "/auth/key/" + k.id}, nil)
}

// deleteTimeout bounds taking a key back.
const deleteTimeout = 5 * time.Second

// linkLife is how long a sign-in link is left valid. The panel's keys do not
// expire by themselves.
const linkLife = 10 * time.Minute

// links are the keys of links that were handed out and not taken back yet.
type links struct {
	mu   sync.Mutex
	open []clientKey
}

// add keeps a key and returns those whose time is over.
func (l *links) add(k clientKey, now time.Time) (over []clientKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []clientKey
	for _, old := range l.open {
		if now.Sub(old.made) < linkLife {
			left = append(left, old)
		} else {
			over = append(over, old)
		}
	}
	l.open = append(left, k)
	return over
}

// SignInLink makes a link that signs the customer in to the panel, at a server
// (<API>/auth/sso with a key of the client). The next link that is made takes back
// those whose time is over; links of a process that ended stay until staff deletes
// the client's keys in the panel.
func (c *Client) SignInLink(ctx context.Context, userID, remoteID string) (string, error) {
	op := "link client " + userID + " to server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return "", err
	}
	found, ok, err := c.findClient(ctx, userID)
	if err != nil {
		return "", err
	}
	if !ok || found.ID.ID() != s.owner() {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "it belongs to panel client %q, who is another", s.owner())
	}
	k, err := c.createKey(ctx, op, s.owner())
	if err != nil {
		return "", err
	}
	for _, old := range c.links.add(k, c.now()) {
		c.deleteKey(ctx, old)
	}
	return c.base.String() + "/auth/sso?" + url.Values{"key": {k.text}, "view_type": {"server"}, "view_id": {s.ID.ID()}}.Encode(), nil
}
