package dunning

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/books"
)

// Case is one invoice as dunning sees it.
type Case struct {
	Invoice books.Document
	Policy  dunning.Policy // as agreed with this customer
	Facts   dunning.Facts

	methods map[string]string // id of the record by the gateway's id
	reasons []string          // the gateway's code for each of Facts.Attempts
}

// bills are the lines by which an invoice bills the use of a subscription: not
// paying them has consequences for it, and for it alone.
const bills = "`l`.`kind` IN ('period', 'hourly') AND `l`.`live`"

// Load reads the facts of one invoice at now, so that engine/dunning can be asked
// about it. Errors: books.ErrNoInvoice.
func Load(app core.App, id string, now time.Time) (*Case, error) {
	policy, err := collections.LoadDunning(app)
	if err != nil {
		return nil, err
	}
	c, err := load(app, policy, id, now)
	if err != nil {
		return nil, err
	}
	return c, c.elsewhere(app, policy, now)
}

// load reads everything but what other invoices demand.
func load(app core.App, policy dunning.Policy, id string, now time.Time) (*Case, error) {
	d, err := books.Read(app, id)
	if err != nil {
		return nil, err
	}
	agreed, err := collections.LoadCollecting(app, d.User)
	if err != nil {
		return nil, err
	}
	open, err := d.Due.Add(d.WrittenOff)
	if err != nil {
		return nil, fmt.Errorf("dunning of invoice %s: %w", d.Number, err)
	}
	c := &Case{Invoice: d, Policy: policy.With(agreed.Overrides), methods: map[string]string{}}
	c.Facts = dunning.Facts{
		Status: d.Status, Open: open, IssuedAt: d.IssuedAt, DueAt: d.DueAt,
		FeeOnly: d.Kind == kindFee, ExemptUntil: agreed.ExemptUntil,
	}
	charges, err := c.readInvoice(app)
	if err != nil {
		return nil, err
	}
	preferred, err := c.readServices(app)
	if err != nil {
		return nil, err
	}
	for _, read := range []func(core.App) error{c.readAttempts, c.readSteps} {
		if err := read(app); err != nil {
			return nil, err
		}
	}
	if charges && !agreed.ByHand {
		if err := c.readMethods(app, preferred, now); err != nil {
			return nil, err
		}
	}
	return c, c.readGateway(app)
}

// readInvoice reads what books do not know, and whether the invoice may be
// charged without the customer.
func (c *Case) readInvoice(app core.App) (charges bool, err error) {
	row := struct {
		Delivered string `db:"delivered_at"`
		Pause     string `db:"pause_dunning_until"`
		Auto      bool   `db:"auto_charge"`
		Unmatched bool   `db:"unmatched"`
	}{}
	err = collections.Statement(app, "SELECT `delivered_at`, `pause_dunning_until`, `auto_charge`,"+
		" EXISTS (SELECT 1 FROM `unmatched_payments` WHERE `user` = `i`.`user` AND `status` = 'open') AS `unmatched` FROM `invoices` `i` WHERE `id` = {:id}").
		Bind(dbx.Params{"id": c.Invoice.ID}).One(&row)
	if err != nil {
		return false, fmt.Errorf("dunning of invoice %s: %w", c.Invoice.Number, err)
	}
	c.Facts.Unmatched = row.Unmatched
	if c.Facts.DeliveredAt, err = collections.ParseStamp(row.Delivered); err != nil {
		return false, fmt.Errorf("dunning of invoice %s: %w", c.Invoice.Number, err)
	}
	c.Facts.PauseUntil, err = collections.ParseStamp(row.Pause)
	return row.Auto, err
}

// readServices reads the subscriptions that the invoice bills, and the method
// that one of them is to be paid by. What never started has nothing to suspend,
// and what is paused is off for a reason of its own. A cancelled invoice bills
// nothing any more, but may have to restore what was suspended for it.
func (c *Case) readServices(app core.App) (preferred string, err error) {
	rows := []struct {
		ID     string `db:"id"`
		Access string `db:"access"`
		Method string `db:"payment_method"`
	}{}
	err = collections.Statement(app, "SELECT DISTINCT `u`.`id`, `u`.`access`, `u`.`payment_method` FROM `invoice_items` `l` CROSS JOIN `subscriptions` `u` ON `u`.`id` = `l`.`subscription`"+
		" WHERE `l`.`invoice` = {:invoice} AND ("+bills+" OR {:over} AND `l`.`subscription` != '') AND `u`.`status` != 'pending' AND NOT (`u`.`access` = 'suspended' AND `u`.`access_reason` = 'paused') ORDER BY `u`.`rowid`").
		Bind(dbx.Params{"invoice": c.Invoice.ID, "over": c.Invoice.Status != billing.InvoiceOpen && c.Invoice.Status != billing.InvoiceUncollectible}).All(&rows)
	if err != nil {
		return "", fmt.Errorf("services of invoice %s: %w", c.Invoice.Number, err)
	}
	for _, r := range rows {
		access := dunning.Access(r.Access)
		if access == "" {
			access = dunning.AccessOpen
		}
		c.Facts.Services = append(c.Facts.Services, dunning.Service{ID: r.ID, Access: access})
		if r.Method != "" {
			preferred = r.Method
		}
	}
	return preferred, nil
}

// elsewhere finds out which of the suspended services another invoice keeps
// suspended.
func (c *Case) elsewhere(app core.App, policy dunning.Policy, now time.Time) error {
	for i := range c.Facts.Services {
		service := &c.Facts.Services[i]
		if service.Access != dunning.AccessSuspended {
			continue
		}
		others := []string{}
		err := collections.Statement(app, "SELECT DISTINCT `i`.`id` FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`"+
			" WHERE `l`.`subscription` = {:subscription} AND "+bills+" AND `i`.`id` != {:invoice} AND `i`.`status` IN ('open', 'uncollectible') ORDER BY `i`.`issued_at`").
			Bind(dbx.Params{"subscription": service.ID, "invoice": c.Invoice.ID}).Column(&others)
		if err != nil {
			return fmt.Errorf("other invoices of subscription %s: %w", service.ID, err)
		}
		for _, id := range others {
			other, err := load(app, policy, id, now)
			if err != nil {
				return err
			}
			if on, _ := dunning.Suspended(other.Policy, other.Facts, now); on {
				service.Elsewhere = true
				break
			}
		}
	}
	return nil
}
