package virtfusion

import (
	"context"
	"strconv"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The steps of a build, in order. StepPassword does work only when the answer
// that held the first password was lost.
const (
	StepUser     = "user"     // find or create the remote user
	StepCreate   = "create"   // allocate a server
	StepTag      = "tag"      // name it after the service
	StepBuild    = "build"    // install the operating system
	StepReady    = "ready"    // wait until it runs
	StepPassword = "password" // set a new password
)

// Keys of Build.Data.
const (
	dataBaseline = "baseline"      // highest server id of the user before the create
	dataWindows  = "windows"       // "true" when the template is Windows
	dataNoPass   = "password_lost" // "true" when the build's answer was lost
	dataRebuilt  = "rebuilt"       // "true" after the one automatic rebuild
	dataIPv6Poll = "ipv6_polls"    // how often we waited for IPv6
	dataQueue    = "queue"         // queue item of the password reset
	dataResets   = "resets"        // how often a reset failed
)

// Steps names the steps in order. A build is done after "ready" unless the
// password was lost.
func (c *Client) Steps() []string {
	return []string{StepUser, StepCreate, StepTag, StepBuild, StepReady, StepPassword}
}

// Advance does one step. On an error the returned Build is b itself: nothing new
// is known. The caller stores b.Started before the first call of a step and b
// after every call; a step that begins anew has a zero Started.
//
// Creates of one remote user are taken one at a time: while the outcome of one
// is open, Advance("create") of another service answers ErrTemporary.
func (c *Client) Advance(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o)
	if err != nil {
		return b, err
	}
	next := panel.Prepare(b)
	switch b.Step {
	case "", StepUser:
		next, err = c.stepUser(ctx, o, next)
	case StepCreate:
		next, err = c.stepCreate(ctx, o, p, next)
	case StepTag:
		next, err = c.stepTag(ctx, o, next)
	case StepBuild:
		next, err = c.stepBuild(ctx, o, p, next)
	case StepReady:
		next, err = c.stepReady(ctx, o, p, next)
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

// Recover finds out what a lost answer left behind; it only reads. ErrTemporary
// means that it is too early to tell, or that the panel cannot be read: call
// Recover, not Advance, again. For "create" it reads the list of the user's
// servers and looks for one above the ids known before, without a system,
// without another service's name, made inside the call's window and of the
// ordered size. One is adopted; several, or a doubtful one, are for a person
// (ErrOutcomeUnknown). That a server or an installation is not there is believed
// only after Config.Settle has passed since the call and since this Client was
// made: the panel may still work on a request whose connection is gone.
func (c *Client) Recover(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o)
	if err != nil {
		return b, err
	}
	next := panel.Prepare(b)
	switch b.Step {
	case "", StepUser:
		next, err = c.recoverUser(ctx, o, next)
	case StepCreate:
		next, err = c.recoverCreate(ctx, o, p, next)
	case StepTag:
		next, err = c.recoverTag(ctx, o, p, next)
	case StepBuild:
		next, err = c.recoverBuild(ctx, o, next)
	case StepReady, StepPassword:
		return b, nil // reading repeats, and a password may be set twice
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "recover service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

func (c *Client) stepUser(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	id, err := c.ensureUser(ctx, o)
	if err != nil {
		return b, err
	}
	return c.withUser(ctx, b, id)
}

func (c *Client) recoverUser(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	id, err := c.findUser(ctx, o.UserID)
	if err != nil || id == "" {
		return b, err // a repeated create cannot make a second user: the relation and the address are unique
	}
	return c.withUser(ctx, b, id)
}

// withUser notes the user and the highest id among the servers it has already,
// which is how a later search tells a new server from an old one without
// trusting two clocks.
func (c *Client) withUser(ctx context.Context, b provisioning.Build, userID string) (provisioning.Build, error) {
	servers, err := c.userServers(ctx, userID)
	if err != nil {
		return b, err
	}
	highest := 0.0
	for _, s := range servers {
		highest = max(highest, s.ID.Value)
	}
	b.RemoteUser = userID
	b.Data[dataBaseline] = strconv.FormatFloat(highest, 'f', 0, 64)
	return panel.Move(b, StepCreate), nil
}

// stepCreate allocates a server (POST /servers). Everything that can be refused
// by reading is read before, so that a wrong template leaves no server behind.
func (c *Client) stepCreate(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "create the server of service " + o.ServiceID
	if b.Started.IsZero() || b.RemoteUser == "" {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "Build.Started and RemoteUser must be stored before")
	}
	tpl, err := c.findTemplate(ctx, p)
	if err != nil {
		return b, err
	}
	if tpl.Windows {
		b.Data[dataWindows] = "true"
	}
	if !c.creates.Begin(b.RemoteUser, o.ServiceID) {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "another create for this customer is being resolved")
	}
	c.calls.Made(o.ServiceID)
	id, err := c.createServer(ctx, op, p, b.RemoteUser)
	unknown := provisioning.Classify(err) == provisioning.ClassUnknown
	if err == nil {
		c.creates.claim(id, o.ServiceID, c.now())
	}
	c.creates.End(b.RemoteUser, !unknown)
	if err != nil {
		return b, err
	}
	b.RemoteID = id
	return panel.Move(b, StepTag), nil
}

func (c *Client) createServer(ctx context.Context, op string, p plan, userID string) (string, error) {
	user, err := strconv.ParseInt(userID, 10, 64)
	if err != nil {
		return "", vendor.Refuse(provisioning.ErrPermanent, op, "the remote user %q is no number", userID)
	}
	r := panel.Call{
		Op: op, Effect: panel.Grows, Method: "POST", Path: "/servers",
		Body: struct {
			PackageID int64 `json:"packageId"`
			UserID    int64 `json:"userId"`
			// The field takes a hypervisor group, despite its name.
			HypervisorID int64 `json:"hypervisorId"`
			IPv4         int64 `json:"ipv4"`
		}{p.packageID, user, p.groupID, p.ipv4},
	}
	var got answer[server]
	if err := c.do(ctx, r, &got); err != nil {
		return "", err
	}
	if id := got.Data.ID.ID(); id != "" {
		return id, nil
	}
	return "", vendor.Unreadable(r, 201, "the server has no id")
}
