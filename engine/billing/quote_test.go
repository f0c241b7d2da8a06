package billing

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

// vps is a unit in a cart: 10.00 a month, 5.00 once.
func vps(change ...func(*CartItem)) CartItem {
	it := CartItem{Plan: "vps", Name: "VPS S", Host: "web-1", Cycle: Monthly, Unit: eur(1000), Setup: eur(500)}
	for _, c := range change {
		c(&it)
	}
	return it
}

func withAddresses(it *CartItem) {
	it.Options = append(it.Options, RecurringItem{Key: "ip", Kind: LineOption, Description: "Extra address", Quantity: 2, Unit: eur(150), Setup: eur(100)})
}

func byTheHour(it *CartItem) { it.Cycle, it.Unit, it.Cap = Hourly, eur(2), eur(1000) }

func tried(days int) func(*CartItem) {
	return func(it *CartItem) { it.TrialDays, it.MayTry = days, true }
}

func bundled(it *CartItem) {
	it.Terms = []DiscountTerms{{Code: "Starter", Kind: BundleDiscount, BasisPoints: 1000}}
}

func each(cycles ...Cycle) []CartItem {
	items := []CartItem{}
	for _, c := range cycles {
		items = append(items, vps(func(it *CartItem) { it.Cycle, it.Host, it.Setup = c, string(c), money.Amount{} }))
	}
	return items
}

// TestQuotesExplainThemselves prints whole carts: what is due today and later,
// and why.
func TestQuotesExplainThemselves(t *testing.T) {
	stackable := func(c Coupon) Coupon { c.Stackable = true; return c }
	weeks := Coupon{ID: "c3", Code: "WEEKS", Kind: CouponTrial, TrialDays: 14}
	freeSetup := Coupon{ID: "c4", Code: "SETUP", Kind: CouponFreeSetup, Periods: 1}
	carts := []struct {
		name    string
		items   []CartItem
		coupons []Coupon
	}{
		{"one", []CartItem{vps()}, nil},
		{"with an option", []CartItem{vps(withAddresses)}, nil},
		{"every cycle", each(Cycles()[1:]...), nil},
		{"by the hour", []CartItem{vps(byTheHour), vps(byTheHour)}, nil},
		{"a coupon for three periods", []CartItem{vps(withAddresses)}, []Coupon{quarterOff()}},
		{"a fixed amount over two, once", []CartItem{vps(), vps(withAddresses)}, []Coupon{tenOff()}},
		{"C8 a bundle and a coupon; setup stays", []CartItem{vps(bundled), vps(bundled, withAddresses)}, []Coupon{quarterOff()}},
		{"C8 free setup of another plan only", []CartItem{vps(), vps(func(it *CartItem) { it.Plan, it.Name = "web", "Web" })}, []Coupon{func() Coupon { c := freeSetup; c.Plans = []string{"web"}; return c }()}},
		{"a trial", []CartItem{vps(tried(30), withAddresses)}, nil},
		{"a longer trial, cheaper later", []CartItem{vps(tried(7)), vps()}, []Coupon{stackable(weeks), stackable(quarterOff())}},
		{"a trial by coupon alone, free setup", []CartItem{vps(tried(0))}, []Coupon{stackable(weeks), stackable(freeSetup)}},
	}
	out := strings.Builder{}
	for _, c := range carts {
		cart := Cart{Currency: "EUR", Items: c.items}
		for _, coupon := range c.coupons {
			if err := cart.Accept(coupon, CouponFacts{Now: date("2027-01-31T10:30:00Z"), NewCustomer: true}); err != nil {
				t.Fatalf("%s: %s: %v", c.name, coupon.Code, err)
			}
		}
		q, err := QuoteCart(cart, date("2027-01-31T10:30:00Z"))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		fmt.Fprintf(&out, "%s\n%s\n", strings.ToUpper(c.name), printQuote(q))
	}
	golden(t, "quotes.golden.txt", out.String())
}

func printQuote(q Quote) string {
	out := strings.Builder{}
	show := func(indent string, i int, l Line) {
		fmt.Fprintf(&out, "%s%d %-8s %-45s %d × %s = %s", indent, i+1, l.Kind, l.Description, l.Quantity, l.UnitPrice, l.Amount)
		if !l.Period.Start.IsZero() {
			fmt.Fprintf(&out, "  %s", l.Period)
		}
		if l.Parent > 0 {
			fmt.Fprintf(&out, "  of line %d", l.Parent)
		}
		fmt.Fprintln(&out)
	}
	for i, l := range q.Lines {
		show("  ", i, l.Line)
	}
	for i, u := range q.Units {
		fmt.Fprintf(&out, "  unit %d: from %s, next period %d, trial %d, discount %s, %d terms\n", i+1, u.Schedule.Anchor.Format("2006-01-02"), u.Schedule.NextPeriod, u.TrialDays, u.Discount, len(u.Terms))
	}
	for _, r := range q.Recurring {
		fmt.Fprintf(&out, "  then %s on %s", r.Cycle, r.Next.Format("2006-01-02"))
		if r.Cap.Sign() > 0 {
			fmt.Fprintf(&out, ", at most %s a month", r.Cap)
		}
		fmt.Fprintln(&out)
		for i, l := range r.Due {
			show("    ", i, l)
		}
		if r.Regular != nil {
			fmt.Fprintln(&out, "    later")
		}
		for i, l := range r.Regular {
			show("      ", i, l)
		}
	}
	return out.String()
}

func TestQuoteRefuses(t *testing.T) {
	yen := func(it *CartItem) { it.Unit = money.Must(1000, "JPY") }
	scenarios := []struct {
		name     string
		currency string
		items    []CartItem
		want     error // nil is any
	}{
		{"nothing", "EUR", nil, nil},
		{"more than fits", "EUR", make([]CartItem, MaxItems+1), nil},
		{"an unknown currency", "XXY", []CartItem{vps()}, money.ErrCurrency},
		{"D2 another currency", "EUR", []CartItem{vps(yen)}, money.ErrMismatch},
		{"D2 setup in another currency", "EUR", []CartItem{vps(func(it *CartItem) { it.Setup = money.Must(5, "JPY") })}, money.ErrMismatch},
		{"D2 an option in another currency", "EUR", []CartItem{vps(withAddresses, func(it *CartItem) { it.Options[0].Unit = money.Must(5, "JPY") })}, money.ErrMismatch},
		{"an hour without a monthly price", "EUR", []CartItem{vps(func(it *CartItem) { it.Cycle = Hourly })}, money.ErrMismatch},
		{"an unknown cycle", "EUR", []CartItem{vps(func(it *CartItem) { it.Cycle = "weekly" })}, nil},
		{"a price below zero", "EUR", []CartItem{vps(func(it *CartItem) { it.Unit = eur(-1) })}, nil},
		{"no price", "EUR", []CartItem{vps(func(it *CartItem) { it.Unit = money.Amount{} })}, nil},
		{"an option without end", "EUR", []CartItem{vps(withAddresses, func(it *CartItem) { it.Options[0].Unit, it.Options[0].Quantity = eur(money.Limit), 2 })}, money.ErrOverflow},
	}
	for _, s := range scenarios {
		_, err := QuoteCart(Cart{Currency: s.currency, Items: s.items}, date("2027-01-31"))
		if err == nil || s.want != nil && !errors.Is(err, s.want) {
			t.Errorf("%s: got error %v, want %v", s.name, err, s.want)
		}
	}
}

func TestCartAccepts(t *testing.T) {
	facts := CouponFacts{Now: date("2027-03-01"), NewCustomer: true}
	weeks := Coupon{ID: "c3", Code: "WEEKS", Kind: CouponTrial, TrialDays: 14}
	freeSetup := Coupon{ID: "c4", Code: "SETUP", Kind: CouponFreeSetup}
	free := func(it *CartItem) { it.Unit, it.Setup = eur(0), eur(0) }
	scenarios := []struct {
		name   string
		item   CartItem
		coupon Coupon
		want   error
	}{
		{"percent", vps(), quarterOff(), nil},
		{"percent of nothing", vps(free), quarterOff(), ErrCouponScope},
		{"percent of an option of a free plan", vps(free, withAddresses), quarterOff(), nil},
		{"by the hour", vps(byTheHour), quarterOff(), ErrCouponScope},
		{"free setup where there is none", vps(free), freeSetup, ErrCouponScope},
		{"free setup of an option", vps(free, withAddresses), freeSetup, nil},
		{"a longer trial", vps(tried(7)), weeks, nil},
		{"a longer trial for somebody who had one", vps(), weeks, ErrCouponScope},
		{"a trial of something bought once", vps(tried(7), func(it *CartItem) { it.Cycle = OneTime }), weeks, ErrCouponScope},
		{"fixed in the currency", vps(), tenOff(), nil},
	}
	for _, s := range scenarios {
		cart := Cart{Currency: "EUR", Items: []CartItem{s.item}}
		if err := cart.Accept(s.coupon, facts); !errors.Is(err, s.want) || (err == nil) != (len(cart.Coupons) == 1) {
			t.Errorf("%s: got %v and %d coupons, want %v", s.name, err, len(cart.Coupons), s.want)
		}
	}
}

// TestQuoteProperties: whatever is in the cart, no line is discounted below zero,
// the sum never is, and each unit's discount is the sum of its lines.
func TestQuoteProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cart := drawCart(t)
		q, err := QuoteCart(cart, date("2027-01-31T10:30:00Z"))
		if err != nil {
			t.Fatal(err)
		}
		left, off := make([]int64, len(q.Lines)), make([]int64, len(cart.Items))
		for i, l := range q.Lines {
			left[i] += l.Amount.Minor()
			if l.Kind == LineDiscount {
				left[l.Parent-1] += l.Amount.Minor()
				left[i], off[l.Unit] = 0, off[l.Unit]-l.Amount.Minor()
			}
		}
		for i := range left {
			if left[i] < 0 {
				t.Fatalf("line %d is left with %d:\n%s", i+1, left[i], printQuote(q))
			}
		}
		for i, u := range q.Units {
			if u.Discount.Minor() != off[i] {
				t.Fatalf("unit %d: discount %s, lines say %d", i+1, u.Discount, off[i])
			}
			if u.TrialDays > 0 && u.Schedule.NextPeriod != 0 {
				t.Fatalf("unit %d: a trial pays for %d periods", i+1, u.Schedule.NextPeriod)
			}
		}
	})
}

func drawCart(t *rapid.T) Cart {
	cart := Cart{Currency: "EUR"}
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		it := CartItem{
			Plan: "vps", Name: "VPS", Cycle: rapid.SampledFrom(Cycles()[1:]).Draw(t, "cycle"), Unit: eur(rapid.Int64Range(0, 5000).Draw(t, "unit")),
			Setup: eur(rapid.Int64Range(0, 500).Draw(t, "setup")), MayTry: rapid.Bool().Draw(t, "may try"), TrialDays: rapid.IntRange(0, 30).Draw(t, "trial"),
		}
		if rapid.Bool().Draw(t, "bundle") {
			bundled(&it)
		}
		for k := range rapid.IntRange(0, 3).Draw(t, "options") {
			it.Options = append(it.Options, RecurringItem{
				Key: fmt.Sprintf("o%d", k), Kind: LineOption, Description: "Option", Quantity: rapid.Int64Range(1, 5).Draw(t, "quantity"), Unit: eur(rapid.Int64Range(0, 900).Draw(t, "option")),
			})
		}
		cart.Items = append(cart.Items, it)
	}
	all := []Coupon{
		{ID: "a", Code: "A", Kind: CouponPercent, BasisPoints: rapid.Int64Range(1, 10_000).Draw(t, "percent"), Stackable: true, Periods: rapid.IntRange(0, 3).Draw(t, "periods")},
		{ID: "b", Code: "B", Kind: CouponFixed, Amounts: []money.Amount{eur(rapid.Int64Range(1, 9000).Draw(t, "fixed"))}, Stackable: true},
		{ID: "c", Code: "C", Kind: CouponFreeSetup, Stackable: true},
		{ID: "d", Code: "D", Kind: CouponTrial, TrialDays: 500, Stackable: true},
	}
	for _, c := range all {
		if rapid.Bool().Draw(t, c.Code) {
			_ = cart.Accept(c, CouponFacts{NewCustomer: true}) // what does not fit stays out
		}
	}
	return cart
}
