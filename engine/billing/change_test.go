package billing

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

func planItem(name string, unit int64) RecurringItem {
	return RecurringItem{Key: "plan", Kind: LinePeriod, Description: name, Quantity: 1, Unit: eur(unit)}
}

func optionItem(quantity, unit int64) RecurringItem {
	return RecurringItem{Key: "ip", Kind: "option", Description: "Extra address", Quantity: quantity, Unit: eur(unit)}
}

// march is a subscription of 31 days, 1 to 31 March 2027, of a plan at 10.00.
func march(now string, after ...RecurringItem) ChangeRequest {
	start := date("2027-03-01T10:30:00Z")
	return ChangeRequest{
		Now: date(now), Currency: "EUR", Policy: ChangeProrate, Cycle: Monthly,
		Schedule: Schedule{start, Monthly, 1},
		Segments: []Segment{{Line: "l1", Item: "plan", Description: "VPS S", Period: Period{start, date("2027-04-01T10:30:00Z")}, Amount: eur(1000), Credited: eur(0)}},
		Before:   []RecurringItem{planItem("VPS S", 1000)}, After: after,
	}
}

func TestPlanChange(t *testing.T) {
	scenarios := []struct {
		name             string
		request          ChangeRequest
		change           func(*ChangeRequest)
		credits, charges []int64
		pay, back        int64
	}{
		{"up in the middle", march("2027-03-16", planItem("VPS M", 2000)), nil, []int64{516}, []int64{1032}, 516, 0},
		{"down in the middle", march("2027-03-16", planItem("VPS XS", 500)), nil, []int64{516}, []int64{258}, 0, 258},
		{"on the first day", march("2027-03-01T23:00:00Z", planItem("VPS M", 2000)), nil, []int64{1000}, []int64{2000}, 1000, 0},
		{"on the last day", march("2027-03-31T23:00:00Z", planItem("VPS M", 2000)), nil, []int64{32}, []int64{65}, 33, 0},
		{"in the last hours, a day of the next period", march("2027-04-01T09:00:00Z", planItem("VPS M", 2000)), nil, nil, []int64{0}, 0, 0},
		{"to free", march("2027-03-16", planItem("VPS Free", 0)), nil, []int64{516}, []int64{0}, 0, 516},
		{"an option more", march("2027-03-16", planItem("VPS S", 1000), optionItem(2, 200)), nil, nil, []int64{206}, 206, 0},
		{
			"an option away", march("2027-03-16", planItem("VPS S", 1000)),
			func(r *ChangeRequest) {
				r.Before = append(r.Before, optionItem(2, 200))
				r.Segments = append(r.Segments, Segment{Line: "l2", Item: "ip", Period: r.Segments[0].Period, Amount: eur(400), Credited: eur(0)})
			},
			[]int64{206},
			nil, 0, 206,
		},
		{
			"more of an option", march("2027-03-16", planItem("VPS S", 1000), optionItem(3, 200)),
			func(r *ChangeRequest) {
				r.Before = append(r.Before, optionItem(2, 200))
				r.Segments = append(r.Segments, Segment{Line: "l2", Item: "ip", Period: r.Segments[0].Period, Amount: eur(400), Credited: eur(0)})
			},
			[]int64{206},
			[]int64{310},
			104, 0,
		},
		{
			"with a setup fee", march("2027-03-16", planItem("VPS M", 2000)),
			func(r *ChangeRequest) { r.After[0].Setup = eur(300) },
			[]int64{516},
			[]int64{1032, 300},
			816, 0,
		},
		{
			"a full new cycle", march("2027-03-16", planItem("VPS M", 2000)),
			func(r *ChangeRequest) { r.Policy = ChangeNewCycle },
			[]int64{516},
			[]int64{2000},
			1484, 0,
		},
		{
			"another cycle is a new cycle under either policy", march("2027-03-16", planItem("VPS S", 10_000)),
			func(r *ChangeRequest) { r.Cycle = Annual },
			[]int64{516},
			[]int64{10_000},
			9484, 0,
		},
		{
			"bought with a discount, changed without", march("2027-03-16", planItem("VPS M", 2000)),
			func(r *ChangeRequest) { r.Segments[0].Amount = eur(500) },
			[]int64{258},
			[]int64{1032},
			774, 0,
		},
		{
			"bought for nothing", march("2027-03-16", planItem("VPS XS", 500)),
			func(r *ChangeRequest) { r.Segments[0].Amount = eur(0) },
			nil,
			[]int64{258},
			258, 0,
		},
		{
			"credited in part before", march("2027-03-16", planItem("VPS XS", 500)),
			func(r *ChangeRequest) { r.Segments[0].Credited = eur(500) },
			[]int64{16},
			[]int64{258},
			242, 0,
		},
		{
			"C9 credited in full before", march("2027-03-16", planItem("VPS XS", 500)),
			func(r *ChangeRequest) { r.Segments[0].Credited = eur(1000) },
			nil,
			[]int64{258},
			258, 0,
		},
		{
			"the next period is invoiced ahead", march("2027-03-25", planItem("VPS M", 2000)),
			func(r *ChangeRequest) {
				r.Schedule.NextPeriod = 2
				r.Segments = append(r.Segments, Segment{
					Line: "l2", Item: "plan", Period: Period{date("2027-04-01T10:30:00Z"), date("2027-05-01T10:30:00Z")}, Amount: eur(1000), Credited: eur(0), Open: true,
				})
			},
			[]int64{226, 1000},
			[]int64{452, 2000},
			2226, 0,
		},
		{
			"a new cycle with the next period invoiced ahead and paid", march("2027-03-25", planItem("VPS M", 2000)),
			func(r *ChangeRequest) {
				r.Policy, r.Schedule.NextPeriod = ChangeNewCycle, 2
				r.Segments = append(r.Segments, Segment{
					Line: "l2", Item: "plan", Period: Period{date("2027-04-01T10:30:00Z"), date("2027-05-01T10:30:00Z")}, Amount: eur(1000), Credited: eur(0),
				})
			},
			[]int64{226, 1000},
			[]int64{2000},
			774, 0,
		},
		{
			"to hourly: paid in arrears from now on", march("2027-03-16", planItem("VPS S", 2)),
			func(r *ChangeRequest) { r.Cycle = Hourly },
			[]int64{516},
			nil, 0, 516,
		},
		{
			"from one hourly plan to another: nothing but setup is paid ahead", march("2027-03-16", planItem("VPS M", 3)),
			func(r *ChangeRequest) {
				r.Schedule.Cycle, r.Cycle, r.Segments, r.After[0].Setup = Hourly, Hourly, nil, eur(300)
			},
			nil,
			[]int64{300},
			300, 0,
		},
		{
			"from hourly: nothing was paid ahead", march("2027-03-16", planItem("VPS S", 1000)),
			func(r *ChangeRequest) { r.Schedule.Cycle, r.Segments = Hourly, nil },
			nil,
			[]int64{1000},
			1000, 0,
		},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if s.change != nil {
				s.change(&s.request)
			}
			c, err := PlanChange(s.request)
			if err != nil {
				t.Fatal(err)
			}
			credits, charges := []int64{}, []int64{}
			for _, p := range c.Credits {
				credits = append(credits, p.Amount.Minor())
			}
			for _, l := range c.Charges {
				charges = append(charges, l.Amount.Minor())
			}
			if !slices.Equal(credits, s.credits) || !slices.Equal(charges, s.charges) {
				t.Errorf("got credits %v and charges %v, want %v and %v", credits, charges, s.credits, s.charges)
			}
			if c.ToPay != eur(s.pay) || c.ToReturn != eur(s.back) {
				t.Errorf("got %s to pay and %s to return, want %d and %d", c.ToPay, c.ToReturn, s.pay, s.back)
			}
		})
	}
}

func TestChangeSchedules(t *testing.T) {
	r := march("2027-03-16T08:00:00Z", planItem("VPS M", 2000))
	c, err := PlanChange(r)
	if err != nil || c.Restarted || c.Schedule != r.Schedule {
		t.Errorf("prorated: got %+v, error %v, want the date unchanged", c.Schedule, err)
	}
	if l := c.Charges[0]; l.Period != (Period{r.Now, date("2027-04-01T10:30:00Z")}) || l.Share != (Share{16, 31}) || l.Quantity != 1 {
		t.Errorf("prorated: got line %+v, want 16 of 31 days to the old date", l)
	}
	r.Policy = ChangeNewCycle
	if c, err = PlanChange(r); err != nil || !c.Restarted || c.Schedule != (Schedule{r.Now, Monthly, 1}) {
		t.Errorf("new cycle: got %+v, error %v, want an anchor now and the first period invoiced", c.Schedule, err)
	}
	if l := c.Charges[0]; l.Period.String() != "2027-03-16 to 2027-04-15" || l.Explanation != "" {
		t.Errorf("new cycle: got line %+v, want a full month", l)
	}
	r.Cycle = Hourly
	if c, err = PlanChange(r); err != nil || c.Schedule != (Schedule{r.Now, Hourly, 0}) {
		t.Errorf("to hourly: got %+v, error %v", c.Schedule, err)
	}
}

func TestChangeExplains(t *testing.T) {
	r := march("2027-03-16", planItem("VPS M", 2000), optionItem(3, 200))
	r.Segments[0].Credited = eur(100)
	c, err := PlanChange(r)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Credits[0].Explanation, c.Charges[0].Explanation, c.Charges[1].Explanation}
	want := []string{
		"unused: 16 of 31 days of EUR 10.00 for 2027-03-01 to 2027-03-31, less EUR 1.00 credited before",
		"16 of 31 days of 1 × EUR 20.00",
		"16 of 31 days of 3 × EUR 2.00",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestChangeMarksWhatNoLongerBills: a line of which no day is used is marked, a
// free one too, so that its period can be billed by another line.
func TestChangeMarksWhatNoLongerBills(t *testing.T) {
	r := march("2027-03-01T12:00:00Z", planItem("VPS M", 2000))
	for _, amount := range []int64{1000, 0} {
		r.Segments[0].Amount = eur(amount)
		c, err := PlanChange(r)
		if err != nil || len(c.Credits) != 1 || !c.Credits[0].Whole || c.Credits[0].Amount != eur(amount) {
			t.Errorf("%d on its first day: got %+v, error %v, want it whole", amount, c.Credits, err)
		}
	}
	r.Now = date("2027-03-02")
	if c, err := PlanChange(r); err != nil || len(c.Credits) != 0 {
		t.Errorf("free, a day later: got %+v, error %v, want nothing", c.Credits, err)
	}
}

func TestOpenInvoicesAreLowered(t *testing.T) {
	r := march("2027-03-16", planItem("VPS XS", 500))
	r.Segments[0].Open = true
	c, err := PlanChange(r)
	if err != nil || c.Lowered != eur(516) || c.Credited != eur(0) || c.ToPay != eur(258) || c.ToReturn != eur(0) {
		t.Errorf("got %+v, error %v, want 5.16 off the open invoice and no money back", c, err)
	}
}

func TestChangeRefuses(t *testing.T) {
	scenarios := []struct {
		name   string
		change func(*ChangeRequest)
		want   error
	}{
		{"nothing changes", func(r *ChangeRequest) { r.After = r.Before }, ErrNoChange},
		{"nothing changes but the policy", func(r *ChangeRequest) { r.After, r.Policy = r.Before, ChangeNewCycle }, ErrNoChange},
		{"before the first period", func(r *ChangeRequest) { r.Now = date("2027-02-28") }, ErrBeforeAnchor},
		{"in a period not yet invoiced", func(r *ChangeRequest) { r.Now = date("2027-04-02") }, ErrChangeBehind},
		{"to one-time", func(r *ChangeRequest) { r.Cycle = OneTime }, ErrChangeCycle},
		{"from one-time", func(r *ChangeRequest) { r.Schedule.Cycle = OneTime }, ErrChangeCycle},
		{"an unknown policy", func(r *ChangeRequest) { r.Policy = "refund" }, nil},
		{"an unknown cycle", func(r *ChangeRequest) { r.Cycle = "weekly" }, nil},
		{"D2 a price in another currency", func(r *ChangeRequest) { r.After[0].Unit = money.Must(2000, "USD") }, money.ErrMismatch},
		{"D2 a line in another currency", func(r *ChangeRequest) { r.Segments[0].Amount = money.Must(2000, "USD") }, nil},
		{"D3 no price", func(r *ChangeRequest) { r.After[0].Unit = money.Amount{} }, money.ErrCurrency},
		{"a negative price", func(r *ChangeRequest) { r.After[0].Unit = eur(-1) }, nil},
		{"a negative line", func(r *ChangeRequest) { r.Segments[0].Amount = eur(-1) }, nil},
		{"items that cannot be told apart", func(r *ChangeRequest) { r.After = append(r.After, r.After[0]) }, nil},
		{"an item without a key", func(r *ChangeRequest) { r.After[0].Key = "" }, nil},
		{"no quantity", func(r *ChangeRequest) { r.After[0].Quantity = 0 }, nil},
		{"a discount in another currency", func(r *ChangeRequest) { r.Discounts = []DiscountTerms{fixedOff(5, "USD")} }, money.ErrMismatch},
		{"an unknown currency", func(r *ChangeRequest) { r.Currency, r.Segments = "ABC", nil }, money.ErrCurrency},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			r := march("2027-03-16", planItem("VPS M", 2000))
			s.change(&r)
			if c, err := PlanChange(r); err == nil || s.want != nil && !errors.Is(err, s.want) {
				t.Errorf("got %+v, error %v, want error %v", c, err, s.want)
			}
		})
	}
}

// TestE7DayPriceOfTheFullPeriod: after a change the rest of the period is a
// segment of its own; the next change still reckons with the days of the full
// period, not of that rest.
func TestE7DayPriceOfTheFullPeriod(t *testing.T) {
	r := march("2027-03-16", planItem("VPS M", 3100))
	first, err := PlanChange(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Segments[0].Credited = first.Credits[0].Amount
	r.Segments = append(r.Segments, Segment{Line: "l2", Item: "plan", Period: first.Charges[0].Period, Amount: first.Charges[0].Amount, Credited: eur(0)})
	r.Before, r.After, r.Now = r.After, []RecurringItem{planItem("VPS L", 6200)}, date("2027-03-22")
	second, err := PlanChange(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := second.Charges[0]; got.Amount != eur(2000) || got.Share != (Share{10, 31}) {
		t.Errorf("got %+v, want 10 of 31 days at 2.00", got)
	}
	if len(second.Credits) != 1 || second.Credits[0].Amount != eur(1000) || second.Credits[0].Line != "l2" {
		t.Errorf("got %+v, want 10 of 16 days of the second line alone", second.Credits)
	}
}

// TestE7PartsOfAPeriodSumToItsPrice: on every day of periods of 28 to 1096 days,
// what is used and what is unused are the price, to the last minor unit.
func TestE7PartsOfAPeriodSumToItsPrice(t *testing.T) {
	for _, code := range []string{"EUR", "JPY", "KWD"} {
		for _, cycle := range Cycles()[1:7] {
			full, err := PeriodAt(date("2027-01-31T10:30:00Z"), cycle, 0)
			if err != nil {
				t.Fatal(err)
			}
			price := money.Must(9999, code)
			for now := full.Start; now.Before(full.End); now = now.AddDate(0, 0, 1) {
				left := Share{full.DaysLeft(now), full.Days()}.of(price)
				used, err := price.Sub(left)
				if err != nil || left.Minor()+used.Minor() != price.Minor() || used.Sign() < 0 {
					t.Fatalf("%s on %s: %s used and %s left of %s", cycle, now, used, left, price)
				}
			}
		}
	}
}

// TestE5EachDayIsPaidOnce: a change splits a period into days before and days
// from now on, with no day in both and none in neither, at every hour.
func TestE5EachDayIsPaidOnce(t *testing.T) {
	r := march("2027-03-16", planItem("VPS M", 2000))
	full := r.Segments[0].Period
	for now := full.Start; now.Before(full.End); now = now.Add(time.Hour) {
		r.Now = now
		c, err := PlanChange(r)
		if err != nil {
			t.Fatal(err)
		}
		used := daysBetween(full.Start, now)
		if got := c.Charges[0].Share.Days; got+used != full.Days() {
			t.Fatalf("%s: %d days used, %d charged of %d", now, used, got, full.Days())
		}
		if len(c.Credits) == 1 && c.Credits[0].Days != c.Charges[0].Share.Days {
			t.Fatalf("%s: %d days credited, %d charged", now, c.Credits[0].Days, c.Charges[0].Share.Days)
		}
	}
}
