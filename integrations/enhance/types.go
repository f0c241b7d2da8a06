package enhance

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	statusActive  = "active"
	statusDeleted = "deleted"
)

// orgObject is an organization; a customer's, mostly.
type orgObject struct {
	ID          panel.Text `json:"id"`
	Name        panel.Text `json:"name"`
	Status      panel.Text `json:"status"`
	SuspendedBy panel.Text `json:"suspendedBy"`
	OwnerID     panel.Text `json:"ownerId"` // a member
	OwnerEmail  panel.Text `json:"ownerEmail"`
	OwnerLogin  panel.Text `json:"ownerLoginId"`
	CreatedAt   panel.Text `json:"createdAt"`
}

type loginObject struct {
	ID           panel.Text `json:"id"`
	Email        panel.Text `json:"email"`
	RegisteredAt panel.Text `json:"registeredAt"`
}

type memberObject struct {
	ID      panel.Text `json:"id"`
	LoginID panel.Text `json:"loginId"`
}

// resource is what a plan allows or a subscription uses; without a total it is not
// limited.
type resource struct {
	Name  panel.Text   `json:"name"`
	Total panel.Number `json:"total"`
	Usage panel.Number `json:"usage"`
}

type subscription struct {
	ID           panel.Number         `json:"id"`
	PlanID       panel.Number         `json:"planId"`
	SubscriberID panel.Text           `json:"subscriberId"`
	FriendlyName panel.Text           `json:"friendlyName"`
	Status       panel.Text           `json:"status"`
	SuspendedBy  panel.Text           `json:"suspendedBy"`
	Resources    panel.Many[resource] `json:"resources"`
}

func (s subscription) suspended() bool { return s.SuspendedBy != "" }

// resource finds one by its name.
func (s subscription) resource(name string) (resource, bool) {
	for _, r := range s.Resources {
		if string(r.Name) == name {
			return r, true
		}
	}
	return resource{}, false
}

type website struct {
	ID     panel.Text `json:"id"`
	Domain panel.Maybe[struct {
		Domain panel.Text `json:"domain"`
	}] `json:"domain"`
	SubscriptionID panel.Number       `json:"subscriptionId"`
	Status         panel.Text         `json:"status"`
	ServerIPs      panel.Many[server] `json:"serverIps"`
	DBServerIPs    panel.Many[server] `json:"dbServerIps"`
}

func (w website) domain() string { return strings.ToLower(string(w.Domain.V.Domain)) }

type server struct {
	IP        panel.Text `json:"ip"`
	IsPrimary panel.Flag `json:"isPrimary"`
}

// created is the answer of a call that makes something; ids are texts or numbers.
type created struct {
	ID panel.Text `json:"id"`
}

// uuid is an id that is one, or "".
func uuid(t panel.Text) string {
	if s := strings.ToLower(string(t)); uuidForm.MatchString(s) {
		return s
	}
	return ""
}

func parseTime(t panel.Text) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, string(t))
	return at.UTC(), err == nil
}

const (
	// maxPages bounds a paged list, perPage entries each.
	maxPages = 400
	perPage  = 500
)

// readAll reads a list to its end. What is not in it is taken for absent at the
// panel, so a list of which a part cannot be read is none.
func readAll[T any](ctx context.Context, c *Client, call panel.Call) ([]T, error) {
	var all []T
	query := call.Query
	call.Method = http.MethodGet
	for range maxPages {
		call.Query = maps.Clone(query)
		if call.Query == nil {
			call.Query = url.Values{}
		}
		call.Query.Set("offset", strconv.Itoa(len(all)))
		call.Query.Set("limit", strconv.Itoa(perPage))
		part, total, err := readItems[T](ctx, c, call)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
		if len(all) >= total {
			return all, nil
		}
		if len(part) == 0 {
			return nil, vendor.Unreadable(call, http.StatusOK, "the list ends before its total")
		}
	}
	return nil, vendor.Refuse(provisioning.ErrPermanent, call.Op, "the list is longer than %d pages", maxPages)
}

// readItems reads a list, or a part of one; without a total it is the whole.
func readItems[T any](ctx context.Context, c *Client, call panel.Call) (part []T, total int, err error) {
	part, said, err := readPage[T](ctx, c, call)
	return part, int(said.Whole(int64(len(part)))), err
}

// readPage reads a part of a list, and how many the whole has where the panel says so.
func readPage[T any](ctx context.Context, c *Client, call panel.Call) (part []T, total panel.Number, err error) {
	call.Method = http.MethodGet
	var got struct {
		Items json.RawMessage `json:"items"`
		Total panel.Number    `json:"total"`
	}
	if err := c.do(ctx, call, &got); err != nil {
		return nil, total, err
	}
	part, ok := panel.WholeList[T](got.Items)
	if !ok {
		return nil, total, vendor.Unreadable(call, http.StatusOK, "the answer is not a list")
	}
	return part, got.Total, nil
}
