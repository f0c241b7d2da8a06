package einvoice

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func date(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }

func eur(minor int64) money.Amount { return money.Must(minor, "EUR") }

// standard is an invoice of two rates with a discount on a line, one on the
// whole, unused time given back and a part paid in advance.
func standard() Document {
	nov, dec := date(time.November, 1), date(time.December, 1)
	return Document{
		Type: Invoice, Number: "INV-2026-000124", IssuedAt: date(time.November, 23), DueAt: date(time.December, 7), Currency: "EUR",
		Note: "Prices do not include tax.", Terms: "Payable within 14 days <without deduction>", BuyerReference: "PO & 4711",
		Start: date(time.October, 1), End: dec,
		Seller: Party{
			Name: "Nordlicht Hosting GmbH", Street: []string{"Speicherstraße 12", "Haus B", "2. Stock"}, City: "Hamburg", PostCode: "20457", Country: "DE",
			VATID: "DE136695976", TaxNumber: "27/123/45678", Registration: "HRB 123456", Endpoint: Endpoint{"EM", "billing@nordlicht.example"},
			Contact: "Billing", Phone: "+49 40 123456", Email: "billing@nordlicht.example",
		},
		Buyer: Party{
			Name: "Σωκράτης Ltd.", Street: []string{"Οδός Ερμού 5"}, City: "Αθήνα", PostCode: "105 63", Region: "Attica", Country: "GR",
			VATID: "EL094259216", Endpoint: Endpoint{"9933", "EL094259216"},
		},
		Payment: Payment{Means: SEPATransfer, Reference: "INV-2026-000124", Account: "DE02 1203 0000 0000 2020 51", Holder: "Nordlicht Hosting GmbH", BIC: "BYLADEM1001"},
		Lines: []Line{
			{
				Name: "VPS M", Description: "vps-01.example.com", Quantity: 1, Unit: UnitMonth, Net: eur(1800), Start: nov, End: dec, Category: Standard, PPM: 190_000,
				Allowances: []Allowance{{Amount: eur(200), Reason: "Coupon WELCOME10", Code: DiscountCode}},
			},
			{Name: "VPS S, unused", Note: "12 of 30 days", Quantity: -1, Net: eur(-720), Start: date(time.November, 19), End: dec, Category: Standard, PPM: 190_000},
			{Name: "Traffic", Quantity: 3, Unit: UnitGigabyte, Net: eur(1000), Start: date(time.October, 1), End: nov, Category: Standard, PPM: 190_000},
			{Name: "Handbook", Quantity: 2, Net: eur(2500), Category: Standard, PPM: 70_000},
		},
		Allowances: []Allowance{{Amount: eur(80), Reason: "Loyalty", Category: Standard, PPM: 190_000}},
		Taxes:      []Tax{{Category: Standard, PPM: 190_000, Base: eur(2000), Amount: eur(380)}, {Category: Standard, PPM: 70_000, Base: eur(2500), Amount: eur(175)}},
		Net:        eur(4500), Tax: eur(555), Total: eur(5055), Prepaid: eur(1055), Due: eur(4000),
	}
}

// untaxed is an invoice of one line without tax.
func untaxed(c Category, code, reason string) Document {
	d := standard()
	d.Lines = []Line{{Name: "VPS M", Quantity: 1, Unit: UnitMonth, Net: eur(1000), Category: c}}
	d.Allowances, d.Prepaid, d.Payment = nil, money.Amount{}, Payment{Means: Card, CardLast4: "4242", Network: "VISA"}
	d.Taxes = []Tax{{Category: c, Base: eur(1000), Amount: eur(0), ReasonCode: code, Reason: reason}}
	d.Net, d.Tax, d.Total, d.Due = eur(1000), eur(0), eur(1000), eur(1000)
	return d
}

func creditNote() Document {
	d := untaxed(ReverseCharge, "VATEX-EU-AE", "Reverse charge")
	d.Type, d.Number, d.Payment = CreditNote, "CN-2026-000007", Payment{}
	d.Preceding = []Reference{{"INV-2026-000124", date(time.November, 23)}}
	return d
}

func in(code string, d Document, factor int64) Document {
	turn := func(a money.Amount) money.Amount { return money.Must(a.Minor()*factor, code) }
	d.Currency, d.Prepaid = code, money.Amount{}
	d.Lines = slices.Clone(d.Lines)
	for i := range d.Lines {
		d.Lines[i].Net = turn(d.Lines[i].Net)
	}
	d.Taxes = slices.Clone(d.Taxes)
	for i := range d.Taxes {
		d.Taxes[i].Base, d.Taxes[i].Amount = turn(d.Taxes[i].Base), turn(d.Taxes[i].Amount)
	}
	d.Net, d.Tax, d.Total, d.Due = turn(d.Net), turn(d.Tax), turn(d.Total), turn(d.Due)
	return d
}

func TestGolden(t *testing.T) {
	replacing := untaxed(Zero, "", "")
	replacing.Type, replacing.Preceding, replacing.Payment = Corrected, []Reference{{Number: "INV-2026-000120"}}, Payment{Means: Online}
	scenarios := map[string]Document{
		"standard":       standard(),
		"reverse_charge": untaxed(ReverseCharge, "VATEX-EU-AE", "Steuerschuldnerschaft des Leistungsempfängers"),
		"out_of_scope":   untaxed(OutOfScope, "VATEX-EU-O", "Not subject to VAT"),
		"exempt":         untaxed(Exempt, "", "Kleinunternehmer, § 19 UStG"),
		"replacing":      replacing,
		"credit_note":    creditNote(),
		"yen":            in("JPY", untaxed(Zero, "", ""), 1),
		"dinar":          in("KWD", untaxed(Zero, "", ""), 10),
	}
	for name, d := range scenarios {
		t.Run(name, func(t *testing.T) {
			got, err := Render(d)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".xml")
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs (-update rewrites it)\ngot:\n%s", file, got)
			}
			if again, err := Render(d); err != nil || !bytes.Equal(got, again) {
				t.Errorf("rendered again: %v, the same bytes %v", err, bytes.Equal(got, again))
			}
		})
	}
}

// TestOutOfScopeHasNoVATIDs proves the norm's odd wish, and that the seller can
// still be identified.
func TestOutOfScopeHasNoVATIDs(t *testing.T) {
	d := untaxed(OutOfScope, "VATEX-EU-O", "")
	d.Seller.Registration = ""
	raw, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	root, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if hasVATID(root.one(seller)) || hasVATID(root.one(buyer)) {
		t.Error("a VAT id is given though nothing is subject to VAT")
	}
	if got := root.get(seller + "/cac:PartyIdentification/cbc:ID"); got != d.Seller.VATID {
		t.Errorf("got seller identifier %q, want the VAT id", got)
	}
}

// TestRefused lists what bad input is refused for.
func TestRefused(t *testing.T) {
	scenarios := []struct {
		name  string
		spoil func(*Document)
		rules string // all that are broken
	}{
		{"three decimals", func(d *Document) {
			*d = in("KWD", untaxed(Zero, "", ""), 1)
			d.Lines[0].Net = money.Must(1001, "KWD")
			d.Net = d.Lines[0].Net
		}, "BR-DEC-09 BR-DEC-12 BR-DEC-23 BR-CO-10 BR-CO-13 BR-Z-08"},
		{"three decimals everywhere", func(d *Document) {
			*d = in("KWD", untaxed(Zero, "", ""), 1)
			for _, a := range []*money.Amount{&d.Lines[0].Net, &d.Net, &d.Total, &d.Due, &d.Taxes[0].Base} {
				*a = money.Must(1001, "KWD")
			}
		}, "BR-DEC-09 BR-DEC-12 BR-DEC-14 BR-DEC-18 BR-DEC-19 BR-DEC-23 BR-CO-10 BR-CO-13 BR-CO-15 BR-CO-16"},
		{"another currency in a line", func(d *Document) { d.Lines[0].Net = money.Must(1800, "USD") }, "BT-5"},
		{"amount left out", func(d *Document) { d.Due = money.Amount{} }, "BR-15 BR-CO-16"},
		{"no lines", func(d *Document) { d.Lines = nil }, "BR-16 BR-CO-13 BR-S-08"},
		{"no number", func(d *Document) { d.Number = " " }, "BR-02"},
		{"no country", func(d *Document) { d.Buyer.Country = "" }, "BR-11"},
		{"country in words", func(d *Document) { d.Buyer.Country = "Greece" }, "BR-CL-14"},
		{"no quantity", func(d *Document) { d.Lines[0].Quantity = 0 }, "BR-26"},
		{"negative price", func(d *Document) { d.Lines[1].Quantity = 1 }, "BR-27"},
		{"a cent too much", func(d *Document) { d.Total = eur(5056) }, "BR-CO-15 BR-CO-16"},
		{"a due amount that is not what is left", func(d *Document) { d.Due = eur(5055) }, "BR-CO-16"},
		{"unknown unit", func(d *Document) { d.Lines[0].Unit = "month" }, "BR-CL-23"},
		{"unknown category", func(d *Document) { d.Lines[3].Category = "X" }, "BR-S-08 BR-CL-18"},
		{"no category", func(d *Document) { d.Lines[3].Category = "" }, "BR-CO-04 BR-S-08"},
		{"reverse charge without a buyer's id", func(d *Document) { *d = untaxed(ReverseCharge, "VATEX-EU-AE", ""); d.Buyer.VATID = "" }, "BR-AE-02"},
		{"exempt without a reason", func(d *Document) { *d = untaxed(Exempt, "", "") }, "BR-E-10"},
		{"out of scope beside taxed lines", func(d *Document) {
			d.Lines[3].Category, d.Lines[3].PPM, d.Taxes[1] = OutOfScope, 0, Tax{Category: OutOfScope, Base: eur(2500), Amount: eur(0), ReasonCode: "VATEX-EU-O"}
			d.Tax, d.Total, d.Due = eur(380), eur(4880), eur(3825)
		}, "BR-O-11 BR-O-12 BR-O-13"},
		{"transfer to nowhere", func(d *Document) { d.Payment.Account = "" }, "BR-50 BR-61"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			d := standard()
			s.spoil(&d)
			_, err := Render(d)
			refusal := &Refusal{}
			if !errors.Is(err, ErrRefused) || !errors.As(err, &refusal) {
				t.Fatalf("got %v, want %v", err, ErrRefused)
			}
			var rules []string
			for _, v := range refusal.Violations {
				if !slices.Contains(rules, v.Rule) {
					rules = append(rules, v.Rule)
				}
			}
			if got := strings.Join(rules, " "); got != s.rules {
				t.Errorf("got %s, want %s\n%v", got, s.rules, err)
			}
			if !strings.Contains(err.Error(), refusal.Violations[0].Rule) {
				t.Errorf("the error does not name the rule: %v", err)
			}
		})
	}
}

// TestPriceIsExact proves that quantity and price always make the line, also
// where a unit costs no whole number of cents.
func TestPriceIsExact(t *testing.T) {
	for _, s := range []struct {
		name              string
		quantity, net     int64
		price, base, sold string
	}{
		{"whole cents", 3, 999, "3.33", "", "3"},
		{"a third of a cent", 3, 1000, "10.00", "3", "3"},
		{"given back", -3, -1000, "10.00", "3", "-3"},
		{"free", 4, 0, "0.00", "", "4"},
	} {
		d := untaxed(Zero, "", "")
		d.Lines[0].Quantity, d.Lines[0].Net = s.quantity, eur(s.net)
		line := d.tree().one("cac:InvoiceLine")
		if got := line.get("cac:Price/cbc:PriceAmount"); got != s.price {
			t.Errorf("%s: got price %s, want %s", s.name, got, s.price)
		}
		if got := line.get("cac:Price/cbc:BaseQuantity"); got != s.base {
			t.Errorf("%s: got base quantity %q, want %q", s.name, got, s.base)
		}
		if got := line.get("cbc:InvoicedQuantity"); got != s.sold {
			t.Errorf("%s: got quantity %s, want %s", s.name, got, s.sold)
		}
	}
}

// TestRoundingPerLine shows how far taxes rounded per line may be from base ×
// rate: less than one unit of the currency, as the published validation has it.
func TestRoundingPerLine(t *testing.T) {
	invoice := func(lines int) Document {
		d := standard()
		d.Lines, d.Allowances, d.Prepaid = nil, nil, money.Amount{}
		for range lines { // 19 % of 0.18 is 0.0342: each line loses 0.42 cents
			d.Lines = append(d.Lines, Line{Name: "API", Quantity: 1, Unit: UnitHour, Net: eur(18), Category: Standard, PPM: 190_000})
		}
		n := int64(lines)
		d.Net, d.Tax, d.Total = eur(18*n), eur(3*n), eur(21*n)
		d.Due, d.Taxes = d.Total, []Tax{{Category: Standard, PPM: 190_000, Base: d.Net, Amount: d.Tax}}
		return d
	}
	if _, err := Render(invoice(236)); err != nil { // 0.99 apart
		t.Errorf("236 lines: %v", err)
	}
	refusal := &Refusal{}
	if _, err := Render(invoice(240)); !errors.As(err, &refusal) { // 1.01 apart
		t.Errorf("240 lines: got %v, want a refusal", err)
	}
	for i, want := range []string{"BR-CO-17", "BR-S-09"} {
		if i >= len(refusal.Violations) || refusal.Violations[i].Rule != want {
			t.Errorf("240 lines: got %v, want %s", refusal.Violations, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for ppm, want := range map[int64]string{0: "0", 190_000: "19", 75_000: "7.5", 99_750: "9.975", 1: "0.0001"} {
		if got := percent(ppm); got != want {
			t.Errorf("percent(%d): got %s, want %s", ppm, got, want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	d := standard()
	for b.Loop() {
		if _, err := Render(d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "xml/s")
}
