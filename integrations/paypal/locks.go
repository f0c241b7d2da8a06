package paypal

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/ezscale/ezscale/engine/billing"
)

// locks lets one goroutine at a time read, capture or close an order, so that
// this process does not capture what it closes at the same moment.
type locks [64]chan struct{}

func newLocks() locks {
	var all locks
	for i := range all {
		all[i] = make(chan struct{}, 1)
	}
	return all
}

// lock waits no longer than ctx allows.
func (l *locks) lock(ctx context.Context, id string) (unlock func(), err error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	turn := l[h.Sum32()%uint32(len(l))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("paypal: wait for page %s: %w: %w", id, billing.ErrGatewayTemporary, ctx.Err())
	}
}
