package accent

import "testing"

func TestParse(t *testing.T) {
	for in, want := range map[string]string{"": Default, "#0A5fD0": "#0a5fd0", "#000000": "#000000"} {
		if got, err := Parse(in); err != nil || got.String() != want {
			t.Errorf("Parse(%q): got %v, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"blue", "#fff", "0a5fd0", "#0a5fdg", "#0a5fd01", "#+a5fd0", "url(x)"} {
		if got, err := Parse(in); err == nil {
			t.Errorf("Parse(%q): got %v, want an error", in, got)
		}
	}
}

func TestReadable(t *testing.T) {
	white := Color{255, 255, 255}
	for _, in := range []string{"#ffffff", "#f2c200", "#0a5fd0", "#000000", "#808080", "#7ab2ff"} {
		c, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.OnWhite().Contrast(white); got < 4.5 {
			t.Errorf("%s on white: contrast %.2f, want 4.5 at least", in, got)
		}
		if got := c.Contrast(c.Label()); got < 4.5 {
			t.Errorf("label on %s: contrast %.2f, want 4.5 at least", in, got)
		}
	}
	if got := white.Contrast(Color{}); got < 20.99 || got > 21.01 {
		t.Errorf("white and black: contrast %.2f, want 21", got)
	}
}
