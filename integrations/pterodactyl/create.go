package pterodactyl

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The steps of a build, in order. StepAccount works only for a customer's first
// server, StepReinstall only after a failed installation, StepPassword only where
// StepAccount made the account: the password of an older one is not touched.
const (
	StepUser      = "user"      // look for the remote user
	StepAccount   = "account"   // create it
	StepCreate    = "create"    // create the server
	StepReady     = "ready"     // wait until it is installed
	StepReinstall = "reinstall" // install it again
	StepPassword  = "password"  // set the password that the customer gets
)

// Keys of Build.Data.
const (
	dataNew         = "new_account" // "true" when this build made the account
	dataFound       = "found"       // "true" when the server was found, not answered for
	dataRemade      = "remade"      // "true" after one that somebody deleted was made again
	dataReinstalled = "reinstalled" // "true" after the one automatic repeat
)

// Steps names the steps in order.
func (c *Client) Steps() []string {
	return []string{StepUser, StepAccount, StepCreate, StepReady, StepReinstall, StepPassword}
}

// Advance does one step. On an error the returned Build is b itself: nothing new
// is known. The caller stores b.Started before the first call of a step and b
// after every call; a step that begins anew has a zero Started.
func (c *Client) Advance(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o.Settings, "read the plan of service "+o.ServiceID)
	if err != nil {
		return b, err
	}
	next := panel.Prepare(b)
	switch b.Step {
	case "", StepUser:
		next, err = c.stepUser(ctx, o, next)
	case StepAccount:
		next, err = c.stepAccount(ctx, o, next)
	case StepCreate:
		next, err = c.stepCreate(ctx, o, p, next)
	case StepReady:
		next, err = c.stepReady(ctx, o, next)
	case StepReinstall:
		next, err = c.stepReinstall(ctx, o, next)
	case StepPassword:
		next, err = c.stepPassword(ctx, o, next)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "build service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// Recover finds out what a lost answer left behind; it only reads. User and server
// are found by our id, which the panel keeps unique, so that "it is not there" may
// be believed at once: a create that comes late is refused, or finds ours refused
// and is found. What could harm by coming late, another installation and another
// password, is not repeated before Config.Settle has passed.
func (c *Client) Recover(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	if _, err := parsePlan(o.Settings, "read the plan of service "+o.ServiceID); err != nil {
		return b, err
	}
	next, err := panel.Prepare(b), error(nil)
	switch b.Step {
	case "", StepUser, StepReady:
		return b, nil // they only read
	case StepAccount:
		next, err = c.recoverAccount(ctx, o, next)
	case StepCreate:
		next, err = c.recoverCreate(ctx, o, next)
	case StepReinstall:
		next, err = c.recoverReinstall(ctx, o, next)
	case StepPassword:
		err = c.settled("set the password of server "+b.RemoteID, o, b)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "recover service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// settled refuses to go on while an earlier call of the step may still come, ours
// or that of a process before us.
func (c *Client) settled(op string, o provisioning.Order, b provisioning.Build) error {
	if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 && !b.Started.IsZero() {
		return vendor.Refuse(provisioning.ErrTemporary, op, "the answer was lost; it is repeated in %s", wait.Round(time.Second))
	}
	return nil
}

// stepUser looks for the customer's account, and for a stranger's with the same
// address before anything is made.
func (c *Client) stepUser(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	u, ok, err := c.findUser(ctx, o.UserID)
	if err != nil {
		return b, err
	}
	if ok {
		b.RemoteUser = u.ID.ID()
		return panel.Move(b, StepCreate), nil
	}
	stranger, err := c.strangerWith(ctx, o)
	if err != nil {
		return b, err
	}
	if stranger != "" {
		return b, c.foreign(o, stranger)
	}
	return panel.Move(b, StepAccount), nil
}

func (c *Client) stepAccount(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	id, err := c.ensureUser(ctx, o)
	if err != nil {
		return b, err
	}
	return withAccount(b, id), nil
}

func (c *Client) recoverAccount(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	u, ok, err := c.findUser(ctx, o.UserID)
	if err != nil || !ok {
		return b, err
	}
	return withAccount(b, u.ID.ID()), nil
}

// withAccount notes an account that was not there a step ago.
func withAccount(b provisioning.Build, id string) provisioning.Build {
	b.RemoteUser, b.Data[dataNew] = id, "true"
	return panel.Move(b, StepCreate)
}

// findServer looks a service's server up by our id (GET
// /servers/external/{external_id}); ok is false when there is none. One that
// belongs to another panel user is for a person.
func (c *Client) findServer(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (s server, ok bool, err error) {
	r := panel.Call{Op: op, Method: http.MethodGet, Path: "/servers/external/" + url.PathEscape(c.tag(o.ServiceID))}
	var got item[server]
	err = c.do(ctx, r, &got)
	switch s = got.Attributes; {
	case errors.Is(err, provisioning.ErrNotFound):
		return server{}, false, nil
	case err != nil:
		return server{}, false, err
	case s.ID.ID() == "" || string(s.ExternalID) != c.tag(o.ServiceID):
		return server{}, false, vendor.Unreadable(r, http.StatusOK, "the answer is about another server")
	}
	return s, true, c.ownedBy(op, s, b)
}

func (c *Client) ownedBy(op string, s server, b provisioning.Build) error {
	if owner := s.User.ID(); owner != "" && b.RemoteUser != "" && owner != b.RemoteUser {
		return vendor.Refuse(provisioning.ErrPermanent, op, "server %s belongs to panel user %s, not %s; give it back in the panel, or take its External ID away", s.ID.ID(), owner, b.RemoteUser)
	}
	return nil
}

// adopt goes on with a server that was found by our id.
func adopt(b provisioning.Build, s server) provisioning.Build {
	b.RemoteID, b.Data[dataFound] = s.ID.ID(), "true"
	return panel.Move(b, StepReady)
}

// stepCreate creates the server (POST /servers), unless ours is there. Everything
// that can be refused by reading is read before.
func (c *Client) stepCreate(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the server of service " + o.ServiceID
	if b.Started.IsZero() || b.RemoteUser == "" {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "Build.Started and RemoteUser must be stored before")
	}
	s, ok, err := c.findServer(ctx, op, o, b)
	if err != nil {
		return b, err
	}
	if ok {
		return adopt(b, s), nil
	}
	body, err := c.order(ctx, op, o, p, b)
	if err != nil {
		return b, err
	}
	r := panel.Call{Op: op, Effect: panel.Writes, Method: http.MethodPost, Path: "/servers", Body: body}
	var got item[server]
	err = c.do(ctx, r, &got)
	if taken(err, "external_id") { // an earlier call came late
		if s, ok, err = c.findServer(ctx, op, o, b); err != nil || ok {
			return adopt(b, s), err
		}
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "the panel is just taking an unfinished one away")
	}
	if err != nil {
		return b, err
	}
	if s = got.Attributes; s.ID.ID() == "" || string(s.ExternalID) != c.tag(o.ServiceID) {
		return b, vendor.Unreadable(r, http.StatusCreated, "the answer is not about the new server")
	}
	b.RemoteID = s.ID.ID()
	delete(b.Data, dataFound)
	return panel.Move(b, StepReady), nil
}

// recoverCreate looks whether the server is there.
func (c *Client) recoverCreate(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	s, ok, err := c.findServer(ctx, "look for the server of service "+o.ServiceID, o, b)
	if err != nil || !ok {
		return b, err
	}
	return adopt(b, s), nil
}

// createBody is what POST /servers takes; empty lists must be lists.
type createBody struct {
	ExternalID  string            `json:"external_id"`
	Name        string            `json:"name"`
	User        int64             `json:"user"`
	Egg         int64             `json:"egg"`
	Image       string            `json:"docker_image"`
	Startup     string            `json:"startup"`
	Environment map[string]string `json:"environment"`
	Limits      limits            `json:"limits"`
	Features    features          `json:"feature_limits"`
	Deploy      struct {
		Locations   []int64  `json:"locations"`
		DedicatedIP bool     `json:"dedicated_ip"`
		PortRange   []string `json:"port_range"`
	} `json:"deploy"`
	Start bool `json:"start_on_completion"`
}

// order reads the egg as it is now and puts the request together.
func (c *Client) order(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build) (createBody, error) {
	user, err := strconv.ParseInt(b.RemoteUser, 10, 64)
	if err != nil {
		return createBody{}, vendor.Refuse(provisioning.ErrPermanent, op, "the remote user %q is no number", b.RemoteUser)
	}
	e, err := c.readEgg(ctx, op, p.nest, p.egg)
	if err != nil {
		return createBody{}, err
	}
	image, err := e.imageOf(op, p.image)
	if err != nil {
		return createBody{}, err
	}
	env, err := e.environment(op, p.variables, nil)
	if err != nil {
		return createBody{}, err
	}
	body := createBody{
		ExternalID: c.tag(o.ServiceID), Name: cut(cmp.Or(panel.Clean(o.Hostname), c.tag(o.ServiceID)), 191), User: user, Egg: p.egg, Image: image,
		Startup: cmp.Or(p.startup, string(e.Startup)), Environment: env, Limits: p.limits, Features: p.features, Start: true,
	}
	body.Deploy.Locations, body.Deploy.DedicatedIP, body.Deploy.PortRange = p.locations, p.dedicated, p.ports
	return body, nil
}
