package synergycp

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The steps of a build, in order. StepAccount works only for a customer's first
// server, StepInstall where the plan names more than one profile; StepQueue comes
// before and after it.
const (
	StepClient  = "client"  // look for the client, choose the billing id
	StepAccount = "account" // create the client
	StepOrder   = "order"   // take a server out of the inventory
	StepQueue   = "queue"   // look what is being installed, before more is queued
	StepInstall = "install" // queue the next profile
	StepReady   = "ready"   // wait until all is installed
)

// Keys of Build.Data.
const (
	dataBilling = "billing_id" // the service's number at the panel
	dataNonce   = "nonce"      // what the password is drawn from, with the key
	dataPrint   = "password"   // print of the password, to notice a changed key
	dataQueued  = "queued"     // how many profiles are queued
	dataLast    = "install"    // highest installation known before the next is queued
	dataSeen    = "seen"       // "true" once an installation was seen under way
	dataFound   = "found"      // "true" when the server was found, not answered for
	dataAgain   = "again"      // "true" after all was queued once more
)

// Steps names the steps in order.
func (c *Client) Steps() []string {
	return []string{StepClient, StepAccount, StepOrder, StepQueue, StepInstall, StepReady}
}

// Advance does one step. On an error the returned Build is b itself: nothing new
// is known. The caller stores b.Started before the first call of a step and b
// after every call; a step that begins anew has a zero Started.
//
// Orders at one panel are placed one at a time, since it reserves nothing between
// the look and the order: others wait a little, and then answer ErrTemporary.
func (c *Client) Advance(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p, err := parsePlan(o.Settings, "read the plan of service "+o.ServiceID)
	if err != nil {
		return b, err
	}
	next := panel.Prepare(b)
	switch b.Step {
	case "", StepClient:
		next, err = c.stepClient(ctx, o, next)
	case StepAccount:
		next, err = c.stepAccount(ctx, o, next)
	case StepOrder:
		next, err = c.stepOrder(ctx, o, p, next)
	case StepQueue:
		next, err = c.stepQueue(ctx, p, next)
	case StepInstall:
		next, err = c.stepInstall(ctx, o, p, next)
	case StepReady:
		next, err = c.stepReady(ctx, p, next)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "build service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// Recover finds out what a lost answer left behind; it only reads. Client and
// server are found by their billing ids, which the panel keeps unique. That a
// server was not taken, or an installation not queued, is believed only after
// Config.Settle: the panel may still work on the call, and hardware is dear.
func (c *Client) Recover(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	if _, err := parsePlan(o.Settings, "read the plan of service "+o.ServiceID); err != nil {
		return b, err
	}
	next, err := panel.Prepare(b), error(nil)
	switch b.Step {
	case "", StepClient, StepQueue, StepReady:
		return b, nil // they only read
	case StepAccount:
		next, err = c.recoverAccount(ctx, o, next)
	case StepOrder:
		next, err = c.recoverOrder(ctx, o, next)
	case StepInstall:
		next, err = c.recoverInstall(ctx, o, next)
	default:
		err = vendor.Refuse(provisioning.ErrPermanent, "recover service "+o.ServiceID, "there is no step %q", b.Step)
	}
	if err != nil {
		return b, err
	}
	return next, nil
}

// stepClient looks for the customer's client, and for a stranger's with the same
// address before anything is made. It chooses what is stored before the order.
func (c *Client) stepClient(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	var err error
	if b.Data[dataBilling], err = c.chooseBilling(ctx, o.ServiceID); err != nil {
		return b, err
	}
	b.Data[dataNonce] = rand.Text()
	b.Data[dataPrint] = c.print(b)
	found, ok, err := c.findClient(ctx, o.UserID)
	if err != nil {
		return b, err
	}
	if ok {
		b.RemoteUser = found.ID.ID()
		return panel.Move(b, StepOrder), nil
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

// billingTries bounds the search for a billing id that is not in use.
const billingTries = 20

// chooseBilling draws the number under which the panel knows a service: it takes
// numbers alone, and our ids are texts. It fits 31 bits, as the panel's column may
// be no wider. The first that no server of ours at the panel carries is the one;
// two services that drew the same one at the same moment are told apart by their
// client.
func (c *Client) chooseBilling(ctx context.Context, service string) (string, error) {
	op := "choose the billing id of service " + service
	for n := range billingTries {
		sum := sha256.Sum256([]byte(c.prefix + service + "#" + strconv.Itoa(n)))
		billing := strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[:])>>1)|1<<30, 10)
		_, there, err := c.serverOf(ctx, op, billing)
		if err != nil {
			return "", err
		}
		if !there {
			return billing, nil
		}
	}
	return "", vendor.Refuse(provisioning.ErrPermanent, op, "the panel has a server for each of the %d that were tried", billingTries)
}

// password is that of the system that is installed. It is not kept anywhere: a
// lost answer would lose it, so it is drawn from the key and from a nonce which is
// stored before the order. Who has only one of them does not have it.
func (c *Client) password(b provisioning.Build) string {
	mac := hmac.New(sha256.New, []byte(c.key))
	mac.Write([]byte("password\x00" + b.Data[dataBilling] + "\x00" + b.Data[dataNonce]))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)))[:24] + "-A1"
}

// print tells passwords apart and says nothing of them.
func (c *Client) print(b provisioning.Build) string {
	sum := sha256.Sum256([]byte("print\x00" + c.password(b)))
	return hex.EncodeToString(sum[:4])
}

// sameKey refuses to go on where the key was changed since the password was drawn.
func (c *Client) sameKey(op string, b provisioning.Build) error {
	if b.Data[dataPrint] == c.print(b) {
		return nil
	}
	return vendor.Refuse(provisioning.ErrPermanent, op, "the integration key was changed while this server was being installed, so its password is not known; install it anew in the panel and give the customer that password, or put the earlier key back and try again")
}

func (c *Client) stepAccount(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	id, err := c.ensureClient(ctx, o)
	if err != nil {
		return b, err
	}
	b.RemoteUser = id
	return panel.Move(b, StepOrder), nil
}

func (c *Client) recoverAccount(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	found, ok, err := c.findClient(ctx, o.UserID)
	if err != nil || !ok {
		return b, err // a repeated create cannot make a second client: id and address are unique
	}
	b.RemoteUser = found.ID.ID()
	return panel.Move(b, StepOrder), nil
}
