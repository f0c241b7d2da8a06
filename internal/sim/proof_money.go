package sim

import (
	"fmt"

	"github.com/pocketbase/dbx"
)

// account is what the product says of a customer's money.
type account struct {
	User     string `db:"user"`
	Services int64  `db:"services"` // paid for and not taken back
	Credit   int64  `db:"credit"`
	Moving   bool   `db:"moving"` // a refund is on its way
}

// moneyIsConserved: what a customer has paid and was given is what their services
// took, their credit holds, and was paid back. The one side is the gateway's own
// list and what staff did with the bank, as the simulation noted it; the other
// are the product's documents.
func moneyIsConserved(w *world, p *proof) ([]string, error) {
	owners := []struct {
		Invoice string `db:"id"`
		User    string `db:"user"`
	}{}
	if err := w.app.DB().NewQuery("SELECT `id`, `user` FROM `invoices` WHERE `rowid` > {:invoices}").Bind(dbx.Params{"invoices": p.marks["invoices"]}).All(&owners); err != nil {
		return nil, err
	}
	for _, o := range owners {
		p.owners[o.Invoice] = o.User
	}
	brought := map[string]int64{}
	for _, c := range w.vendors.stripe.Charges() {
		if _, late := p.awaited[c.Intent]; c.Status == "succeeded" && !late {
			brought[p.owners[c.InvoiceID]] += c.Amount - c.Refunded
		}
	}
	accounts := []account{}
	err := w.app.DB().NewQuery("SELECT `u`.`id` AS `user`, IFNULL(`i`.`services`, 0) AS `services`, IFNULL(`b`.`credit`, 0) AS `credit`," +
		" EXISTS (SELECT 1 FROM `refunds` WHERE `user` = `u`.`id` AND `status` NOT IN ('succeeded', 'failed')) AS `moving` FROM `users` `u`" +
		" LEFT JOIN (SELECT `user`, SUM(`total_minor` - `due_minor` - `written_off_minor` - IFNULL((SELECT SUM(`total_minor`) FROM `credit_notes` WHERE `invoice` = `invoices`.`id`), 0)) AS `services` FROM `invoices` WHERE `status` NOT IN ('draft', 'void') AND `kind` != 'topup' GROUP BY `user`) `i` ON `i`.`user` = `u`.`id`" +
		" LEFT JOIN (SELECT `user`, SUM(`balance_minor`) AS `credit` FROM `credit_balances` GROUP BY `user`) `b` ON `b`.`user` = `u`.`id` ORDER BY `u`.`rowid`").All(&accounts)
	if err != nil {
		return nil, err
	}
	broken := []string{}
	for _, a := range accounts {
		if given := brought[a.User] + w.purse[a.User]; given != a.Services+a.Credit && (p.final || !a.Moving) {
			broken = append(broken, fmt.Sprintf("customer %s has given %d: %d went to services and %d is credit", a.User, given, a.Services, a.Credit))
		}
	}
	return broken, nil
}

// payersAreServed: who pays every invoice within a day, by a card that works, is
// never switched off for owing something.
func payersAreServed(w *world, _ *proof) ([]string, error) {
	broken := []string{}
	for _, person := range w.people {
		if !person.pays() {
			continue
		}
		found := []string{}
		err := w.app.DB().NewQuery("SELECT `id` FROM `subscriptions` WHERE `user` = {:user} AND `access` IN ('suspended', 'ended') AND `access_reason` = 'overdue'").Bind(dbx.Params{"user": person.id}).Column(&found)
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			broken = append(broken, fmt.Sprintf("%s of %s, who pays", id, person.email))
		}
	}
	return broken, nil
}
