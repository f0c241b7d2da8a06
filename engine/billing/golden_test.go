package billing

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

// priceOf is a catalog for the golden table: the longer the cycle, the cheaper
// the month.
var priceOf = map[Cycle][2]int64{ // plan S, plan M
	Monthly: {1000, 2345}, Quarterly: {2850, 6680}, SemiAnnual: {5500, 12_899},
	Annual: {10_000, 23_450}, Biennial: {19_000, 44_555}, Triennial: {27_000, 63_315},
}

// TestE2E7GoldenProration writes down what a change costs for every pair of
// cycles, up and down, under both policies, on three days of the old period.
func TestE2E7GoldenProration(t *testing.T) {
	out := &strings.Builder{}
	fmt.Fprintln(out, "Subscriptions from 2027-01-31 10:30 UTC. Prices in EUR of plan S and plan M:")
	cycles := Cycles()[1:7]
	for _, c := range cycles {
		fmt.Fprintf(out, "  %-12s %8s %8s\n", c, eur(priceOf[c][0]).Decimal(), eur(priceOf[c][1]).Decimal())
	}
	for _, from := range cycles {
		for _, to := range cycles {
			fmt.Fprintf(out, "\n%s to %s\n", from, to)
			for _, policy := range []ChangePolicy{ChangeProrate, ChangeNewCycle} {
				for _, up := range []bool{true, false} {
					for _, quarters := range []int64{0, 1, 4} {
						fmt.Fprintln(out, goldenChange(t, from, to, policy, up, quarters))
					}
				}
			}
		}
	}
	golden(t, "proration.golden.txt", out.String())
}

// goldenChange is one line of the table: quarters of the period are over; after
// all four it is the last day.
func goldenChange(t *testing.T, from, to Cycle, policy ChangePolicy, up bool, quarters int64) string {
	t.Helper()
	plans, before, after := "S to M", priceOf[from][0], priceOf[to][1]
	if !up {
		plans, before, after = "M to S", priceOf[from][1], priceOf[to][0]
	}
	start := date("2027-01-31T10:30:00Z")
	full, err := PeriodAt(start, from, 0)
	if err != nil {
		t.Fatal(err)
	}
	now := start.AddDate(0, 0, int(min(full.Days()*quarters/4, full.Days()-1)))
	c, err := PlanChange(ChangeRequest{
		Now: now, Currency: "EUR", Policy: policy, Cycle: to, Schedule: Schedule{start, from, 1},
		Segments: []Segment{{Line: "old", Item: "plan", Period: full, Amount: eur(before), Credited: eur(0)}},
		Before:   []RecurringItem{planItem("old", before)}, After: []RecurringItem{planItem("new", after)},
	})
	if err != nil {
		t.Fatal(err)
	}
	credit, charge := c.Credits[0], c.Charges[0]
	result := "pay " + c.ToPay.Decimal()
	if c.ToReturn.Sign() > 0 {
		result = "back " + c.ToReturn.Decimal()
	}
	next, err := c.Schedule.Next()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("  %-9s %s on %s: credit %4d of %4d days %7s, charge %4d of %4d days %7s, %-11s next %s", policy, plans,
		now.Format("2006-01-02"), credit.Days, credit.Of, credit.Amount.Decimal(), charge.Share.Days, charge.Share.Of, charge.Amount.Decimal(),
		result+",", next.Start.Format("2006-01-02"))
}

// TestE1E2GoldenAnchors writes down every start over eight years, two leap years
// among them, for each late anchor day and each cycle counted in months.
func TestE1E2GoldenAnchors(t *testing.T) {
	out := &strings.Builder{}
	for _, anchor := range []string{"2027-01-28", "2027-01-29", "2027-01-30", "2027-01-31", "2028-02-29"} {
		for _, c := range Cycles()[1:7] {
			months, _ := c.Months()
			fmt.Fprintf(out, "%s %s:", anchor, c)
			for n := 0; n*months <= 96; n++ {
				p, err := PeriodAt(date(anchor+"T10:30:00Z"), c, n)
				if err != nil {
					t.Fatal(err)
				}
				if n*months%12 == 0 || n == 0 {
					fmt.Fprintf(out, "\n  %s", p.Start.Format("2006-01-02"))
				} else {
					fmt.Fprintf(out, " %s", p.Start.Format("01-02"))
				}
			}
			fmt.Fprintln(out)
		}
	}
	golden(t, "anchors.golden.txt", out.String())
}

// TestD1GoldenCurrencies writes down sharing, proration, percentages and texts
// for currencies of 0, 2, 3 and 4 decimals: the same arithmetic on minor units,
// and the point where each currency has it.
func TestD1GoldenCurrencies(t *testing.T) {
	out := &strings.Builder{}
	for _, code := range []string{"JPY", "KRW", "EUR", "USD", "KWD", "BHD", "CLF"} {
		for _, minor := range []int64{1, 10, 99, 1000, 123_457} {
			a := money.Must(minor, code)
			fmt.Fprintf(out, "%s\n", a.Format("en"))
			for _, weights := range [][]int64{{1, 1, 1}, {1, 2, 4}, {3000, 0, 333}} {
				parts, err := a.Allocate(weights...)
				if err != nil {
					t.Fatal(err)
				}
				texts := []string{}
				for _, p := range parts {
					texts = append(texts, p.Decimal())
				}
				fmt.Fprintf(out, "  by %v: %s\n", weights, strings.Join(texts, " + "))
			}
			percent, err := a.BasisPoints(1900)
			if err != nil {
				t.Fatal(err)
			}
			left := Share{11, 31}.of(a)
			used, _ := a.Sub(left)
			fmt.Fprintf(out, "  19 %%: %s; 11 of 31 days left: %s, used: %s\n", percent.Decimal(), left.Decimal(), used.Decimal())
		}
	}
	golden(t, "currencies.golden.txt", out.String())
}

// TestD1NoCurrencyIsScaled: a catalog price goes through line, discount and
// change as the minor units it was entered as, whatever the decimals.
func TestD1NoCurrencyIsScaled(t *testing.T) {
	for code, entered := range map[string]string{"JPY": "1500", "KRW": "15000", "EUR": "15.00", "KWD": "1.500"} {
		price, err := money.Parse(entered, code)
		if err != nil {
			t.Fatal(err)
		}
		r := monthlyRenewal(price)
		r.Discounts = []DiscountTerms{percentOff(5000)}
		plan, err := PlanRenewal(r, date("2027-02-20"))
		if err != nil {
			t.Fatal(err)
		}
		line, off := plan.Due[0].Lines[0].Amount, plan.Due[0].Discounts[0].Amount
		if line.Decimal() != entered || line.Minor() != price.Minor() || off.Minor() != -price.Minor()/2 || off.Currency() != code {
			t.Errorf("%s %s: got a line of %s less %s", code, entered, line, off)
		}
	}
}
