// Package panelbox is what the sandboxes of hosting panels share: routes that
// check every request against the fields the vendor documents, answers of the
// test's choice, and the control page under /_sandbox/ with its switches. A
// sandbox says in a Dialect how its vendor refuses.
package panelbox

import "time"

// OrDefault is d, the default where it is 0, and 0 where it is negative: how the
// times of a sandbox are configured.
func OrDefault(d, byDefault time.Duration) time.Duration {
	switch {
	case d == 0:
		return byDefault
	case d < 0:
		return 0
	}
	return d
}

// IDs counts the objects of a kind from 1. The zero value has counted nothing.
type IDs struct{ last map[string]int64 }

// Next is the next id of a kind.
func (i *IDs) Next(kind string) int64 {
	if i.last == nil {
		i.last = map[string]int64{}
	}
	i.last[kind]++
	return i.last[kind]
}
