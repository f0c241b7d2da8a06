package billing

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
)

// history asks what the customer has or had already: a trial is given once for a
// plan, for one unit, and some plans may be had so many times only. In the
// order's transaction there is no other writer, so that what is counted holds.
func (p *pricing) history() error {
	if p.wish.Agreed != nil {
		return nil // staff knows whom it makes an offer; that has no trials
	}
	had, held, err := p.past()
	if err != nil {
		return err
	}
	for i := range p.cart.Units {
		u := &p.cart.Units[i]
		u.item.MayTry = !had[u.Plan]
		had[u.Plan] = true
		held[u.Plan]++
		if u.CustomerLimit > 0 && held[u.Plan] == u.CustomerLimit+1 {
			p.faults.Add(fmt.Sprintf("items.%d.quantity", u.row), "customer_limit", fmt.Sprintf("A customer may have %s %d times at most, counting those you have.", u.Name, u.CustomerLimit))
		}
	}
	return nil
}

// past is which plans the customer has tried, and how many subscriptions of each
// are live.
func (p *pricing) past() (had map[string]bool, held map[string]int64, err error) {
	had, held = map[string]bool{}, map[string]int64{}
	if !p.who.known {
		return had, held, nil
	}
	rows := []struct {
		Plan  string `db:"plan"`
		Live  int64  `db:"live"`
		Tried bool   `db:"tried"`
	}{}
	err = collections.Statement(p.app, "SELECT `plan`, SUM(`status` != 'cancelled') AS `live`, MAX(`trial_days` > 0 AND (`status` != 'cancelled' OR `activated_at` != '')) AS `tried`"+
		" FROM `subscriptions` WHERE `user` = {:user} GROUP BY `plan`").Bind(dbx.Params{"user": p.who.ID}).All(&rows)
	if err != nil {
		return nil, nil, fmt.Errorf("subscriptions of customer %s: %w", p.who.ID, err)
	}
	for _, r := range rows {
		had[r.Plan], held[r.Plan] = r.Tried, r.Live
	}
	return had, held, nil
}
