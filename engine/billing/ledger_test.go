package billing

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func TestCheckPosting(t *testing.T) {
	usd := money.Must(-5, "USD")
	scenarios := []struct {
		name    string
		entries []Entry
		want    error
	}{
		{"two sides", []Entry{{Receivable, eur(5)}, {Revenue, eur(-5)}}, nil},
		{"three sides", []Entry{{Receivable, eur(5)}, {Revenue, eur(-4)}, {TaxPayable, eur(-1)}}, nil},
		{"nothing", nil, ErrUnbalanced},
		{"one side", []Entry{{Receivable, eur(0)}}, ErrUnbalanced},
		{"a cent off", []Entry{{Receivable, eur(5)}, {Revenue, eur(-4)}}, ErrUnbalanced},
		{"two currencies", []Entry{{Receivable, eur(5)}, {Revenue, usd}}, money.ErrMismatch},
		{"no currency", []Entry{{Receivable, money.Amount{}}, {Revenue, money.Amount{}}}, money.ErrCurrency},
		{"beyond the limit", []Entry{{Receivable, eur(money.Limit)}, {Revenue, eur(1)}}, money.ErrOverflow},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if err := CheckPosting(s.entries); !errors.Is(err, s.want) {
				t.Errorf("%v: got error %v, want %v", s.entries, err, s.want)
			}
		})
	}
}

func TestPostings(t *testing.T) {
	totals := Totals{eur(1000), eur(190), eur(1190)}
	scenarios := []struct {
		name      string
		got, want []Entry
	}{
		{"invoice", PostInvoice(totals), []Entry{{Receivable, eur(1190)}, {Revenue, eur(-1000)}, {TaxPayable, eur(-190)}}},
		{"void", PostVoid(totals), []Entry{{Receivable, eur(-1190)}, {Revenue, eur(1000)}, {TaxPayable, eur(190)}}},
		{"untaxed", PostInvoice(Totals{eur(5), eur(0), eur(5)}), []Entry{{Receivable, eur(5)}, {Revenue, eur(-5)}}},
		{"free", PostInvoice(Totals{eur(0), eur(0), eur(0)}), nil},
		{
			"exact payment", PostPayment("stripe", Application{eur(5), eur(0), eur(0), InvoicePaid}),
			[]Entry{{CashStripe, eur(5)}, {Receivable, eur(-5)}},
		},
		{
			"too much by PayPal", PostPayment("paypal", Application{eur(5), eur(2), eur(0), InvoicePaid}),
			[]Entry{{CashPayPal, eur(7)}, {Receivable, eur(-5)}, {CreditOwed, eur(-2)}},
		},
		{
			"all of it credit", PostPayment("manual", Application{eur(0), eur(2), eur(0), InvoiceVoid}),
			[]Entry{{CashManual, eur(2)}, {CreditOwed, eur(-2)}},
		},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if len(s.got) != len(s.want) {
				t.Fatalf("got %v, want %v", s.got, s.want)
			}
			for i := range s.got {
				if s.got[i] != s.want[i] {
					t.Errorf("entry %d: got %v, want %v", i, s.got[i], s.want[i])
				}
			}
		})
	}
}

func TestPostPaymentPanicsOnTwoCurrencies(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an application of two currencies was booked")
		}
	}()
	PostPayment("manual", Application{eur(1), money.Must(1, "USD"), eur(0), InvoicePaid})
}

// TestPostingsBalance lives through random invoices and payments: every posting
// sums to zero, a void undoes its invoice, and when all is paid the customer
// owes nothing but has the excess as credit.
func TestPostingsBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subtotal := eur(rapid.Int64Range(1, money.Limit/4).Draw(t, "subtotal"))
		tax, err := subtotal.BasisPoints(rapid.Int64Range(0, 2700).Draw(t, "tax rate"))
		if err != nil {
			t.Fatal(err)
		}
		total, _ := subtotal.Add(tax)
		totals := Totals{subtotal, tax, total}
		books := map[Account]int64{}
		post := func(entries []Entry) {
			if err := CheckPosting(entries); err != nil {
				t.Fatalf("%v: %v", entries, err)
			}
			for _, e := range entries {
				books[e.Account] += e.Amount.Minor()
			}
		}
		post(PostInvoice(totals))
		post(PostVoid(totals))
		for account, balance := range books {
			if balance != 0 {
				t.Fatalf("%s holds %d after a void", account, balance)
			}
		}
		post(PostInvoice(totals))
		status, due := InvoiceOpen, total
		for _, p := range rapid.SliceOfN(rapid.Int64Range(1, money.Limit/4), 1, 6).Draw(t, "payments") {
			a, err := ApplyPayment(status, due, eur(p))
			if err != nil {
				t.Fatal(err)
			}
			post(PostPayment("stripe", a))
			status, due = a.Status, a.Due
		}
		if books[Receivable] != due.Minor() {
			t.Fatalf("receivable holds %d, want the %v still due", books[Receivable], due)
		}
		if owed := -books[CreditOwed]; owed != books[CashStripe]-(total.Minor()-due.Minor()) {
			t.Fatalf("credit of %d after %d came in for %v with %v still due", owed, books[CashStripe], total, due)
		}
	})
}
