package testapp

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files; review the difference like code")

// Golden compares text with a file of testdata. With -update it writes the file.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update and review it", err)
	}
	if want := string(raw); got != want {
		t.Errorf("%s differs; review it, then run with -update:\n%s", path, difference(want, got))
	}
}

// difference lists the lines that only one of two texts has.
func difference(want, got string) string {
	out := strings.Builder{}
	only := func(sign, of, in string) {
		have := map[string]bool{}
		for line := range strings.SplitSeq(in, "\n") {
			have[line] = true
		}
		for line := range strings.SplitSeq(of, "\n") {
			if !have[line] {
				out.WriteString(sign + " " + line + "\n")
			}
		}
	}
	only("-", want, got)
	only("+", got, want)
	return out.String()
}
