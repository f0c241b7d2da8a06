package adaptertest

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// testAdopt takes a server whose making was forgotten, and refuses it to another
// service: the build goes on with it, and no second one is made.
func testAdopt(t *testing.T, h Harness) {
	a, ok := h.Adapter.(provisioning.Adopter)
	if !ok {
		t.Skip("the platform compares no servers with customers")
	}
	d := newDriver(h, 1)
	if err := d.until(t.Context(), func() bool { return d.build.RemoteID != "" }); err != nil {
		t.Fatalf("make the server: %v", err)
	}
	id, forgotten := d.build.RemoteID, provisioning.Build{Step: h.Create, Started: h.Now()}
	for name, no := range map[string]struct {
		order provisioning.Order
		id    string
		want  error
	}{
		"for another service": {h.Order(2), id, provisioning.ErrPermanent},
		"that does not exist": {d.order, "987654", provisioning.ErrNotFound},
		"that is no id":       {d.order, "../" + id, provisioning.ErrPermanent},
	} {
		if b, err := a.Adopt(t.Context(), no.order, forgotten, no.id); !errors.Is(err, no.want) || b.RemoteID != "" {
			t.Errorf("adopt a server %s = %q, %v; want %v", name, b.RemoteID, err, no.want)
		}
	}
	d.adapter = h.Restart()
	b, err := d.adapter.(provisioning.Adopter).Adopt(t.Context(), d.order, forgotten, id)
	if err != nil || b.RemoteID != id {
		t.Fatalf("adopt = %q, %v; want %s", b.RemoteID, err, id)
	}
	if err := d.store(b); err != nil {
		t.Fatal(err)
	}
	d.mustFinish(t)
	mustHave(t, h, 1)
}
