package collections_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
)

func TestNewIDsSortInTheOrderOfTheirMaking(t *testing.T) {
	shape := regexp.MustCompile(`^[a-z0-9]{15}$`)
	ids := []string{}
	for _, at := range []time.Time{{}, time.Unix(0, 0), noon, noon.Add(time.Minute), noon.AddDate(30, 0, 0)} {
		for range 1000 {
			ids = append(ids, collections.NewID(at))
		}
	}
	if !slices.IsSorted(ids) {
		t.Error("ids do not sort in the order of their making")
	}
	if distinct := slices.Compact(slices.Clone(ids)); len(distinct) != len(ids) {
		t.Errorf("%d ids, %d of them different", len(ids), len(distinct))
	}
	for _, id := range ids {
		if !shape.MatchString(id) {
			t.Fatalf("%q is no id of PocketBase", id)
		}
	}
}
