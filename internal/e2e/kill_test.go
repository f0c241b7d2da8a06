package e2e

import (
	"testing"
)

func TestClean(t *testing.T) {
	s := newShop(t)
	w := newWorld(t, copyDir(t, s.dir))
	b := newBuyer(w, s)
	b.buy()
	b.settled()
	b.mustHoldTrue(t)
	for _, p := range w.tap.points() {
		t.Log(p)
	}
}
