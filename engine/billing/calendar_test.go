package billing

import (
	"testing"
	"time"
)

// TestE1E2EveryAnchorDay walks 24 months from every day of a common and a leap
// year in every cycle counted in months, and compares each boundary with the
// calendar as it hangs on a wall.
func TestE1E2EveryAnchorDay(t *testing.T) {
	lengths := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	length := func(year, month int) int {
		if month == 1 && year%4 == 0 { // no century within
			return 29
		}
		return lengths[month]
	}
	for year := 2027; year <= 2028; year++ {
		for month := range 12 {
			for day := 1; day <= length(year, month); day++ {
				anchor := time.Date(year, time.Month(month+1), day, 10, 30, 0, 0, time.UTC)
				for _, cycle := range Cycles()[1:7] {
					months, _ := cycle.Months()
					for n := 0; n*months <= 24; n++ {
						y, m := year+(month+n*months)/12, (month+n*months)%12
						want := time.Date(y, time.Month(m+1), min(day, length(y, m)), 10, 30, 0, 0, time.UTC)
						p, err := PeriodAt(anchor, cycle, n)
						if err != nil || !p.Start.Equal(want) {
							t.Fatalf("%s from %s: period %d starts %s (error %v), want %s", cycle, anchor, n, p.Start, err, want)
						}
					}
				}
			}
		}
	}
}
