package stripebox

import (
	"net/http"
	"slices"
	"strings"
)

// emit records an event and queues its delivery. c is the request that caused
// it; nil when nobody's request did.
func (b *Box) emit(kind string, o object, c *call) { b.emitChange(kind, o, nil, c) }

// emitChange is emit with what changed of the object.
func (b *Box) emitChange(kind string, o, before object, c *call) {
	e := &event{id: b.newID("evt"), kind: kind, created: b.unix(), object: o, before: before, request: object{"id": nil, "idempotency_key": nil}}
	if c != nil {
		e.request = object{"id": null(c.req), "idempotency_key": null(c.key)}
	}
	b.events.put(e.id, e)
	b.courier.send(e, &b.switches)
}

// Event is something that happened, as a delivery carries it.
type Event struct {
	ID   string
	Type string
	Body []byte // to be signed with SignedHeader
}

// EventsFrom lists what happened from the n-th event on, counted from 0, oldest
// first. It serves those who deliver events themselves, at times of their own.
func (b *Box) EventsFrom(n int) []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []Event{}
	for _, id := range b.events.order[min(n, len(b.events.order)):] {
		e := b.events.byID[id]
		found = append(found, Event{ID: e.id, Type: e.kind, Body: encode(e.render(Version))})
	}
	return found
}

// version1 renders an event for the API, whose answers have our version.
type version1 struct{ *event }

func (e version1) render() object { return e.event.render(Version) }

func readEvent(b *Box, c *call) (object, *apiError) {
	e, ok := b.events.get(c.id)
	if !ok {
		return nil, noSuch("event", c.id, "id", http.StatusNotFound)
	}
	return e.render(Version), nil
}

func listEvents(b *Box, c *call) (object, *apiError) {
	if c.form.has("type") && c.form.has("types[0]") {
		return nil, invalid("types", "", "You may only specify one of these parameters: type, types.")
	}
	wanted := c.form.list("types")
	if c.form.has("type") {
		wanted = []string{c.form.str("type")}
	}
	ids, items := []string{}, []version1{}
	for _, e := range b.events.all() {
		if !matches(wanted, e.kind) || !within(c.form, e.created) {
			continue
		}
		if c.form.has("delivery_success") && b.courier.delivered(e.id) != c.form.yes("delivery_success") {
			continue
		}
		ids, items = append(ids, e.id), append(items, version1{e})
	}
	return page(c, "/v1/events", ids, items)
}

// matches reports whether a kind is among the wanted ones, "charge.*" included.
func matches(wanted []string, kind string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool {
		prefix, wild := strings.CutSuffix(w, "*")
		return w == kind || wild && strings.HasPrefix(kind, prefix)
	})
}
