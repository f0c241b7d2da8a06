package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// lanes is how many installations live at the same time. They mostly wait.
const lanes = 8

// death is one way from an order to a running server with deaths on it.
type death struct {
	name   string
	at     []point         // kills at calls
	after  []time.Duration // kills at moments, each counted from the one before
	silent bool            // webhooks are lost; the browser's return settles
}

// TestH1KilledAnywhereBetweenOrderAndServer kills the process, as a power cut
// does, at every call between it and its vendors, in either direction, before
// and after the call's effect (webhooks also once they are answered and will not
// come again), and at random moments. The calls are read from
// undisturbed runs, so that a new one is killed at as well. Whatever the moment,
// one charge, one invoice and one server come out of one order.
func TestH1KilledAnywhereBetweenOrderAndServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	s := newShop(t)
	log := &protocol{}
	known := map[point]bool{}
	scenarios := []death{}
	for _, base := range recordings() {
		seen := log.run(t, s, base)
		for _, p := range seen {
			if known[p] || slices.Contains(base.at, p) {
				continue
			}
			known[p] = true
			next := base
			next.name, next.at = prefix(base.name)+p.String(), append(slices.Clone(base.at), p)
			scenarios = append(scenarios, next)
		}
	}
	if len(known) < 40 {
		t.Errorf("got %d moments from the undisturbed runs, want at least 40: %v", len(known), known)
	}
	scenarios = append(scenarios, randomDeaths()...)
	work := make(chan death)
	var workers sync.WaitGroup
	for range lanes {
		workers.Go(func() {
			for d := range work {
				log.run(t, s, d)
			}
		})
	}
	for _, d := range scenarios {
		work <- d
	}
	close(work)
	workers.Wait()
	t.Log(log)
}

// recordings are the runs from which the moments are read: an undisturbed one, one
// settled by the browser's return, and those in which the answer to a call that
// must not be repeated blindly is lost, so that recovery itself is disturbed.
func recordings() []death {
	lost := func(call string) death {
		return death{name: "answer lost: " + call, at: []point{{call, 1, after}}}
	}
	return []death{
		{name: "undisturbed"},
		{name: "settled by the return", silent: true},
		lost("panel POST /api/v1/servers"),
		lost("panel POST /api/v1/servers/{id}/build"),
	}
}

func prefix(base string) string {
	if base == "undisturbed" {
		return ""
	}
	return base + ", then "
}

// randomDeaths kill three times each, at moments that never change.
func randomDeaths() []death {
	list := []death{}
	for seed := range uint64(8) {
		draw := rand.New(rand.NewPCG(seed, 1))
		d := death{name: fmt.Sprintf("at random moments, seed %d", seed)}
		for range 3 {
			d.after = append(d.after, time.Duration(draw.Int64N(int64(1500*time.Millisecond))))
		}
		list = append(list, d)
	}
	return list
}

// run takes one order through its deaths and returns the moments it saw.
func (l *protocol) run(t *testing.T, s shop, d death) (seen []point) {
	began := time.Now()
	deaths, note := 0, ""
	ok := t.Run(d.name, func(t *testing.T) {
		w := newWorld(t, copyDir(t, s.dir))
		defer func() { deaths = w.died() }()
		if d.silent {
			w.stripe.SetWebhook("", "")
		}
		w.tap.arm(d.at, w.die)
		b := newBuyer(w, s)
		b.buy()
		for _, pause := range d.after {
			time.Sleep(pause)
			w.die()
		}
		if d.silent {
			b.comeBack()
		}
		b.settled()
		if missed := w.tap.missed(); len(missed) > 0 {
			note = fmt.Sprintf("not reached: %v", missed)
			if missed[0].Nth == 1 {
				t.Error(note)
			}
		}
		b.mustHoldTrue(t)
		seen = w.tap.points()
	})
	l.add(d.name, deaths, time.Since(began), ok, note)
	return seen
}

// protocol is the table of what was tried.
type protocol struct {
	mu   sync.Mutex
	rows []string
}

func (l *protocol) add(name string, deaths int, took time.Duration, ok bool, note string) {
	verdict := "one charge, one invoice, one server"
	if !ok {
		verdict = "FAILED"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append(l.rows, fmt.Sprintf("%-90s %d kills  %5.1f s  %s %s", name, deaths, took.Seconds(), verdict, note))
}

// String is the table.
func (l *protocol) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d runs\n%s", len(l.rows), strings.Join(l.rows, "\n"))
}
