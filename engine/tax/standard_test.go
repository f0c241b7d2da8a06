package tax

import (
	"testing"
	"time"
)

// TestStandardRatesCoverTheUnion finds one rate for each member state on each day
// since March 2021, all usable and in bounds of Article 97 of Directive
// 2006/112/EC, which wants at least 15 %.
func TestStandardRatesCoverTheUnion(t *testing.T) {
	rates := StandardRates()
	for _, r := range rates {
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", r.Country, err)
		}
		if r.PPM < 150_000 || r.PPM > 270_000 {
			t.Errorf("%s: %d ppm is no standard rate", r.Country, r.PPM)
		}
	}
	for _, day := range []string{"2021-03-01", "2024-06-01", "2026-11-25"} {
		at, _ := time.Parse(time.DateOnly, day)
		for _, state := range MemberStates() {
			got, ok := pick(rates, At(state, "", ""), at, false)
			if !ok || len(got) != 1 {
				t.Errorf("%s on %s: %v", state, day, got)
			}
		}
	}
	if got, _ := pick(rates, At("EE", "", ""), time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC), false); got[0].PPM != 220_000 {
		t.Errorf("Estonia the day before its change: %v", got)
	}
}
