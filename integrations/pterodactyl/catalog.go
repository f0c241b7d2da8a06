package pterodactyl

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

const (
	// maxPages bounds a paged list, perPage entries each.
	maxPages = 500
	perPage  = 100
)

// Choice is something a plan can name by its id.
type Choice struct {
	ID   string
	Name string
}

// Node is a machine on which servers run, and what is free on it.
type Node struct {
	ID       string
	Name     string
	Location string
	Public   bool // takes new servers by itself
	MemoryMB int64
	DiskMB   int64
}

type nodeObject struct {
	ID         panel.Number `json:"id"`
	Name       panel.Text   `json:"name"`
	Location   panel.Number `json:"location_id"`
	Public     panel.Flag   `json:"public"`
	Memory     panel.Number `json:"memory"`
	OverMemory panel.Number `json:"memory_overallocate"`
	Disk       panel.Number `json:"disk"`
	OverDisk   panel.Number `json:"disk_overallocate"`
	Allocated  struct {
		Memory panel.Number `json:"memory"`
		Disk   panel.Number `json:"disk"`
	} `json:"allocated_resources"`
}

// free is what of a node is not given to a server yet, in MB. A negative
// over-allocation means "not checked" to the panel where it is no deployment.
func (n nodeObject) free() (memory, disk int64) {
	left := func(all, over, used panel.Number) int64 {
		if over.Value < 0 {
			return 1 << 40
		}
		return int64(all.Value*(100+over.Value)/100 - used.Value)
	}
	return left(n.Memory, n.OverMemory, n.Allocated.Memory), left(n.Disk, n.OverDisk, n.Allocated.Disk)
}

// named is a listed object with a name.
type named struct {
	ID    panel.Number `json:"id"`
	Name  panel.Text   `json:"name"`
	Short panel.Text   `json:"short"`
	Long  panel.Text   `json:"long"`
}

func (n named) choice() Choice {
	name := strings.TrimSpace(string(n.Name))
	if name == "" {
		name = strings.TrimSpace(string(n.Short) + " " + string(n.Long))
	}
	return Choice{n.ID.ID(), name}
}

func (c *Client) choices(ctx context.Context, op, path string) ([]Choice, error) {
	found, err := readPages[named](ctx, c, op, path, nil)
	if err != nil {
		return nil, err
	}
	out := make([]Choice, 0, len(found))
	for _, n := range found {
		out = append(out, n.choice())
	}
	return out, nil
}

// Locations lists where servers can be (GET /locations).
func (c *Client) Locations(ctx context.Context) ([]Choice, error) {
	return c.choices(ctx, "list locations", "/locations")
}

// Nests lists the families of games (GET /nests).
func (c *Client) Nests(ctx context.Context) ([]Choice, error) {
	return c.choices(ctx, "list nests", "/nests")
}

// Eggs lists the games of a nest (GET /nests/{nest}/eggs).
func (c *Client) Eggs(ctx context.Context, nestID string) ([]Choice, error) {
	op := "list the eggs of nest " + nestID
	id, err := checkID(op, nestID)
	if err != nil {
		return nil, err
	}
	return c.choices(ctx, op, "/nests/"+id+"/eggs")
}

// Nodes lists the machines and what is free on each (GET /nodes).
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	found, err := readPages[nodeObject](ctx, c, "list nodes", "/nodes", nil)
	if err != nil {
		return nil, err
	}
	out := make([]Node, 0, len(found))
	for _, n := range found {
		memory, disk := n.free()
		out = append(out, Node{n.ID.ID(), string(n.Name), n.Location.ID(), bool(n.Public), memory, disk})
	}
	return out, nil
}

func (c *Client) readNode(ctx context.Context, op, id string) (nodeObject, error) {
	var got item[nodeObject]
	err := c.do(ctx, panel.Call{Op: op, Method: http.MethodGet, Path: "/nodes/" + id}, &got)
	return got.Attributes, err
}

// readEgg reads a game with its variables, which may change at any time (GET
// /nests/{nest}/eggs/{egg}?include=variables).
func (c *Client) readEgg(ctx context.Context, op string, nest, id int64) (egg, error) {
	r := panel.Call{
		Op: op, Method: http.MethodGet, Path: "/nests/" + strconv.FormatInt(nest, 10) + "/eggs/" + strconv.FormatInt(id, 10), Query: url.Values{"include": {"variables"}},
	}
	var got item[egg]
	err := c.do(ctx, r, &got)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return egg{}, vendor.Refuse(provisioning.ErrPermanent, op, "the panel has no egg %d in nest %d (settings %s and %s)", id, nest, SettingEgg, SettingNest)
	case err != nil:
		return egg{}, err
	case got.Attributes.ID.ID() != strconv.FormatInt(id, 10) || got.Attributes.Startup == "":
		return egg{}, vendor.Unreadable(r, http.StatusOK, "the answer is no egg")
	}
	return got.Attributes, nil
}

// readPages reads a list to its end.
func readPages[T any](ctx context.Context, c *Client, op, path string, query url.Values) ([]T, error) {
	var all []T
	err := eachPage(ctx, c, op, path, query, func(part []T, _ panel.Number) error {
		all = append(all, part...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage reads a list to its end by page number and gives each page, with what it
// says of the number of entries in all. The addresses in the answer are not followed.
func eachPage[T any](ctx context.Context, c *Client, op, path string, query url.Values, each func(part []T, total panel.Number) error) error {
	for n := 1; n <= maxPages; n++ {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		if !strings.HasSuffix(path, "/eggs") { // the one list without pages
			q.Set("per_page", strconv.Itoa(perPage))
			q.Set("page", strconv.Itoa(n))
		}
		r := panel.Call{Op: op, Method: http.MethodGet, Path: path, Query: q}
		var got list
		if err := c.do(ctx, r, &got); err != nil {
			return err
		}
		part, ok := wholeList[T](got.Data)
		if !ok {
			return vendor.Unreadable(r, http.StatusOK, "the answer is not a list")
		}
		at := got.Meta.Pagination
		if err := each(part, at.Total); err != nil {
			return err
		}
		if !at.TotalPages.OK || at.TotalPages.Value <= float64(n) {
			return nil
		}
		if at.CurrentPage.Value != float64(n) {
			return vendor.Unreadable(r, http.StatusOK, "the list repeats itself")
		}
	}
	return vendor.Refuse(provisioning.ErrPermanent, op, "the list is longer than %d pages", maxPages)
}
