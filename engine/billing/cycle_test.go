package billing

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPeriodAt(t *testing.T) {
	jan31 := time.Date(2027, 1, 31, 10, 30, 0, 0, time.UTC)
	scenarios := []struct {
		name       string
		anchor     time.Time
		cycle      Cycle
		n          int
		start, end string
	}{
		{"first month", jan31, Monthly, 0, "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z"},
		{"second month comes back to the 31st", jan31, Monthly, 1, "2027-02-28T10:30:00Z", "2027-03-31T10:30:00Z"},
		{"leap February", jan31, Monthly, 12, "2028-01-31T10:30:00Z", "2028-02-29T10:30:00Z"},
		{"quarter", jan31, Quarterly, 0, "2027-01-31T10:30:00Z", "2027-04-30T10:30:00Z"},
		{"half a year", jan31, SemiAnnual, 1, "2027-07-31T10:30:00Z", "2028-01-31T10:30:00Z"},
		{"year", jan31, Annual, 1, "2028-01-31T10:30:00Z", "2029-01-31T10:30:00Z"},
		{"two years", jan31, Biennial, 0, "2027-01-31T10:30:00Z", "2029-01-31T10:30:00Z"},
		{"three years", jan31, Triennial, 0, "2027-01-31T10:30:00Z", "2030-01-31T10:30:00Z"},
		{"hour over midnight", time.Date(2027, 1, 31, 23, 30, 0, 0, time.UTC), Hourly, 0, "2027-01-31T23:30:00Z", "2027-02-01T00:30:00Z"},
		{"leap day each year", time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), Annual, 3, "2031-02-28T00:00:00Z", "2032-02-29T00:00:00Z"},
		{
			"the day is the day in UTC", time.Date(2027, 1, 1, 1, 0, 0, 0, time.FixedZone("east", 2*3600)),
			Monthly, 0, "2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z",
		},
		{"no leap day in 2100", time.Date(2100, 1, 31, 0, 0, 0, 0, time.UTC), Monthly, 0, "2100-01-31T00:00:00Z", "2100-02-28T00:00:00Z"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			p, err := PeriodAt(s.anchor, s.cycle, s.n)
			if err != nil {
				t.Fatal(err)
			}
			start, end := p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339)
			if start != s.start || end != s.end {
				t.Errorf("got [%s, %s), want [%s, %s)", start, end, s.start, s.end)
			}
		})
	}
}

func TestPeriodAtRefuses(t *testing.T) {
	scenarios := []struct {
		name  string
		cycle Cycle
		n     int
	}{
		{"before the first", Monthly, -1},
		{"absurdly far", Hourly, maxPeriods + 1},
		{"a second one-time period", OneTime, 1},
		{"unknown cycle", "weekly", 0},
		{"no cycle", "", 0},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if p, err := PeriodAt(time.Unix(0, 0), s.cycle, s.n); err == nil {
				t.Errorf("period %d of %q: got %v, want an error", s.n, s.cycle, p)
			}
		})
	}
}

// TestMonthEndsNeverDrift walks eight years, two leap years among them, from
// each late anchor day and compares every start with the calendar.
func TestMonthEndsNeverDrift(t *testing.T) {
	lengths := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for day := 28; day <= 31; day++ {
		t.Run(fmt.Sprintf("anchor day %d", day), func(t *testing.T) {
			anchor := time.Date(2027, time.January, day, 8, 15, 30, 0, time.UTC)
			for n := range 8 * 12 {
				year, month := 2027+n/12, n%12
				last := lengths[month]
				if month == 1 && (year == 2028 || year == 2032) {
					last = 29
				}
				want := time.Date(year, time.Month(month+1), min(day, last), 8, 15, 30, 0, time.UTC)
				if p, err := PeriodAt(anchor, Monthly, n); err != nil || !p.Start.Equal(want) {
					t.Fatalf("period %d starts %v (error %v), want %v", n, p.Start, err, want)
				}
			}
		})
	}
}

// TestPeriodsAreContiguous: each period begins the instant the one before ends,
// has a positive length, and every instant lies in exactly one.
func TestPeriodsAreContiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := time.Date(rapid.IntRange(2000, 2100).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")),
			rapid.IntRange(1, 31).Draw(t, "day"), 0, 0, rapid.IntRange(0, 86_399).Draw(t, "second"), 0, time.UTC)
		cycle := rapid.SampledFrom(Cycles()[:7]).Draw(t, "cycle")
		n := rapid.IntRange(0, 400).Draw(t, "n")
		p, err := PeriodAt(anchor, cycle, n)
		if err != nil {
			t.Fatal(err)
		}
		next, err := PeriodAt(anchor, cycle, n+1)
		if err != nil || !next.Start.Equal(p.End) || !p.End.After(p.Start) {
			t.Fatalf("%s from %v: %v then %v (error %v)", cycle, anchor, p, next, err)
		}
		if !p.Contains(p.Start) || p.Contains(p.End) || !next.Contains(p.End) || p.Contains(p.Start.Add(-1)) || !p.Contains(p.End.Add(-1)) {
			t.Fatalf("%v is not half-open", p)
		}
		if first, err := PeriodAt(anchor, cycle, 0); err != nil || !first.Start.Equal(anchor) {
			t.Fatalf("%s: the first period starts %v, want the anchor %v", cycle, first.Start, anchor)
		}
	})
}

func TestOneTimePeriodNeverEnds(t *testing.T) {
	anchor := time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)
	p, err := PeriodAt(anchor, OneTime, 0)
	if err != nil || !p.End.IsZero() {
		t.Fatalf("got %v, error %v, want no end", p, err)
	}
	if p.Contains(anchor.Add(-1)) || !p.Contains(anchor) || !p.Contains(anchor.AddDate(100, 0, 0)) {
		t.Errorf("%v contains the wrong instants", p)
	}
}

func TestParseCycle(t *testing.T) {
	for _, want := range Cycles() {
		if got, err := ParseCycle(string(want)); err != nil || got != want {
			t.Errorf("ParseCycle(%q): got %q, error %v", want, got, err)
		}
		_, counted := want.Months()
		if counted == (want == Hourly || want == OneTime) {
			t.Errorf("%s: counted in months is %v", want, counted)
		}
	}
	for _, text := range []string{"", "weekly", "Monthly", "monthly "} {
		if got, err := ParseCycle(text); err == nil {
			t.Errorf("ParseCycle(%q): got %q, want an error", text, got)
		}
	}
}
