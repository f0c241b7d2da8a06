package billing

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

func TestRenewalDocument(t *testing.T) {
	r := monthlyRenewal(eur(1000))
	r.Items = append(r.Items, RenewalItem{RecurringItem: optionItem(2, 200)})
	r.Discounts = []DiscountTerms{percentOff(2500), {Code: "Starter", Kind: BundleDiscount, BasisPoints: 1000}}
	plan, err := PlanRenewal(r, date("2027-02-20"))
	if err != nil {
		t.Fatal(err)
	}
	one := plan.Due[0].Document("sub1", Monthly)
	all := AppendLines(one, plan.Due[0].Document("sub2", Monthly))
	type row struct {
		kind   LineKind
		sub    string
		minor  int64
		parent int
	}
	got := []row{}
	for _, l := range all {
		got = append(got, row{l.Kind, l.Subscription, l.Amount.Minor(), l.Parent})
		if l.Period != plan.Due[0].Period || !l.TaxDate.Equal(l.Period.Start) || l.Item == "" || l.Detail.Number != 1 {
			t.Errorf("%+v does not say what it is for", l)
		}
	}
	want := []row{
		{LinePeriod, "sub1", 1000, 0},
		{LineDiscount, "sub1", -250, 1},
		{LineDiscount, "sub1", -75, 1},
		{LineOption, "sub1", 400, 0},
		{LineDiscount, "sub1", -100, 4},
		{LineDiscount, "sub1", -30, 4},
		{LinePeriod, "sub2", 1000, 0},
		{LineDiscount, "sub2", -250, 7},
		{LineDiscount, "sub2", -75, 7},
		{LineOption, "sub2", 400, 0},
		{LineDiscount, "sub2", -100, 10},
		{LineDiscount, "sub2", -30, 10},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if one[1].Detail.Coupon != "PERCENT" || one[2].Detail.Coupon != "" || one[2].Detail.Bundle != "Starter" || one[3].Detail.Quantity != 2 {
		t.Errorf("got details %+v, %+v, %+v", one[1].Detail, one[2].Detail, one[3].Detail)
	}
}

func TestChangeDocument(t *testing.T) {
	r := march("2027-03-16", planItem("VPS M", 2000), optionItem(3, 200))
	r.After[0].Setup, r.Discounts = eur(300), []DiscountTerms{percentOff(5000)}
	r.Schedule.NextPeriod = 2
	c, err := PlanChange(r)
	if err != nil {
		t.Fatal(err)
	}
	kinds, sum := []LineKind{}, int64(0)
	for _, l := range c.Document("sub1") {
		kinds, sum = append(kinds, l.Kind), sum+l.Amount.Minor()
	}
	want := []LineKind{
		LineCharge, LineDiscount, LineSetup, LineCharge, LineDiscount, // what is left of March
		LinePeriod, LineDiscount, LineOption, LineDiscount, // April, invoiced ahead
	}
	if !slices.Equal(kinds, want) || eur(sum) != c.Charged {
		t.Errorf("got %v for %d, want %v for %s", kinds, sum, want, c.Charged)
	}
	first, april := c.Document("sub1")[0], c.Document("sub1")[5]
	if d := first.Detail; d.Days != 16 || d.TotalDays != 31 || d.FullMinor != 2000 || d.Number != 0 || d.Quantity != 1 {
		t.Errorf("got detail %+v", d)
	}
	if d := april.Detail; d.Number != 1 || d.Days != 30 || d.TotalDays != 30 || april.Period.String() != "2027-04-01 to 2027-04-30" {
		t.Errorf("got %+v", april)
	}
	unused := c.Credits[0].Document("sub1", eur(100))
	if unused.Kind != LineUnused || unused.Amount != eur(-100) || unused.Detail.Line != "l1" || unused.Detail.Days != 16 || unused.Period.String() != "2027-03-16 to 2027-03-31" {
		t.Errorf("got %+v", unused)
	}
}

// TestFitCredits fits random credits, each with the taxes of its own line, onto
// an invoice of random size: it never falls below zero, and what does not fit is
// left for a credit note; nothing is left while there is room for a minor unit.
func TestFitCredits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		credits, lines := []CreditPart{}, map[string]IssuedLine{}
		for range rapid.IntRange(0, 5).Draw(t, "credits") {
			l := drawIssued(t)[0]
			l.ID = string(rune('a' + len(credits)))
			amount := rapid.Int64Range(0, l.Split.Net.Minor()).Draw(t, "amount")
			lines[l.ID] = l
			credits = append(credits, CreditPart{Line: l.ID, Amount: eur(amount), Open: rapid.IntRange(0, 4).Draw(t, "open") == 0})
		}
		gross := func(p CreditPart, amount money.Amount) (money.Amount, error) {
			split, err := CreditPriced(lines[p.Line], false, amount)
			if err != nil {
				return amount, err
			}
			return split.Net.Add(split.Tax)
		}
		room := rapid.Int64Range(0, 8000).Draw(t, "room")
		on, rest, err := FitCredits(credits, eur(room), gross)
		if err != nil || len(on) != len(credits) || len(rest) != len(credits) {
			t.Fatalf("got %v and %v, error %v", on, rest, err)
		}
		for i, p := range credits {
			sum, err := gross(p, on[i])
			if err != nil || on[i].Minor()+rest[i].Minor() != p.Amount.Minor() || p.Open && !on[i].IsZero() {
				t.Fatalf("%+v: %s on the invoice, %s left, error %v", p, on[i], rest[i], err)
			}
			room -= sum.Minor()
			if more, err := gross(p, eur(on[i].Minor()+1)); !p.Open && rest[i].Sign() > 0 && (err != nil || more.Minor()-sum.Minor() <= room) {
				t.Fatalf("%+v: %s on the invoice with %d of room, error %v", p, on[i], room, err)
			}
		}
		if room < 0 {
			t.Fatalf("the invoice is %d below zero", -room)
		}
	})
}

func TestFitCreditsFails(t *testing.T) {
	broken := errors.New("no such line")
	credits := []CreditPart{{Description: "VPS S", Amount: eur(10)}}
	fail := func(CreditPart, money.Amount) (money.Amount, error) { return money.Amount{}, broken }
	if _, _, err := FitCredits(credits, eur(10), fail); !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
	dollars := func(_ CreditPart, a money.Amount) (money.Amount, error) { return money.Must(a.Minor(), "USD"), nil }
	if _, _, err := FitCredits(credits, eur(10), dollars); !errors.Is(err, money.ErrMismatch) {
		t.Errorf("got error %v, want %v", err, money.ErrMismatch)
	}
}

// TestD2CurrencyTravelsWithTheAmount: no rule takes a number of one currency for
// another's, whatever the door.
func TestD2CurrencyTravelsWithTheAmount(t *testing.T) {
	dollars := money.Must(3900, "USD")
	doors := map[string]func() error{
		"cart": func() error {
			_, err := QuoteCart(Cart{Currency: "EUR", Items: []CartItem{{Plan: "vps", Name: "VPS", Cycle: Monthly, Unit: dollars}}}, date("2027-03-01"))
			return err
		},
		"setup": func() error {
			_, err := QuoteCart(Cart{Currency: "EUR", Items: []CartItem{{Plan: "vps", Name: "VPS", Cycle: Monthly, Unit: eur(5), Setup: dollars}}}, date("2027-03-01"))
			return err
		},
		"discount": func() error {
			_, err := Discount([]DiscountTerms{fixedOff(5, "EUR")}, 0, Share{}, []Discountable{{LinePeriod, dollars}})
			return err
		},
		"payment": func() error { _, err := ApplyPayment(InvoiceOpen, eur(3900), dollars); return err },
		"credit":  func() error { _, err := SplitCredit(InvoiceOpen, eur(3900), eur(0), dollars); return err },
		"refund": func() error {
			_, err := AllocateRefund([]PaidPart{{"p", "stripe", date("2027-03-01"), eur(5), eur(0), eur(0)}}, dollars)
			return err
		},
		"posting": func() error { return CheckPosting([]Entry{{Receivable, dollars}, {Revenue, eur(-3900)}}) },
		"hours": func() error {
			_, err := (HourlyTerms{dollars, eur(1)}).HourlyMonth(date("2027-03-01"), date("2027-03-02"))
			return err
		},
		"tax": func() error {
			_, err := PlanCreditNote([]IssuedLine{{Position: 1, Split: tax.Split{Net: eur(5), Tax: eur(0)}, Credited: eur(0), CreditedTax: eur(0)}}, []CreditRequest{{1, dollars}})
			return err
		},
	}
	for door, open := range doors {
		if err := open(); !errors.Is(err, money.ErrMismatch) {
			t.Errorf("%s: got error %v, want %v", door, err, money.ErrMismatch)
		}
	}
	for _, code := range []string{"eur", "Eur", "EUR ", ""} {
		if _, err := money.New(1, code); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("%q is taken for a currency", code)
		}
	}
}

// TestD3NoPriceIsNotFree: what has no price cannot be bought, renewed or changed
// to; a price below zero neither.
func TestD3NoPriceIsNotFree(t *testing.T) {
	for name, unit := range map[string]money.Amount{"no price": {}, "minus one": eur(-1)} {
		r := monthlyRenewal(unit)
		if plan, err := PlanRenewal(r, date("2027-02-20")); err == nil {
			t.Errorf("%s: renewed for %+v", name, plan.Due)
		}
		if c, err := PlanChange(march("2027-03-16", RecurringItem{Key: "plan", Description: "VPS", Quantity: 1, Unit: unit})); err == nil {
			t.Errorf("%s: changed for %+v", name, c.Charges)
		}
		if _, err := (RecurringItem{Description: "VPS", Quantity: 1, Unit: unit}).Price(); err == nil {
			t.Errorf("%s: it has a price", name)
		}
	}
	if q, err := QuoteCart(Cart{Currency: "EUR", Items: []CartItem{{Plan: "vps", Name: "VPS", Cycle: Monthly}}}, date("2027-03-01")); err == nil {
		t.Errorf("no price: quoted for %+v", q.Lines)
	}
}
