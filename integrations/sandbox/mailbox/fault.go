package mailbox

import (
	"fmt"
	"slices"
	"time"
)

// FaultKind is a way to misbehave.
type FaultKind string

// The faults. Each is used up by one message (one MAIL command) at a time.
const (
	RefuseTemporary FaultKind = "refuse_temporary" // 451 after DATA, nothing is kept
	RefusePermanent FaultKind = "refuse_permanent" // 550 for each recipient
	Slow            FaultKind = "slow"             // waits Delay after DATA, then accepts
	CutAfterData    FaultKind = "cut_after_data"   // keeps the message, then cuts the connection: the lost answer
)

// Fault disturbs the next Times messages; 0 lasts until ClearFaults.
type Fault struct {
	Kind  FaultKind     `json:"kind"`
	Times int           `json:"times"`
	Delay time.Duration `json:"delay_ns"` // of Slow
}

// AddFault switches a fault on; the one added first applies first. Errors: an
// unknown kind, a negative number of times or delay.
func (b *Box) AddFault(f Fault) error {
	if !slices.Contains([]FaultKind{RefuseTemporary, RefusePermanent, Slow, CutAfterData}, f.Kind) {
		return fmt.Errorf("mailbox: unknown fault %q", f.Kind)
	}
	if f.Times < 0 || f.Delay < 0 {
		return fmt.Errorf("mailbox: fault %s: times and delay must not be negative", f.Kind)
	}
	if f.Times == 0 {
		f.Times = -1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, f)
	return nil
}

// ClearFaults switches all faults off.
func (b *Box) ClearFaults() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = nil
}

// Faults returns what is switched on, with the times that are left; -1 is
// without end.
func (b *Box) Faults() []Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Fault{}, b.faults...)
}

// takeFault uses the first fault up once; the zero Fault is none.
func (b *Box) takeFault() Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) == 0 {
		return Fault{}
	}
	f := b.faults[0]
	if b.faults[0].Times > 0 {
		b.faults[0].Times--
	}
	if b.faults[0].Times == 0 {
		b.faults = slices.Delete(b.faults, 0, 1)
	}
	return f
}
