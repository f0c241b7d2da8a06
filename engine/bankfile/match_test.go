package bankfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

func eur(minor int64) money.Amount { return money.Must(minor, "EUR") }

// bill is an open invoice of a customer, whose name is theirs.
func bill(number, customer string, owed int64, change ...func(*Invoice)) Named {
	n := Named{Invoice: Invoice{ID: "id-" + number, Number: number, Customer: customer, Names: []string{customer}, Status: billing.InvoiceOpen, Owed: eur(owed)}}
	for _, c := range change {
		c(&n.Invoice)
	}
	return n
}

func is(s billing.InvoiceStatus) func(*Invoice) {
	return func(i *Invoice) {
		i.Status = s
		if s == billing.InvoicePaid || s == billing.InvoiceVoid {
			i.Owed = i.Owed.Zero()
		}
	}
}

func loose(n Named) Named { n.Loose = true; return n }

// told writes a match in one line.
func told(m Match) string {
	parts := []string{}
	for _, p := range m.Parts {
		parts = append(parts, p.Invoice.Number+" "+p.Amount.Decimal())
	}
	s := fmt.Sprintf("%s [%s]", m.Result, strings.Join(parts, ", "))
	if !m.Credit.IsZero() {
		s += " credit " + m.Credit.Decimal()
	}
	if m.Customer != "" {
		s += " of " + m.Customer
	}
	if m.Closed != nil {
		s += " on closed " + m.Closed.Number
	}
	return s
}

func TestDecide(t *testing.T) {
	late := func(i *Invoice) { i.DueAt = i.DueAt.AddDate(1, 0, 0) }
	yen := func(i *Invoice) { i.Owed = money.Must(1000, "JPY") }
	for name, c := range map[string]struct {
		e     Entry
		named []Named
		alike []Named
		want  string
		says  string
	}{
		"exact":                   {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000)}, nil, "booked [I1 10.00] of ada", "paid in full"},
		"partial":                 {Entry{Amount: eur(400)}, []Named{bill("I1", "ada", 1000)}, nil, "booked [I1 4.00] of ada", "4.00 EUR of 10.00 EUR"},
		"excess":                  {Entry{Amount: eur(1500)}, []Named{bill("I1", "ada", 1000)}, nil, "booked [I1 10.00] credit 5.00 of ada", "5.00 EUR is more than was owed"},
		"two invoices":            {Entry{Amount: eur(3000)}, []Named{bill("I1", "ada", 1000), bill("I2", "ada", 2000)}, nil, "booked [I1 10.00, I2 20.00] of ada", ""},
		"two, the oldest first":   {Entry{Amount: eur(2500)}, []Named{bill("I1", "ada", 1000, late), bill("I2", "ada", 2000)}, nil, "booked [I2 20.00, I1 5.00] of ada", ""},
		"two, not enough":         {Entry{Amount: eur(500)}, []Named{bill("I1", "ada", 1000), bill("I2", "ada", 2000)}, nil, "booked [I1 5.00] of ada", "Nothing is left for invoice I2"},
		"B10, paid already":       {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000, is(billing.InvoicePaid))}, nil, "booked [] credit 10.00 of ada on closed I1", "Invoice I1 is paid"},
		"B10, void":               {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000, is(billing.InvoiceVoid))}, nil, "booked [] credit 10.00 of ada on closed I1", "Invoice I1 is void"},
		"paid one and open one":   {Entry{Amount: eur(2000)}, []Named{bill("I1", "ada", 1000, is(billing.InvoicePaid)), bill("I2", "ada", 1000)}, nil, "booked [I2 10.00] credit 10.00 of ada", "Invoice I1 is paid"},
		"written off, still paid": {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000, is(billing.InvoiceUncollectible))}, nil, "booked [I1 10.00] of ada", ""},
		"B3, several customers":   {Entry{Amount: eur(2000)}, []Named{bill("I1", "ada", 1000), bill("I2", "bob", 1000)}, nil, "suggested [I1 10.00, I2 10.00] of ada", "several customers: I1, I2"},
		"D2, wrong currency":      {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000, yen)}, nil, "unmatched [] of ada", "in EUR, but what it names is in another currency: I1 (JPY)"},
		"loose, amount fits":      {Entry{Amount: eur(1000)}, []Named{loose(bill("I1", "ada", 1000))}, nil, "booked [I1 10.00] of ada", ""},
		"loose, name fits":        {Entry{Amount: eur(400), Name: "Ada"}, []Named{loose(bill("I1", "ada", 1000))}, nil, "booked [I1 4.00] of ada", ""},
		"loose, nothing fits":     {Entry{Amount: eur(400), Name: "Bob"}, []Named{loose(bill("I1", "ada", 1000))}, nil, "suggested [I1 10.00] of ada", "neither the amount nor"},
		"loose beside sure":       {Entry{Amount: eur(1000)}, []Named{bill("I1", "ada", 1000), loose(bill("I9", "bob", 500))}, nil, "booked [I1 10.00] of ada", ""},
		"loose beside sure, sum":  {Entry{Amount: eur(1500)}, []Named{bill("I1", "ada", 1000), loose(bill("I2", "ada", 500))}, nil, "booked [I1 10.00, I2 5.00] of ada", ""},
		"B3, amount and name":     {Entry{Amount: eur(1000), Name: "ADA"}, nil, []Named{bill("I1", "ada", 1000), bill("I2", "bob", 1000)}, "suggested [I1 10.00] of ada", "fit invoice I1"},
		"B3, amount alone":        {Entry{Amount: eur(1000), Name: "Eve"}, nil, []Named{bill("I1", "ada", 1000)}, "unmatched []", `no customer called "Eve"`},
		"B3, nobody named":        {Entry{Amount: eur(1000)}, nil, []Named{bill("I1", "ada", 1000)}, "unmatched []", "names no invoice"},
		"B3, nothing":             {Entry{Amount: eur(1000), Name: "Ada"}, nil, nil, "unmatched []", "No open invoice is over 10.00 EUR"},
		"two customers of a name": {Entry{Amount: eur(1000), Name: "Ada"}, nil, []Named{bill("I1", "ada", 1000), bill("I2", "c2", 1000, func(i *Invoice) { i.Names = []string{"Ada"} })}, "unmatched []", "Several customers"},
		"debit":                   {Entry{Amount: eur(-1000)}, []Named{bill("I1", "ada", 1000)}, nil, "ignored []", "No money came in"},
		"nothing moved":           {Entry{Amount: eur(0)}, []Named{bill("I1", "ada", 1000)}, nil, "ignored []", ""},
		"reversal":                {Entry{Amount: eur(1000), Reversal: true}, []Named{bill("I1", "ada", 1000)}, nil, "ignored []", "takes an earlier entry back"},
		"announced":               {Entry{Amount: eur(1000), Pending: true}, []Named{bill("I1", "ada", 1000)}, nil, "ignored []", "not booked it"},
	} {
		alike := []Invoice{}
		for _, a := range c.alike {
			alike = append(alike, a.Invoice)
		}
		m, err := Decide(c.e, c.named, alike)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(m); got != c.want || !strings.Contains(strings.Join(m.Reasons, " "), c.says) {
			t.Errorf("%s: got %s because %q, want %s because %q", name, got, m.Reasons, c.want, c.says)
		}
		if sum := m.Credit.Minor(); m.Result == Booked {
			for _, p := range m.Parts {
				sum += p.Amount.Minor()
			}
			if sum != c.e.Amount.Minor() {
				t.Errorf("%s: %d of %d is booked", name, sum, c.e.Amount.Minor())
			}
		}
	}
}

func TestSumsAreBounded(t *testing.T) {
	if _, err := Decide(Entry{Amount: eur(1)}, []Named{bill("I1", "ada", money.Limit), bill("I2", "ada", money.Limit)}, nil); err == nil {
		t.Error("a sum beyond the limit is decided")
	}
}

func TestSameName(t *testing.T) {
	for pair, want := range map[string]bool{
		"Jörg Müller|MUELLER, JOERG": true, "Dr. Jörg Müller|Joerg Mueller": true, "Ada King Lovelace|Ada Lovelace": true, "Example GmbH|EXAMPLE": true,
		"Straße GmbH & Co. KG|STRASSE GMBH": true, "Renée Müller|RENEE MUELLER": true,
		"Ada|Ada Lovelace": false, "Ada Lovelace|Ada Byron": false, "|": false, "GmbH|GmbH": false, "Ada Lovelace|": false, "Müller|Mueller Bau": false,
	} {
		a, b, _ := strings.Cut(pair, "|")
		if got := sameName(a, []string{b}); got != want {
			t.Errorf("%s: got %v, want %v", pair, got, want)
		}
		if got := sameName(b, []string{a}); got != want {
			t.Errorf("%s, turned: got %v, want %v", pair, got, want)
		}
	}
}
