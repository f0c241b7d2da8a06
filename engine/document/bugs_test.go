package document

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tests of this file cause situations of public billing failures
// (known-billing-bugs, by number) and show that they cannot happen here.

// TestD5CopiesPrintTheSameRows prints one invoice in every state and the credit
// note that takes all of it back: each shows the same lines, the same taxes and
// the same sums.
func TestD5CopiesPrintTheSameRows(t *testing.T) {
	inv := richInvoice("en")
	want := moneyRows(t, mustRender(t, inv))
	if len(want) < 10 {
		t.Fatalf("got %d rows with figures, want at least ten: %q", len(want), want)
	}
	for _, status := range []Status{Draft, Paid, Void, Uncollectible} {
		copied := inv
		copied.Status, copied.Due = status, eur(0)
		if got := moneyRows(t, mustRender(t, copied)); !slices.Equal(got, want) {
			t.Errorf("%s: got rows\n%q, want\n%q", status, got, want)
		}
	}
	note := creditNote("en")
	note.Lines, note.Subtotal, note.Taxes, note.Total = inv.Lines, inv.Subtotal, inv.Taxes, inv.Total
	note.Reduced, note.ToBalance = inv.Due, eur(inv.Total.Minor()-inv.Due.Minor())
	pdf, err := RenderCreditNote(note)
	if err != nil {
		t.Fatal(err)
	}
	if got := moneyRows(t, pdf); !slices.Equal(got, want) {
		t.Errorf("credit note: got rows\n%q, want\n%q", got, want)
	}
}

// pageFurniture is what stands between the rows of two pages.
var pageFurniture = regexp.MustCompile(`^--- page|, continued$| \| Page \d|^(VOID|WRITTEN OFF)$`)

// moneyRows returns the rows from the table's head to the total.
func moneyRows(t *testing.T, pdf []byte) []string {
	t.Helper()
	var rows []string
	inside := false
	for row := range strings.Lines(pdfText(t, pdf)) {
		row = strings.TrimSpace(row)
		if inside = inside || strings.HasPrefix(row, "Description | "); !inside || pageFurniture.MatchString(row) {
			continue
		}
		rows = append(rows, row)
		if strings.HasPrefix(row, "Total | ") {
			break
		}
	}
	return rows
}

// TestD5SumsThatDoNotAddUpAreRefused changes each figure by one minor unit: no
// document is printed whose lines, taxes and total disagree.
func TestD5SumsThatDoNotAddUpAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Invoice){
		"a line":   func(i *Invoice) { i.Lines[0].Amount = eur(i.Lines[0].Amount.Minor() + 1) },
		"a tax":    func(i *Invoice) { i.Taxes[1].Amount = eur(i.Taxes[1].Amount.Minor() - 1) },
		"subtotal": func(i *Invoice) { i.Subtotal = eur(i.Subtotal.Minor() + 1) },
		"total":    func(i *Invoice) { i.Total = eur(i.Total.Minor() + 1) },
	} {
		inv := richInvoice("en")
		spoil(&inv)
		if _, err := RenderInvoice(inv); err == nil {
			t.Errorf("%s off by a cent: printed", name)
		}
	}
}

// TestD6DocumentPrintsFrozenDataOnly renders a document, lets everything around
// it change – the seller moves, rates rise, the brand gets another logo, other
// languages and customers are printed – and renders it again from the same
// frozen values: not a byte differs.
func TestD6DocumentPrintsFrozenDataOnly(t *testing.T) {
	frozen := func() Invoice {
		inv := richInvoice("de")
		inv.Logo = logoPNG(t, 120, 40)
		return inv
	}
	want := mustRender(t, frozen())
	wantNote, wantStatement := mustBytes(t, RenderCreditNote, creditNote("de")), mustBytes(t, RenderStatement, statement("de"))

	later := frozen()
	later.Brand, later.Accent, later.Seller.Address[0], later.Seller.VATID = "Südlicht", "#aa2200", "Neuer Wall 1", "DE999999999"
	later.Buyer.Name, later.IssuedAt = "東京 株式会社", day(2031, time.January, 1)
	later.Taxes[0].PPM, later.Lines[0].Rates[0] = 210_000, 210_000
	for i := range cachedLogos + 2 { // more than are kept
		later.Logo = logoPNG(t, 20+i, 20)
		mustRender(t, later)
	}
	mustRender(t, openInvoice())
	mustRender(t, longInvoice(30))

	if got := mustRender(t, frozen()); !bytes.Equal(got, want) {
		t.Error("the invoice changed with the world around it")
	}
	if got := mustBytes(t, RenderCreditNote, creditNote("de")); !bytes.Equal(got, wantNote) {
		t.Error("the credit note changed with the world around it")
	}
	if got := mustBytes(t, RenderStatement, statement("de")); !bytes.Equal(got, wantStatement) {
		t.Error("the statement changed with the world around it")
	}
}

func mustBytes[T any](t *testing.T, render func(T) ([]byte, error), doc T) []byte {
	t.Helper()
	pdf, err := render(doc)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}
