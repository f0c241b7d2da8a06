package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
)

// page is a part of the books, written without ids, which are random: people are
// named by their address, documents by their number.
type page struct{ name, query string }

var pages = []page{
	{"customers", "SELECT `email` || ' ' || `currency` || ' ' || `status` FROM `users`"},
	{"orders", "SELECT `m`.`email` || ' ' || `o`.`client_key` || ' ' || `o`.`status` || ' ' || `o`.`total_minor` || ' ' || `o`.`placed_at` || ' ' || IFNULL(`i`.`number`, '') FROM `orders` `o` JOIN `users` `m` ON `m`.`id` = `o`.`user` LEFT JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice`"},
	{"invoices", "SELECT `i`.`number` || ' ' || `m`.`email` || ' ' || `i`.`status` || ' ' || `i`.`subtotal_minor` || ' ' || `i`.`tax_minor` || ' ' || `i`.`total_minor` || ' ' || `i`.`paid_minor` || ' ' || `i`.`due_minor` || ' ' || `i`.`credited_minor` || ' ' || `i`.`issued_at` || ' ' || `i`.`due_at` || ' ' || `i`.`paid_at` FROM `invoices` `i` JOIN `users` `m` ON `m`.`id` = `i`.`user`"},
	{"lines", "SELECT `i`.`number` || ' ' || printf('%03d', `l`.`position`) || ' ' || `l`.`kind` || ' ' || `l`.`description` || ' ' || `l`.`quantity` || ' ' || `l`.`unit_minor` || ' ' || `l`.`amount_minor` || ' ' || `l`.`period_start` || ' ' || `l`.`period_end` FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`"},
	{"payments", "SELECT `i`.`number` || ' ' || `p`.`gateway` || ' ' || `p`.`kind` || ' ' || `p`.`status` || ' ' || `p`.`amount_minor` || ' ' || `p`.`applied_minor` || ' ' || `p`.`excess_minor` || ' ' || `p`.`settled_at` || ' ' || `p`.`created` FROM `payment_transactions` `p` LEFT JOIN `invoices` `i` ON `i`.`id` = `p`.`invoice`"},
	{"ledger", "SELECT `m`.`email` || ' ' || substr(`e`.`posting`, 1, instr(`e`.`posting`, ':')) || IFNULL(`i`.`number`, '') || ' ' || `e`.`account` || ' ' || `e`.`currency` || ' ' || `e`.`amount_minor` || ' ' || `e`.`at` FROM `ledger_entries` `e` LEFT JOIN `users` `m` ON `m`.`id` = `e`.`user` LEFT JOIN `invoices` `i` ON `i`.`id` = `e`.`invoice`"},
	{"subscriptions", "SELECT `m`.`email` || ' ' || IFNULL(`o`.`client_key`, '') || ' ' || `p`.`slug` || ' ' || `u`.`status` || ' ' || `u`.`cycle` || ' ' || `u`.`amount_minor` || ' ' || `u`.`anchor` || ' ' || `u`.`current_period_start` || ' ' || `u`.`current_period_end` || ' ' || `u`.`access` FROM `subscriptions` `u` JOIN `users` `m` ON `m`.`id` = `u`.`user` JOIN `plans` `p` ON `p`.`id` = `u`.`plan` LEFT JOIN `orders` `o` ON `o`.`id` = `u`.`order`"},
	{"services", "SELECT `m`.`email` || ' ' || `s`.`label` || ' ' || `s`.`status` || ' ' || `s`.`hostname` || ' ' || `s`.`platform_service_id` || ' ' || `s`.`provisioned_at` || ' ' || `s`.`terminated_at` FROM `services` `s` JOIN `users` `m` ON `m`.`id` = `s`.`user`"},
	{"stock", "SELECT `slug` || ' ' || `stock` FROM `plans`"},
	{"mails", "SELECT `m`.`email` || ' ' || `l`.`kind` || ' ' || `l`.`status` || ' ' || IFNULL(`i`.`number`, '') || ' ' || `l`.`sent_at` FROM `mails` `l` LEFT JOIN `users` `m` ON `m`.`id` = `l`.`user` LEFT JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`"},
}

// dump writes the books as sorted text.
func (w *world) dump() (string, error) {
	out := strings.Builder{}
	for _, p := range pages {
		lines := []string{}
		if err := w.app.DB().NewQuery(p.query).Column(&lines); err != nil {
			return "", fmt.Errorf("books, %s: %w", p.name, err)
		}
		slices.Sort(lines)
		fmt.Fprintf(&out, "[%s]\n%s\n", p.name, strings.Join(lines, "\n"))
	}
	return out.String(), nil
}

// sum closes the books: it hashes them and counts.
func (w *world) sum() error {
	text, err := w.dump()
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(text))
	c := &w.counts
	c.Books, c.Points = hex.EncodeToString(hash[:]), w.fuse.seen
	c.WebhooksLost, c.WebhooksTwice, c.WebhooksLate = w.courier.lost, w.courier.twice, w.courier.late
	c.Charges, c.Servers = len(w.vendors.stripe.Charges()), w.vendors.panel.Snapshot().Created
	for into, table := range map[*int]string{&c.Invoices: "invoices", &c.Payments: "payment_transactions"} {
		if err := w.app.DB().NewQuery("SELECT COUNT(*) FROM `" + table + "`").Row(into); err != nil {
			return fmt.Errorf("count %s: %w", table, err)
		}
	}
	return nil
}

// given are the jobs that wait for a person.
var given = dbx.HashExp{"state": []any{"failed", "parked"}}
