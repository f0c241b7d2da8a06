package synergycp

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// maxRefused is how many servers an order tries when the panel refuses one: it
// may have gone to somebody else between the look and the order.
const maxRefused = 3

// stepOrder takes a free server that has the ordered parts (GET /server with the
// tuple, POST /server/provision). A free entity is looked for before, without
// which the panel would refuse the order.
func (c *Client) stepOrder(ctx context.Context, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	op := "order the server of service " + o.ServiceID
	if b.Started.IsZero() || b.RemoteUser == "" || b.Data[dataBilling] == "" {
		return b, vendor.Refuse(provisioning.ErrPermanent, op, "Build.Started, RemoteUser and the billing id must be stored before")
	}
	if err := c.sameKey(op, b); err != nil {
		return b, err
	}
	if !c.line.enter(ctx) {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "other orders at this panel come first")
	}
	defer c.line.leave()
	// An earlier order of ours may have arrived late.
	if next, there, err := c.adopt(ctx, op, o, b); err != nil || there {
		return next, err
	}
	if err := c.checkEntity(ctx, op, p); err != nil {
		return b, err
	}
	return c.takeServer(ctx, op, o, p, b)
}

// takeServer orders one free server after the other until the panel gives one.
func (c *Client) takeServer(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build) (provisioning.Build, error) {
	var refused []string
	var last error
	for range maxRefused {
		id, err := c.chooseServer(ctx, op, o, p, refused)
		if err != nil {
			return b, err
		}
		if id == "" && last == nil {
			return b, vendor.Refuse(provisioning.ErrCapacity, op, "the inventory has no free server with %s", p.tuple())
		}
		if id == "" {
			break
		}
		s, err := c.provision(ctx, op, id, p, o, b)
		if err == nil {
			return c.ordered(o, b, s), nil
		}
		if !isRefused(err) {
			return b, err
		}
		refused, last = append(refused, id), err
	}
	return c.settleRefusal(ctx, op, o, p, b, refused, last)
}

// settleRefusal decides what refusals meant: that our order had come already, that
// others were faster, or that the panel does not take the order at all, which a
// person has to look at.
func (c *Client) settleRefusal(ctx context.Context, op string, o provisioning.Order, p plan, b provisioning.Build, refused []string, last error) (provisioning.Build, error) {
	if next, there, err := c.adopt(ctx, op, o, b); err != nil || there {
		return next, err
	}
	list, err := c.free(ctx, op, p)
	if err != nil {
		return b, err
	}
	if slices.ContainsFunc(list, func(s server) bool { return slices.Contains(refused, s.ID.ID()) }) {
		return b, last
	}
	return b, &panel.Error{Vendor: vendor, Op: op, Message: "others took the free servers first", Class: provisioning.ErrTemporary, Cause: panel.Plain(last)}
}

// adopt takes a server that carries the build's billing id already.
func (c *Client) adopt(ctx context.Context, op string, o provisioning.Order, b provisioning.Build) (next provisioning.Build, there bool, err error) {
	s, there, err := c.ownServer(ctx, op, b)
	if err != nil || !there {
		return b, false, err
	}
	b.Data[dataFound] = "true"
	return c.ordered(o, b, s), true, nil
}

// ordered notes the server of a build; what it claimed is free again.
func (c *Client) ordered(o provisioning.Order, b provisioning.Build, s server) provisioning.Build {
	c.line.release(o.ServiceID)
	b.RemoteID = remoteID(s.ID.ID(), b.Data[dataBilling])
	b.Data[dataQueued] = "1"
	return panel.Move(b, StepQueue)
}

// checkEntity looks for free addresses of the ordered kind (GET /entity).
func (c *Client) checkEntity(ctx context.Context, op string, p plan) error {
	free, err := readPages[entity](ctx, c, panel.Call{Op: op, Path: "/entity", Query: url.Values{"group[billing][]": p.groups, "billing_id": {p.ips}, "server": {"none"}}})
	if err == nil && len(free) == 0 {
		err = vendor.Refuse(provisioning.ErrCapacity, op, "no IP entity with billing id %s is free in %s", p.ips, panel.Clean(p.tuple()))
	}
	return err
}

// free lists the free servers of a tuple.
func (c *Client) free(ctx context.Context, op string, p plan) ([]server, error) {
	query := url.Values{"available": {"true"}, "parts[exact]": {"1"}, "cpu_billing": {p.cpu}, "mem_billing": {p.memory}, "ip_group_billing[]": p.groups}
	if len(p.disks) > 0 {
		query["disks_billing[]"] = p.disks
	}
	if len(p.addons) > 0 {
		query["addons_billing[]"] = p.addons
	}
	return readPages[server](ctx, c, panel.Call{Op: op, Path: "/server", Query: query})
}

// chooseServer is the first free server that was not refused and that no other
// order may still take; "" is none.
func (c *Client) chooseServer(ctx context.Context, op string, o provisioning.Order, p plan, refused []string) (string, error) {
	list, err := c.free(ctx, op, p)
	if err != nil {
		return "", err
	}
	waiting := false
	for _, s := range list {
		id := s.ID.ID()
		switch {
		case id == "" || s.owner() != "" || slices.Contains(refused, id):
		case c.line.claimed(id, o.ServiceID):
			waiting = true
		default:
			return id, nil
		}
	}
	if waiting {
		return "", vendor.Refuse(provisioning.ErrTemporary, op, "the last fitting server may be going to another order")
	}
	return "", nil
}

// provisionBody is what POST /server/provision takes, in the form of the vendor's
// WHMCS module. A limit is a number of bits, "" none.
type provisionBody struct {
	ClientID int64  `json:"client_id"`
	ServerID int64  `json:"server_id"`
	IPs      string `json:"ips_billing"`
	Profile  string `json:"pxe_profile_billing,omitempty"`
	Speed    string `json:"port_speed_billing,omitempty"`
	Nickname string `json:"nickname"`
	Password string `json:"password,omitempty"`
	Billing  struct {
		ID           int64 `json:"id"`
		MaxBandwidth any   `json:"max_bandwidth"`
	} `json:"billing"`
	Access rights `json:"access"`
}

func limitOf(bits int64) any {
	if bits == 0 {
		return ""
	}
	return bits
}

func (c *Client) provision(ctx context.Context, op, id string, p plan, o provisioning.Order, b provisioning.Build) (server, error) {
	body := provisionBody{IPs: p.ips, Speed: p.speed, Nickname: panel.Clean(o.Hostname), Access: p.rights}
	for _, n := range []struct {
		text string
		to   *int64
	}{{b.RemoteUser, &body.ClientID}, {id, &body.ServerID}, {b.Data[dataBilling], &body.Billing.ID}} {
		var err error
		if *n.to, err = strconv.ParseInt(n.text, 10, 64); err != nil {
			return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "%q is no number", n.text)
		}
	}
	body.Billing.MaxBandwidth = limitOf(p.limit)
	if len(p.profiles) > 0 {
		body.Profile, body.Password = p.profiles[0], c.password(b)
	}
	call := panel.Call{Op: op, Effect: panel.Grows, Method: http.MethodPost, Path: "/server/provision", Body: body}
	c.line.claim(id, o.ServiceID)
	c.calls.Made(o.ServiceID)
	var got panel.Maybe[struct {
		Server panel.Maybe[server] `json:"server"`
	}]
	err := c.do(ctx, call, &got)
	if provisioning.Classify(err) == provisioning.ClassUnknown {
		return server{}, err // the claim stays
	}
	c.line.release(o.ServiceID)
	switch s := got.V.Server.V; {
	case err != nil:
		return server{}, err
	case s.ID.ID() == "": // the vendor's client takes this for "nothing was provisioned"
		return server{}, vendor.Refuse(provisioning.ErrPermanent, op, "the panel says that it did it and names no server")
	case s.ID.ID() != id:
		return server{}, vendor.Unreadable(call, http.StatusOK, "the answer is about another server")
	default:
		return s, nil
	}
}

// recoverOrder looks for a server with our billing id.
func (c *Client) recoverOrder(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	op := "look for the server of service " + o.ServiceID
	if b.Started.IsZero() {
		return b, nil // the call was never made
	}
	if next, there, err := c.adopt(ctx, op, o, b); err != nil || there {
		return next, err
	}
	if wait := c.calls.Unsettled(o.ServiceID, b.Started); wait > 0 {
		return b, vendor.Refuse(provisioning.ErrTemporary, op, "none yet; the answer is final in %s", wait.Round(time.Second))
	}
	c.line.release(o.ServiceID)
	return b, nil
}

// ownServer finds the build's server by its billing id, and refuses one that
// belongs to another client.
func (c *Client) ownServer(ctx context.Context, op string, b provisioning.Build) (s server, there bool, err error) {
	s, there, err = c.serverOf(ctx, op, b.Data[dataBilling])
	if err != nil || !there {
		return server{}, false, err
	}
	if s.owner() != b.RemoteUser {
		return server{}, false, vendor.Refuse(provisioning.ErrPermanent, op,
			"server %s carries this service's billing id %s and belongs to panel client %q, not %s; correct the server's client or billing id in the panel", s.name(), b.Data[dataBilling], s.owner(), b.RemoteUser)
	}
	return s, true, nil
}
