package paypalbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Delivery is one attempt to deliver an event.
type Delivery struct {
	EventID string      `json:"event_id"`
	Type    string      `json:"type"`
	Attempt int         `json:"attempt"` // 1 is the first
	Status  int         `json:"status"`  // 0 when there was no answer
	Error   string      `json:"error,omitempty"`
	Body    []byte      `json:"-"`
	Header  http.Header `json:"-"` // with its signature
	At      time.Time   `json:"at"`
}

// courier delivers events one at a time in the order they become due.
type courier struct {
	box    *Box // signs
	client *http.Client
	delays []time.Duration
	ctx    context.Context // ends the worker and the delivery under way
	stop   context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	url   string
	ready []*parcel
	wake  chan struct{}
	open  int           // parcels not finished
	idle  chan struct{} // closed while open is 0
	log   []Delivery
}

type parcel struct {
	event   *event
	version string
	attempt int
}

func newCourier(b *Box) *courier {
	o := b.opts
	hc := &http.Client{Timeout: 10 * time.Second}
	if o.HTTPClient != nil {
		own := *o.HTTPClient
		hc = &own
	}
	// A redirect counts as a failed delivery.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &courier{
		box: b, client: hc, delays: o.RetryDelays, url: o.WebhookURL,
		wake: make(chan struct{}, 1), idle: make(chan struct{}), done: make(chan struct{}),
	}
	close(c.idle)
	c.ctx, c.stop = context.WithCancel(context.Background())
	go c.work()
	return c
}

func (c *courier) setTarget(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.url = url
}

// send queues an event as the switches say, which it may use up.
func (c *courier) send(e *event, s *Switches) {
	c.mu.Lock()
	silent := c.url == ""
	c.mu.Unlock()
	if silent {
		return
	}
	if s.Drop > 0 {
		s.Drop--
		return
	}
	delay := time.Duration(0)
	if s.DelayType != "" && strings.HasPrefix(e.kind, s.DelayType) {
		delay = s.Delay
	}
	for range 1 + max(0, s.Duplicate) {
		c.begin()
		c.schedule(&parcel{event: e, version: s.ResourceVersion}, delay)
	}
}

func (c *courier) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == 0 {
		c.idle = make(chan struct{})
	}
	c.open++
}

func (c *courier) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 {
		close(c.idle)
	}
}

func (c *courier) schedule(p *parcel, delay time.Duration) {
	if delay > 0 {
		time.AfterFunc(delay, func() { c.schedule(p, 0) })
		return
	}
	c.mu.Lock()
	c.ready = append(c.ready, p)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *courier) work() {
	defer close(c.done)
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.wake:
		}
		for p := c.next(); p != nil && c.ctx.Err() == nil; p = c.next() {
			c.deliver(p)
		}
	}
}

func (c *courier) next() *parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ready) == 0 {
		return nil
	}
	p := c.ready[0]
	c.ready = c.ready[1:]
	return p
}

// deliver tries once; a failure is repeated after a pause until the pauses are
// used up.
func (c *courier) deliver(p *parcel) {
	c.mu.Lock()
	url := c.url
	c.mu.Unlock()
	p.attempt++
	body := p.event.body(p.version)
	d := Delivery{EventID: p.event.id, Type: p.event.kind, Attempt: p.attempt, Body: body, Header: c.box.SignedHeader(body, c.box.now()), At: c.box.now()}
	status, err := c.post(url, d)
	if d.Status = status; err != nil {
		d.Error = err.Error()
	}
	c.mu.Lock()
	c.log = append(c.log, d)
	c.mu.Unlock()
	if (status < 200 || status > 299) && p.attempt <= len(c.delays) {
		c.schedule(p, c.delays[p.attempt-1])
		return
	}
	c.finish()
}

func (c *courier) post(url string, d Delivery) (int, error) {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		return 0, fmt.Errorf("webhook request: %w", err)
	}
	req.Header = d.Header.Clone()
	res, err := c.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("webhook delivery: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, nil
}

func (c *courier) close() {
	c.stop()
	<-c.done
}
