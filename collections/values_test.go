package collections_test

import (
	"testing"

	"github.com/ezscale/ezscale/collections"
)

func TestCutEndsAtAWholeCharacter(t *testing.T) {
	scenarios := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"short enough", "abc", 3, "abc"},
		{"plain", "abcdef", 3, "abc"},
		{"inside a character", "aé", 2, "a"},
		{"after a character", "aéb", 3, "aé"},
		{"nothing fits", "é", 1, ""},
		{"no room", "abc", 0, ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := collections.Cut(s.text, s.limit); got != s.want {
				t.Errorf("Cut(%q, %d) = %q, want %q", s.text, s.limit, got, s.want)
			}
		})
	}
}
