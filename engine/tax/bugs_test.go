package tax_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// The tests here cause what went wrong in other billing systems.

// TestD5LinesAddUpToTheDocument: tax per line, rounded and summed, differed from
// the tax of the total, and a second tax was missing on one copy.
func TestD5LinesAddUpToTheDocument(t *testing.T) {
	for _, rounding := range []tax.Rounding{tax.PerLine, tax.PerDocument} {
		for _, inclusive := range []bool{false, true} {
			var lines []tax.Line
			for range 7 {
				lines = append(lines, line(333, quebec(99_750, false)), line(101, at(190_000)))
			}
			res := compute(t, rounding, inclusive, lines...)
			var byLine, byGroup int64
			for _, l := range res.Lines {
				byLine += l.Tax.Minor()
			}
			for _, g := range res.Groups {
				byGroup += g.Tax
			}
			if byLine != res.Tax.Minor() || byGroup != res.Tax.Minor() || len(res.Groups) != 3 {
				t.Errorf("%s, inclusive %v: lines sum to %d, %d groups to %d, the document says %v", rounding, inclusive, byLine, len(res.Groups), byGroup, res.Tax)
			}
		}
	}
}

// TestD6StoredTaxesIgnoreLaterRates: the breakdown of a paid invoice was
// computed afresh from today's rate.
func TestD6StoredTaxesIgnoreLaterRates(t *testing.T) {
	rates := []tax.Rate{rate("USt.", "DE", 190_000)}
	treatment, err := tax.Decide(german(), tax.Buyer{Country: "DE"}, rates, on("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	sold := compute(t, tax.PerDocument, false, line(10_000, treatment))
	stored, err := json.Marshal(sold.Lines[0].Taxes)
	if err != nil {
		t.Fatal(err)
	}

	rates[0].PPM, rates[0].Name = 210_000, "VAT" // an edit in place, the worst a person can do

	var read tax.LineTaxes
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, sold.Lines[0].Taxes) {
		t.Errorf("stored and read back: got %+v, want %+v", read, sold.Lines[0].Taxes)
	}
	groups := tax.Breakdown([]tax.LineTaxes{read}, []int64{10_000})
	if !reflect.DeepEqual(groups, sold.Groups) {
		t.Errorf("the breakdown of what is stored: got %+v, want %+v", groups, sold.Groups)
	}
	credit, err := tax.Split{Net: money.Must(10_000, "EUR"), Tax: money.Must(1900, "EUR"), Taxes: read}.Credit(money.Must(0, "EUR"), money.Must(10_000, "EUR"))
	if err != nil || credit.Tax.Minor() != 1900 || credit.Taxes.Components[0].PPM != 190_000 {
		t.Errorf("a credit note after the change: got %+v, error %v, want the old tax", credit, err)
	}
}

// TestD7RateChangesOnADay: a new rate hit periods that it should not have.
func TestD7RateChangesOnADay(t *testing.T) {
	scenarios := []struct {
		name  string
		start time.Time
		want  int64
	}{
		{"long before", on("2019-05-01"), 77_000},
		{"the day before", on("2023-12-31"), 77_000},
		{"the last second before", on("2024-01-01").Add(-time.Second), 77_000},
		{"the first moment of the day", on("2024-01-01"), 81_000},
		{"in the evening of the day, further east", time.Date(2024, 1, 1, 1, 0, 0, 0, time.FixedZone("UTC+9", 9*3600)), 77_000},
		{"later", on("2026-03-01"), 81_000},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := tax.Decide(local("CH"), tax.Buyer{Country: "CH"}, world, s.start)
			if err != nil || got.Components[0].PPM != s.want {
				t.Fatalf("got %+v, error %v, want %d ppm", got.Components, err, s.want)
			}
			if got.Date.After(s.start) || s.start.Sub(got.Date) >= 24*time.Hour {
				t.Errorf("got tax date %s for a period from %s", got.Date, s.start)
			}
		})
	}
}

// TestD7OneDocumentHasTwoRates: an invoice over the day of change taxes each
// period by its own start.
func TestD7OneDocumentHasTwoRates(t *testing.T) {
	p, b := local("CH"), tax.Buyer{Country: "CH"}
	res := compute(t, tax.PerDocument, false, line(10_000, decide(t, p, b, "2023-12-01")), line(10_000, decide(t, p, b, "2024-01-01")))
	if got, want := taxesOf(res), []int64{770, 810}; !equal(got, want) || len(res.Groups) != 2 {
		t.Errorf("got taxes %v and groups %+v, want %v apart", got, res.Groups, want)
	}
	for i, want := range []string{"2023-12-01", "2024-01-01"} {
		if got := res.Lines[i].Taxes.Date; got != want {
			t.Errorf("line %d: got tax date %s, want %s", i, got, want)
		}
	}
}

// TestD8CouldNotCheckIsNoVerdict: an asynchronous check of VAT ids spoiled
// customers' tax settings when the service was down.
func TestD8CouldNotCheckIsNoVerdict(t *testing.T) {
	const id = "ATU13585627"
	valid := tax.IDCheck{ID: id, Status: tax.IDValid, At: on("2026-01-15"), By: "vies", Consultation: "WAPIAAAA1"}
	down := tax.IDCheck{ID: id, Status: tax.IDUnchecked, Why: "MS_UNAVAILABLE", TriedAt: on("2026-03-01"), Retry: true}
	noted := valid
	noted.Why, noted.TriedAt, noted.Retry = down.Why, down.TriedAt, true
	invalid := tax.IDCheck{ID: id, Status: tax.IDInvalid, At: on("2026-04-01"), By: "vies"}
	other := tax.IDCheck{ID: "ATU38289400", Status: tax.IDUnchecked, Why: "TIMEOUT", TriedAt: on("2026-03-01")}
	scenarios := []struct {
		name             string
		last, next, want tax.IDCheck
	}{
		{"first answer", tax.IDCheck{}, valid, valid},
		{"first question without answer", tax.IDCheck{}, down, down},
		{"the register is down: the answer stays, the attempt is noted", valid, down, noted},
		{"it answers again: the note goes", noted, valid, valid},
		{"it no longer knows the id", noted, invalid, invalid},
		{"down after invalid", invalid, down, func() tax.IDCheck { c := invalid; c.Why, c.TriedAt, c.Retry = down.Why, down.TriedAt, true; return c }()},
		{"a late answer of before", invalid, valid, invalid},
		{"another id starts afresh", valid, other, other},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := s.last.After(s.next)
			if got != s.want {
				t.Errorf("got %+v, want %+v", got, s.want)
			}
		})
	}

	buyer := tax.Buyer{Country: "AT", VATID: id, VAT: valid.After(down)}
	got := decide(t, german(), buyer, "2026-03-01")
	if got.Category != tax.ReverseCharge {
		t.Errorf("a renewal while the register is down: got %s, want reverse charge as before", short(got))
	}
	if e := got.Evidence; e.VATStatus != tax.IDValid || !e.VATCheckedAt.Equal(valid.At) || e.Consultation != valid.Consultation {
		t.Errorf("the invoice keeps %+v, want the answer that was used and its time", e)
	}
}
