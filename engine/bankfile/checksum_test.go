package bankfile

import "testing"

func TestSameAccount(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"DE02 1203 0000 0000 2020 51", "DE02120300000000202051", true},
		{"12030000/202051", "DE02120300000000202051", true},
		{"DE02120300000000202051", "12030000/0000202051", true},
		{"DE02120300000000202051", "12030000/202052", false},
		{"DE02120300000000202051", "12030001/202051", false},
		{"A1", "A2", false},
		{"", "A2", false},
	} {
		if got := SameAccount(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
