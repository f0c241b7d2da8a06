package enhance

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// What a change of plan does at the panel: another plan_id is PATCH
// /orgs/{org}/subscriptions/{id}, with all that follows a plan. What the subscription
// uses must fit the new plan, which the vendor does not say the panel checks. The
// server's group is for people, as websites would have to move; so are options that
// this adapter does not know. php_version is the customer's once the website is
// there.

// planObject is a plan of the selling organization.
type planObject struct {
	ID        panel.Number         `json:"id"`
	Name      panel.Text           `json:"name"`
	Resources panel.Many[resource] `json:"resources"`
}

// readPlans lists the plans (GET /orgs/{org}/plans).
func (c *Client) readPlans(ctx context.Context, op string) ([]planObject, error) {
	return readAll[planObject](ctx, c, panel.Call{Op: op, Path: "/orgs/" + c.seller + "/plans"})
}

// CheckPlan reads the subscription and the plan that it is to get.
func (c *Client) CheckPlan(ctx context.Context, w provisioning.PlanWish) error {
	if _, err := c.look(ctx, w); err != nil {
		return err
	}
	return left(w)
}

// ChangePlan sets the plan unless it is set, and reads again.
func (c *Client) ChangePlan(ctx context.Context, w provisioning.PlanWish) (provisioning.PlanChange, error) {
	none := provisioning.PlanChange{}
	op := "change the plan of subscription " + w.RemoteID
	id, err := c.look(ctx, w)
	if err != nil {
		return none, err
	}
	if id == 0 {
		return none, left(w)
	}
	r, err := parseRef(op, w.RemoteID)
	if err != nil {
		return none, err
	}
	err = c.do(ctx, panel.Call{
		Op: op, Effect: panel.Grows, Method: http.MethodPatch, Path: r.path(),
		Body: struct {
			PlanID int64 `json:"planId"`
		}{id},
	}, nil)
	if err != nil {
		return none, err
	}
	s, err := c.readSubscription(ctx, op, w.RemoteID)
	if err != nil {
		return none, err
	}
	if s.PlanID.Whole(0) != id {
		return none, vendor.Refuse(provisioning.ErrTemporary, op, "the panel does not show plan %d yet", id)
	}
	return none, left(w)
}

// look refuses what cannot be, and says which plan is to be set; 0 is none.
func (c *Client) look(ctx context.Context, w provisioning.PlanWish) (int64, error) {
	op := "change the plan of subscription " + w.RemoteID
	s, err := c.readSubscription(ctx, op, w.RemoteID)
	if err != nil {
		return 0, err
	}
	to, err := parseSettings(w.To)
	if err != nil {
		return 0, vendor.Refuse(provisioning.ErrPermanent, op, "%s", err)
	}
	changes := w.Unsure || strings.TrimSpace(w.From[SettingPlan]) != strings.TrimSpace(w.To[SettingPlan])
	if !changes || s.PlanID.Whole(0) == to.id {
		return 0, nil
	}
	plans, err := c.readPlans(ctx, op)
	if err != nil {
		return 0, err
	}
	for _, p := range plans {
		if p.ID.Whole(0) == to.id {
			return to.id, fits(op, s, p)
		}
	}
	return 0, vendor.Refuse(provisioning.ErrPermanent, op, "the selling organization has no plan %d (setting %s)", to.id, SettingPlan)
}

// fits refuses a plan that allows less than the subscription uses.
func fits(op string, s subscription, p planObject) error {
	for _, gets := range p.Resources {
		has, there := s.resource(string(gets.Name))
		if !there || !gets.Total.OK || !has.Usage.OK || has.Usage.Value <= gets.Total.Value || gets.Name == "transfer" {
			continue
		}
		what, unit := resourceName(string(gets.Name)), 1.0
		if gets.Name == "diskspace" {
			unit = 1e6
		}
		return fmt.Errorf("enhance: %s: %w", op, &provisioning.ImpossibleError{
			Code: "uses_more", Setting: SettingPlan,
			Reason: fmt.Sprintf("Your service uses %.0f %s, and this plan allows %.0f. Please remove some first, or choose a larger plan.", has.Usage.Value/unit, what, gets.Total.Value/unit),
		})
	}
	return nil
}

// resourceName is a resource in words for customers.
func resourceName(name string) string {
	words := map[string]string{
		"diskspace": "MB of disk space", "mysqlDbs": "databases", "ftpUsers": "FTP users", "domainAliases": "domain aliases", "stagingWebsites": "staging websites", "addonDomains": "additional domains",
		"dnsRecords": "DNS records", "pageViews": "page views",
	}
	if w, there := words[name]; there {
		return w
	}
	return name // websites, mailboxes, forwarders, subdomains, customers, processes
}

// left is the task for people, if any of it is theirs.
func left(w provisioning.PlanWish) error {
	list := w.Besides(SettingPlan, SettingPHP)
	if len(list) == 0 {
		return nil
	}
	return vendor.Refuse(provisioning.ErrStaff, "change the plan of subscription "+w.RemoteID, "in the panel, change %s", strings.Join(list, ", "))
}
