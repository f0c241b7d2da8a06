package dunning

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
)

// recent bounds how many invoices a story goes back.
const recent = 12

// teller writes the story of a subscription in one language.
type teller struct {
	app  core.App
	text *locales.Locale
	now  time.Time
	told []whyEntry
	// staff may read what is none of a customer's business.
	staff bool
}

func newTeller(app core.App, lang string, now time.Time) *teller {
	text, ok := locales.Get(lang)
	if !ok {
		text, _ = locales.Get(locales.Default)
	}
	return &teller{app: app, text: text, now: now}
}

// invoices tells of the invoices that bill the subscription.
func (t *teller) invoices(subscription string) error {
	rows := []struct {
		ID     string `db:"id"`
		PaidAt string `db:"paid_at"`
		VoidAt string `db:"voided_at"`
	}{}
	err := t.app.DB().NewQuery("SELECT `id`, `paid_at`, `voided_at` FROM `invoices` WHERE `status` != 'draft' AND `id` IN (SELECT `invoice` FROM `invoice_items` WHERE `subscription` = {:subscription})" +
		" ORDER BY `issued_at` DESC LIMIT {:limit}").Bind(dbx.Params{"subscription": subscription, "limit": recent}).All(&rows)
	if err != nil {
		return fmt.Errorf("invoices of subscription %s: %w", subscription, err)
	}
	for _, r := range rows {
		c, err := Load(t.app, r.ID, t.now)
		if err != nil {
			return err
		}
		for _, e := range dunning.Timeline(c.Policy, c.Facts, t.now) {
			if err := t.tell(c, e); err != nil {
				return err
			}
		}
		if err := t.moved(c); err != nil {
			return err
		}
		for code, stored := range map[string]string{"paid": r.PaidAt, "void": r.VoidAt} {
			at, err := collections.ParseStamp(stored)
			if err != nil {
				return fmt.Errorf("invoice %s: %w", c.Invoice.Number, err)
			}
			if !at.IsZero() {
				t.told = append(t.told, t.entry(c, code, at, false))
			}
		}
	}
	return nil
}

// plan tells what will become of an invoice that is still to be made, as seen
// from the moment it is.
func (t *teller) plan(c *Case, at time.Time) error {
	for _, e := range dunning.Timeline(c.Policy, c.Facts, at) {
		if e.Code == dunning.EntryIssued || e.Code == dunning.EntryDelivered {
			continue
		}
		e.Planned = true
		if err := t.tell(c, e); err != nil {
			return err
		}
	}
	return nil
}

// tell adds an entry of an invoice's timeline.
func (t *teller) tell(c *Case, e dunning.Entry) error {
	w := t.entry(c, e.Code, e.At, e.Planned)
	w.N, w.Result, w.Hold, w.Until = e.N, string(e.Result), string(e.Hold), optional(e.Until)
	name, err := collections.MethodName(t.app, e.Method)
	if err != nil {
		return err
	}
	w.Method = name
	if name == "" {
		name = t.text.Text("why.page")
	}
	amount := c.amountOf(e)
	shown := ""
	if amount != nil {
		w.Amount, shown = amount, t.text.Money(*amount)
	}
	w.Text = t.text.Text(keyOf(e), "invoice", t.title(c), "amount", shown, "n", strconv.Itoa(e.N), "method", name)
	if key := "why.hold." + w.Hold; w.Hold != "" && t.text.Has(key) {
		w.HoldText = t.text.Text(key, "until", t.text.Date(e.Until))
	}
	t.told = append(t.told, w)
	return nil
}

// entry is a line about an invoice.
func (t *teller) entry(c *Case, code string, at time.Time, planned bool) whyEntry {
	w := whyEntry{At: optional(at), Code: code, Planned: planned, Invoice: c.Invoice.ID, Number: c.Invoice.Number}
	if code == "paid" || code == "void" {
		w.Text = t.text.Text("why."+code+".done", "invoice", t.title(c))
	}
	return w
}

func (t *teller) title(c *Case) string {
	if c.Invoice.Number == "" {
		return t.text.Text("why.next")
	}
	return t.text.Text("why.invoice", "number", c.Invoice.Number)
}

// keyOf is the key of an entry's sentence.
func keyOf(e dunning.Entry) string {
	switch {
	case e.Result != "":
		return "why.charge." + string(e.Result)
	case e.Planned:
		return "why." + e.Code + ".plan"
	}
	return "why." + e.Code + ".done"
}

// amountOf is the money an entry is about, nil for none.
func (c *Case) amountOf(e dunning.Entry) *money.Amount {
	switch {
	case e.Code == dunning.EntryIssued:
		return &c.Invoice.Total
	case e.Code == string(dunning.LateFee) && e.Planned:
		if fee, err := c.Policy.LateFee.Of(c.Facts.Open); err == nil {
			return &fee
		}
	case e.Code == dunning.EntryDue && e.Planned, e.Code == string(dunning.Charge) && e.Planned:
		return &c.Facts.Open
	}
	return nil
}

// imagine makes the case of an invoice that is still to be made.
func imagine(app core.App, sub *core.Record, n Next) (*Case, error) {
	user := sub.GetString("user")
	policy, err := collections.LoadDunning(app)
	if err != nil {
		return nil, err
	}
	agreed, err := collections.LoadCollecting(app, user)
	if err != nil {
		return nil, err
	}
	c := &Case{Invoice: books.Document{User: user, Total: n.Total}, Policy: policy.With(agreed.Overrides), methods: map[string]string{}}
	c.Facts = dunning.Facts{
		Status: billing.InvoiceOpen, Open: n.Total, IssuedAt: n.At, DeliveredAt: n.At, DueAt: n.DueAt, ExemptUntil: agreed.ExemptUntil,
		Services: []dunning.Service{{ID: sub.Id, Access: dunning.AccessOpen}},
	}
	if n.Auto && !agreed.ByHand {
		if err := c.readMethods(app, sub.GetString("payment_method"), n.At); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// life tells of the subscription itself: its end, a pause, what staff did, and
// when the data of what has ended is deleted.
func (t *teller) life(sub, svc *core.Record) error {
	add := func(code string, at time.Time) {
		if at.IsZero() {
			return
		}
		planned := at.After(t.now)
		suffix := ".done"
		if planned {
			suffix = ".plan"
		}
		if key := "why." + code + suffix; t.text.Has(key) {
			t.told = append(t.told, whyEntry{At: optional(at), Code: code, Planned: planned, Text: t.text.Text(key)})
		}
	}
	add("pause", collections.Time(sub, "pause_from"))
	if svc != nil && svc.GetString("hold") == "staff" {
		add("staff", collections.Time(svc, "suspended_at"))
	}
	if sub.GetString("access") != string(dunning.AccessEnded) {
		add("ends", collections.Time(sub, "ends_at"))
		return t.newPrice(sub)
	}
	ended := collections.Time(sub, "access_at")
	add("ended", ended)
	if svc == nil || svc.GetString("status") == "terminated" || ended.IsZero() {
		return nil
	}
	keep, err := collections.LoadServicing(t.app)
	if err != nil {
		return err
	}
	add("deletion", ended.AddDate(0, 0, keep.DeleteAfterDays))
	return nil
}

// newPrice tells of a price that was announced and has not begun.
func (t *teller) newPrice(sub *core.Record) error {
	change, err := collections.AnnouncedPrice(t.app, sub.Id)
	if err != nil || change == nil {
		return err
	}
	t.told = append(t.told, whyEntry{
		At: optional(change.At), Code: "price", Planned: true, Amount: &change.Amount,
		Text: t.text.Text("why.price.plan", "was", t.text.Money(change.Was), "amount", t.text.Money(change.Amount)),
	})
	return nil
}
