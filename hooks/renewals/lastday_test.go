package renewals_test

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestANewCycleOnTheLastDay: days are not divided, so a full cycle that begins on
// the day on which the old one ends gives nothing back, and the audit, which runs
// when the test ends, does not take that for time billed twice.
func TestANewCycleOnTheLastDay(t *testing.T) {
	s := openGroup(t)
	s.stockOptions()
	s.set(s.Plan("vps-s"), object{"change_policy": "new_cycle"})
	ada := s.Customer("ada")
	o := s.Buy(ada, testapp.Cart{})
	sub := s.subscription(o)
	end := collections.Time(sub, "current_period_end")
	s.days(25)
	s.settle(s.renewed(ada.Id)[0].Id, 490) // the next month is paid already
	day := end.Truncate(24 * time.Hour)
	s.Clock().Advance(day.Add(end.Sub(day) / 2).Sub(s.Clock().Now()))
	change := s.agree(ada, sub.Id, object{"timing": "now", "options": object{"ram": object{"value": "8"}}})
	s.settle(change.Text("invoice_id"), change.Int("total.minor"))
	if got := s.subscription(o).GetInt64("next_period"); got != 1 {
		t.Errorf("%d periods of the new cycle are billed, want 1", got)
	}
}
