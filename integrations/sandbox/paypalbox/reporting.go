package paypalbox

import (
	"net/http"
	"sort"
	"time"
)

// reportLag is how late movements appear in transaction search.
const reportLag = 3 * time.Hour

// withdrawal is money paid out to our bank.
type withdrawal struct {
	id     string
	amount sum
	at     time.Time
}

// Withdraw pays money out to our bank, in the smallest unit of a currency.
func (b *Box) Withdraw(currency string, units int64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := &withdrawal{id: b.newID(""), amount: sum{currency, units}, at: b.now()}
	b.withdrawals.put(w.id, w)
	return w.id
}

type movement struct {
	id string
	at time.Time
	o  object
}

func entry(id, code, status string, amount, fee sum, at, updated time.Time, negative bool) movement {
	sign := ""
	if negative {
		sign = "-"
	}
	info := object{
		"transaction_id": id, "transaction_event_code": code, "transaction_status": status,
		"transaction_initiation_date": at.Format("2006-01-02T15:04:05-0700"), "transaction_updated_date": updated.Format("2006-01-02T15:04:05-0700"),
		"transaction_amount": object{"currency_code": amount.currency, "value": sign + amount.value()},
	}
	if fee.units > 0 {
		info["fee_amount"] = object{"currency_code": fee.currency, "value": "-" + fee.value()}
	}
	return movement{id: id, at: at, o: info}
}

// movements is the account's book, as transaction search shows it.
func (b *Box) movements() []movement {
	all := []movement{}
	letters := map[string]string{"PENDING": "P", "DECLINED": "D", "FAILED": "D"}
	status := func(s string) string {
		if l, ok := letters[s]; ok {
			return l
		}
		return "S"
	}
	for _, c := range b.captures.all() {
		fee := c.amount.fee()
		if status(c.status) != "S" {
			fee.units = 0
		}
		m := entry(c.id, "T0006", status(c.status), c.amount, fee, c.created, c.updated, false)
		if c.agreement != "" {
			m.o["transaction_event_code"] = "T0002"
		}
		if c.customID != "" {
			m.o["custom_field"] = c.customID
		}
		if c.invoiceID != "" {
			m.o["invoice_id"] = c.invoiceID
		}
		all = append(all, m)
	}
	for _, r := range b.refunds.all() {
		m := entry(r.id, "T1107", status(r.status), r.amount, sum{}, r.created, r.updated, true)
		m.o["paypal_reference_id"], m.o["paypal_reference_id_type"] = r.capture, "TXN"
		if r.customID != "" {
			m.o["custom_field"] = r.customID
		}
		all = append(all, m)
	}
	for _, w := range b.withdrawals.all() {
		all = append(all, entry(w.id, "T0400", "S", w.amount, sum{}, w.at, w.at, true))
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at.Before(all[j].at) })
	return all
}

// searchTransactions is GET /v1/reporting/transactions: at most 31 days, pages of
// at most 500, and nothing of the last hours.
func searchTransactions(b *Box, c *call) (reply, *apiError) {
	from, err := time.Parse(time.RFC3339, c.query.Get("start_date"))
	to, err2 := time.Parse(time.RFC3339, c.query.Get("end_date"))
	size, page := number(c.query.Get("page_size"), 100), number(c.query.Get("page"), 1)
	switch {
	case err != nil || err2 != nil || to.Before(from):
		return reply{}, invalid("start_date", "INVALID_PARAMETER_SYNTAX", "start_date and end_date are times, the second the later.")
	case to.Sub(from) > 31*24*time.Hour:
		return reply{}, invalid("end_date", "INVALID_PARAMETER_VALUE", "Date range is greater than 31 days.")
	case size < 1 || size > 500 || page < 1:
		return reply{}, invalid("page_size", "INVALID_PARAMETER_VALUE", "page_size is 1 to 500.")
	}
	refreshed := b.now().Add(-reportLag)
	found := []object{}
	for _, m := range b.movements() {
		if m.at.Before(from) || m.at.After(to) || m.at.After(refreshed) || c.query.Has("transaction_id") && c.query.Get("transaction_id") != m.id {
			continue
		}
		found = append(found, object{"transaction_info": m.o})
	}
	first := min((page-1)*size, len(found))
	return reply{status: http.StatusOK, body: object{
		"transaction_details": found[first:min(first+size, len(found))], "account_number": "SANDBXMERCHNT",
		"start_date": c.query.Get("start_date"), "end_date": c.query.Get("end_date"), "last_refreshed_datetime": refreshed.Format("2006-01-02T15:04:05-0700"),
		"page": page, "total_items": len(found), "total_pages": max(1, (len(found)+size-1)/size),
	}}, nil
}
