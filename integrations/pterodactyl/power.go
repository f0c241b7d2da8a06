package pterodactyl

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// signals are the panel's words for the actions. A game that hangs while it
// starts or stops can only be killed, so that is never held back.
var signals = map[provisioning.PowerAction]string{
	provisioning.PowerBoot: "start", provisioning.PowerRestart: "restart", provisioning.PowerShutdown: "stop", provisioning.PowerOff: "kill",
}

// Power switches a server (POST /api/client/servers/{uuid}/power). It is refused
// while the panel works on the server (ErrTemporary) and while it is suspended or
// not installed (ErrPermanent). The node carries it out later.
// ErrOutcomeUnknown: read the status before repeating a restart.
func (c *Client) Power(ctx context.Context, remoteID string, a provisioning.PowerAction) error {
	op := "power " + string(a) + " server " + remoteID
	signal, known := signals[a]
	if !known {
		return vendor.Refuse(provisioning.ErrPermanent, op, "there is no such action")
	}
	s, err := c.readServer(ctx, op, remoteID)
	switch {
	case err != nil:
		return err
	case s.suspended():
		return vendor.Refuse(provisioning.ErrPermanent, op, "it is suspended")
	case s.failed():
		return vendor.Refuse(provisioning.ErrPermanent, op, "its installation failed")
	case s.busy():
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is busy with it (%s)", panel.Clean(string(s.Status)))
	}
	c.recent.power(remoteID, c.now())
	return c.do(ctx, panel.Call{
		Op: op, API: onClient, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + url.PathEscape(string(s.UUID)) + "/power",
		Body: struct {
			Signal string `json:"signal"`
		}{signal},
	}, nil)
}

// ResetPassword sets a new password of the server's owner and returns it (PATCH
// /users/{id}). It is the password of the customer's account at the panel, so it
// counts for all their servers there. After ErrOutcomeUnknown the old password may
// be void: reset again, which is always safe.
func (c *Client) ResetPassword(ctx context.Context, remoteID string) (provisioning.Credentials, error) {
	op := "reset the password of server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	u, err := c.readUser(ctx, op, s.User.ID())
	if err != nil {
		return provisioning.Credentials{}, err
	}
	password, err := c.setPassword(ctx, op, u)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	return provisioning.Credentials{Username: signIn(u, s), Password: password}, nil
}

// SignInLink is the address of a server in the panel. The panel offers no sign-in
// by link, so it asks the customer for the password there; the link holds no
// secret.
func (c *Client) SignInLink(ctx context.Context, userID, remoteID string) (string, error) {
	op := "link user " + userID + " to server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return "", err
	}
	u, ok, err := c.findUser(ctx, userID)
	if err != nil {
		return "", err
	}
	if !ok || u.ID.ID() != s.User.ID() {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "it belongs to panel user %s, who is another", s.User.ID())
	}
	return c.base.String() + "/server/" + url.PathEscape(string(s.Identifier)), nil
}
