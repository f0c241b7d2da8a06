package sim

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// weather is what goes wrong around the people: their vendors, the network, the
// product's machine. Each storm ends by itself.
type weather struct {
	storms int            // that rage now
	off    bool           // the machine is
	raging []func() error // what ends them; ending twice changes nothing
}

// bad reports whether failures have an excuse.
func (s *weather) bad() bool { return s.storms > 0 || s.off }

// storm is a kind of trouble: begin starts it and returns what ends it.
type storm struct {
	name    string
	weight  int
	longest time.Duration
	begin   func(w *world) (end func())
}

var storms = []storm{
	{"webhooks are lost, late and repeated", 8, 3 * 24 * time.Hour, func(w *world) func() {
		w.courier.bad = true
		return func() { w.courier.bad = false }
	}},
	{"the gateway misbehaves", 8, 6 * time.Hour, func(w *world) func() {
		return w.disturb(w.vendors.stripeFaults)
	}},
	{"the panel misbehaves", 6, 6 * time.Hour, func(w *world) func() {
		end := w.disturb(w.vendors.panel.Faults())
		w.vendors.panel.BreakBuilds(w.trouble.IntN(2))
		return func() { end(); w.vendors.panel.BreakBuilds(0) }
	}},
	{"the gateway is down", 3, 12 * time.Hour, func(w *world) func() {
		w.vendors.stripeWire.down = true
		return func() { w.vendors.stripeWire.down = false }
	}},
	{"the panel is down", 3, 24 * time.Hour, func(w *world) func() {
		w.vendors.panelWire.down = true
		return func() { w.vendors.panelWire.down = false }
	}},
	{"the mail server is down", 2, 24 * time.Hour, func(w *world) func() {
		w.vendors.mailDown = true
		return func() { w.vendors.mailDown = false }
	}},
	{"the machine's clock is wrong", 3, 24 * time.Hour, func(w *world) func() {
		w.clock.skew = time.Duration(w.trouble.Int64N(int64(8*time.Minute))) - 4*time.Minute
		return func() { w.clock.skew = 0 }
	}},
	{"the machine is off", 2, 9 * 24 * time.Hour, func(w *world) func() {
		w.weather.off = true
		w.counts.Outages++
		return func() { w.weather.off = false; w.fuse.dead = true } // a new process, like after a crash
	}},
}

// faultKinds are the ways in which a vendor's API misbehaves.
var faultKinds = []fault.Kind{
	fault.LostAnswer, fault.LostAnswer, fault.After500, fault.Error500, fault.RefuseConn, fault.HTML502, fault.Truncated, fault.RateLimited, fault.Unavailable,
}

// disturb switches some faults of a vendor on.
func (w *world) disturb(set *fault.Set) (end func()) {
	for range 1 + w.trouble.IntN(6) {
		set.Add(fault.Fault{Match: pick(w.trouble, "", "", "POST "), Kind: pick(w.trouble, faultKinds...), Times: 1 + w.trouble.IntN(3)})
	}
	return set.Clear
}

// forecast draws the trouble of a day that begins now.
func (w *world) forecast() {
	if !w.Faults {
		return
	}
	if w.trouble.IntN(6) == 0 {
		w.agenda.add(w.troubleWithin(24*time.Hour), w.breakStorm)
	}
	if w.trouble.IntN(8) == 0 {
		w.agenda.add(w.troubleWithin(24*time.Hour), func() error {
			w.fuse.arm(1 + w.trouble.IntN(120))
			return nil
		})
	}
}

func (w *world) troubleWithin(span time.Duration) time.Time {
	return w.clock.world().Add(time.Duration(w.trouble.Int64N(int64(span))))
}

// breakStorm begins a storm and arranges its end.
func (w *world) breakStorm() error {
	total := 0
	for _, s := range storms {
		total += s.weight
	}
	n := w.trouble.IntN(total)
	for _, s := range storms {
		if n -= s.weight; n >= 0 {
			continue
		}
		if w.weather.off {
			return nil
		}
		w.counts.Storms++
		w.note("storm: %s", s.name)
		over, end := false, s.begin(w)
		w.weather.raging = append(w.weather.raging, func() error {
			if over {
				return nil
			}
			over = true
			w.note("over: %s", s.name)
			end()
			w.weather.storms--
			_, err := w.alive()
			return err
		})
		w.weather.storms++
		w.agenda.addTrouble(w.troubleWithin(s.longest), w.weather.raging[len(w.weather.raging)-1])
		return nil
	}
	return nil
}

// clearUp ends every storm, and no crash is to come.
func (w *world) clearUp() error {
	w.fuse.armed = 0
	for _, end := range w.weather.raging {
		if err := end(); err != nil {
			return err
		}
	}
	w.weather.raging = nil
	return nil
}

// note keeps the last events for the message of a failure.
func (w *world) note(format string, args ...any) {
	w.diary = append(w.diary, w.clock.world().Format("2006-01-02 15:04 ")+fmt.Sprintf(format, args...))
	if len(w.diary) > 30 {
		w.diary = w.diary[1:]
	}
}
