package sim

import (
	"errors"
	"os"
	"strings"
	"testing"
)

var public = os.DirFS("../../pb_public")

// options are a short simulation of a small business in bad weather.
func options(t *testing.T, seed uint64) Options {
	t.Helper()
	return Options{Seed: seed, Days: 40, Customers: 10, Faults: true, Dir: t.TempDir(), Public: public}
}

func TestTheSameSeedGivesTheSameBooks(t *testing.T) {
	first, err := Run(options(t, 7))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(first)
	if first.Orders == 0 || first.Charges == 0 || first.Crashes == 0 || first.Storms == 0 {
		t.Errorf("nothing much happened: %s", first)
	}
	again, err := Run(options(t, 7))
	if err != nil {
		t.Fatal(err)
	}
	if again != first {
		t.Errorf("the same seed lived through\n%s\nand then through\n%s", first, again)
	}
	o := options(t, 8)
	o.Days = 5
	other, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	if other.Books == first.Books {
		t.Errorf("seeds 7 and 8 give the same books %s", other.Books)
	}
}

func TestAFailureNamesSeedAndDayAndLeavesTheDirectory(t *testing.T) {
	laws = append(laws, law{"it never gets to the third day", func(w *world, _ *proof) ([]string, error) {
		if w.counts.Days == 3 {
			return []string{"it did"}, nil
		}
		return nil, nil
	}})
	defer func() { laws = laws[:len(laws)-1] }()
	o := options(t, 9)
	_, err := Run(o)
	var failure *Failure
	if !errors.As(err, &failure) || failure.Seed != 9 || failure.Day != 3 || !strings.Contains(err.Error(), "seed 9, day 3") || !strings.Contains(err.Error(), "third day: it did") {
		t.Errorf("got %v, want a failure of seed 9 on day 3", err)
	}
	if _, err := os.Stat(o.Dir + "/data.db"); err != nil {
		t.Errorf("the data are gone: %v", err)
	}
}
