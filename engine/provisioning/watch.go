package provisioning

import (
	"cmp"
	"slices"
	"time"
)

// Watched is a service that its customer has open in a browser.
type Watched struct {
	ID   string
	Read time.Time // when its state was last asked for; zero is never
}

// DueReadings picks the services whose state is asked for now: those that were last
// asked for at least every ago, the longest ago first, and at most limit. It bounds
// what open browsers cost a panel, however many there are: each service is read once
// in every, and when there are too many, each waits for its turn.
func DueReadings(watched []Watched, now time.Time, every time.Duration, limit int) []Watched {
	due := slices.DeleteFunc(slices.Clone(watched), func(w Watched) bool { return now.Sub(w.Read) < every })
	slices.SortFunc(due, func(a, b Watched) int { return cmp.Or(a.Read.Compare(b.Read), cmp.Compare(a.ID, b.ID)) })
	return due[:min(max(limit, 0), len(due))]
}

// Reading is what a platform said of a service.
type Reading struct {
	Status  Status
	Traffic *Traffic // nil where it was not counted
	At      time.Time
}
