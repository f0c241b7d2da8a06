package renewals

import "time"

// A commit holds as many subscriptions as fit in commitTime, so that other
// writers wait no longer than that for their turn, on slow machines too.
const (
	commitTime = 80 * time.Millisecond
	leastBatch = 20
	firstBatch = 100
	mostBatch  = 400
)

// fit is the size of the next batch after one of this size took so long.
func fit(batch int, took time.Duration) int {
	next := 2 * batch
	if took > 0 {
		next = int(min(int64(batch)*int64(commitTime)/int64(took), int64(next)))
	}
	return min(max(next, batch/2, leastBatch), mostBatch)
}
