package lifecycle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/lifecycle"
)

type light string

var lights = lifecycle.Table[light]{Thing: "light", Next: map[light][]light{
	"red":    {"green"},
	"green":  {"yellow", "broken"},
	"yellow": {"red", "lost"}, // lost has no row
	"broken": {},
}}

func TestCheck(t *testing.T) {
	scenarios := []struct {
		name     string
		from, to light
		want     string // in the error, "" for allowed
	}{
		{"listed", "red", "green", ""},
		{"listed second", "green", "broken", ""},
		{"staying", "red", "red", ""},
		{"staying in the end", "broken", "broken", ""},
		{"not listed", "red", "yellow", "light cannot go from red to yellow"},
		{"backwards", "green", "red", "light cannot go from green to red"},
		{"out of the end", "broken", "red", "light cannot go from broken to red"},
		{"from an unknown status", "blue", "red", `light has the unknown status "blue"`},
		{"to an unknown status", "red", "blue", `"blue" is not a status of light`},
		{"staying in an unknown status", "blue", "blue", `light has the unknown status "blue"`},
		{"from nothing", "", "red", `light has the unknown status ""`},
		{"to nothing", "red", "", `"" is not a status of light`},
		{"to a status without a row", "yellow", "lost", `"lost" is not a status of light`},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			err := lights.Check(s.from, s.to)
			if s.want == "" {
				if err != nil {
					t.Errorf("%q to %q: got error %v, want none", s.from, s.to, err)
				}
				return
			}
			if !errors.Is(err, lifecycle.ErrTransition) || !strings.Contains(err.Error(), s.want) {
				t.Errorf("%q to %q: got error %v, want %q", s.from, s.to, err, s.want)
			}
		})
	}
}

func TestAnEmptyTableRefusesEverything(t *testing.T) {
	var none lifecycle.Table[light]
	if err := none.Check("red", "red"); !errors.Is(err, lifecycle.ErrTransition) {
		t.Errorf("got error %v, want %v", err, lifecycle.ErrTransition)
	}
}
