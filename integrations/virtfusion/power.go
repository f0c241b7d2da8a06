package virtfusion

import (
	"context"
	"net/http"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// queuePoll is the pause between looks at a queue item.
const queuePoll = 2 * time.Second

// Power switches a server (POST /servers/{id}/power/…). It is refused while the
// panel works on the server (ErrTemporary), since the two would compete, and
// while it is suspended or has no system (ErrPermanent). The panel carries it
// out later. ErrOutcomeUnknown: read the status before repeating a restart.
func (c *Client) Power(ctx context.Context, remoteID string, a provisioning.PowerAction) error {
	op := "power " + string(a) + " server " + remoteID
	if _, ok := provisioning.ParsePowerAction(string(a)); !ok {
		return vendor.Refuse(provisioning.ErrPermanent, op, "there is no such action")
	}
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return err
	}
	if err := ready(op, s); err != nil {
		return err
	}
	return c.do(ctx, panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + remoteID + "/power/" + string(a)}, nil)
}

// ready says why a running system cannot be acted on, if so.
func ready(op string, s server) error {
	switch ph := s.phase(); {
	case s.busy() || ph == phaseWorking:
		return vendor.Refuse(provisioning.ErrTemporary, op, "the panel is busy with it")
	case bool(s.Suspended):
		return vendor.Refuse(provisioning.ErrPermanent, op, "it is suspended")
	case ph != phaseComplete:
		return vendor.Refuse(provisioning.ErrPermanent, op, "it has no operating system")
	}
	return nil
}

// ResetPassword sets a new administrator password (POST
// /servers/{id}/resetPassword without a mail) and returns it once the panel has
// carried that out; ctx bounds the wait. After ErrOutcomeUnknown the old
// password may be void: reset again, which is always safe.
func (c *Client) ResetPassword(ctx context.Context, remoteID string) (provisioning.Credentials, error) {
	op := "reset the password of server " + remoteID
	s, err := c.readServer(ctx, op, remoteID)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	if err := ready(op, s); err != nil {
		return provisioning.Credentials{}, err
	}
	windows, err := c.isWindows(ctx, op, s)
	if err != nil {
		return provisioning.Credentials{}, err
	}
	queue, cred, err := c.startReset(ctx, op, remoteID, username(windows))
	if err != nil {
		return provisioning.Credentials{}, err
	}
	for {
		state, err := c.readQueue(ctx, op, queue)
		switch {
		case err != nil && provisioning.Classify(err) != provisioning.ClassTemporary:
			return provisioning.Credentials{}, err
		case state == queueDone:
			return cred, nil
		case state == queueFailed:
			return provisioning.Credentials{}, vendor.Refuse(provisioning.ErrPermanent, op, "it failed; the panel's queue item %s says why", queue)
		}
		select {
		case <-ctx.Done():
			return provisioning.Credentials{}, &panel.Error{Vendor: vendor, Op: op, Message: "the panel has not confirmed it in time", Class: provisioning.ErrOutcomeUnknown, Cause: ctx.Err()}
		case <-time.After(queuePoll):
		}
	}
}

// startReset asks for a new password and returns the queue item that sets it.
func (c *Client) startReset(ctx context.Context, op, remoteID, user string) (string, provisioning.Credentials, error) {
	r := panel.Call{
		Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers/" + remoteID + "/resetPassword",
		Body: struct {
			User     string `json:"user"`
			SendMail bool   `json:"sendMail"` // true when omitted
		}{user, false},
	}
	var got answer[struct {
		QueueID  panel.Number `json:"queueId"`
		Password panel.Text   `json:"expectedPassword"`
	}]
	if err := c.do(ctx, r, &got); err != nil {
		return "", provisioning.Credentials{}, err
	}
	queue := got.Data.QueueID.ID()
	if queue == "" || got.Data.Password == "" {
		return "", provisioning.Credentials{}, vendor.Unreadable(r, http.StatusOK, "the queue id or the password is missing")
	}
	return queue, provisioning.Credentials{Username: user, Password: string(got.Data.Password)}, nil
}

type queueState int

const (
	queueOpen queueState = iota
	queueDone
	queueFailed
)

// readQueue reads a queue item (GET /queue/{id}).
func (c *Client) readQueue(ctx context.Context, op, queueID string) (queueState, error) {
	var got answer[struct {
		Failed   panel.Flag `json:"failed"`
		Finished panel.Text `json:"finished"`
	}]
	if err := c.do(ctx, panel.Call{Op: op, Method: http.MethodGet, Path: "/queue/" + queueID}, &got); err != nil {
		return queueOpen, err
	}
	switch {
	case bool(got.Data.Failed):
		return queueFailed, nil
	case got.Data.Finished != "":
		return queueDone, nil
	}
	return queueOpen, nil
}

// isWindows looks the installed template up among the server's (GET
// /servers/{id}/templates). A template that has been withdrawn counts as Linux.
func (c *Client) isWindows(ctx context.Context, op string, s server) (bool, error) {
	groups, err := c.readTemplates(ctx, op, "/servers/"+s.ID.ID()+"/templates")
	if err != nil {
		return false, err
	}
	for _, g := range groups {
		for _, t := range g.Templates {
			if t.ID.OK && t.ID.Value == s.Settings.V.OSTemplateID.Value {
				return t.windows(), nil
			}
		}
	}
	return false, nil
}
