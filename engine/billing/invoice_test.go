package billing

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/lifecycle"
	"github.com/ezscale/ezscale/engine/money"
)

func eur(minor int64) money.Amount { return money.Must(minor, "EUR") }

func TestApplyPayment(t *testing.T) {
	scenarios := []struct {
		name                  string
		status                InvoiceStatus
		due, paid             int64
		applied, excess, left int64
		want                  InvoiceStatus
	}{
		{"exact", InvoiceOpen, 1000, 1000, 1000, 0, 0, InvoicePaid},
		{"partial", InvoiceOpen, 1000, 400, 400, 0, 600, InvoiceOpen},
		{"one cent short", InvoiceOpen, 1000, 999, 999, 0, 1, InvoiceOpen},
		{"too much", InvoiceOpen, 1000, 1500, 1000, 500, 0, InvoicePaid},
		{"nothing was owed", InvoiceOpen, 0, 500, 0, 500, 0, InvoicePaid},
		{"the most there can be", InvoiceOpen, money.Limit, money.Limit, money.Limit, 0, 0, InvoicePaid},
		{"late money on a written-off invoice", InvoiceUncollectible, 1000, 1000, 1000, 0, 0, InvoicePaid},
		{"a part of a written-off invoice", InvoiceUncollectible, 1000, 1, 1, 0, 999, InvoiceUncollectible},
		{"paid already", InvoicePaid, 0, 1000, 0, 1000, 0, InvoicePaid},
		{"void", InvoiceVoid, 0, 1000, 0, 1000, 0, InvoiceVoid},
		{"void that still shows a due amount", InvoiceVoid, 700, 1000, 0, 1000, 700, InvoiceVoid},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := ApplyPayment(s.status, eur(s.due), eur(s.paid))
			want := Application{eur(s.applied), eur(s.excess), eur(s.left), s.want}
			if err != nil || got != want {
				t.Errorf("got %+v, error %v, want %+v", got, err, want)
			}
		})
	}
}

func TestApplyPaymentRefuses(t *testing.T) {
	scenarios := []struct {
		name      string
		status    InvoiceStatus
		due, paid money.Amount
		want      error // nil where callers act on none in particular
	}{
		{"draft", InvoiceDraft, eur(10), eur(10), lifecycle.ErrTransition},
		{"zero payment", InvoiceOpen, eur(10), eur(0), nil},
		{"negative payment", InvoiceOpen, eur(10), eur(-1), nil},
		{"negative due", InvoiceOpen, eur(-10), eur(1), nil},
		{"wrong currency", InvoiceOpen, eur(10), money.Must(10, "USD"), money.ErrMismatch},
		{"wrong currency on a void invoice", InvoiceVoid, eur(10), money.Must(10, "USD"), money.ErrMismatch},
		{"due without a currency", InvoiceOpen, money.Amount{}, eur(10), money.ErrCurrency},
		{"payment without a currency", InvoiceOpen, eur(10), money.Amount{}, nil},
		{"unknown status", "lost", eur(10), eur(10), nil},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := ApplyPayment(s.status, s.due, s.paid)
			if err == nil || s.want != nil && !errors.Is(err, s.want) {
				t.Errorf("got %+v, error %v, want error %v", got, err, s.want)
			}
		})
	}
}

// TestPaymentsAreNeverLost pays an invoice in random parts: what was applied
// and what became credit always add up to what came in.
func TestPaymentsAreNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 100_000).Draw(t, "total")
		status := rapid.SampledFrom([]InvoiceStatus{InvoiceOpen, InvoiceUncollectible}).Draw(t, "status")
		due := eur(total)
		var in, applied, excess int64
		for _, p := range rapid.SliceOfN(rapid.Int64Range(1, 60_000), 1, 8).Draw(t, "payments") {
			a, err := ApplyPayment(status, due, eur(p))
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckInvoiceTransition(status, a.Status); err != nil {
				t.Fatal(err)
			}
			status, due = a.Status, a.Due
			in, applied, excess = in+p, applied+a.Applied.Minor(), excess+a.Excess.Minor()
		}
		if applied+excess != in || applied+due.Minor() != total || due.Sign() < 0 {
			t.Fatalf("%d came in for %d: %d applied, %d credit, %v still due", in, total, applied, excess, due)
		}
		if (status == InvoicePaid) != due.IsZero() {
			t.Fatalf("status %s with %v still due", status, due)
		}
	})
}

func TestNewLine(t *testing.T) {
	scenarios := []struct {
		name     string
		quantity int64
		unit     money.Amount
		want     int64
		err      string
	}{
		{"one", 1, eur(999), 999, ""},
		{"several", 12, eur(999), 11_988, ""},
		{"free", 3, eur(0), 0, ""},
		{"a discount", 2, eur(-100), -200, ""},
		{"none", 0, eur(999), 0, "quantity 0 is below 1"},
		{"negative", -1, eur(999), 0, "quantity -1 is below 1"},
		{"beyond the limit", 2, eur(money.Limit), 0, money.ErrOverflow.Error()},
		{"beyond 64 bits", math.MaxInt64, eur(money.Limit), 0, money.ErrOverflow.Error()},
		{"no price", 1, money.Amount{}, 0, money.ErrCurrency.Error()},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := NewLine("VPS S", s.quantity, s.unit, Period{})
			if s.err == "" {
				if err != nil || got.Amount != eur(s.want) || got.Quantity != s.quantity || got.UnitPrice != s.unit {
					t.Errorf("got %+v, error %v, want an amount of %d", got, err, s.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), s.err) || !strings.Contains(err.Error(), "VPS S") {
				t.Errorf("got %+v, error %v, want an error with the line and %q", got, err, s.err)
			}
		})
	}
}

func TestSumLines(t *testing.T) {
	line := func(a money.Amount) InvoiceLine {
		return InvoiceLine{Description: "VPS", Quantity: 1, UnitPrice: a, Amount: a}
	}
	scenarios := []struct {
		name     string
		currency string
		lines    []InvoiceLine
		want     int64
		err      error
	}{
		{"none", "EUR", nil, 0, nil},
		{"two and a discount", "EUR", []InvoiceLine{line(eur(500)), line(eur(700)), line(eur(-200))}, 1000, nil},
		{"another currency", "EUR", []InvoiceLine{line(eur(500)), line(money.Must(1, "USD"))}, 0, money.ErrMismatch},
		{"beyond the limit", "EUR", []InvoiceLine{line(eur(money.Limit)), line(eur(1))}, 0, money.ErrOverflow},
		{"unknown currency", "ABC", nil, 0, money.ErrCurrency},
		{"unknown currency with lines", "ABC", []InvoiceLine{line(eur(1))}, 0, money.ErrCurrency},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := SumLines(s.currency, s.lines)
			if !errors.Is(err, s.err) {
				t.Fatalf("got %+v, error %v, want error %v", got, err, s.err)
			}
			if err == nil && got != (Totals{eur(s.want), eur(0), eur(s.want)}) {
				t.Errorf("got %+v, want a total of %d", got, s.want)
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	due := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	const grace = 72 * time.Hour
	scenarios := []struct {
		name   string
		status InvoiceStatus
		now    time.Time
		want   bool
	}{
		{"before", InvoiceOpen, due.Add(-time.Hour), false},
		{"at the due instant", InvoiceOpen, due, false},
		{"the last instant of grace", InvoiceOpen, due.Add(grace), false},
		{"just after grace", InvoiceOpen, due.Add(grace + 1), true},
		{"paid", InvoicePaid, due.Add(2 * grace), false},
		{"void", InvoiceVoid, due.Add(2 * grace), false},
		{"draft", InvoiceDraft, due.Add(2 * grace), false},
		{"written off", InvoiceUncollectible, due.Add(2 * grace), false},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := Overdue(s.status, due, s.now, grace); got != s.want {
				t.Errorf("got %v, want %v", got, s.want)
			}
		})
	}
}
