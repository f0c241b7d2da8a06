package sim

import (
	"fmt"

	"github.com/pocketbase/dbx"
)

// paper is an invoice on a desk.
type paper struct {
	ID   string `db:"id"`
	User string `db:"user"`
	Paid int64  `db:"paid_minor"`
}

// aPaper picks an issued invoice of the last half year.
func (w *world) aPaper(statuses ...any) (*paper, error) {
	p := w.anybody()
	if p == nil {
		return nil, nil
	}
	papers := []paper{}
	err := w.app.DB().Select("id", "user", "paid_minor").From("invoices").Where(dbx.HashExp{"user": p.id, "status": statuses}).
		AndWhere(dbx.NewExp("`kind` != 'topup' AND `issued_at` >= {:since}", dbx.Params{"since": w.clock.world().AddDate(0, -6, 0).Format("2006-01-02")})).OrderBy("rowid").All(&papers)
	if err != nil || len(papers) == 0 {
		return nil, err
	}
	return &papers[w.draw.IntN(len(papers))], nil
}

// onDesk does what staff does to an invoice.
func (w *world) onDesk(p *paper, deed string, body map[string]any) (reply, bool, error) {
	token, err := w.staff()
	if err != nil {
		return reply{}, false, err
	}
	body["reason"] = "the customer called"
	return w.press("/api/v1/staff/invoices/"+p.ID+"/"+deed, token, body)
}

// someLines are one line of an invoice, in whole or in part, or none, which means
// all of it.
func (w *world) someLines(p *paper) ([]any, error) {
	if w.draw.IntN(3) == 0 {
		return nil, nil
	}
	lines := []struct {
		Position int   `db:"position"`
		Left     int64 `db:"left"`
	}{}
	err := w.app.DB().NewQuery("SELECT `position`, `net_minor` - `credited_minor` AS `left` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `parent` = 0 AND `net_minor` > `credited_minor` ORDER BY `position`").
		Bind(dbx.Params{"invoice": p.ID}).All(&lines)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	l := lines[w.draw.IntN(len(lines))]
	line := map[string]any{"position": l.Position}
	if w.draw.IntN(2) == 0 {
		line["net_minor"] = 1 + w.draw.Int64N(l.Left)
	}
	return []any{line}, nil
}

// creditNote credits an invoice, in whole or in part.
func (w *world) creditNote() error {
	p, err := w.aPaper("open", "paid")
	if err != nil || p == nil {
		return err
	}
	lines, err := w.someLines(p)
	if err != nil {
		return err
	}
	_, ok, err := w.onDesk(p, "credit-notes", map[string]any{"key": w.key(), "lines": lines})
	if ok {
		w.counts.Corrections++
		w.credited[p.ID] = true
	}
	return err
}

// refund takes back what was paid: it stays as credit or goes back by bank.
func (w *world) refund() error {
	p, err := w.aPaper("paid")
	if err != nil || p == nil || p.Paid == 0 {
		return err
	}
	lines, err := w.someLines(p)
	if err != nil {
		return err
	}
	w.counts.Refunds++
	reference := fmt.Sprintf("BACK-%06d", w.counts.Refunds)
	body := map[string]any{"key": w.key(), "lines": lines, "to": pick(w.draw, "credit", "manual", "source"), "reference": reference}
	r, ok, err := w.onDesk(p, "refunds", body)
	if err != nil || !ok {
		return err
	}
	w.credited[p.ID] = true
	w.sent(p.User, r.at("refunds"), body["to"] == "manual")
	return nil
}

// sent notes money that left by bank.
func (w *world) sent(user string, refunds any, byBank bool) {
	list, _ := refunds.([]any)
	for _, one := range list {
		v := reply{value: one}
		if minor, ok := v.at("amount.minor").(float64); ok && (byBank || v.str("gateway") == "manual") {
			w.purse[user] -= int64(minor)
		}
	}
}

// payOut pays some of a customer's credit out by bank.
func (w *world) payOut() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	token, err := w.staff()
	if err != nil {
		return err
	}
	w.counts.Refunds++
	amount := 1 + w.draw.Int64N(3000)
	_, ok, err := w.press("/api/v1/staff/customers/"+p.id+"/refunds", token, map[string]any{
		"key": w.key(), "amount_minor": amount, "currency": "EUR", "to": "manual", "reference": fmt.Sprintf("BACK-%06d", w.counts.Refunds), "reason": "asked for it",
	})
	if ok {
		w.purse[p.id] -= amount
	}
	return err
}

// adjust gives a customer credit, or takes some back.
func (w *world) adjust() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	token, err := w.staff()
	if err != nil {
		return err
	}
	amount := w.draw.Int64N(2500) - 500
	if amount == 0 {
		amount = 1
	}
	_, ok, err := w.press("/api/v1/staff/customers/"+p.id+"/credit", token, map[string]any{"key": w.key(), "amount_minor": amount, "currency": "EUR", "reason": "goodwill"})
	if ok {
		w.purse[p.id] += amount
	}
	return err
}

// void cancels an invoice on which nothing was paid.
func (w *world) void() error {
	p, err := w.aPaper("open")
	if err != nil || p == nil {
		return err
	}
	_, ok, err := w.onDesk(p, "void", map[string]any{})
	if ok {
		w.counts.Corrections++
		w.credited[p.ID] = true
	}
	return err
}

// writeOff gives up what is still owed.
func (w *world) writeOff() error {
	p, err := w.aPaper("open")
	if err != nil || p == nil {
		return err
	}
	_, ok, err := w.onDesk(p, "write-off", map[string]any{})
	if ok {
		w.counts.Corrections++
	}
	return err
}

// correct replaces an invoice by one that says the same to today's address.
func (w *world) correct() error {
	p, err := w.aPaper("open", "paid")
	if err != nil || p == nil {
		return err
	}
	_, ok, err := w.onDesk(p, "correct", map[string]any{"key": w.key()})
	if ok {
		w.counts.Corrections++
		w.credited[p.ID] = true
	}
	return err
}
