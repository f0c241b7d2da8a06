package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
)

// activity is something that people do, as often as its weight says.
type activity struct {
	name   string
	weight int
	act    func(w *world) error
}

// activities are all that people do by themselves. What follows from it, such as
// paying, is an appointment.
var activities = []activity{
	{"order", 8, (*world).orderSomething},
	{"pay an open invoice", 30, (*world).payLater},
	{"transfer money", 15, (*world).transfer},
	{"look around", 8, (*world).lookAround},
	{"change a subscription", 14, (*world).changeDeal},
	{"cancel a subscription", 3, (*world).cancelDeal},
	{"pause a subscription", 4, (*world).pauseDeal},
	{"buy credit", 3, (*world).topUp},
	{"pay all at once", 5, (*world).payAll},
	{"pay from credit", 5, (*world).spendCredit},
	{"staff: a credit note", 3, (*world).creditNote},
	{"staff: a refund", 3, (*world).refund},
	{"staff: pay credit out", 2, (*world).payOut},
	{"staff: adjust credit", 3, (*world).adjust},
	{"staff: void", 2, (*world).void},
	{"staff: write off", 1, (*world).writeOff},
	{"staff: correct", 2, (*world).correct},
	// Prices that staff announces belong here.
}

// anything picks an activity by weight and does it.
func (w *world) anything() error {
	total := 0
	for _, a := range activities {
		total += a.weight
	}
	n := w.draw.IntN(total)
	for _, a := range activities {
		if n -= a.weight; n < 0 {
			if err := a.act(w); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			return nil
		}
	}
	return nil
}

func pick[T any](draw *rand.Rand, from ...T) T { return from[draw.IntN(len(from))] }

// The cards people pay with, most of which work.
var cards = []string{
	"4242424242424242", "4242424242424242", "4242424242424242", "4242424242424242", "5555555555554444", "5555555555554444",
	"4000000000009995", // insufficient funds
	"4000000000009987", // lost
	"4000002500003155", // asks for authentication
	"4000000000000341", // can be saved, declines later
	"AT611904300234573201",
	"AT861904300235473202", // a debit that fails days later
}

// orderSomething places an order and arranges how it will be paid, or not.
func (w *world) orderSomething() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	return w.orderFor(p)
}

func (w *world) orderFor(p *person) error {
	what, cycle := plans[w.draw.IntN(len(plans))], cycles[w.draw.IntN(len(cycles))]
	price, err := w.price(what.slug, cycle)
	if err != nil {
		return err
	}
	p.orders++
	quantity := pick(w.draw, 1, 1, 1, 2)
	items := []any{map[string]any{"price": price, "quantity": quantity, "hostname": fmt.Sprintf("web-%d.c%d.test", p.orders, p.number)}}
	codes := []string{}
	if w.draw.IntN(3) == 0 {
		code, _ := pick(w.draw, coupons...)["code"].(string)
		codes = append(codes, code)
	}
	total, err := w.quote(p, items, &codes)
	if err != nil || total == nil {
		return err
	}
	gateway := pick(w.draw, "stripe", "stripe", "stripe", "stripe", "manual")
	if p.pays() {
		gateway = "stripe"
	}
	body := map[string]any{
		"client_key": fmt.Sprintf("order-%d-of-%d", p.orders, p.number), "gateway": gateway, "currency": "EUR", "terms": true,
		"total_minor": total, "items": items, "coupons": codes,
	}
	r, err := w.call(http.MethodPost, "/api/v1/orders", p.token, body)
	if errors.Is(err, errDead) { // the browser shows an error; some try again
		if w.draw.IntN(4) == 0 {
			return nil
		}
		r, err = w.insist(http.MethodPost, "/api/v1/orders", p.token, body)
	}
	if err != nil {
		return err
	}
	if !r.ok() {
		if r.status == http.StatusConflict && strings.Contains(r.text, "sold_out") {
			w.counts.SoldOut++
			return nil
		}
		if r.status >= 500 {
			return nil // bad weather
		}
		return fmt.Errorf("%d %.300s", r.status, r.text)
	}
	w.counts.Orders++
	invoice := r.str("order.invoice.id")
	switch {
	case gateway == "manual":
		w.agenda.add(w.soon(10*24*time.Hour), func() error { return w.transferFor(invoice) })
	case w.draw.IntN(8) > 0:
		w.agenda.add(w.soon(25*time.Minute), func() error { return w.payInvoice(p, invoice) })
	}
	return nil
}

// quote is the total that the cart shows; nil when the shop does not answer, or
// has none left. A coupon that is not taken is taken off.
func (w *world) quote(p *person, items []any, codes *[]string) (total any, err error) {
	r, err := w.call(http.MethodPost, "/api/v1/orders/quote", p.token, map[string]any{"currency": "EUR", "items": items, "coupons": *codes})
	if err == nil && r.status == http.StatusUnprocessableEntity && len(*codes) > 0 {
		*codes = nil
		return w.quote(p, items, codes)
	}
	switch {
	case errors.Is(err, errDead), err == nil && r.status >= 500:
		return nil, nil
	case err != nil:
		return nil, err
	case r.status == http.StatusConflict && strings.Contains(r.text, "sold_out"):
		w.counts.SoldOut++
		return nil, nil
	case !r.ok():
		return nil, fmt.Errorf("quote: %d %.300s", r.status, r.text)
	}
	return r.at("total.minor"), nil
}

// price finds the price of a plan.
func (w *world) price(slug, cycle string) (string, error) {
	id := ""
	err := w.app.DB().NewQuery("SELECT `r`.`id` FROM `plan_prices` `r` JOIN `plans` `p` ON `p`.`id` = `r`.`plan` WHERE `p`.`slug` = {:slug} AND `r`.`cycle` = {:cycle} AND `r`.`currency` = 'EUR' AND `r`.`active`").
		Bind(dbx.Params{"slug": slug, "cycle": cycle}).Row(&id)
	if err != nil {
		return "", fmt.Errorf("price of %s: %w", slug, err)
	}
	return id, nil
}

// open lists the open invoices of a customer, oldest first.
func (w *world) open(p *person) ([]string, error) {
	ids := []string{}
	err := w.app.DB().Select("id").From(collections.Invoices).Where(dbx.HashExp{"user": p.id, "status": "open"}).OrderBy("rowid").Column(&ids)
	return ids, err
}

// payLater lets somebody pay what is still open.
func (w *world) payLater() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	ids, err := w.open(p)
	if err != nil || len(ids) == 0 {
		return err
	}
	return w.payInvoice(p, ids[w.draw.IntN(len(ids))])
}

// payUp pays all that somebody owes, one after the other.
func (w *world) payUp(p *person) error {
	ids, err := w.open(p)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := w.payInvoice(p, id); err != nil {
			return err
		}
	}
	return nil
}

// payInvoice opens the payment page of an invoice and pays it, or tries to.
func (w *world) payInvoice(p *person, invoice string) error {
	r, err := w.call(http.MethodPost, "/api/v1/invoices/"+invoice+"/pay", p.token, map[string]string{"gateway": "stripe"})
	if errors.Is(err, errDead) {
		return nil // people come back another day
	}
	if err != nil || !r.ok() {
		return err
	}
	url := r.str("payment.url")
	if url == "" {
		url = r.str("url")
	}
	if err := w.payPage(p, url); err != nil {
		return err
	}
	if w.draw.IntN(3) > 0 { // the browser returns
		if _, err := w.call(http.MethodGet, "/api/v1/invoices/"+invoice, p.token, nil); err != nil && !errors.Is(err, errDead) {
			return err
		}
	}
	return nil
}

// payPage enters cards on a hosted page until one works, or patience ends.
func (w *world) payPage(p *person, url string) error {
	if !strings.Contains(url, "/checkout/") {
		return nil
	}
	session := url[strings.LastIndex(url, "/")+1:]
	for range 1 + w.draw.IntN(2) {
		declined, err := w.vendors.stripe.PayPage(session, w.card(p))
		if err != nil {
			return nil //nolint:nilerr // the page has expired, or its debit is on its way
		}
		if declined == "" {
			break
		}
		w.counts.Declines++
	}
	return nil
}

// transfer lets somebody pay an invoice by bank.
func (w *world) transfer() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	ids, err := w.open(p)
	if err != nil || len(ids) == 0 {
		return err
	}
	return w.transferFor(ids[w.draw.IntN(len(ids))])
}

// transferFor enters money that came by bank for an invoice: usually what is
// due, sometimes less, more, or twice.
func (w *world) transferFor(invoice string) error {
	record, err := w.app.FindRecordById(collections.Invoices, invoice)
	if err != nil {
		return fmt.Errorf("invoice %s: %w", invoice, err)
	}
	due := record.GetInt64("due_minor")
	if due <= 0 {
		due = record.GetInt64("total_minor")
	}
	if due <= 0 {
		return nil // a trial
	}
	amount := due
	switch w.draw.IntN(8) {
	case 0:
		amount = 1 + w.draw.Int64N(due)
	case 1:
		amount += w.draw.Int64N(500)
	}
	token, err := w.staff()
	if err != nil {
		return err
	}
	w.counts.Transfers++
	body := map[string]any{"amount_minor": amount, "currency": "EUR", "reference": fmt.Sprintf("BANK-%06d", w.counts.Transfers)}
	for range 1 + w.draw.IntN(6)/5 {
		r, err := w.insist(http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/payments", token, body)
		if err != nil {
			return err
		}
		if !r.ok() {
			return fmt.Errorf("enter transfer: %d %.300s", r.status, r.text)
		}
	}
	w.purse[record.GetString("user")] += amount // once, however often it was entered
	return nil
}

// lookAround reads pages, which changes nothing, though it asks the vendors.
func (w *world) lookAround() error {
	p := w.anybody()
	if p == nil {
		return nil
	}
	for _, path := range []string{"/api/v1/me", "/api/v1/services", "/api/v1/invoices", "/api/v1/payment-methods"} {
		r, err := w.call(http.MethodGet, path, p.token, nil)
		if errors.Is(err, errDead) {
			return nil
		}
		if err != nil {
			return err
		}
		if !r.ok() && r.status < 500 {
			return fmt.Errorf("%s: %d %.300s", path, r.status, r.text)
		}
	}
	return nil
}
