package synergycp

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// What a change of plan does at the panel:
//
//   - max_bandwidth: PATCH /server/{id}.
//   - access_pxe, access_ipmi, access_switch: PATCH /server/{id}/access/{id} of the
//     owner.
//   - parts, locations, addresses and the port's speed are for people: hardware is
//     moved by hand, and the panel has no call that chooses for them.
//   - so are options that this adapter does not know: they were paid for.
//   - pxe_profile_billing and username belong to the next installation: nothing is
//     done.

// change is what is to be done to a server, after everything was looked at.
type change struct {
	c    *Client
	op   string
	wish provisioning.PlanWish
	to   plan

	server  server
	primary access
	limit   bool     // the limit is to be set
	rights  bool     // the rights are to be set
	people  []string // what staff has to do
}

// CheckPlan reads the server and who has access to it.
func (c *Client) CheckPlan(ctx context.Context, w provisioning.PlanWish) error {
	ch, err := c.look(ctx, w)
	if err != nil {
		return err
	}
	return ch.left()
}

// ChangePlan sets what the panel can set and differs from the wish, whoever set
// it, and reads again. It never asks for a restart: nothing of it is seen by the
// running system.
func (c *Client) ChangePlan(ctx context.Context, w provisioning.PlanWish) (provisioning.PlanChange, error) {
	none := provisioning.PlanChange{}
	ch, err := c.look(ctx, w)
	if err != nil {
		return none, err
	}
	if !ch.limit && !ch.rights {
		return none, ch.left()
	}
	if err := ch.do(ctx); err != nil {
		return none, err
	}
	again, err := c.look(ctx, w)
	if err != nil {
		return none, err
	}
	if again.limit || again.rights {
		return none, vendor.Refuse(provisioning.ErrTemporary, ch.op, "the panel does not show the change yet")
	}
	return none, ch.left()
}

// look reads what the server is and sorts the wish into what the panel does and
// what people do.
func (c *Client) look(ctx context.Context, w provisioning.PlanWish) (*change, error) {
	ch := &change{c: c, op: "change the plan of server " + w.RemoteID, wish: w}
	var err error
	if ch.server, err = c.readServer(ctx, ch.op, w.RemoteID); err != nil {
		return nil, err
	}
	if ch.to, err = parsePlan(w.To, ch.op); err != nil {
		return nil, err
	}
	list, err := c.readAccess(ctx, ch.op, ch.server)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(a access) bool { return a.ID.ID() != "" && a.ID.ID() == ch.server.Access.V.ID.ID() })
	if i < 0 {
		return nil, vendor.Refuse(provisioning.ErrPermanent, ch.op, "the panel lists no owner of server %s; assign its client there", ch.server.name())
	}
	ch.primary = list[i]
	ch.compare()
	return ch, nil
}

// compare marks what differs. What the wish leaves as it was is left to whoever
// changed it in the panel, unless it is not sure what it was.
func (ch *change) compare() {
	a := ch.primary
	ch.limit = ch.touched(SettingBandwidth) && ch.server.maxBits() != ch.to.limit
	ch.rights = ch.touched(SettingPXE, SettingIPMI, SettingSwitch) && rights{bool(a.PXE), bool(a.IPMI), bool(a.Switch)} != ch.to.rights
	done := []string{SettingBandwidth, SettingPXE, SettingIPMI, SettingSwitch, SettingProfiles, SettingUsername}
	ch.people = ch.wish.Besides(done...)
}

func (ch *change) touched(names ...string) bool {
	return ch.wish.Unsure || slices.ContainsFunc(names, func(name string) bool {
		return strings.TrimSpace(ch.wish.From[name]) != strings.TrimSpace(ch.wish.To[name])
	})
}

// do makes the calls. After a lost answer the wish is asked for again, and the look
// finds what was done.
func (ch *change) do(ctx context.Context) error {
	path := "/server/" + ch.server.ID.ID()
	if ch.limit {
		var body struct {
			Billing struct {
				MaxBandwidth any `json:"max_bandwidth"`
			} `json:"billing"`
		}
		body.Billing.MaxBandwidth = limitOf(ch.to.limit)
		if err := ch.c.do(ctx, panel.Call{Op: ch.op, Effect: panel.Writes, Method: http.MethodPatch, Path: path, Body: body}, nil); err != nil {
			return err
		}
	}
	if !ch.rights {
		return nil
	}
	return ch.c.do(ctx, panel.Call{Op: ch.op, Effect: panel.Writes, Method: http.MethodPatch, Path: path + "/access/" + ch.primary.ID.ID(), Body: ch.to.rights}, nil)
}

// left is the task for people, if any of it is theirs.
func (ch *change) left() error {
	if len(ch.people) == 0 {
		return nil
	}
	return vendor.Refuse(provisioning.ErrStaff, ch.op, "at server %s, change %s, and its record in the panel with it", ch.server.name(), strings.Join(ch.people, ", "))
}
