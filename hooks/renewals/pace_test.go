package renewals

import (
	"testing"
	"time"
)

func TestBatchesFitTheTimeOfACommit(t *testing.T) {
	scenarios := []struct {
		name  string
		batch int
		took  time.Duration
		want  int
	}{
		{"just right", 100, commitTime, 100},
		{"faster", 100, commitTime * 4 / 5, 125},
		{"much faster grows by steps", 100, time.Millisecond, 200},
		{"slower", 100, commitTime * 5 / 4, 80},
		{"much slower shrinks by steps", 100, time.Minute, 50},
		{"never too few", leastBatch, time.Minute, leastBatch},
		{"never too many", mostBatch, time.Millisecond, mostBatch},
		{"a clock that stands still", 100, 0, 200},
		{"a clock that was put back", 100, -time.Hour, 200},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := fit(s.batch, s.took); got != s.want {
				t.Errorf("fit(%d, %s) = %d, want %d", s.batch, s.took, got, s.want)
			}
		})
	}
}
