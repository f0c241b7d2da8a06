package billing

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

var cheapHours = HourlyTerms{Hour: eur(2), Cap: eur(1000)} // capped at 500 hours

func TestHourlyMonth(t *testing.T) {
	scenarios := []struct {
		name          string
		activated, at string
		hours, minor  int64
		capped        bool
		period        string
	}{
		{"not a second", "2027-03-05T10:30:00Z", "2027-03-05T10:30:00Z", 0, 0, false, "2027-03-05T10:30:00Z"},
		{"a second", "2027-03-05T10:30:00Z", "2027-03-05T10:30:01Z", 1, 2, false, "2027-03-05T10:30:00Z"},
		{"an hour to the second", "2027-03-05T10:30:00Z", "2027-03-05T11:30:00Z", 1, 2, false, "2027-03-05T10:30:00Z"},
		{"a second more", "2027-03-05T10:30:00Z", "2027-03-05T11:30:01Z", 2, 4, false, "2027-03-05T10:30:00Z"},
		{"the hour over the month's end belongs to the month it starts in", "2027-03-31T23:30:00Z", "2027-04-01T00:00:00Z", 1, 2, false, "2027-03-31T23:30:00Z"},
		{"and is not counted again", "2027-03-31T23:30:00Z", "2027-04-01T00:30:00Z", 0, 0, false, "2027-04-01T00:00:00Z"},
		{"the next one is", "2027-03-31T23:30:00Z", "2027-04-01T00:30:01Z", 1, 2, false, "2027-04-01T00:00:00Z"},
		{"a whole month is capped", "2027-02-10", "2027-04-01", 744, 1000, true, "2027-03-01T00:00:00Z"},
		{"to the cap exactly", "2027-03-01", "2027-03-21T20:00:00Z", 500, 1000, true, "2027-03-01T00:00:00Z"},
		{"an hour less", "2027-03-01", "2027-03-21T19:00:00Z", 499, 998, false, "2027-03-01T00:00:00Z"},
		{"February", "2027-01-01", "2027-03-01", 672, 1000, true, "2027-02-01T00:00:00Z"},
		{"before the activation", "2027-03-05T10:30:00Z", "2027-03-04", 0, 0, false, "2027-03-04T00:00:00Z"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := cheapHours.HourlyMonth(date(s.activated), date(s.at))
			if err != nil || got.Hours != s.hours || got.Amount != eur(s.minor) || got.Capped != s.capped || !got.Period.Start.Equal(date(s.period)) {
				t.Errorf("got %+v, error %v, want %d hours for %d from %s", got, err, s.hours, s.minor, s.period)
			}
		})
	}
}

func TestHourlyRefuses(t *testing.T) {
	start := date("2027-03-01")
	scenarios := []struct {
		name     string
		terms    HourlyTerms
		from, to time.Time
		want     error
	}{
		{"backwards", cheapHours, start.Add(time.Hour), start, nil},
		{"two months", cheapHours, start, date("2027-04-02"), nil},
		{"two currencies", HourlyTerms{eur(2), money.Must(1000, "USD")}, start, date("2027-03-02"), money.ErrMismatch},
		{"a negative price", HourlyTerms{eur(-2), eur(1000)}, start, date("2027-03-02"), nil},
		{"a negative cap", HourlyTerms{eur(2), eur(-1000)}, start, date("2027-03-02"), nil},
		{"no price", HourlyTerms{}, start, date("2027-03-02"), money.ErrCurrency},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got, err := s.terms.Between(start, s.from, s.to); err == nil || s.want != nil && !errors.Is(err, s.want) {
				t.Errorf("got %+v, error %v, want error %v", got, err, s.want)
			}
		})
	}
}

// TestHourlyParts: a month billed in any parts costs what it costs in one, never
// above the cap, never less as time goes on; and the hours of all months are the
// hours of the whole life.
func TestHourlyParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := HourlyTerms{eur(rapid.Int64Range(0, 50).Draw(t, "hour")), eur(rapid.Int64Range(0, 20_000).Draw(t, "cap"))}
		activated := drawInstant(t, "activated")
		var hours int64
		at := activated
		for range rapid.IntRange(1, 4).Draw(t, "months") {
			month := CalendarMonth(at)
			var amount int64
			from := month.Start
			for from.Before(month.End) {
				to := from.Add(time.Duration(rapid.IntRange(0, 20*86_400).Draw(t, "seconds")) * time.Second)
				if to.After(month.End) {
					to = month.End
				}
				part, err := terms.Between(activated, from, to)
				if err != nil || part.Amount.Sign() < 0 {
					t.Fatalf("%s to %s: got %+v, error %v", from, to, part, err)
				}
				amount, hours = amount+part.Amount.Minor(), hours+part.Hours
				if amount > terms.Cap.Minor() {
					t.Fatalf("%s: %d is above the cap of %s", to, amount, terms.Cap)
				}
				from = to
			}
			whole, err := terms.HourlyMonth(activated, month.End)
			if err != nil || whole.Amount.Minor() != amount {
				t.Fatalf("%s: %d in parts, %s in one, error %v", month, amount, whole.Amount, err)
			}
			at = month.End
		}
		if want := hoursBefore(activated, at); hours != want {
			t.Fatalf("%d hours in months, %d from %s to %s", hours, want, activated, at)
		}
	})
}
