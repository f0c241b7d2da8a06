package paypalbox

import (
	"bytes"
	"encoding/json"
	"time"
)

// event is something that happened; its resource is as it was then.
type event struct {
	id, kind, resourceType string
	resource               object
	at                     time.Time
}

// emit records an event and queues its delivery. The box is locked.
func (b *Box) emit(kind, resourceType string, resource object) {
	e := &event{id: b.newID("WH-") + "-" + b.newID(""), kind: kind, resourceType: resourceType, resource: copied(resource), at: b.now()}
	b.events.put(e.id, e)
	b.courier.send(e, &b.switches)
}

// render writes the event with a version of its resource, "" for ours.
func (e *event) render(version string) object {
	o := object{
		"id": e.id, "event_version": "1.0", "create_time": e.at.Format("2006-01-02T15:04:05.000Z"), "resource_type": e.resourceType,
		"event_type": e.kind, "summary": "Sandbox: " + e.kind, "resource": e.resource, "links": []object{},
	}
	switch {
	case version != "":
		o["resource_version"] = version
	case e.resourceType != "sale" && e.resourceType != "dispute":
		o["resource_version"] = "2.0"
	}
	return o
}

// body is the event as it is delivered: on one line, its text unescaped.
func (e *event) body(version string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.render(version)); err != nil { // only maps of plain values are rendered
		panic("paypalbox: " + err.Error())
	}
	return bytes.TrimSpace(out.Bytes())
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
		found = append(found, Event{ID: e.id, Type: e.kind, Body: e.body("")})
	}
	return found
}
