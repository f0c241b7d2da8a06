package sim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
)

// deal is a subscription as its customer sees it in a list.
type deal struct {
	ID     string `db:"id"`
	Status string `db:"status"`
	Plan   string `db:"slug"`
	Cycle  string `db:"cycle"`
}

// aDeal picks a customer and one of their subscriptions that has not ended; nil
// when they have none. Customers press every button, also those that are refused.
func (w *world) aDeal() (*person, *deal, error) {
	p := w.anybody()
	if p == nil {
		return nil, nil, nil
	}
	deals := []deal{}
	err := w.app.DB().NewQuery("SELECT `u`.`id`, `u`.`status`, `u`.`cycle`, `p`.`slug` FROM `subscriptions` `u` JOIN `plans` `p` ON `p`.`id` = `u`.`plan` WHERE `u`.`user` = {:user} AND `u`.`status` NOT IN ('cancelled', 'pending') ORDER BY `u`.`rowid`").
		Bind(dbx.Params{"user": p.id}).All(&deals)
	if err != nil || len(deals) == 0 {
		return nil, nil, err
	}
	return p, &deals[w.draw.IntN(len(deals))], nil
}

// key names a submission; the same one is sent again when nobody read an answer.
func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("key-%08d", w.keys)
}

// press sends a customer's or staff's request until it is answered. ok is false
// when the product refuses it or, in bad weather, cannot do it.
func (w *world) press(path, token string, body any) (r reply, ok bool, err error) {
	r, err = w.insist(http.MethodPost, path, token, body)
	if err != nil {
		return r, false, err
	}
	switch {
	case r.ok():
		w.counts.Deeds++
		return r, true, nil
	case r.status == http.StatusConflict, r.status == http.StatusUnprocessableEntity && strings.Contains(r.text, "too_much"), r.status >= 500:
		w.counts.Refused++
		return r, false, nil
	}
	return r, false, fmt.Errorf("%s: %d %.300s", path, r.status, r.text)
}

// changeDeal moves a subscription to another plan, cycle or set of options, at
// once or at the end of its period, for the price of the preview.
func (w *world) changeDeal() error {
	p, d, err := w.aDeal()
	if err != nil || d == nil {
		return err
	}
	wish := map[string]any{"timing": pick(w.draw, "now", "now", "period_end")}
	plan, cycle := d.Plan, d.Cycle
	switch w.draw.IntN(4) {
	case 0, 1:
		plan = plans[w.draw.IntN(len(plans))].slug
	case 2:
		cycle = cycles[w.draw.IntN(len(cycles))]
	}
	if wish["price"], err = w.price(plan, cycle); err != nil {
		return err
	}
	if w.draw.IntN(2) == 0 {
		options := map[string]any{}
		if n := w.draw.IntN(4); n > 0 {
			options["ip"] = map[string]int{"quantity": n}
		}
		options["ram"] = map[string]string{"value": pick(w.draw, "4", "8")}
		wish["options"] = options
	}
	base := "/api/v1/subscriptions/" + d.ID + "/changes"
	shown, ok, err := w.press(base+"/preview", p.token, wish)
	if err != nil || !ok {
		return err
	}
	wish["client_key"], wish["total_minor"], wish["credit_minor"] = w.key(), shown.at("total.minor"), shown.at("credit.minor")
	made, ok, err := w.press(base, p.token, wish)
	if err != nil || !ok {
		return err
	}
	w.changed[d.ID] = append(w.changed[d.ID], w.clock.world())
	w.counts.Changes++
	if w.draw.IntN(8) == 0 { // second thoughts
		w.agenda.add(w.soon(3*aDay), func() error {
			_, _, err := w.press(base+"/cancel", p.token, nil)
			return err
		})
	}
	if invoice := made.str("invoice_id"); invoice != "" && w.draw.IntN(6) > 0 {
		w.agenda.add(w.soon(time.Hour), func() error { return w.payInvoice(p, invoice) })
	}
	return nil
}

// cancelDeal ends a subscription; some think better of it.
func (w *world) cancelDeal() error {
	p, d, err := w.aDeal()
	if err != nil || d == nil {
		return err
	}
	base := "/api/v1/subscriptions/" + d.ID
	at := pick(w.draw, "period_end", "period_end", "now")
	_, ok, err := w.press(base+"/cancel", p.token, map[string]any{"at": at, "client_key": w.key(), "reason": pick(w.draw, "too_expensive", "not_needed", "")})
	if err != nil || !ok {
		return err
	}
	w.counts.Cancellations++
	if at == "period_end" && w.draw.IntN(3) > 0 {
		w.agenda.add(w.soon(20*aDay), func() error {
			_, _, err := w.press(base+"/keep", p.token, nil)
			return err
		})
	}
	return nil
}

// pauseDeal pauses a subscription and arranges that it goes on some day.
func (w *world) pauseDeal() error {
	p, d, err := w.aDeal()
	if err != nil || d == nil {
		return err
	}
	base := "/api/v1/subscriptions/" + d.ID
	_, ok, err := w.press(base+"/pause", p.token, nil)
	if err != nil || !ok {
		return err
	}
	w.counts.Pauses++
	w.agenda.add(w.soon(120*aDay), func() error {
		w.rests[d.ID] = append(w.rests[d.ID], w.clock.world())
		_, ok, err := w.press(base+"/resume", p.token, nil)
		if err != nil || !ok {
			return err
		}
		w.agenda.add(w.soon(2*time.Hour), func() error {
			ids, err := w.open(p)
			if err != nil || len(ids) == 0 {
				return err
			}
			return w.payInvoice(p, ids[len(ids)-1])
		})
		return nil
	})
	return nil
}

// topUp buys credit.
func (w *world) topUp() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	r, ok, err := w.press("/api/v1/credit/top-ups", p.token, map[string]any{
		"client_key": w.key(), "amount_minor": 1000 + w.draw.Int64N(9000), "currency": "EUR", "gateway": pick(w.draw, "stripe", "stripe", "manual"),
	})
	if err != nil || !ok {
		return err
	}
	if invoice := r.str("invoice.id"); w.draw.IntN(5) > 0 {
		w.agenda.add(w.soon(10*time.Minute), func() error { return w.payInvoice(p, invoice) })
	}
	return nil
}

// payAll pays all that is open at once: from credit, by one page, or both.
func (w *world) payAll() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	ids := []string{}
	err := w.app.DB().NewQuery("SELECT `id` FROM `invoices` WHERE `user` = {:user} AND `status` = 'open' AND `kind` != 'topup' ORDER BY `rowid`").Bind(dbx.Params{"user": p.id}).Column(&ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	body := map[string]any{"invoices": ids, "credit": w.draw.IntN(2) == 0}
	if body["credit"] == false || w.draw.IntN(2) == 0 {
		body["gateway"] = "stripe"
	}
	r, err := w.call(http.MethodPost, "/api/v1/invoices/pay", p.token, body)
	if errors.Is(err, errDead) {
		return nil
	}
	if err != nil || !r.ok() {
		return err
	}
	w.counts.Deeds++
	return w.payPage(p, r.str("payment.url"))
}

// spendCredit pays an invoice from credit, in whole or in part.
func (w *world) spendCredit() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	ids, err := w.open(p)
	if err != nil || len(ids) == 0 {
		return err
	}
	body := map[string]any{}
	if w.draw.IntN(2) == 0 {
		body["amount_minor"] = 1 + w.draw.Int64N(2000)
	}
	_, _, err = w.press("/api/v1/invoices/"+ids[w.draw.IntN(len(ids))]+"/apply-credit", p.token, body)
	return err
}
