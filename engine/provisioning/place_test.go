package provisioning_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

func TestPlace(t *testing.T) {
	type panel = provisioning.Panel
	on := func(id string, change ...func(*panel)) panel {
		p := panel{ID: id, Name: "Panel " + id, Enabled: true}
		for _, c := range change {
			c(&p)
		}
		return p
	}
	used := func(n, of int64) func(*panel) { return func(p *panel) { p.Used, p.Capacity = n, of } }
	weight := func(n int64) func(*panel) { return func(p *panel) { p.Weight = n } }
	at := func(where string) func(*panel) { return func(p *panel) { p.Location = where } }
	off := func(p *panel) { p.Enabled = false }
	closed := func(p *panel) { p.Closed = true }
	full := func(p *panel) { p.Full = true }
	rests := func(d time.Duration) func(*panel) { return func(p *panel) { p.Rests = d } }
	unfit := func(p *panel) { p.Unfit = "has nothing for template_id" }

	scenarios := []struct {
		name                string
		panels              []panel
		location, preferred string
		want                string
		class               provisioning.ErrorClass
		word                string // in the error
		held                time.Duration
	}{
		{name: "the only one", panels: []panel{on("a")}, want: "a"},
		{name: "the emptier one", panels: []panel{on("a", used(5, 0)), on("b", used(4, 0))}, want: "b"},
		{name: "equal: the first by id, in whatever order they come", panels: []panel{on("b"), on("a")}, want: "a"},
		{name: "the heavier one", panels: []panel{on("a"), on("b", weight(3))}, want: "b"},
		{name: "a weight of 0 counts as 1", panels: []panel{on("a", weight(1), used(1, 0)), on("b", weight(0), used(0, 0))}, want: "b"},
		{name: "equal shares: more of it free", panels: []panel{on("a", used(2, 4)), on("b", used(2, 100))}, want: "b"},
		{name: "equal shares: no limit is all free", panels: []panel{on("a", used(2, 1000)), on("b", used(2, 0))}, want: "b"},
		{name: "not over capacity", panels: []panel{on("a", used(3, 3)), on("b", used(900, 0))}, want: "b"},
		{name: "not over capacity that was lowered", panels: []panel{on("a", used(9, 3)), on("b", used(900, 0))}, want: "b"},
		{name: "not switched off", panels: []panel{on("a", off), on("b", used(900, 0))}, want: "b"},
		{name: "not closed to new ones", panels: []panel{on("a", closed), on("b", used(900, 0))}, want: "b"},
		{name: "not what just had no room", panels: []panel{on("a", full), on("b", used(900, 0))}, want: "b"},
		{name: "not what does not answer", panels: []panel{on("a", rests(time.Second)), on("b", used(900, 0))}, want: "b"},
		{name: "where the customer wants it", panels: []panel{on("a", at("Paris")), on("b", at(" berlin "), used(900, 0))}, location: "Berlin", want: "b"},
		{name: "anywhere", panels: []panel{on("a", at("Paris")), on("b", at("Berlin"), used(900, 0))}, want: "a"},
		{name: "what has the order's settings", panels: []panel{on("a", unfit), on("b", used(900, 0))}, want: "b"},
		{name: "it stays where it is", panels: []panel{on("a"), on("b", used(900, 0))}, preferred: "b", want: "b"},
		{name: "it leaves what is full", panels: []panel{on("a"), on("b", used(9, 9))}, preferred: "b", want: "a"},

		{name: "none at all", class: provisioning.ClassPermanent, word: "no panel"},
		{name: "all full", panels: []panel{on("a", used(3, 3)), on("b", full)}, class: provisioning.ClassCapacity, word: "Panel a is full (3 of 3); Panel b says"},
		{name: "the only one is off", panels: []panel{on("a", off)}, class: provisioning.ClassCapacity, word: "switched off"},
		{name: "none there", panels: []panel{on("a", at("Paris"))}, location: "Rome", class: provisioning.ClassPermanent, word: `is at "Paris", not "Rome"`},
		{name: "none has it", panels: []panel{on("a", unfit)}, class: provisioning.ClassPermanent, word: "template_id"},
		{name: "full there, empty elsewhere", panels: []panel{on("a", at("Rome"), used(1, 1)), on("b", at("Paris"))}, location: "Rome", class: provisioning.ClassCapacity, word: "full"},
		{name: "asked again soon", panels: []panel{on("a", rests(time.Minute)), on("b", rests(20*time.Second)), on("c", full)}, class: provisioning.ClassTemporary, word: "20s", held: 20 * time.Second},
		{name: "full and silent is full", panels: []panel{on("a", rests(time.Minute), used(1, 1))}, class: provisioning.ClassCapacity, word: "full"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := provisioning.Place(s.panels, s.location, s.preferred)
			if got.ID != s.want || provisioning.Classify(err) != s.class {
				t.Fatalf("got %q, %v; want %q, class %q", got.ID, err, s.want, s.class)
			}
			if err == nil {
				return
			}
			wait, held := provisioning.Held(err)
			if !strings.Contains(err.Error(), s.word) || wait != s.held || held != (s.held > 0) {
				t.Errorf("%v, held for %s (%v); want %q and %s", err, wait, held, s.word, s.held)
			}
		})
	}
}

// Whatever the panels are: nothing goes over a capacity or to one that does not take
// it, everything finds a place as long as there is one, and without limits the shares
// are those of the weights, to within one service for each panel.
func TestPlacingManyKeepsToTheRules(t *testing.T) {
	for seed := range uint64(200) {
		draw := rand.New(rand.NewPCG(seed, 1))
		panels := make([]provisioning.Panel, 1+draw.IntN(6))
		room, limited := int64(0), draw.IntN(2) == 0
		weights := int64(0)
		for i := range panels {
			p := provisioning.Panel{ID: fmt.Sprint(i), Name: fmt.Sprint(i), Weight: 1 + draw.Int64N(9), Enabled: true}
			if limited {
				p.Capacity, p.Enabled, p.Closed = 1+draw.Int64N(40), draw.IntN(4) > 0, draw.IntN(5) == 0
			}
			if p.Enabled && !p.Closed {
				room += p.Capacity
			}
			weights += p.Weight
			panels[i] = p
		}
		const orders = 150
		placed := int64(0)
		for range orders {
			got, err := provisioning.Place(panels, "", "")
			var none *provisioning.NoPlaceError
			if err != nil && !errors.As(err, &none) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err != nil {
				continue
			}
			i := got.ID[0] - '0'
			panels[i].Used++
			placed++
		}
		if want := min(room, orders); limited && placed != want {
			t.Errorf("seed %d: %d of %d placed", seed, placed, want)
		}
		for _, p := range panels {
			if p.Capacity > 0 && p.Used > p.Capacity || p.Used > 0 && (!p.Enabled || p.Closed) {
				t.Errorf("seed %d: %+v", seed, p)
			}
			if share := float64(orders) * float64(p.Weight) / float64(weights); !limited && (float64(p.Used) < share-1 || float64(p.Used) > share+1) {
				t.Errorf("seed %d: panel %s has %d of %d, its share is %.2f", seed, p.ID, p.Used, orders, share)
			}
		}
	}
}

func TestSettingsDifferFromPanelToPanel(t *testing.T) {
	all, err := provisioning.ParsePanelSettings(`{"p1": {"package_id": 7, "ipv6": true, "template_id": {"8": 31, "9": "32"}}}`)
	if err != nil {
		t.Fatal(err)
	}
	sold := map[string]string{"package_id": "1", "group_id": "1", "template_id": "9"}
	tr, err := all["p1"].For(sold)
	if err != nil {
		t.Fatal(err)
	}
	got := tr.Of(sold)
	if got["package_id"] != "7" || got["group_id"] != "1" || got["template_id"] != "32" || got["ipv6"] != "true" {
		t.Errorf("at the panel: %v", got)
	}
	if sold["package_id"] != "1" || len(sold) != 3 {
		t.Errorf("what was sold became %v", sold)
	}
	// What staff types into one service counts.
	if got := tr.Of(map[string]string{"package_id": "12", "template_id": "99"}); got["package_id"] != "12" || got["template_id"] != "99" {
		t.Errorf("typed by staff: %v", got)
	}
	if got := all["p2"]; len(got.Instead)+len(got.Values) != 0 {
		t.Errorf("another panel: %v", got)
	}
	if _, err := all["p1"].For(map[string]string{"template_id": "10"}); err == nil || !strings.Contains(err.Error(), `template_id = "10"`) {
		t.Errorf("no word for it: %v", err)
	}
	if _, err := all["p1"].For(map[string]string{"package_id": "1"}); err != nil {
		t.Errorf("nothing chosen: %v", err)
	}
	for _, bad := range []string{`[]`, `{"p1": 7}`, `{"p1": {"package_id": [1]}}`, `{"p1": {"package_id": {}}}`, `{"p1": {"template_id": {"8": {"x": 1}}}}`, `{"p1": {"a": null}}`} {
		if _, err := provisioning.ParsePanelSettings(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	for _, none := range []string{"", "null", "{}"} {
		if got, err := provisioning.ParsePanelSettings(none); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", none, got, err)
		}
	}
	var nothing provisioning.Translation
	if got := nothing.Of(nil); got == nil || len(got) != 0 {
		t.Errorf("no settings: %v", got)
	}
}
