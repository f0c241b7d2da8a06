package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks"
)

// The town's customers ordered on the first of May, a second apart, and paid; a
// fortnight before the first of June all of them are to be invoiced.
var (
	ordered = time.Date(2027, 5, 1, 8, 0, 0, 0, time.UTC)
	renewal = time.Date(2027, 5, 18, 0, 10, 0, 0, time.UTC)
)

// town is an installation with many customers, worked by hand: its clock stands
// still and nothing runs by itself.
type town struct {
	core.App
	hooks.Driver
	size int
	lead time.Duration // how far the clock was moved on
}

// shift moves the clock on.
func (t *town) shift(by time.Duration) { t.lead += by }

// size is how many subscriptions a benchmark uses: b.N, or what the environment
// says for a single run with -benchtime=1x.
func size(b *testing.B) int {
	b.Helper()
	given := os.Getenv("EZSCALE_BENCH_SUBSCRIPTIONS")
	if given == "" {
		return b.N
	}
	n, err := strconv.Atoi(given)
	must(b, err)
	return n
}

// build founds a town of n customers, each with an address, a service and its
// subscription, the paid invoice of the order, its payment and their ledger. One
// in ten is a business elsewhere in the Union, one in ten lives beyond it, one in
// ten has a discount and one in four an option.
func build(b *testing.B, n int) *town {
	b.Helper()
	t := &town{size: n, Driver: hooks.Driver{Jitter: func() float64 { return 0 }}}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir(), DBConnect: connect})
	t.App = app
	must(b, app.Bootstrap())
	b.Cleanup(func() { must(b, app.ClearBootstrap()) })
	must(b, app.RunAllMigrations())
	d := deps(b)
	began := time.Now()
	d.Now, d.Driver = func() time.Time { return renewal.Add(t.lead + time.Since(began)) }, &t.Driver
	must(b, hooks.Register(app, d))
	must(b, collections.SaveSetting(app, "seller", collections.Seller{Name: "Town Hosting Ltd", Address: []string{"1 Main Street", "10115 Berlin"}, Country: "DE", VATID: "DE123456789", Email: "billing@town.example", Bank: []string{"IBAN DE00 0000"}}))
	must(b, collections.SaveSetting(app, "tax", tax.Policy{Enabled: true, EUVAT: true, Rounding: tax.PerLine}))
	_, err := collections.Insert(app, collections.TaxRates, map[string]any{"name": "USt.", "country": "DE", "level": 1, "ppm": 190_000, "valid_from": "2020-01-01 00:00:00.000Z"})
	must(b, err)
	shop := openShop(b, app)
	t.settle(b, shop)
	return t
}

// settle writes the customers and all they have, in few statements.
func (t *town) settle(b *testing.B, s shop) {
	b.Helper()
	params := dbx.Params{
		"n": t.size, "plan": s.plan.Id, "price": s.price.Id, "platform": s.plan.GetString("platform"), "first": ordered.Unix(), "renewal": collections.Stamp(renewal).String(),
		"seller": `{"name":"Town Hosting Ltd","address":["1 Main Street","10115 Berlin"],"country":"DE","vat_id":"DE123456789","registration":"","email":"billing@town.example","bank":["IBAN DE00 0000"]}`,
	}
	must(b, t.RunInTransaction(func(tx core.App) error {
		for _, text := range townRows {
			for name, sql := range townWords {
				text = strings.ReplaceAll(text, "<"+name+">", sql)
			}
			bound := dbx.Params{}
			for name, v := range params {
				if strings.Contains(text, "{:"+name+"}") {
					bound[name] = v
				}
			}
			if _, err := tx.DB().NewQuery(text).Bind(bound).Execute(); err != nil {
				return fmt.Errorf("%.60s: %w", text, err)
			}
		}
		return nil
	}))
}

// townWords are what the statements have in common. Ids begin like random ones,
// so that indexes grow as they do in life.
var townWords = map[string]string{
	"all":     "WITH RECURSIVE `n` (`i`) AS (SELECT 1 UNION ALL SELECT `i` + 1 FROM `n` WHERE `i` < {:n})",
	"id":      "printf('%08x%06x', (`i` * 2654435761) % 4294967291, `i`)",
	"start":   "strftime('%Y-%m-%d %H:%M:%S.000Z', {:first} + `i` % 40000, 'unixepoch')",
	"end":     "strftime('%Y-%m-%d %H:%M:%S.000Z', {:first} + `i` % 40000, 'unixepoch', '+1 month')",
	"detail":  `'{"plan":"' || {:plan} || '","cycle":"monthly"}'`,
	"buyer":   `'{"name":"Customer ' || ` + "`i`" + ` || '","company":"","email":"customer' || ` + "`i`" + ` || '@town.example","street":"' || ` + "`i`" + ` || ' Long Road","postcode":"10115","city":"Berlin","region":"","country":"DE","tax_id":""}'`,
	"entries": "INSERT INTO `ledger_entries` (`id`, `posting`, `user`, `account`, `currency`, `amount_minor`, `invoice`, `payment`, `at`, `created`, `updated`)",
}

var townRows = []string{
	"<all> INSERT INTO `users` (`id`, `email`, `password`, `tokenKey`, `verified`, `name`, `status`, `locale`, `time_zone`, `currency`, `created`, `updated`)" +
		" SELECT 'u' || <id>, 'customer' || `i` || '@town.example', '-', 'u' || <id> || hex(randomblob(17)), TRUE, 'Customer ' || `i`, 'active', IIF(`i` % 3, 'de', 'en'), 'Europe/Berlin', 'EUR', <start>, <start> FROM `n`",
	"<all> INSERT INTO `user_profiles` (`id`, `user`, `company`, `street`, `city`, `postcode`, `country`, `tax_id`, `created`, `updated`)" +
		" SELECT 'p' || <id>, 'u' || <id>, IIF(`i` % 10, '', 'Company ' || `i`), `i` || ' Long Road', 'Town', '10115', CASE `i` % 10 WHEN 0 THEN 'FR' WHEN 1 THEN 'US' ELSE 'DE' END, IIF(`i` % 10, '', 'FR40303265045'), <start>, <start> FROM `n`",
	"<all> INSERT INTO `billing_profiles` (`id`, `user`, `vat_check`, `created`, `updated`)" +
		` SELECT 'b' || <id>, 'u' || <id>, '{"id":"FR40303265045","status":"valid","at":"2027-04-30T10:00:00Z","by":"vies"}', <start>, <start> FROM ` + "`n` WHERE `i` % 10 = 0",
	"<all> INSERT INTO `subscriptions` (`id`, `user`, `plan`, `price`, `status`, `billing_owner`, `gateway`, `currency`, `amount_minor`, `quantity`, `cycle`, `anchor`, `next_period`, `next_invoice_at`," +
		" `current_period_start`, `current_period_end`, `access`, `activated_at`, `discounts`, `created`, `updated`)" +
		" SELECT 's' || <id>, 'u' || <id>, {:plan}, {:price}, 'active', 'platform', 'stripe', 'EUR', 990, 1, 'monthly', <start>, 1, {:renewal}, <start>, <end>, 'open', <start>," +
		` IIF(` + "`i`" + ` % 10 = 2, '[{"coupon":"c","code":"TEN","kind":"percent","basis_points":1000,"from_period":0,"periods":0}]', NULL), <start>, <start> FROM ` + "`n`",
	"<all> INSERT INTO `subscription_items` (`id`, `user`, `subscription`, `kind`, `name`, `value`, `label`, `quantity`, `currency`, `unit_minor`, `active`, `created`, `updated`)" +
		" SELECT 'o' || <id>, 'u' || <id>, 's' || <id>, 'option', 'memory', '8', '8 GB of memory', 1, 'EUR', 200, TRUE, <start>, <start> FROM `n` WHERE `i` % 4 = 0",
	"<all> INSERT INTO `services` (`id`, `user`, `subscription`, `plan`, `platform`, `service_type`, `status`, `label`, `hostname`, `auto_renew`, `created`, `updated`)" +
		" SELECT 'v' || <id>, 'u' || <id>, 's' || <id>, {:plan}, {:platform}, 'vps', 'active', 'web-' || `i`, 'web-' || `i` || '.town.example', TRUE, <start>, <start> FROM `n`",
	"<all> INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `description`, `quantity`, `unit_minor`, `amount_minor`, `net_minor`, `live`, `subscription`, `item`, `period_start`, `period_end`, `tax_date`, `detail`, `created`, `updated`)" +
		" SELECT 'l' || <id>, 'u' || <id>, 'i' || <id>, 1, 'period', 'VPS S · web-' || `i` || '.town.example', 1, 990, 990, 990, TRUE, 's' || <id>, 'plan', <start>, <end>, <start>, <detail>, <start>, <start> FROM `n`",
	"<all> INSERT INTO `invoices` (`id`, `user`, `kind`, `status`, `number`, `series`, `year`, `seq`, `currency`, `subtotal_minor`, `total_minor`, `paid_minor`, `issued_at`, `due_at`, `paid_at`, `delivered_at`, `seller`, `buyer`, `language`, `taxes`, `tax_rounding`, `created`, `updated`)" +
		" SELECT 'i' || <id>, 'u' || <id>, 'order', 'paid', printf('INV-2027-%06d', `i`), 'INV', 2027, `i`, 'EUR', 990, 990, 990, <start>, <start>, <start>, <start>, {:seller}, <buyer>, 'de', '[]', 'line', <start>, <start> FROM `n`",
	"INSERT INTO `invoice_series` (`id`, `series`, `year`, `last_seq`) VALUES ('series2027', 'INV', 2027, {:n})",
	"<all> INSERT INTO `payment_transactions` (`id`, `user`, `invoice`, `gateway`, `kind`, `status`, `gateway_transaction_id`, `idempotency_key`, `currency`, `amount_minor`, `applied_minor`, `settled_at`, `created`, `updated`)" +
		" SELECT 'y' || <id>, 'u' || <id>, 'i' || <id>, 'stripe', 'page', 'succeeded', 'pi_' || <id>, 'order:' || <id>, 'EUR', 990, 990, <start>, <start>, <start> FROM `n`",
	"<all> <entries> SELECT 'd' || <id>, 'invoice:i' || <id>, 'u' || <id>, 'receivable', 'EUR', 990, 'i' || <id>, '', <start>, <start>, <start> FROM `n`",
	"<all> <entries> SELECT 'e' || <id>, 'invoice:i' || <id>, 'u' || <id>, 'revenue', 'EUR', -990, 'i' || <id>, '', <start>, <start>, <start> FROM `n`",
	"<all> <entries> SELECT 'f' || <id>, 'payment:y' || <id>, 'u' || <id>, 'cash:stripe', 'EUR', 990, 'i' || <id>, 'y' || <id>, <start>, <start>, <start> FROM `n`",
	"<all> <entries> SELECT 'g' || <id>, 'payment:y' || <id>, 'u' || <id>, 'receivable', 'EUR', -990, 'i' || <id>, 'y' || <id>, <start>, <start>, <start> FROM `n`",
}
