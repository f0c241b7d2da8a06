package synergycp

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// server holds the fields we use of a server object.
type server struct {
	ID       panel.Number `json:"id"`
	SrvID    panel.Text   `json:"srv_id"`
	Nickname panel.Text   `json:"nickname"`
	Billing  panel.Maybe[struct {
		ID           panel.Number `json:"id"`
		MaxBandwidth panel.Number `json:"max_bandwidth"`
	}] `json:"billing"`
	Access panel.Maybe[access] `json:"access"`
	Usage  panel.Maybe[struct {
		Used panel.Number `json:"used"`
		Max  panel.Number `json:"max"`
	}] `json:"usage"`
}

// owner is the panel's id of the client who has the server.
func (s server) owner() string { return s.Access.V.Client.V.ID.ID() }

// suspended says that the owner's access is switched off.
func (s server) suspended() bool { return s.owner() != "" && !bool(s.Access.V.IsActive) }

// maxBits is the panel's bandwidth limit for a cycle; 0 is none.
func (s server) maxBits() int64 {
	if b := s.Billing.V.MaxBandwidth; b.OK {
		return b.Whole(0)
	}
	return s.Usage.V.Max.Whole(0)
}

// usedUp says that the panel's own bandwidth limit is reached, at which it
// suspends by itself.
func (s server) usedUp() bool {
	u := s.Usage.V
	return u.Used.OK && u.Max.OK && u.Max.Value > 0 && u.Used.Value >= u.Max.Value
}

// access is a client's right to a server.
type access struct {
	ID     panel.Number `json:"id"`
	Client panel.Maybe[struct {
		ID panel.Number `json:"id"`
	}] `json:"client"`
	IsActive panel.Flag `json:"is_active"`
	PXE      panel.Flag `json:"pxe"`
	IPMI     panel.Flag `json:"ipmi"`
	Switch   panel.Flag `json:"switch"`
}

type clientObject struct {
	ID        panel.Number `json:"id"`
	Email     panel.Text   `json:"email"`
	BillingID panel.Text   `json:"billing_id"`
	Billing   panel.Maybe[struct {
		ID panel.Text `json:"id"`
	}] `json:"billing"`
}

// relation is the client's billing id, which the panel shows in one of two places.
func (c clientObject) relation() string {
	if c.BillingID != "" {
		return string(c.BillingID)
	}
	return string(c.Billing.V.ID)
}

// entity is a block of addresses.
type entity struct {
	ID      panel.Number `json:"id"`
	Address panel.Text   `json:"address"`
	FullIP  panel.Text   `json:"full_ip"`
	V6      panel.Text   `json:"v6_address"`
}

type installation struct {
	ID      panel.Number `json:"id"`
	Step    panel.Text   `json:"step_desc"`
	Percent panel.Number `json:"percent"`
}

const (
	// maxPages bounds a paged list, perPage entries each.
	maxPages = 500
	perPage  = 100
)

// readPages reads a list to its end. What is not in it is taken for absent at the
// panel, so a list of which a part cannot be read is none.
func readPages[T any](ctx context.Context, c *Client, call panel.Call) ([]T, error) {
	var all []T
	err := eachPage(ctx, c, call, func(part []T, _ *panel.Number) error {
		all = append(all, part...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads a list to its end and gives each page, with what it says of the
// number of entries in all: nil where the list has no pages.
func eachPage[T any](ctx context.Context, c *Client, call panel.Call, each func(part []T, total *panel.Number) error) error {
	query := call.Query
	call.Method = http.MethodGet
	for n := 1; n <= maxPages; n++ {
		call.Query = maps.Clone(query)
		if call.Query == nil {
			call.Query = url.Values{}
		}
		call.Query.Set("per_page", strconv.Itoa(perPage))
		call.Query.Set("page", strconv.Itoa(n))
		got, err := readPage[T](ctx, c, call, n)
		if err != nil {
			return err
		}
		if err := each(got.part, got.total); err != nil || got.last {
			return err
		}
	}
	return vendor.Refuse(provisioning.ErrPermanent, call.Op, "the list is longer than %d pages", maxPages)
}

// page is one page of a list.
type page[T any] struct {
	part  []T
	total *panel.Number
	last  bool
}

func readPage[T any](ctx context.Context, c *Client, call panel.Call, n int) (page[T], error) {
	none := page[T]{}
	var raw json.RawMessage
	if err := c.do(ctx, call, &raw); err != nil {
		return none, err
	}
	if strings.HasPrefix(string(raw), "[") { // not paged
		part, ok := panel.WholeList[T](raw)
		if !ok {
			return none, vendor.Unreadable(call, http.StatusOK, "the answer is not a list")
		}
		return page[T]{part: part, last: true}, nil
	}
	var got struct {
		Data        json.RawMessage `json:"data"`
		CurrentPage panel.Number    `json:"current_page"`
		LastPage    panel.Number    `json:"last_page"`
		Total       panel.Number    `json:"total"`
	}
	err := json.Unmarshal(raw, &got)
	part, ok := panel.WholeList[T](got.Data)
	switch {
	case err != nil || !ok:
		return none, vendor.Unreadable(call, http.StatusOK, "the answer is not a list")
	case !got.LastPage.OK || got.LastPage.Value <= float64(n):
		return page[T]{part, &got.Total, true}, nil
	case got.CurrentPage.Value != float64(n):
		return none, vendor.Unreadable(call, http.StatusOK, "the list repeats itself")
	}
	return page[T]{part, &got.Total, false}, nil
}
