package sim

import (
	"container/heap"
	"time"
)

// appointment is something that happens at a moment.
type appointment struct {
	at   time.Time
	turn int // among those at the same moment, the first made is the first kept
	do   func() error
	// trouble comes even while the product is off.
	trouble bool
}

// agenda is what will happen, the next first.
type agenda struct {
	list  []appointment
	turns int
}

// add makes an appointment.
func (a *agenda) add(at time.Time, do func() error) {
	a.turns++
	heap.Push(a, appointment{at: at, turn: a.turns, do: do})
}

// addTrouble makes an appointment that does not wait for the product.
func (a *agenda) addTrouble(at time.Time, do func() error) {
	a.turns++
	heap.Push(a, appointment{at: at, turn: a.turns, do: do, trouble: true})
}

// next is when the next appointment is.
func (a *agenda) next() (time.Time, bool) {
	if len(a.list) == 0 {
		return time.Time{}, false
	}
	return a.list[0].at, true
}

// take hands out the next appointment that is due.
func (a *agenda) take(now time.Time) (appointment, bool) {
	if len(a.list) == 0 || a.list[0].at.After(now) {
		return appointment{}, false
	}
	first, ok := heap.Pop(a).(appointment)
	return first, ok
}

// Len is of heap.Interface.
func (a *agenda) Len() int { return len(a.list) }

// Less is of heap.Interface.
func (a *agenda) Less(i, j int) bool {
	if !a.list[i].at.Equal(a.list[j].at) {
		return a.list[i].at.Before(a.list[j].at)
	}
	return a.list[i].turn < a.list[j].turn
}

// Swap is of heap.Interface.
func (a *agenda) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }

// Push is of heap.Interface.
func (a *agenda) Push(x any) {
	if p, ok := x.(appointment); ok {
		a.list = append(a.list, p)
	}
}

// Pop is of heap.Interface.
func (a *agenda) Pop() any {
	last := len(a.list) - 1
	p := a.list[last]
	a.list = a.list[:last]
	return p
}
