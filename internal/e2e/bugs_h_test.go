package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestH5WhatThePanelMadeIsNotForgotten: the process dies when the panel has made the
// server, and once more when it installs it, before either answer arrives.
func TestH5WhatThePanelMadeIsNotForgotten(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the real binary several times")
	}
	s := newShop(t)
	w := newWorld(t, copyDir(t, s.dir))
	w.tap.arm([]point{{"panel POST /api/v1/servers", 1, after}, {"panel POST /api/v1/servers/{id}/build", 1, after}}, w.die)
	b := newBuyer(w, s)
	b.buy()
	b.settled()
	if missed := w.tap.missed(); len(missed) > 0 || w.died() != 2 {
		t.Errorf("it died %d times, not at %v", w.died(), missed)
	}
	b.mustHoldTrue(t)
}

// TestH6OfThreeProcessesOneWorks: they start at the same moment on one directory, as
// nodes that share it would.
func TestH6OfThreeProcessesOneWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the real binary")
	}
	w := newWorld(t, t.TempDir())
	w.current().kill()
	nodes, sites := []*process{}, []string{}
	for range 3 {
		at := fmt.Sprint("127.0.0.1:", freePort(t))
		p, err := start(w.binary, w.env, "serve", "--http", at, "--dir", w.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer p.kill()
		nodes, sites = append(nodes, p), append(sites, "http://"+at)
	}
	left := working(nodes)
	for deadline := time.Now().Add(20 * time.Second); len(left) > 1 && time.Now().Before(deadline); left = working(nodes) {
		time.Sleep(20 * time.Millisecond)
	}
	if len(left) != 1 {
		t.Fatalf("%d of 3 processes work on one directory, want 1", len(left))
	}
	if err := nodes[left[0]].ready(t.Context(), sites[left[0]]); err != nil {
		t.Error(err)
	}
	for i, p := range nodes {
		if i != left[0] && (p.err == nil || !strings.Contains(p.out.String(), "in use by another ezscale process")) {
			t.Errorf("another one ended with %v and %q, want a refusal that says why", p.err, p.out)
		}
	}
}

// working are the numbers of those that have not ended.
func working(nodes []*process) []int {
	left := []int{}
	for i, p := range nodes {
		if !p.gone() {
			left = append(left, i)
		}
	}
	return left
}
