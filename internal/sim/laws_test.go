package sim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// breach breaks one law and mends it again.
type breach struct {
	law, name   string
	wreck, mend []string // statements
	act, undo   func(w *world)
	lasting     bool // cannot be mended
}

// newestServer is the panel's last server that belongs to a service.
func newestServer(w *world) server {
	servers := w.vendors.panel.Snapshot().Servers
	return servers[len(servers)-1]
}

const (
	aReceived = "(SELECT MIN(`rowid`) FROM `payment_transactions` WHERE `gateway` = 'stripe' AND `status` = 'succeeded')"
	aRunning  = "(SELECT MIN(`s`.`rowid`) FROM `subscriptions` `s` WHERE `s`.`status` = 'active' AND NOT EXISTS (SELECT 1 FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`subscription` = `s`.`id` AND `i`.`status` = 'open'))"
	anInvoice = "(SELECT `l`.`invoice` FROM `invoice_items` `l` JOIN `subscriptions` `s` ON `s`.`id` = `l`.`subscription` WHERE `l`.`kind` = 'period' AND `s`.`rowid` = " + aRunning + " ORDER BY `l`.`rowid` LIMIT 1)"
	aPayers   = "(SELECT MIN(`s`.`rowid`) FROM `subscriptions` `s` JOIN `users` `m` ON `m`.`id` = `s`.`user` WHERE `s`.`status` = 'active' AND `m`.`email` IN ('customer-4@customer.test', 'customer-8@customer.test'))"
	anActive  = "(SELECT MIN(`rowid`) FROM `services` WHERE `status` = 'active')"
	soldIn    = "(SELECT `o`.`rowid` FROM `orders` `o` JOIN `subscriptions` `u` ON `u`.`order` = `o`.`id` JOIN `services` `s` ON `s`.`subscription` = `u`.`id` WHERE `s`.`rowid` = " + anActive + ")"
)

var breaches = []breach{
	{
		law: "every posting sums to zero", name: "a cent is lost",
		wreck: []string{"UPDATE `ledger_entries` SET `amount_minor` = `amount_minor` + 1 WHERE `rowid` = 1"},
		mend:  []string{"UPDATE `ledger_entries` SET `amount_minor` = `amount_minor` - 1 WHERE `rowid` = 1"},
	},
	{
		law: "invoice numbers have no gap", name: "a number is skipped",
		wreck: []string{"UPDATE `invoice_series` SET `last_seq` = `last_seq` + 1"},
		mend:  []string{"UPDATE `invoice_series` SET `last_seq` = `last_seq` - 1"},
	},
	{
		law: "each period of a subscription is billed once", name: "two lines bill the same days",
		wreck: []string{
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `live`) SELECT 'first', `user`, '', 901, 'period', `id`, '2030-01-01', '2030-02-01', TRUE FROM `subscriptions` WHERE `rowid` = 1",
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `live`) SELECT 'second', `user`, '', 902, 'period', `id`, '2030-01-31', '2030-03-01', TRUE FROM `subscriptions` WHERE `rowid` = 1",
		},
		mend: []string{"DELETE FROM `invoice_items` WHERE `position` > 900"},
	},
	{
		law: "each period of a subscription is billed once", name: "a change gives nothing back",
		wreck: []string{
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `net_minor`, `live`) SELECT 'first', `user`, 'none', 901, 'period', `id`, '2030-01-01 00:00:00.000Z', '2030-02-01 00:00:00.000Z', 3100, TRUE FROM `subscriptions` WHERE `rowid` = 1",
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `net_minor`, `live`) SELECT 'second', `user`, 'none', 902, 'period', `id`, '2030-01-11 00:00:00.000Z', '2030-02-11 00:00:00.000Z', 3100, TRUE FROM `subscriptions` WHERE `rowid` = 1",
		},
		mend: []string{"DELETE FROM `invoice_items` WHERE `position` > 900"},
		act: func(w *world) {
			id := ""
			if err := w.app.DB().NewQuery("SELECT `id` FROM `subscriptions` WHERE `rowid` = 1").Row(&id); err == nil {
				w.changed[id] = append(w.changed[id], time.Date(2030, time.January, 11, 0, 0, 0, 0, time.UTC))
			}
		},
	},
	{
		law: "each customer's money is where it belongs", name: "an invoice owes what was paid on it",
		wreck: []string{"UPDATE `invoices` SET `due_minor` = `due_minor` + 1 WHERE `id` = " + anInvoice},
		mend:  []string{"UPDATE `invoices` SET `due_minor` = `due_minor` - 1 WHERE `id` = " + anInvoice},
	},
	{
		law: "who pays is served", name: "somebody who pays at once is suspended",
		wreck: []string{"UPDATE `subscriptions` SET `access` = 'suspended', `access_reason` = 'overdue', `cancel_reason` = 'though paid' WHERE `rowid` = " + aPayers},
		mend:  []string{"UPDATE `subscriptions` SET `access` = 'open', `access_reason` = '', `cancel_reason` = '' WHERE `cancel_reason` = 'though paid'"},
	},
	{
		law: "no period is left out", name: "a month is missing",
		wreck: []string{
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `live`) SELECT 'later', `user`, '', 901, 'period', `id`, '2030-01-01', '2030-02-01', TRUE FROM `subscriptions` WHERE `rowid` = 1",
			"INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `subscription`, `period_start`, `period_end`, `live`) SELECT 'latest', `user`, '', 902, 'period', `id`, '2030-03-01', '2030-04-01', TRUE FROM `subscriptions` WHERE `rowid` = 1",
		},
		mend: []string{"DELETE FROM `invoice_items` WHERE `position` > 900"},
	},
	{
		law: "nobody runs on without being billed", name: "a subscription was forgotten",
		wreck: []string{
			"UPDATE `subscriptions` SET `next_invoice_at` = 'x' || `next_invoice_at`, `current_period_end` = '1' || `current_period_end` WHERE `rowid` = " + aRunning,
			"UPDATE `invoice_items` SET `period_end` = '1' || `period_end` WHERE `kind` = 'period' AND `subscription` = (SELECT `id` FROM `subscriptions` WHERE `rowid` = " + aRunning + ")",
		},
		mend: []string{
			"UPDATE `subscriptions` SET `next_invoice_at` = substr(`next_invoice_at`, 2), `current_period_end` = substr(`current_period_end`, 2) WHERE `next_invoice_at` LIKE 'x%'",
			"UPDATE `invoice_items` SET `period_end` = substr(`period_end`, 2) WHERE `period_end` LIKE '12%'",
		},
	},
	{
		law: "no charge without its invoice, no succeeded charge unrecorded", name: "a payment was not recorded",
		wreck: []string{"UPDATE `payment_transactions` SET `status` = 'failed' WHERE `rowid` = " + aReceived},
		mend:  []string{"UPDATE `payment_transactions` SET `status` = 'succeeded' WHERE `gateway` = 'stripe' AND `settled_at` != ''"},
	},
	{
		law: "no charge without its invoice, no succeeded charge unrecorded", name: "a payment has another amount",
		wreck: []string{"UPDATE `payment_transactions` SET `amount_minor` = `amount_minor` + 1 WHERE `rowid` = " + aReceived},
		mend:  []string{"UPDATE `payment_transactions` SET `amount_minor` = `amount_minor` - 1 WHERE `rowid` = " + aReceived},
	},
	{
		law: "no charge without its invoice, no succeeded charge unrecorded", name: "a payment was invented",
		wreck: []string{"UPDATE `payment_transactions` SET `gateway_transaction_id` = 'x' || `gateway_transaction_id` WHERE `rowid` = " + aReceived},
		mend:  []string{"UPDATE `payment_transactions` SET `gateway_transaction_id` = substr(`gateway_transaction_id`, 2) WHERE `rowid` = " + aReceived},
	},
	{
		law: "no charge without its invoice, no succeeded charge unrecorded", name: "a charge has lost its invoice",
		wreck: []string{"UPDATE `payment_transactions` SET `invoice` = 'x' || `invoice` WHERE `rowid` = " + aReceived},
		mend:  []string{"UPDATE `payment_transactions` SET `invoice` = substr(`invoice`, 2) WHERE `rowid` = " + aReceived},
	},
	{
		law: "each order's subscriptions have one service each", name: "a service is gone",
		wreck: []string{"UPDATE `services` SET `subscription` = 'x' || `subscription` WHERE `rowid` = " + anActive},
		mend:  []string{"UPDATE `services` SET `subscription` = substr(`subscription`, 2) WHERE `rowid` = " + anActive},
	},
	{
		law: "a paid order's services were set in motion", name: "a service was forgotten",
		wreck: []string{"UPDATE `services` SET `status` = 'pending', `label` = 'forgotten' WHERE `rowid` = " + anActive},
		mend:  []string{"UPDATE `services` SET `status` = 'active' WHERE `label` = 'forgotten'"},
	},
	{
		law: "an unpaid order's services were not", name: "somebody got a service for nothing",
		wreck: []string{"UPDATE `orders` SET `status` = 'pending', `client_key` = 'unpaid' WHERE `rowid` = " + soldIn},
		mend:  []string{"UPDATE `orders` SET `status` = 'paid' WHERE `client_key` = 'unpaid'"},
	},
	{
		law: "stock is exact", name: "a unit appeared",
		wreck: []string{"UPDATE `plans` SET `stock` = `stock` + 1 WHERE `slug` = 'vps-few'"},
		mend:  []string{"UPDATE `plans` SET `stock` = `stock` - 1 WHERE `slug` = 'vps-few'"},
	},
	{
		law: "a coupon's uses are its redemptions, within its limit", name: "a coupon was counted twice",
		wreck: []string{"UPDATE `coupons` SET `uses` = `uses` + 1 WHERE `code` = 'FEW'"},
		mend:  []string{"UPDATE `coupons` SET `uses` = `uses` - 1 WHERE `code` = 'FEW'"},
	},
	{
		law: "suspended exactly while overdue past the grace", name: "somebody who owes nothing is suspended",
		wreck: []string{"UPDATE `subscriptions` SET `access` = 'suspended', `access_reason` = 'overdue', `cancel_reason` = 'wrongly' WHERE `rowid` = " + aRunning},
		mend:  []string{"UPDATE `subscriptions` SET `access` = 'open', `access_reason` = '', `cancel_reason` = '' WHERE `cancel_reason` = 'wrongly'"},
	},
	{
		law: "suspended exactly while overdue past the grace", name: "somebody is spared",
		wreck: []string{"UPDATE `invoices` SET `status` = 'open', `due_minor` = 100, `due_at` = '1' || `due_at` WHERE `id` = " + anInvoice},
		mend:  []string{"UPDATE `invoices` SET `status` = 'paid', `due_minor` = 0, `due_at` = substr(`due_at`, 2) WHERE `due_at` LIKE '12%'"},
	},
	{
		law: "the audit chain is whole", name: "a row of the audit was edited",
		wreck: []string{"UPDATE `audit_logs` SET `action` = 'x' || `action` WHERE `rowid` = 2"},
		mend:  []string{"UPDATE `audit_logs` SET `action` = substr(`action`, 2) WHERE `rowid` = 2"},
	},
	{
		law: "what was asked for gets done", name: "a job was given up",
		wreck: []string{"UPDATE `jobs` SET `state` = 'failed' WHERE `rowid` = 1"},
		mend:  []string{"UPDATE `jobs` SET `state` = 'done' WHERE `rowid` = 1"},
	},
	{
		law: "the audit of the books finds nothing", name: "an order has another total than its invoice",
		wreck: []string{"UPDATE `orders` SET `total_minor` = `total_minor` + 1 WHERE `rowid` = 1"},
		mend:  []string{"UPDATE `orders` SET `total_minor` = `total_minor` - 1 WHERE `rowid` = 1"},
	},
	{
		law: "each service has its one server", name: "there is a server too many",
		act:  func(w *world) { w.vendors.panel.Allocate(newestServer(w).Owner, 1) },
		undo: func(w *world) { w.vendors.panel.Destroy(newestServer(w).ID) },
	},
	{
		law: "each service has its one server", name: "a server is gone", lasting: true,
		act: func(w *world) { w.vendors.panel.Destroy(newestServer(w).ID) },
	},
	{
		law: "no charge without its invoice, no succeeded charge unrecorded", name: "an invoice was charged twice", lasting: true,
		act: chargeAgain,
	},
}

// chargeAgain lets the gateway take the money of an invoice a second time.
func chargeAgain(w *world) {
	for _, c := range w.vendors.stripe.Charges() {
		if c.Status != "succeeded" || c.Customer == "" {
			continue
		}
		form := url.Values{
			"amount": {strconv.FormatInt(c.Amount, 10)}, "currency": {c.Currency}, "customer": {c.Customer}, "payment_method": {c.Method}, "confirm": {"true"}, "off_session": {"true"},
			"automatic_payment_methods[enabled]": {"true"}, "automatic_payment_methods[allow_redirects]": {"never"},
			"metadata[invoice_id]": {c.InvoiceID}, "metadata[attempt_id]": {c.AttemptID},
		}
		r := httptest.NewRequest(http.MethodPost, "/v1/payment_intents", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+stripeKey)
		r.Header.Set("Stripe-Version", "2024-06-20")
		r.Header.Set("Idempotency-Key", "again")
		got := httptest.NewRecorder()
		w.vendors.stripe.Handler().ServeHTTP(got, r)
		if strings.Contains(got.Body.String(), `"status":"succeeded"`) || strings.Contains(got.Body.String(), `"status": "succeeded"`) {
			return
		}
	}
}

func (w *world) statements(t *testing.T, list []string) {
	t.Helper()
	for _, s := range list {
		if _, err := w.app.NonconcurrentDB().NewQuery(s).Execute(); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestEveryBreachIsCaught(t *testing.T) {
	w, err := newWorld(options(t, 11))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.close() }()
	if _, err := w.live(); err != nil {
		t.Fatal(err)
	}
	guards := []string{}
	if err := w.app.DB().NewQuery("SELECT 'DROP TRIGGER `' || `name` || '`' FROM `sqlite_master` WHERE `type` = 'trigger'").Column(&guards); err != nil {
		t.Fatal(err)
	}
	w.statements(t, guards) // the database itself forbids most of what follows
	broken := map[string]bool{}
	for _, b := range breaches {
		t.Run(b.name, func(t *testing.T) {
			w.statements(t, b.wreck)
			if b.act != nil {
				b.act(w)
			}
			found := w.prove(true)
			if found == nil || !strings.Contains(found.Error(), b.law) {
				t.Errorf("got %v, want that it breaks %q", found, b.law)
			}
			broken[b.law] = true
			w.statements(t, b.mend)
			if b.undo != nil {
				b.undo(w)
			}
			if err := w.prove(true); err != nil && !b.lasting {
				t.Fatalf("mended, but: %v", err)
			}
		})
	}
	for _, l := range laws {
		if !broken[l.name] {
			t.Errorf("no breach of %q is tried", l.name)
		}
	}
}

func TestADeadProcessDoesNothing(t *testing.T) {
	f := fuse{}
	f.arm(2)
	if err := f.pass("first"); err != nil {
		t.Fatalf("got %v before its time", err)
	}
	for range 3 {
		if err := f.pass("last"); !errors.Is(err, errDead) {
			t.Fatalf("got %v, want %v", err, errDead)
		}
	}
	f.relight()
	if err := f.pass("reborn"); err != nil {
		t.Errorf("got %v after the restart", err)
	}
}
