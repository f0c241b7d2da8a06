package enhance

import (
	"context"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The steps of a build, in order. Those up to StepMember work only for a customer's
// first service; those of databases only for the kind mysql.
const (
	StepCustomer     = "customer"     // look for the customer
	StepOrg          = "org"          // create its organization
	StepLogin        = "login"        // create its login
	StepMember       = "member"       // make the login its owner
	StepSubscription = "subscription" // subscribe to the plan
	StepWebsite      = "website"      // create the website
	StepDatabase     = "database"     // create the database
	StepDBUser       = "db_user"      // create its user
	StepGrant        = "grant"        // let the user work in it
	StepPassword     = "password"     // set the password that the customer gets
)

// Keys of Build.Data.
const (
	dataNewOrg  = "new_org"     // "true" when this build made the organization
	dataLogin   = "login"       // id of the login
	dataNew     = "new_account" // "true" when the login was made with it
	dataEmail   = "email"       // by which the customer signs in
	dataWebsite = "website"     // id of the website
	dataDB      = "database"    // its name at the panel
)

// Steps names the steps in order.
func (c *Client) Steps() []string {
	return []string{StepCustomer, StepOrg, StepLogin, StepMember, StepSubscription, StepWebsite, StepDatabase, StepDBUser, StepGrant, StepPassword}
}

// step is what is done at a step, and how its lost call is looked for; a nil look
// repeats the step.
type step struct {
	do, look func(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error)
}

func (c *Client) step(name string) (step, bool) {
	s, ok := map[string]step{
		"":               {c.stepCustomer, nil},
		StepCustomer:     {c.stepCustomer, nil},
		StepOrg:          {c.stepOrg, c.recoverOrg},
		StepLogin:        {c.stepLogin, nil}, // it looks first, and the address is unique
		StepMember:       {c.stepMember, nil},
		StepSubscription: {c.stepSubscription, c.recoverSubscription},
		StepWebsite:      {c.stepWebsite, c.recoverWebsite},
		StepDatabase:     {c.stepDatabase, nil},
		StepDBUser:       {c.stepDBUser, nil},
		StepGrant:        {c.stepGrant, nil}, // it replaces what was granted
		StepPassword:     {c.stepPassword, c.recoverPassword},
	}[name]
	return s, ok
}

// Advance does one step. On an error the returned Build is b itself: nothing new
// is known. The caller stores b.Started before the first call of a step and b
// after every call; a step that begins anew has a zero Started.
//
// The account of one customer is made by one service at a time: another one
// answers ErrTemporary meanwhile.
func (c *Client) Advance(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o)
	if err != nil {
		return b, err
	}
	s, known := c.step(b.Step)
	if !known {
		return b, vendor.Refuse(provisioning.ErrPermanent, "build service "+o.ServiceID, "there is no step %q", b.Step)
	}
	next, err := s.do(ctx, o, p, panel.Prepare(b))
	if err != nil {
		return b, err
	}
	return next, nil
}

// Recover finds out what a lost answer left behind; it only reads. What the panel
// keeps unique (a login's address, a member, a database and its user) is repeated
// at once, since the step looks first. A customer, a subscription and a website are
// looked for by our id or domain, and believed absent only after Config.Settle, as
// is a password that could come late.
func (c *Client) Recover(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o)
	if err != nil {
		return b, err
	}
	s, known := c.step(b.Step)
	if !known {
		return b, vendor.Refuse(provisioning.ErrPermanent, "recover service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if s.look == nil || b.Started.IsZero() {
		return b, nil
	}
	next, err := s.look(ctx, o, p, panel.Prepare(b))
	if err != nil {
		return b, err
	}
	return next, nil
}
