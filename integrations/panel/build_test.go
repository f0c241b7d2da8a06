package panel

import (
	"strconv"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

func TestPollingGrowsPatientAndEnds(t *testing.T) {
	now := paneltest.NewClock().Now()
	scenarios := []struct {
		name   string
		waited time.Duration
		wait   time.Duration
		late   bool
	}{
		{"just begun", 0, PollSoon, false},
		{"some minutes", pollChange + time.Second, PollLater, false},
		{"at the limit", time.Hour, PollLater, false},
		{"past it", time.Hour + time.Second, PollLater, true},
	}
	for _, s := range scenarios {
		if b, late := Poll(provisioning.Build{Started: now.Add(-s.waited)}, now, time.Hour); b.Wait != s.wait || late != s.late {
			t.Errorf("%s: wait %s, late %t; want %s, %t", s.name, b.Wait, late, s.wait, s.late)
		}
	}
	if b, late := Poll(provisioning.Build{}, now, time.Hour); b.Wait != PollSoon || late {
		t.Errorf("not begun: wait %s, late %t", b.Wait, late)
	}
}

// A step's copy shares nothing with what is stored, and hands a secret out once.
func TestPrepareSharesNothing(t *testing.T) {
	stored := provisioning.Build{Data: map[string]string{"a": "1"}, Addresses: []provisioning.Address{{IP: "203.0.113.7"}}, Secret: &provisioning.Credentials{}, Wait: 1}
	next := Prepare(stored)
	next.Data["a"], next.Addresses[0].IP = "2", ""
	if stored.Data["a"] != "1" || stored.Addresses[0].IP == "" || next.Secret != nil || next.Wait != 0 {
		t.Errorf("stored %+v, next %+v", stored, next)
	}
	if Prepare(provisioning.Build{}).Data == nil {
		t.Error("a step cannot note anything")
	}
}

// "It has not happened" is believed a settle time after the last call that may
// still come: of the step, of this process, or of one before it.
func TestCallsSettle(t *testing.T) {
	clock := paneltest.NewClock()
	c := NewCalls(clock.Now, time.Minute)
	if wait := c.Unsettled("svc", clock.Now().Add(-time.Hour)); wait != time.Minute {
		t.Errorf("a fresh process waits %s, want a minute", wait)
	}
	clock.Add(time.Hour)
	if wait := c.Unsettled("svc", clock.Now().Add(-time.Hour)); wait > 0 {
		t.Errorf("an old step waits %s, want not", wait)
	}
	c.Made("svc")
	if wait, other := c.Unsettled("svc", clock.Now().Add(-time.Hour)), c.Unsettled("other", clock.Now().Add(-time.Hour)); wait != time.Minute || other > 0 {
		t.Errorf("after a call it waits %s and another service %s", wait, other)
	}
	for i := range 1000 {
		c.Made(strconv.Itoa(i))
		clock.Add(time.Hour)
	}
	if len(c.last) > 26 {
		t.Errorf("%d notes are kept, want a day's", len(c.last))
	}
}
