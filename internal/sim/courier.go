package sim

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/stripebox"
)

// pauses are the waits before the repeats of a webhook that was not accepted:
// Stripe repeats for up to three days (docs.stripe.com/webhooks).
var pauses = []time.Duration{
	5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
}

// parcel is a webhook on its way.
type parcel struct {
	event stripebox.Event
	due   time.Time
	tries int
}

// courier carries events to the product: usually at once and in order. In bad
// times it loses, repeats, delays and reorders them.
type courier struct {
	box   *stripebox.Box
	draw  *rand.Rand
	seen  int      // events taken from the box
	bag   []parcel // by due; equal ones in the order they happened
	bad   bool
	lost  int
	twice int
	late  int
}

// collect takes what happened at the vendor since the last time.
func (c *courier) collect(now time.Time) {
	fresh := c.box.EventsFrom(c.seen)
	c.seen += len(fresh)
	for _, e := range fresh {
		c.send(e, now)
	}
}

func (c *courier) send(e stripebox.Event, now time.Time) {
	due := now.Add(time.Second)
	if !c.bad {
		c.put(parcel{event: e, due: due})
		return
	}
	switch c.draw.IntN(10) {
	case 0, 1:
		c.lost++
		return
	case 2, 3:
		c.twice++
		c.put(parcel{event: e, due: due.Add(time.Duration(c.draw.Int64N(int64(time.Hour))))})
	case 4, 5:
		c.late++
		due = due.Add(time.Duration(c.draw.Int64N(int64(6 * time.Hour))))
	}
	c.put(parcel{event: e, due: due})
}

func (c *courier) put(p parcel) {
	at, _ := slices.BinarySearchFunc(c.bag, p.due, func(q parcel, due time.Time) int {
		if q.due.After(due) {
			return 1
		}
		return -1 // after all that are due at the same time
	})
	c.bag = slices.Insert(c.bag, at, p)
}

// next is when the next delivery is due.
func (c *courier) next() (time.Time, bool) {
	if len(c.bag) == 0 {
		return time.Time{}, false
	}
	return c.bag[0].due, true
}

// take hands out one delivery that is due.
func (c *courier) take(now time.Time) (parcel, bool) {
	if len(c.bag) == 0 || c.bag[0].due.After(now) {
		return parcel{}, false
	}
	p := c.bag[0]
	c.bag = c.bag[1:]
	return p, true
}

// refused puts a delivery that was not accepted back, until patience ends.
func (c *courier) refused(p parcel, now time.Time) {
	if p.tries >= len(pauses) {
		c.lost++
		return
	}
	p.due = now.Add(pauses[p.tries])
	p.tries++
	c.put(p)
}

// request is the delivery as the product receives it.
func (p parcel) request(now time.Time) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, "/webhooks/stripe", bytes.NewReader(p.event.Body)) //nolint:noctx // served in this process
	if err != nil {
		return nil, err
	}
	r.Header = stripebox.SignedHeader(p.event.Body, webhookSecret, now)
	return r, nil
}
