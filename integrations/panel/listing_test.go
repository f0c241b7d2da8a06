package panel

import (
	"errors"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
)

func TestAListIsWholeOrNone(t *testing.T) {
	is := func(n float64) Number { return Number{n, true} }
	for _, sc := range []struct {
		name   string
		totals []Number   // of each page
		pages  [][]string // ids
		whole  bool
	}{
		{"one page", []Number{is(2)}, [][]string{{"1", "2"}}, true},
		{"nothing", []Number{is(0)}, [][]string{{}}, true},
		{"not paged", nil, nil, true},
		{"it grows at the end", []Number{is(3), is(4)}, [][]string{{"1", "2"}, {"3", "4"}}, true},
		{"it grows at the front", []Number{is(3), is(4)}, [][]string{{"1", "2"}, {"2", "3"}}, false},
		{"one goes away and one moves up", []Number{is(4), is(3)}, [][]string{{"1", "2"}, {"4"}}, false},
		{"one goes away at the end", []Number{is(4), is(3)}, [][]string{{"1", "2"}, {"3"}}, false},
		{"a page lacks one", []Number{is(3), is(3)}, [][]string{{"1", "2"}, {}}, false},
		{"an entry without an id", []Number{is(2)}, [][]string{{"1", ""}}, false},
		{"no word of how many", []Number{{}}, [][]string{{"1"}}, false},
	} {
		t.Run(sc.name, func(t *testing.T) {
			l := NewListing("acme", "list servers")
			err := error(nil)
			for n, ids := range sc.pages {
				err = errors.Join(err, l.Page(sc.totals[n]))
				for _, id := range ids {
					_, bad := l.Fresh(id)
					err = errors.Join(err, bad)
				}
			}
			if err = errors.Join(err, l.End()); (err == nil) != sc.whole || err != nil && !errors.Is(err, provisioning.ErrTemporary) {
				t.Errorf("got %v, want whole %t", err, sc.whole)
			}
		})
	}
	l := NewListing("acme", "list servers")
	for _, want := range []bool{true, false} {
		if fresh, err := l.Fresh("7"); fresh != want || err != nil {
			t.Errorf("fresh %t, %v; want %t", fresh, err, want)
		}
	}
}
