package billing

import (
	"os"
	"regexp"
	"testing"
	"time"
	_ "time/tzdata" // zones on both sides of UTC, wherever the tests run

	"pgregory.net/rapid"
)

func date(text string) time.Time {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	panic("not a date: " + text)
}

func TestDays(t *testing.T) {
	scenarios := []struct {
		name             string
		start, end, now  string
		days, left, used int64
	}{
		{"a month from its first day", "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z", "2027-01-31T10:30:00Z", 28, 28, 0},
		{"later on the first day", "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z", "2027-01-31T23:59:59Z", 28, 28, 0},
		{"the second day", "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z", "2027-02-01T00:00:00Z", 28, 27, 1},
		{"the last whole day", "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z", "2027-02-27T12:00:00Z", 28, 1, 27},
		{"the morning of the next start belongs to the next", "2027-01-31T10:30:00Z", "2027-02-28T10:30:00Z", "2027-02-28T09:00:00Z", 28, 0, 28},
		{"leap February", "2028-02-01", "2028-03-01", "2028-02-29", 29, 1, 28},
		{"leap year", "2028-01-01", "2029-01-01", "2028-03-01", 366, 306, 60},
		{"before it", "2027-03-01", "2027-04-01", "2027-01-01", 31, 31, 0},
		{"after it", "2027-03-01", "2027-04-01", "2027-05-01", 31, 0, 31},
		{"within one day", "2027-03-01T01:00:00Z", "2027-03-01T02:00:00Z", "2027-03-01T01:30:00Z", 0, 0, 0},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			p := Period{date(s.start), date(s.end)}
			days, left := p.Days(), p.DaysLeft(date(s.now))
			if days != s.days || left != s.left || days-left != s.used {
				t.Errorf("%s at %s: got %d of %d days left, want %d of %d", p, s.now, left, days, s.left, s.days)
			}
		})
	}
	if open := (Period{Start: date("2027-03-01")}); open.Days() != 0 || open.DaysLeft(date("2027-03-02")) != 0 {
		t.Errorf("%s has days", open)
	}
}

func TestPeriodText(t *testing.T) {
	scenarios := []struct {
		p    Period
		want string
	}{
		{Period{date("2027-01-31T10:30:00Z"), date("2027-02-28T10:30:00Z")}, "2027-01-31 to 2027-02-27"},
		{Period{date("2027-01-31T10:30:00Z"), date("2027-01-31T11:30:00Z")}, "2027-01-31 to 2027-01-31"},
		{Period{Start: date("2027-01-31")}, "from 2027-01-31"},
		{Period{}, "no period"},
	}
	for _, s := range scenarios {
		if got := s.p.String(); got != s.want {
			t.Errorf("got %q, want %q", got, s.want)
		}
	}
}

// TestE3DaysIgnoreClocks counts days in zones on both sides of UTC over both
// clock changes: the same instants give the same days, and a day of 23 or 25
// local hours is one day.
func TestE3DaysIgnoreClocks(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "America/St_Johns", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"}
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for hour := range 365 * 24 {
			now := date("2027-01-01").Add(time.Duration(hour) * time.Hour)
			inUTC, err := PeriodAt(date("2026-12-31T23:30:00Z"), Monthly, hour/(31*24))
			if err != nil {
				t.Fatal(err)
			}
			there, err := PeriodAt(date("2026-12-31T23:30:00Z").In(zone), Monthly, hour/(31*24))
			if err != nil || !there.Start.Equal(inUTC.Start) || !there.End.Equal(inUTC.End) {
				t.Fatalf("%s: period %s (error %v), in UTC %s", name, there, err, inUTC)
			}
			local := Period{inUTC.Start.In(zone), inUTC.End.In(zone)}
			if got, want := local.DaysLeft(now.In(zone)), inUTC.DaysLeft(now); got != want || local.Days() != inUTC.Days() {
				t.Fatalf("%s at %s: %d of %d days left, in UTC %d of %d", name, now, got, local.Days(), want, inUTC.Days())
			}
		}
	}
}

// TestE3NoBlocksOfHours: nothing in this package reckons days in hours.
func TestE3NoBlocksOfHours(t *testing.T) {
	blocks := regexp.MustCompile(`24\s*\*\s*time\.|\.Truncate\(|\.Hours\(\)`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !regexp.MustCompile(`^[a-z_]+\.go$`).MatchString(f.Name()) || regexp.MustCompile(`_test\.go$`).MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found := blocks.Find(text); found != nil {
			t.Errorf("%s reckons with %q", f.Name(), found)
		}
	}
}

// TestDaysOfPeriodsAddUp: the days of successive periods are the days from the
// first start to the last end, and each date is in exactly one of them.
func TestDaysOfPeriodsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := drawInstant(t, "anchor")
		cycle := rapid.SampledFrom(Cycles()[1:7]).Draw(t, "cycle")
		var sum int64
		for n := range 30 {
			p, err := PeriodAt(anchor, cycle, n)
			if err != nil {
				t.Fatal(err)
			}
			sum += p.Days()
			if total := daysBetween(anchor, p.End); sum != total || p.Days() < 28 {
				t.Fatalf("%s from %s: %d days up to %s, the calendar has %d", cycle, anchor, sum, p, total)
			}
		}
	})
}

func drawInstant(t *rapid.T, label string) time.Time {
	return time.Date(rapid.IntRange(2023, 2033).Draw(t, label+" year"), time.Month(rapid.IntRange(1, 12).Draw(t, label+" month")),
		rapid.IntRange(1, 31).Draw(t, label+" day"), 0, 0, rapid.IntRange(0, 86_399).Draw(t, label+" second"), 0, time.UTC)
}
