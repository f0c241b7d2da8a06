// Package lifecycle checks steps of a life against a table: what the table
// lacks is refused, whoever asks. Every record with a status has one.
package lifecycle

import (
	"errors"
	"fmt"
	"slices"
)

// ErrTransition reports a step that a lifecycle table does not allow.
var ErrTransition = errors.New("transition is not allowed")

// Table lists, for each status of a thing, the statuses it may go to next.
// Every status has a row, terminal ones an empty one.
type Table[S ~string] struct {
	Thing string // what is named in errors: "invoice"
	Next  map[S][]S
}

// Check refuses an unknown status and every step the table lacks. Staying in a
// known status is always allowed.
func (t Table[S]) Check(from, to S) error {
	next, known := t.Next[from]
	if !known {
		return fmt.Errorf("%s has the unknown status %q: %w", t.Thing, from, ErrTransition)
	}
	if _, known := t.Next[to]; !known {
		return fmt.Errorf("%q is not a status of %s: %w", to, t.Thing, ErrTransition)
	}
	if from == to || slices.Contains(next, to) {
		return nil
	}
	return fmt.Errorf("%s cannot go from %s to %s: %w", t.Thing, from, to, ErrTransition)
}
