package renewals_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/internal/testapp"
)

// walk is a customer who changes one subscription at random and pays, cancels or
// forgets what it costs.
type walk struct {
	*shop
	ada    *testapp.Person
	order  *testapp.Order
	rand   *rand.Rand
	factor float64 // of the price, with tax
	value  float64 // of the days used, with tax
	story  []string
}

// walks is how many seeds are walked; set it higher by hand.
const walks = 6

// TestC9ChangesNeverPayOut walks random paths up, down and across plans, options
// and cycles, now and at the end of periods. Each invoice is what its preview
// said, to the cent. When all that is left is given back at the end, the customer
// has paid for the days used and not less, give or take one unit for each line's
// rounding. The books are audited when each walk ends.
func TestC9ChangesNeverPayOut(t *testing.T) {
	for seed := range walks {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWalk(t, uint64(seed))
			for range 14 {
				w.live(w.rand.IntN(12))
				w.change()
				w.CheckBooks()
			}
			w.leave()
			if t.Failed() {
				for _, s := range w.story {
					t.Log(s)
				}
			}
		})
	}
}

func newWalk(t *testing.T, seed uint64) *walk {
	s := openGroup(t)
	s.stockOptions()
	settings := collections.DefaultInvoicing()
	settings.RefundOnCancel, settings.KeepCredit = true, seed%2 == 0
	tax := object{"enabled": true, "rounding": []string{"line", "document"}[seed%2], "home_country": "DE", "eu_vat": true, "inclusive": seed%3 == 0}
	for key, value := range map[string]any{"invoicing": settings, "tax": tax} {
		if err := collections.SaveSetting(s.App, key, value); err != nil {
			t.Fatal(err)
		}
	}
	s.insert(collections.TaxRates, object{"name": "VAT", "country": "DE", "level": 1, "ppm": 190_000, "valid_from": "2020-01-01 00:00:00.000Z"})
	if seed%4 == 3 {
		s.set(s.Plan("vps-m"), object{"change_policy": "new_cycle"})
	}
	w := &walk{shop: s, ada: s.Customer("ada"), rand: rand.New(rand.NewPCG(seed, 9)), factor: 1.19}
	total := int64(583)
	if seed%3 == 0 {
		w.factor, total = 1, 490
	}
	w.order = s.Buy(w.ada, testapp.Cart{Total: total})
	return w
}

func (w *walk) note(format string, args ...any) {
	w.story = append(w.story, w.Clock().Now().Format(time.DateTime)+" "+fmt.Sprintf(format, args...))
}

func (w *walk) sub() *core.Record { return w.subscription(w.order) }

// live lets days pass, each worth its part of the full period that it lies in.
func (w *walk) live(days int) {
	w.Helper()
	for range days {
		sub := w.sub()
		price := sub.GetInt64("amount_minor")
		items, err := collections.All(w.App, collections.SubscriptionItems, dbx.HashExp{"subscription": sub.Id, "active": true}, "")
		if err != nil {
			w.Fatal(err)
		}
		for _, it := range items {
			price += it.GetInt64("unit_minor") * it.GetInt64("quantity")
		}
		s := billing.Schedule{Anchor: collections.Time(sub, "anchor"), Cycle: billing.Cycle(sub.GetString("cycle"))}
		now := w.Clock().Now()
		year, month, day := now.Date()
		_, p, err := s.At(time.Date(year, month, day, 23, 59, 59, 0, time.UTC))
		if err != nil {
			w.Fatal(err)
		}
		w.value += float64(price) * w.factor / float64(p.Days())
		w.Clock().Advance(24 * time.Hour)
		w.run()
		w.pay()
	}
}

// pay pays whatever is open.
func (w *walk) pay() {
	w.Helper()
	open, err := collections.All(w.App, collections.Invoices, dbx.HashExp{"user": w.ada.Id, "status": "open"}, "seq ASC")
	if err != nil {
		w.Fatal(err)
	}
	for _, i := range open {
		w.Want(200, w.Do("POST", "/api/v1/staff/invoices/"+i.Id+"/payments", w.Staff(), object{"amount_minor": i.GetInt64("due_minor"), "currency": "EUR", "reference": core.GenerateDefaultRandomId()}))
	}
}

// wish draws a change.
func (w *walk) wish() object {
	slugs, cycles := []string{"vps-s", "vps-m", "vps-few", "vps-free"}, []string{"monthly", "monthly", "monthly", "quarterly", "annual"}
	slug, cycle := slugs[w.rand.IntN(len(slugs))], cycles[w.rand.IntN(len(cycles))]
	if cycle == "annual" && slug != "vps-s" && slug != "vps-m" || slug == "vps-free" {
		cycle = "monthly"
	}
	wish := object{"price": w.Price(slug, "EUR", cycle).Id, "timing": "now", "options": object{}}
	if w.rand.IntN(4) == 0 {
		wish["timing"] = "period_end"
	}
	if slug == "vps-s" || slug == "vps-m" {
		options := object{}
		if n := w.rand.IntN(4); n > 0 {
			options["ip"] = object{"quantity": n}
		}
		if w.rand.IntN(2) == 0 {
			options["ram"] = object{"value": "8"}
		}
		wish["options"] = options
	}
	return wish
}

// change asks for a change, and pays it, cancels it or lets it lapse.
func (w *walk) change() {
	w.Helper()
	sub, wish := w.sub().Id, w.wish()
	shown := w.post(w.ada, sub, "changes/preview", wish)
	if shown.Status != http.StatusOK {
		w.note("refused: %s", shown)
		if code := shown.Code(); code != "nothing_changes" && code != "changing" && code != "sold_out" {
			w.Errorf("preview of %v: got %s", wish, shown)
		}
		return
	}
	credit := w.credit(w.ada.Id)
	r := w.agree(w.ada, sub, wish)
	w.note("change %s %s to %s %s %v: %d to pay, %d back, %s", r.Text("kind"), r.Text("timing"), r.Text("to.plan.name"), r.Text("to.cycle"), wish["options"], shown.Int("total.minor"), shown.Int("credit.minor"), r.Text("status"))
	w.compare(shown, r, credit)
	switch {
	case r.Text("status") == "scheduled" && w.rand.IntN(3) == 0, r.Text("status") == "pending" && w.rand.IntN(5) == 0:
		w.note("cancelled")
		w.Want(200, w.post(w.ada, sub, "changes/cancel", nil))
	case r.Text("status") == "pending":
		w.pay()
		if got := w.Record(collections.SubscriptionChanges, r.Text("id")).GetString("status"); got != "applied" {
			w.Errorf("paid, the change is %s", got)
		}
	}
	w.run() // what was taken back is invoiced again
	w.pay()
}

// compare holds what a preview said against what came of it.
func (w *walk) compare(shown, r *testapp.Answer, credit int64) {
	w.Helper()
	if r.Text("invoice_id") != "" {
		if got := w.invoiceOf(r).GetInt64("total_minor"); got != shown.Int("total.minor") {
			w.Errorf("the invoice is over %d, the preview said %d", got, shown.Int("total.minor"))
		}
		if got := len(w.lines(r.Text("invoice_id"))); got != shown.Len("lines") {
			w.Errorf("the invoice has %d lines, the preview %d", got, shown.Len("lines"))
		}
	}
	if r.Text("status") != "applied" || shown.Len("replaced_invoices") > 0 {
		return
	}
	if got := w.credit(w.ada.Id) - credit; got != shown.Int("credit.minor")-shown.Int("due.minor") {
		w.Errorf("the credit grew by %d, the preview said %d back and %d to pay", got, shown.Int("credit.minor"), shown.Int("due.minor"))
	}
}

// leave cancels at once with a refund of all that is unused, and compares what
// was paid with the days used.
func (w *walk) leave() {
	w.Helper()
	w.cancel(w.ada, w.sub().Id, "now")
	w.pay()
	paid := int64(0)
	err := w.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `payment_transactions` WHERE `user` = {:user} AND `status` = 'succeeded' AND `gateway` != 'credit'").Bind(dbx.Params{"user": w.ada.Id}).Row(&paid)
	if err != nil {
		w.Fatal(err)
	}
	setups, lines := int64(0), w.Count(collections.InvoiceItems, "`user` = '"+w.ada.Id+"'")
	err = w.DB().NewQuery("SELECT IFNULL(SUM(`l`.`net_minor` + `l`.`tax_minor` - `l`.`credited_minor` - `l`.`credited_tax_minor`), 0) FROM `invoice_items` `l` JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` WHERE `l`.`user` = {:user} AND `l`.`kind` = 'setup' AND `i`.`status` = 'paid'").Bind(dbx.Params{"user": w.ada.Id}).Row(&setups)
	if err != nil {
		w.Fatal(err)
	}
	kept := float64(paid - w.credit(w.ada.Id) - setups)
	if off := kept - w.value; off < -float64(lines) || off > float64(lines) {
		w.Errorf("kept %.0f for days worth %.2f, with %d lines", kept, w.value, lines)
	}
	w.note("kept %.0f for days worth %.2f, %d lines", kept, w.value, lines)
}
