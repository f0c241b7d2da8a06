package billing

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

// desk works on one invoice by the rules of this package and keeps its books.
type desk struct {
	t               *rapid.T
	lines           []IssuedLine
	status          InvoiceStatus
	total           Totals
	due, off        int64 // still owed; written off
	paid, credited  int64
	in, out, credit int64 // received, refunded, the customer's credit
	books           map[Account]int64
	payments        []PaidPart
}

// TestC10AlwaysAWayOn voids, credits, pays, overpays, writes off, spends credit
// and refunds at random: each step is either refused and changes nothing, or
// leaves an invoice, a credit balance and books that agree, and from every state
// the invoice can still be brought to its end.
func TestC10AlwaysAWayOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t)
		steps := []func(){d.pay, d.pay, d.void, d.creditPart, d.creditPart, d.creditAll, d.writeOff, d.spend, d.refund}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(steps)-1), 1, 15).Draw(t, "steps") {
			steps[i]()
			d.check()
		}
		d.finish()
	})
}

func newDesk(t *rapid.T) *desk {
	d := &desk{t: t, lines: drawIssued(t), status: InvoiceOpen, books: map[Account]int64{}}
	d.lines = append(d.lines, issued(len(d.lines)+1, 0, 1, 0)) // a free invoice would be paid when issued
	var net, vat int64
	for _, l := range d.lines {
		net, vat = net+l.Split.Net.Minor(), vat+l.Split.Tax.Minor()
	}
	d.total = Totals{eur(net), eur(vat), eur(net + vat)}
	d.due = net + vat
	d.post(PostInvoice(d.total))
	return d
}

func (d *desk) post(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	if err := CheckPosting(entries); err != nil {
		d.t.Fatal(err)
	}
	seen := map[Account]bool{}
	for _, e := range entries {
		if seen[e.Account] {
			d.t.Fatalf("%v has two entries for %s", entries, e.Account)
		}
		seen[e.Account] = true
		d.books[e.Account] += e.Amount.Minor()
	}
}

func (d *desk) moveTo(status InvoiceStatus) {
	if err := CheckInvoiceTransition(d.status, status); err != nil {
		d.t.Fatal(err)
	}
	d.status = status
}

func (d *desk) pay() { d.payBy("stripe", d.t, rapid.Int64Range(1, 4000).Draw(d.t, "payment")) }

func (d *desk) payBy(gateway string, t *rapid.T, amount int64) {
	a, err := ApplyPayment(d.status, eur(d.due+d.off), eur(amount))
	if err != nil {
		t.Fatalf("money came in and was refused: %v", err)
	}
	if d.off > 0 {
		d.post(PostRecovered(a.Applied))
	}
	if gateway == GatewayCredit {
		d.post(PostCreditApplied(a.Applied))
	} else {
		d.post(PostPayment(gateway, a))
		d.in += amount
		d.credit += a.Excess.Minor()
	}
	d.payments = append(d.payments, PaidPart{string(rune('a' + len(d.payments))), gateway, date("2027-03-01"), a.Applied, eur(0), eur(0)})
	d.paid += a.Applied.Minor()
	d.owe(a)
}

// owe takes over what is still owed; of a written-off invoice it stays written off.
func (d *desk) owe(a Application) {
	d.moveTo(a.Status)
	d.due, d.off = a.Due.Minor(), 0
	if a.Status == InvoiceUncollectible {
		d.due, d.off = 0, a.Due.Minor()
	}
}

func (d *desk) void() {
	if CheckInvoiceTransition(d.status, InvoiceVoid) != nil || d.status == InvoiceVoid || d.paid+d.credited+d.off > 0 {
		return // corrected by a credit note instead
	}
	d.post(PostVoid(d.total))
	d.moveTo(InvoiceVoid)
	d.due = 0
}

func (d *desk) creditPart() {
	position := d.lines[rapid.IntRange(0, len(d.lines)-1).Draw(d.t, "line")].Position
	note, err := PlanCreditNote(d.lines, []CreditRequest{{position, eur(rapid.Int64Range(1, 3000).Draw(d.t, "net"))}})
	if err == nil {
		d.issue(note)
	}
}

func (d *desk) creditAll() {
	if note, err := CreditAll(d.lines); err == nil {
		d.issue(note)
	} else if !errors.Is(err, ErrCreditNothing) {
		d.t.Fatal(err)
	}
}

func (d *desk) issue(note CreditNote) {
	a, err := SplitCredit(d.status, eur(d.due+d.off), eur(d.paid), note.Totals.Total)
	if d.status == InvoiceVoid {
		if err == nil {
			d.t.Fatal("a void invoice was credited")
		}
		return
	}
	if err != nil {
		d.t.Fatalf("%+v of a %s invoice with %d due, %d off, %d paid: %v", note, d.status, d.due, d.off, d.paid, err)
	}
	bookCredit(d.t, d.lines, note)
	if d.off > 0 {
		d.post(PostRecovered(a.Applied))
	}
	d.post(PostCreditNote(note.Totals, a.Applied, a.Excess))
	d.credited += a.Applied.Minor()
	d.paid -= a.Excess.Minor() // what of the payments still stands for lines
	d.credit += a.Excess.Minor()
	d.owe(a)
}

func (d *desk) writeOff() {
	if d.status != InvoiceOpen {
		return
	}
	d.post(PostWriteOff(eur(d.due)))
	d.moveTo(InvoiceUncollectible)
	d.due, d.off = 0, d.due
}

func (d *desk) spend() {
	if amount := min(d.credit, d.due); d.status == InvoiceOpen && amount > 0 {
		d.payBy(GatewayCredit, d.t, amount)
		d.credit -= amount
	}
}

// refund pays credit out, to the payments of the invoice as far as they go.
func (d *desk) refund() {
	if d.credit == 0 {
		return
	}
	amount := rapid.Int64Range(1, d.credit).Draw(d.t, "refund")
	parts, err := AllocateRefund(d.payments, eur(amount))
	if errors.Is(err, ErrRefundTooMuch) {
		return // the rest came from elsewhere
	}
	if err != nil {
		d.t.Fatal(err)
	}
	for _, part := range parts {
		for i := range d.payments {
			if d.payments[i].ID == part.Payment {
				d.payments[i].Returned = eur(d.payments[i].Returned.Minor() + part.Amount.Minor())
			}
		}
		if part.Gateway == GatewayCredit {
			continue // it is credit already
		}
		d.post(PostRefund(part.Gateway, part.Amount))
		d.credit, d.out = d.credit-part.Amount.Minor(), d.out+part.Amount.Minor()
	}
}

func (d *desk) check() {
	if d.due < 0 || d.off < 0 || d.paid < 0 || d.credit < 0 {
		d.t.Fatalf("below zero: %+v", d)
	}
	for account, want := range map[Account]int64{Receivable: d.due, CreditOwed: -d.credit, CashStripe: d.in - d.out, BadDebt: d.off} {
		if got := d.books[account]; got != want {
			d.t.Fatalf("%s holds %d, want %d with the invoice %s", account, got, want, d.status)
		}
	}
	if d.status == InvoicePaid && d.due != 0 || d.status == InvoiceOpen && d.due == 0 {
		d.t.Fatalf("%s with %d due", d.status, d.due)
	}
}

// finish brings the invoice to an end: what is owed is paid, then all of it is
// credited and nothing but the customer's money remains.
func (d *desk) finish() {
	if d.due+d.off > 0 {
		d.payBy("stripe", d.t, d.due+d.off)
	}
	d.check()
	if d.status == InvoiceVoid {
		return
	}
	d.creditAll()
	d.check()
	if rest := d.in - d.out - d.credit; rest < 0 || rest > 0 && d.left() > int64(len(d.lines)) {
		d.t.Fatalf("%d came in, %d went out, %d is credit, %d of the lines is left", d.in, d.out, d.credit, d.left())
	}
}

// left is what of the lines is not credited.
func (d *desk) left() (left int64) {
	for _, l := range d.lines {
		left += abs(l.left())
	}
	return left
}

// TestReversals: what a posting did, the posting against it undoes.
func TestReversals(t *testing.T) {
	a := eur(1190)
	totals := Totals{eur(1000), eur(190), a}
	pairs := map[string][2][]Entry{
		"invoice":         {PostInvoice(totals), PostVoid(totals)},
		"invoice by note": {PostInvoice(totals), PostCreditNote(totals, a, money.Must(0, "EUR"))},
		"write-off":       {PostWriteOff(a), PostRecovered(a)},
		"refund":          {PostRefund("stripe", a), PostRefundFailed("stripe", a)},
		"dispute":         {PostDisputeOpened("paypal", a), PostDisputeWon("paypal", a)},
		"goodwill":        {PostGoodwill(a), PostGoodwill(a.Neg())},
		"fee":             {PostFee("stripe", a), PostFee("stripe", a.Neg())},
	}
	for name, pair := range pairs {
		books := map[Account]int64{}
		for _, posting := range pair {
			if err := CheckPosting(posting); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, e := range posting {
				books[e.Account] += e.Amount.Minor()
			}
		}
		for account, balance := range books {
			if balance != 0 {
				t.Errorf("%s: %s holds %d afterwards", name, account, balance)
			}
		}
	}
}
