package bankfile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// samples are files as banks of each kind write them, with what has to be said
// about those that leave something open.
var samples = map[string]Options{
	"sparkasse.csv":  {},
	"directbank.csv": {},
	"english.csv":    {CSV: Layout{Currency: "GBP", Account: "GB-0001"}},
	"neobank.csv":    {CSV: Layout{Account: "DE12 1001 1001 2620 0000 00"}},
	"dutch.csv":      {},
	"german.sta":     {},
	"swift.sta":      {},
	"camt02.xml":     {},
	"camt08.xml":     {},
	"camt10.xml":     {},
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestGoldenSamples(t *testing.T) {
	for name, o := range samples {
		t.Run(name, func(t *testing.T) {
			f, err := Parse(sample(t, name), o)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".golden.txt", render(f))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update rewrites it)\ngot:\n%s", file, got)
	}
}

// render writes a file as people compare it with what the bank printed.
func render(f File) string {
	out := &strings.Builder{}
	fmt.Fprintln(out, f.Format)
	for _, s := range f.Statements {
		fmt.Fprintf(out, "\nstatement %s", s.title())
		if s.Opening.Known {
			fmt.Fprintf(out, ", from %s", s.Opening.Amount)
		}
		if s.Closing.Known {
			fmt.Fprintf(out, " to %s", s.Closing.Amount)
		}
		fmt.Fprintln(out)
		for _, e := range s.Entries {
			fmt.Fprintf(out, "  %s  %s  %s", e.Where, e.BookedAt.Format(time.DateOnly), e.Amount)
			if !e.ValueAt.IsZero() {
				fmt.Fprintf(out, "  value %s", e.ValueAt.Format(time.DateOnly))
			}
			if e.Pending {
				fmt.Fprint(out, "  pending")
			}
			if e.Reversal {
				fmt.Fprint(out, "  reversal")
			}
			fmt.Fprintf(out, "\n    reference  %s\n", e.Reference)
			for _, line := range [][2]string{{"bank id", e.BankID}, {"name", e.Name}, {"iban", e.IBAN}, {"text", e.Text}, {"end to end", e.EndToEnd}, {"structured", e.Structured}} {
				if line[1] != "" {
					fmt.Fprintf(out, "    %-10s %s\n", line[0], line[1])
				}
			}
		}
	}
	for _, note := range f.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	return out.String()
}
