package provisioning_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// TestEveryWatchedServiceGetsItsTurn: whatever the number, no round reads more than
// its limit, nothing is read twice within the interval, and nobody waits longer than
// the others make it.
func TestEveryWatchedServiceGetsItsTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "services")
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		round, every := 5*time.Second, time.Duration(rapid.IntRange(1, 60).Draw(t, "every"))*time.Second
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		watched := make([]provisioning.Watched, n)
		for i := range watched {
			watched[i].ID = fmt.Sprint(i)
		}
		// As long as it takes until all were read, and a round more.
		longest := max(every, time.Duration((n+limit-1)/limit)*round) + round
		for range 100 {
			due := provisioning.DueReadings(watched, now, every, limit)
			if len(due) > limit {
				t.Fatalf("%d are read, want %d at most", len(due), limit)
			}
			for _, d := range due {
				for i := range watched {
					if watched[i].ID != d.ID {
						continue
					}
					if age := now.Sub(watched[i].Read); age < every || !watched[i].Read.IsZero() && age > longest {
						t.Fatalf("service %s is read after %s, want %s to %s", d.ID, age, every, longest)
					}
					watched[i].Read = now
				}
			}
			now = now.Add(round)
		}
		for _, w := range watched {
			if now.Sub(w.Read) > longest {
				t.Fatalf("service %s was last read %s ago, want %s at most", w.ID, now.Sub(w.Read), longest)
			}
		}
	})
}
