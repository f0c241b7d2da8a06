package e2e

import (
	"net/http"
	"slices"
	"testing"
)

// mustHoldTrue checks what must hold after every order, whatever happened on
// the way: one charge, one payment, one invoice, one server, one receipt, books
// that balance, nothing given up.
func (b *buyer) mustHoldTrue(t *testing.T) {
	t.Helper()
	b.checkMoney(t)
	b.checkServer(t)
	b.checkMails(t)
	if failed := b.rows(t, "jobs", "state = 'failed' || state = 'parked'"); len(failed) > 0 {
		t.Errorf("jobs given up: got %v, want none", failed)
	}
	if complaints := b.w.stripe.Complaints(); len(complaints) > 0 {
		t.Errorf("Stripe had to complain: %v", complaints)
	}
}

func (b *buyer) rows(t *testing.T, collection, filter string) []row {
	t.Helper()
	rows, err := b.staff.rows(t.Context(), collection, filter)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// one reads the only record of a collection.
func (b *buyer) one(t *testing.T, collection string) row {
	t.Helper()
	rows := b.rows(t, collection, "")
	if len(rows) != 1 {
		t.Errorf("%s: got %d rows, want 1", collection, len(rows))
	}
	if len(rows) == 0 {
		return row{}
	}
	return rows[0]
}

func (b *buyer) checkMoney(t *testing.T) {
	t.Helper()
	snap := b.w.stripe.Snapshot()
	if snap.Paid[b.invoice] != 1 || len(snap.Charges) != 1 {
		t.Errorf("charges: got %+v, want one, for invoice %s", snap.Charges, b.invoice)
	}
	if snap.Customers != 1 || snap.Sessions != 1 {
		t.Errorf("at Stripe: got %d customers and %d pages, want one of each", snap.Customers, snap.Sessions)
	}
	payment := b.one(t, "payment_transactions")
	if payment["status"] != "succeeded" || payment.number("amount_minor") != b.shop.total || payment.number("applied_minor") != b.shop.total {
		t.Errorf("payment: got %v, want %d received and applied", payment, b.shop.total)
	}
	invoice := b.one(t, "invoices")
	if invoice["status"] != "paid" || invoice.number("seq") != 1 || invoice.number("due_minor") != 0 {
		t.Errorf("invoice: got %v, want number 1, paid, nothing due", invoice)
	}
	if last := b.one(t, "invoice_series").number("last_seq"); last != 1 {
		t.Errorf("number series: got %d as the last number, want 1", last)
	}
	b.one(t, "orders")
	b.one(t, "subscriptions")
	b.one(t, "payment_methods")
	entries, sum := b.rows(t, "ledger_entries", ""), int64(0)
	for _, e := range entries {
		sum += e.number("amount_minor")
	}
	if len(entries) == 0 || sum != 0 {
		t.Errorf("ledger: got %d entries with the sum %d, want some with the sum 0", len(entries), sum)
	}
}

func (b *buyer) checkServer(t *testing.T) {
	t.Helper()
	snap := b.w.panel.Snapshot()
	if snap.Created != 1 || snap.Deleted != 0 || len(snap.Users) != 1 {
		t.Fatalf("panel: got %d servers made, %d removed and %d users, want one server and one user", snap.Created, snap.Deleted, len(snap.Users))
	}
	if s := snap.Servers[0]; s.State != "complete" || s.Builds != 1 || s.Hostname != "web-1.example.com" {
		t.Errorf("server: got %+v, want it installed once as web-1.example.com", s)
	}
	svc := b.one(t, "services")
	if svc["status"] != "active" || svc.text("platform_service_id") != "1" || svc.text("action_note") != "" {
		t.Errorf("service: got %v, want it active as server 1 without a note", svc)
	}
	addresses := []string{}
	for _, a := range b.rows(t, "ip_assignments", "") {
		addresses = append(addresses, a.text("ip"))
	}
	slices.Sort(addresses)
	want := slices.Sorted(slices.Values(snap.Servers[0].Addresses))
	if !slices.Equal(addresses, want) {
		t.Errorf("addresses: got %v, want %v", addresses, want)
	}
	got := struct{ Username, Password string }{}
	if err := b.customer.call(t.Context(), http.MethodPost, "/api/v1/services/"+b.service+"/credentials", map[string]any{}, &got); err != nil {
		t.Fatal(err)
	}
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if got.Username != "root" || got.Password == "" || got.Password != b.w.password {
		t.Errorf("credentials: got %q and %q, want root and the panel's last password %q", got.Username, got.Password, b.w.password)
	}
}

// checkMails allows one thing to happen twice: a mail whose acceptance was lost
// is handed over again, as the same message.
func (b *buyer) checkMails(t *testing.T) {
	t.Helper()
	for _, kind := range []string{"receipt", "service_ready"} {
		rows := b.rows(t, "mails", "kind = '"+kind+"'")
		if len(rows) != 1 || rows[0]["status"] != "sent" {
			t.Errorf("%s mails: got %v, want one, sent", kind, rows)
		}
	}
	ids := map[string]int{}
	for _, m := range b.w.mail.Messages() {
		for _, h := range m.Headers {
			if h.Name == "Message-Id" || h.Name == "Message-ID" {
				ids[h.Value]++
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("messages at the mail server: got %v, want two different ones", ids)
	}
}
