package sim

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/hooks/books"
)

// price is what is sold and given back.
const price = 1500

// sale is an invoice that is paid and given back.
type sale struct{ invoice string }

func (*sale) begin(*till) {}

// live is the way from an invoice to its money being back with the customer.
func (s *sale) live(k *till) {
	k.t.Helper()
	staff := k.desk()
	r := k.ask("/api/v1/staff/invoices", staff, map[string]any{
		"key": "invoice-0001", "customer": k.customer, "currency": "EUR", "issue": true, "lines": []any{map[string]any{"description": "Work", "quantity": 1, "unit_minor": price}},
	})
	if s.invoice = r.str("id"); s.invoice == "" {
		k.t.Fatalf("no invoice: %d %.300s", r.status, r.text)
	}
	k.ask("/api/v1/invoices/pay", k.token, map[string]any{"invoices": []any{s.invoice}, "method": k.method}) // once more is refused, or is the same
	k.until("the invoice is paid", "`invoices` WHERE `id` = '"+s.invoice+"' AND `status` = 'paid'")
	back := map[string]any{"key": "refund-00001", "reason": "sorry", "to": "source"}
	if r := k.ask("/api/v1/staff/invoices/"+s.invoice+"/refunds", staff, back); !r.ok() {
		k.t.Fatalf("no refund: %d %.300s", r.status, r.text)
	}
	k.until("the money is back", "`refunds` WHERE `status` = 'succeeded'")
	for range 3 { // what comes late changes nothing
		k.clock.to(k.clock.world().Add(15 * time.Minute))
		k.tell()
		if err := k.work(); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (s *sale) once(k *till) {
	k.t.Helper()
	taken, back, sum := 0, 0, int64(0)
	if k.gateway == "paypal" {
		for _, p := range k.vendors.paypal.Payments() {
			taken, sum = taken+1, sum+p.Refunded
		}
		back = k.vendors.paypal.Snapshot().Refunds
	} else {
		taken = k.vendors.stripe.Paid(s.invoice)
		for _, r := range k.vendors.stripe.Refunds() {
			back, sum = back+1, sum+r.Amount
		}
	}
	total := int64(0)
	if err := k.app.DB().NewQuery("SELECT `total_minor` FROM `invoices` WHERE `id` = '" + s.invoice + "'").Row(&total); err != nil {
		k.t.Fatal(err)
	}
	if sum != total {
		k.t.Errorf("%d went back, want %d", sum, total)
	}
	for what, n := range map[string]int{
		"charges": taken, "refunds at the gateway": back, "invoices": k.count("`invoices`"),
		"payments": k.count("`payment_transactions` WHERE `status` = 'succeeded'"), "attempts": k.count("`payment_transactions`"),
		"credit notes": k.count("`credit_notes`"), "refunds": k.count("`refunds`"), "settled refunds": k.count("`refunds` WHERE `status` = 'succeeded' AND `gateway_refund_id` != ''"),
		"receipts": k.count("`mails` WHERE `kind` = 'receipt'"), "mails about the refund": k.count("`mails` WHERE `kind` = 'refund_made'"),
		"postings of the refund": k.count("`ledger_entries` WHERE `posting` LIKE 'refund%' AND `account` LIKE 'cash:%'"),
	} {
		if n != 1 {
			k.t.Errorf("%d %s, want 1", n, what)
		}
	}
	if n := k.count("`credit_balances` WHERE `balance_minor` != 0"); n != 0 {
		k.t.Error("credit is left over")
	}
	if found, err := books.Audit(k.app.DB()); err != nil || len(found) > 0 {
		k.t.Errorf("the books: %v %v", found, err)
	}
}

// TestKilledAnywhereInChargeAndRefund kills the process at every write, commit
// and call to the gateway, before and after its effect, on the way from an
// invoice by a charge of the saved method to the refund. Whatever the place, one
// charge and one refund come of it, at the gateway and in the books.
func TestKilledAnywhereInChargeAndRefund(t *testing.T) {
	killEverywhere(t, func() story { return &sale{} }, 60, 7)
}
