package billing

import (
	"math/big"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// walk is a customer who changes plans at random. Every line ever invoiced is
// passed to every change, as careless a caller as there can be.
type walk struct {
	t        *rapid.T
	now      time.Time
	schedule Schedule
	items    []RecurringItem
	terms    []DiscountTerms
	segments []Segment
	ahead    int      // days that periods are invoiced ahead
	day      *big.Rat // value of the days used, at the price of what was in force
}

// TestC9ChangesNeverPayOut walks random paths up, down and across options,
// quantities and cycles, under both policies, over month ends and leap days. No
// line ever gives back more than it took, and when all that is left is given
// back the customer has paid for the days used, give or take one minor unit for
// each line's rounding: changing never pays.
func TestC9ChangesNeverPayOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			w.live(rapid.SampledFrom([]int{0, 0, 1, 1, 2, 5, 9, 20, 27, 31, 200}).Draw(t, "days"))
			w.change()
			w.check()
		}
		w.leave()
	})
}

func newWalk(t *rapid.T) *walk {
	w := &walk{t: t, now: drawInstant(t, "anchor"), day: new(big.Rat), items: drawItems(t)}
	w.ahead = rapid.SampledFrom([]int{0, 14}).Draw(t, "days ahead")
	w.schedule = StartSchedule(rapid.SampledFrom(Cycles()[1:5]).Draw(t, "cycle"), w.now)
	switch rapid.IntRange(0, 3).Draw(t, "discount") {
	case 0:
		w.terms = []DiscountTerms{percentOff(2500)}
	case 1:
		w.terms = []DiscountTerms{fixedOff(150, "EUR")}
	}
	w.renew()
	return w
}

func drawItems(t *rapid.T) []RecurringItem {
	items := []RecurringItem{planItem("VPS", rapid.SampledFrom([]int64{499, 1000, 2345, 9999}).Draw(t, "plan"))}
	if quantity := rapid.Int64Range(0, 3).Draw(t, "addresses"); quantity > 0 {
		items = append(items, optionItem(quantity, 199))
	}
	return items
}

// renew invoices what is due, by the renewal's own rules.
func (w *walk) renew() {
	r := Renewal{Status: SubscriptionActive, Schedule: w.schedule, DaysAhead: w.ahead, Discounts: w.terms}
	for _, it := range w.items {
		r.Items = append(r.Items, RenewalItem{RecurringItem: it})
	}
	plan, err := PlanRenewal(r, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, due := range plan.Due {
		first := len(w.segments)
		for _, l := range due.Lines {
			w.segments = append(w.segments, Segment{Item: l.Item, Period: l.Period, Amount: l.Amount, Credited: eur(0)})
		}
		for _, d := range due.Discounts {
			w.takeOff(first+d.Line, d)
		}
	}
	w.schedule.NextPeriod = plan.NextPeriod
}

func (w *walk) takeOff(i int, d DiscountLine) {
	var err error
	if w.segments[i].Amount, err = w.segments[i].Amount.Add(d.Amount); err != nil {
		w.t.Fatal(err)
	}
}

// live passes days, each at the day price of the full period it lies in.
func (w *walk) live(days int) {
	for range days {
		w.renew()
		n, p, err := w.schedule.At(w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		w.day.Add(w.day, big.NewRat(w.fullPrice(n), p.Days()))
		w.now = w.now.AddDate(0, 0, 1)
	}
	w.now = time.Date(w.now.Year(), w.now.Month(), w.now.Day(), w.schedule.Anchor.Hour(), w.schedule.Anchor.Minute(), w.schedule.Anchor.Second(), 0, time.UTC)
	w.renew()
}

func (w *walk) fullPrice(n int) int64 {
	lines, sum := []Discountable{}, int64(0)
	for _, it := range w.items {
		price, err := it.Price()
		if err != nil {
			w.t.Fatal(err)
		}
		lines, sum = append(lines, Discountable{it.Kind, price}), sum+price.Minor()
	}
	taken, err := Discount(w.terms, n, Share{}, lines)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range taken {
		sum += d.Amount.Minor()
	}
	return sum
}

func (w *walk) change() {
	w.apply(drawItems(w.t),
		rapid.SampledFrom([]ChangePolicy{ChangeProrate, ChangeNewCycle}).Draw(w.t, "policy"),
		rapid.SampledFrom([]Cycle{w.schedule.Cycle, w.schedule.Cycle, Monthly, Annual}).Draw(w.t, "new cycle"))
}

// apply makes one change and books what it says.
func (w *walk) apply(after []RecurringItem, policy ChangePolicy, cycle Cycle) {
	r := ChangeRequest{
		Now: w.now, Currency: "EUR", Schedule: w.schedule, Segments: w.segments, Before: w.items, After: after, Discounts: w.terms,
		Policy: policy, Cycle: cycle,
	}
	if r.Cycle == r.Schedule.Cycle && sameItems(r.Before, r.After) {
		return
	}
	for i := range r.Segments {
		r.Segments[i].Line = strconv.Itoa(i)
	}
	c, err := PlanChange(r)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range c.Credits {
		i, err := strconv.Atoi(p.Line)
		if err != nil {
			w.t.Fatal(err)
		}
		if w.segments[i].Credited, err = w.segments[i].Credited.Add(p.Amount); err != nil {
			w.t.Fatal(err)
		}
	}
	first := len(w.segments)
	for _, l := range c.Charges {
		w.segments = append(w.segments, Segment{Item: l.Item, Period: l.Period, Amount: l.Amount, Credited: eur(0)})
	}
	for _, d := range c.Discounts {
		w.takeOff(first+d.Line, d)
	}
	w.schedule, w.terms, w.items = c.Schedule, c.Terms, r.After
}

func (w *walk) check() {
	for i, s := range w.segments {
		if s.Credited.Minor() > s.Amount.Minor() {
			w.t.Fatalf("line %d gave back %s of %s", i, s.Credited, s.Amount)
		}
	}
}

// kept is what was invoiced and not given back.
func (w *walk) kept() (kept int64) {
	for _, s := range w.segments {
		kept += s.Amount.Minor() - s.Credited.Minor()
	}
	return kept
}

// leave gives back all that is left and compares what was kept with the days used.
func (w *walk) leave() {
	kept := w.kept()
	for _, s := range w.segments {
		kept -= s.unused(s.Period.DaysLeft(w.now), s.Period.Days()).Minor()
	}
	off, _ := new(big.Rat).Sub(big.NewRat(kept, 1), w.day).Float64()
	if bound := float64(len(w.segments) + 1); off < -bound || off > bound {
		w.t.Fatalf("kept %d for days worth %s, off by %.2f with %d lines", kept, w.day.FloatString(2), off, len(w.segments))
	}
}

// TestC9ThereAndBackIsFree: going to any other plan and back on the same day, any
// number of times, costs nothing and pays nothing. Under a discount the lines the
// period began with may round by one minor unit each.
func TestC9ThereAndBackIsFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		w.live(rapid.IntRange(0, 80).Draw(t, "days"))
		home, start := w.items, w.kept()
		for range rapid.IntRange(1, 5).Draw(t, "times") {
			w.apply(drawItems(t), ChangeProrate, w.schedule.Cycle)
			w.apply(home, ChangeProrate, w.schedule.Cycle)
		}
		bound := int64(0)
		if len(w.terms) > 0 {
			bound = int64(len(home)) * int64(1+w.schedule.NextPeriod) // those invoiced ahead as well
		}
		if got := w.kept(); got-start > bound || start-got > bound {
			t.Fatalf("there and back: %d paid before, %d after, with %d terms", start, got, len(w.terms))
		}
	})
}
