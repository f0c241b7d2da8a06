package billing

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestScheduleAt(t *testing.T) {
	scenarios := []struct {
		name   string
		anchor string
		cycle  Cycle
		at     string
		n      int
		want   string
	}{
		{"the first instant", "2027-01-31T10:30:00Z", Monthly, "2027-01-31T10:30:00Z", 0, "2027-01-31 to 2027-02-27"},
		{"a month end", "2027-01-31T10:30:00Z", Monthly, "2027-02-28T10:29:59Z", 0, "2027-01-31 to 2027-02-27"},
		{"the next start", "2027-01-31T10:30:00Z", Monthly, "2027-02-28T10:30:00Z", 1, "2027-02-28 to 2027-03-30"},
		{"years on", "2027-01-31T10:30:00Z", Quarterly, "2035-05-01T00:00:00Z", 33, "2035-04-30 to 2035-07-30"},
		{"triennial", "2028-02-29", Triennial, "2031-02-28T01:00:00Z", 1, "2031-02-28 to 2034-02-27"},
		{"an hour", "2027-01-31T10:30:00Z", Hourly, "2027-02-01T10:29:00Z", 23, "2027-02-01 to 2027-02-01"},
		{"once", "2027-01-31", OneTime, "2040-01-01", 0, "from 2027-01-31"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			n, p, err := StartSchedule(s.cycle, date(s.anchor)).At(date(s.at))
			if err != nil || n != s.n || p.String() != s.want {
				t.Errorf("got %d, %s, error %v, want %d, %s", n, p, err, s.n, s.want)
			}
		})
	}
	if _, _, err := StartSchedule(Monthly, date("2027-01-31")).At(date("2027-01-30")); !errors.Is(err, ErrBeforeAnchor) {
		t.Errorf("a day before the anchor: got error %v, want %v", err, ErrBeforeAnchor)
	}
	if _, _, err := StartSchedule("weekly", date("2027-01-31")).At(date("2027-02-01")); err == nil {
		t.Error("an unknown cycle has a period")
	}
}

func TestScheduleAtFindsItsPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := StartSchedule(rapid.SampledFrom(Cycles()[:7]).Draw(t, "cycle"), drawInstant(t, "anchor"))
		at := s.Anchor.Add(time.Duration(rapid.Int64Range(0, 20*365*86_400).Draw(t, "seconds")) * time.Second)
		n, p, err := s.At(at)
		if err != nil || !p.Contains(at) {
			t.Fatalf("%s from %s at %s: period %d %s, error %v", s.Cycle, s.Anchor, at, n, p, err)
		}
		if again, err := PeriodAt(s.Anchor, s.Cycle, n); err != nil || again != p {
			t.Fatalf("period %d: got %s, PeriodAt says %s (error %v)", n, p, again, err)
		}
	})
}

func TestDueAt(t *testing.T) {
	s := Schedule{date("2027-01-31T10:30:00Z"), Monthly, 1}
	p, _ := s.Next()
	scenarios := []struct {
		name, issued, want string
	}{
		{"in good time: due as the period starts", "2027-02-14T10:30:00Z", "2027-02-28T10:30:00Z"},
		{"late: the customer still has the terms", "2027-02-27T08:00:00Z", "2027-03-06T08:00:00Z"},
		{"made up after months", "2027-06-01T08:00:00Z", "2027-06-08T08:00:00Z"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := DueAt(p, date(s.issued), 7); !got.Equal(date(s.want)) {
				t.Errorf("got %s, want %s", got, s.want)
			}
		})
	}
}

// TestA7PaymentSetsNeverAdds: paying the lines of a subscription in any order and
// any number of times leaves it paid through the last of them.
func TestA7PaymentSetsNeverAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := drawInstant(t, "anchor")
		current, last := Period{}, Period{}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 12).Draw(t, "paid") {
			p, err := PeriodAt(anchor, Monthly, n)
			if err != nil {
				t.Fatal(err)
			}
			if p.End.After(last.End) {
				last = p
			}
			current = PaidThrough(current, p)
			if current != last || PaidThrough(current, p) != current {
				t.Fatalf("paid through %s, want %s", current, last)
			}
		}
	})
}

// TestE9LatePaymentKeepsTheAnchor: when a period is paid plays no part in which
// period comes next.
func TestE9LatePaymentKeepsTheAnchor(t *testing.T) {
	s := Schedule{date("2027-01-31T10:30:00Z"), Monthly, 3}
	paid, _ := PeriodAt(s.Anchor, s.Cycle, 2) // from 31 Mar, paid in mid-April
	current := PaidThrough(Period{}, paid)
	if next, err := s.Next(); err != nil || !next.Start.Equal(current.End) || next.Start.Day() != 30 || next.End.Day() != 31 {
		t.Errorf("after %s comes %s (error %v), want 30 Apr to 30 May without a day lost or given away", current, next, err)
	}
}

// TestE8NothingBeforeActivation: what starts late starts then, however long ago
// it was ordered; the schedule knows no earlier period.
func TestE8NothingBeforeActivation(t *testing.T) {
	ordered, activated := date("2027-01-05"), date("2027-09-20T14:00:00Z")
	r := monthlyRenewal(eur(1000))
	r.Schedule = StartSchedule(Monthly, activated)
	plan, err := PlanRenewal(r, activated)
	if err != nil || len(plan.Due) != 1 || !plan.Due[0].Period.Start.Equal(activated) {
		t.Fatalf("ordered %s, activated %s: got %+v, error %v, want the first period alone", ordered, activated, plan.Due, err)
	}
	if _, _, err := r.Schedule.At(ordered); !errors.Is(err, ErrBeforeAnchor) {
		t.Errorf("there is a period at the order's date: error %v", err)
	}
}
