package billing

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
)

// bundle is a set of plans that is cheaper together.
type bundle struct {
	Slug        string `db:"slug"`
	Name        string `db:"name"`
	Text        string `db:"description"`
	Raw         string `db:"items"`
	BasisPoints int64  `db:"discount_bp"`

	items []bundleItem
}

// bundleItem is how often a plan is in a bundle.
type bundleItem struct {
	Plan     string `json:"plan"` // slug
	Quantity int64  `json:"quantity"`
}

const bundleColumns = "SELECT `slug`, `name`, `description`, IFNULL(`items`, '') AS `items`, `discount_bp` FROM `bundles` WHERE `status` = 'active'"

// loadBundles reads the bundles on sale with these slugs; nil for all.
func loadBundles(app core.App, slugs []string) ([]*bundle, error) {
	found := []*bundle{}
	query, params := bundleColumns, dbx.Params(nil)
	if slugs != nil {
		query += " AND `slug` IN (SELECT `value` FROM json_each({:ids}))"
	}
	if err := those(app, query+" ORDER BY `position`, `name`", slugs, params).All(&found); err != nil {
		return nil, fmt.Errorf("bundles: %w", err)
	}
	for _, b := range found {
		if b.Raw == "" || b.Raw == "null" {
			continue
		}
		if err := json.Unmarshal([]byte(b.Raw), &b.items); err != nil {
			return nil, fmt.Errorf("bundle %s: items: %w", b.Slug, err)
		}
	}
	return found, nil
}

// wants is how many units of each plan, by slug, make the bundle once.
func (b *bundle) wants() map[string]int64 {
	wants := map[string]int64{}
	for _, it := range b.items {
		wants[it.Plan] += max(it.Quantity, 1)
	}
	return wants
}

// terms is what the bundle promises each subscription in it.
func (b *bundle) terms() []billing.DiscountTerms {
	if b.BasisPoints == 0 {
		return nil
	}
	return []billing.DiscountTerms{{Code: b.Name, Kind: billing.BundleDiscount, BasisPoints: b.BasisPoints}}
}

// times is how often the units make the bundle, 0 if something lacks or is over.
func (b *bundle) times(have map[string]int64) int64 {
	wants, times := b.wants(), int64(0)
	if len(wants) == 0 || len(wants) != len(have) {
		return 0
	}
	for plan, n := range wants {
		if have[plan]%n != 0 || have[plan] == 0 || times != 0 && have[plan]/n != times {
			return 0
		}
		times = have[plan] / n
	}
	return times
}

// bundles gives the rows of each bundle its discount, if all of it is there.
func (p *pricing) bundles() error {
	rows, have := map[string]int{}, map[string]map[string]int64{}
	for i, u := range p.cart.Units {
		if u.Bundle == "" {
			continue
		}
		field := fmt.Sprintf("items.%d.bundle", u.row)
		if billing.Cycle(u.Cycle) == billing.Hourly {
			p.faults.Add(field, "bundle_cycle", "Bundles are not sold by the hour.")
			return nil
		}
		if have[u.Bundle] == nil {
			rows[u.Bundle], have[u.Bundle] = i, map[string]int64{}
		}
		have[u.Bundle][u.Slug]++
	}
	if len(have) == 0 {
		return nil
	}
	found, err := loadBundles(p.app, slices.Sorted(maps.Keys(have)))
	if err != nil {
		return err
	}
	known := map[string]*bundle{}
	for _, b := range found {
		known[b.Slug] = b
	}
	for slug, plans := range have {
		field := fmt.Sprintf("items.%d.bundle", p.cart.Units[rows[slug]].row)
		b := known[slug]
		if b == nil {
			p.faults.Add(field, "unknown_bundle", "This bundle is not for sale any more.")
			continue
		}
		p.faults.Check(b.times(plans) > 0, field, "bundle_incomplete", "The bundle "+b.Name+" consists of other plans or quantities than these.")
	}
	for i := range p.cart.Units {
		if b := known[p.cart.Units[i].Bundle]; b != nil {
			p.cart.Units[i].item.Terms = b.terms()
		}
	}
	return nil
}
