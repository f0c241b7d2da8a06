package enhance

import (
	"context"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// List reads the subscriptions of all our customers: the customers page by page (GET
// /orgs/{org}/customers), and of each whose name has our mark its subscriptions (GET
// /orgs/{org}/customers/{customer}/subscriptions), which is one call for each. Ids
// alone are kept. The list shows neither addresses nor whether a subscription is a
// database, so that a remote id is listed without its kind.
func (c *Client) List(ctx context.Context, each func(provisioning.Seen) error) error {
	call := panel.Call{Op: "list all customers", Path: "/orgs/" + c.seller + "/customers"}
	return eachItem(ctx, c, call, func(o orgObject) string { return uuid(o.ID) }, func(o orgObject) error {
		if o.Status == statusDeleted || !strings.Contains(string(o.Name), "["+c.prefix) {
			return nil
		}
		return c.listOf(ctx, o, each)
	})
}

// listOf gives the subscriptions of a customer; the list holds deleted ones too.
func (c *Client) listOf(ctx context.Context, o orgObject, each func(provisioning.Seen) error) error {
	org := uuid(o.ID)
	call := panel.Call{Op: "list the subscriptions of customer " + org, Path: "/orgs/" + c.seller + "/customers/" + org + "/subscriptions"}
	return eachItem(ctx, c, call, func(s subscription) string { return s.ID.ID() }, func(s subscription) error {
		if s.Status == statusDeleted {
			return nil
		}
		return each(c.seen(o, s))
	})
}

func (c *Client) seen(o orgObject, s subscription) provisioning.Seen {
	id := remoteID(uuid(o.ID), s.ID.ID(), kindWebsite)
	seen := provisioning.Seen{Key: id, RemoteID: id, Name: panel.Clean(string(s.FriendlyName)), Owner: uuid(o.ID), Suspended: s.suspended()}
	if seen.ServiceID, seen.Ours = strings.CutPrefix(seen.Name, c.prefix); !seen.Ours {
		seen.ServiceID = ""
	}
	if seen.Name == "" {
		seen.Name = "subscription " + s.ID.ID() + " of " + panel.Clean(string(o.Name))
	}
	if o.SuspendedBy != "" && !s.suspended() {
		seen.Suspended, seen.Why = true, "its customer is suspended as a whole in the panel"
	}
	if plan := s.PlanID.ID(); plan != "" {
		seen.Plan = sold(plan)
	}
	return seen
}

func sold(plan string) string { return "plan " + plan }

// Terms is the subscription without its kind, and the number of the plan.
func (c *Client) Terms(remote string, settings map[string]string) (key, plan string) {
	r, err := parseRef("read a remote id", remote)
	if err != nil {
		return "", ""
	}
	key = remoteID(r.org, r.subscription, kindWebsite)
	p, err := parseSettings(settings)
	if err != nil {
		return key, ""
	}
	return key, sold(strconv.FormatInt(p.id, 10))
}

// eachItem reads a list page by page and keeps its ids alone. Errors: ErrTemporary
// where it cannot be said that it was the whole.
func eachItem[T any](ctx context.Context, c *Client, call panel.Call, id func(T) string, each func(T) error) error {
	l, query := panel.NewListing(vendor, call.Op), call.Query
	for read, page := 0, 0; page < maxPages; page++ {
		call.Query = maps.Clone(query)
		if call.Query == nil {
			call.Query = url.Values{}
		}
		call.Query.Set("offset", strconv.Itoa(read))
		call.Query.Set("limit", strconv.Itoa(perPage))
		part, total, err := readPage[T](ctx, c, call)
		if err != nil {
			return err
		}
		if err := l.Page(total); err != nil {
			return err
		}
		for _, one := range part {
			fresh, err := l.Fresh(id(one))
			if err == nil && fresh {
				err = each(one)
			}
			if err != nil {
				return err
			}
		}
		if read += len(part); len(part) == 0 || int64(read) >= total.Whole(0) {
			return l.End()
		}
	}
	return vendor.Refuse(provisioning.ErrPermanent, call.Op, "the list is longer than %d pages", maxPages)
}
