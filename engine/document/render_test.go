package document

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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
		t.Errorf("%s differs (-update rewrites it)\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func TestInvoiceText(t *testing.T) {
	yen := openInvoice()
	yen.Currency, yen.Taxes, yen.Credit, yen.Seller.Bank = "JPY", nil, money.Amount{}, nil
	yen.Lines = []Line{{Description: "Domain example.jp", Quantity: 12, UnitPrice: money.Must(1500, "JPY"), Amount: money.Must(18000, "JPY")}}
	yen.Subtotal, yen.Total, yen.Due = money.Must(18000, "JPY"), money.Must(18000, "JPY"), money.Must(18000, "JPY")
	draft := openInvoice()
	draft.Status, draft.Number, draft.DueAt = Draft, "", time.Time{}
	void := openInvoice()
	void.Status, void.Due, void.Language = Void, eur(0), "de-AT"
	scenarios := []struct {
		name string
		inv  Invoice
	}{
		{"open_en", openInvoice()},
		{"paid_de", paidInvoice()},
		{"yen_en", yen},
		{"draft_en", draft},
		{"void_de", void},
		{"long_en", longInvoice(70)},
		{"rich_en", richInvoice("en")},
		{"rich_de", richInvoice("de")},
		{"reverse_en", reverseInvoice("en")},
		{"reverse_de", reverseInvoice("de")},
		{"inclusive_en", inclusiveInvoice()},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) { goldenPDF(t, s.name, mustRender(t, s.inv)) })
	}
}

func TestCreditNoteText(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		pdf, err := RenderCreditNote(creditNote(language))
		if err != nil {
			t.Fatal(err)
		}
		goldenPDF(t, "creditnote_"+language, pdf)
	}
}

func TestStatementText(t *testing.T) {
	for name, st := range map[string]Statement{"statement_en": statement("en"), "statement_de": statement("de"), "statement_long_en": longStatement(60)} {
		pdf, err := RenderStatement(st)
		if err != nil {
			t.Fatal(err)
		}
		goldenPDF(t, name, pdf)
	}
}

// goldenPDF compares what a PDF says with testdata/name.golden.txt.
func goldenPDF(t *testing.T, name string, pdf []byte) {
	t.Helper()
	checkStructure(t, pdf)
	golden(t, name+".golden.txt", pdfText(t, pdf))
}

func TestSameBytes(t *testing.T) {
	inv := openInvoice()
	inv.Logo = logoPNG(t, 300, 60)
	want := sha256.Sum256(mustRender(t, inv))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				pdf, err := RenderInvoice(inv)
				if err != nil {
					t.Error(err)
				} else if got := sha256.Sum256(pdf); got != want {
					t.Errorf("got sum %x, want %x", got, want)
				}
				if _, err := RenderInvoice(paidInvoice()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestInputIsNotChanged(t *testing.T) {
	inv := openInvoice()
	inv.Lines[0].Description, inv.Seller.Address[0], inv.Taxes[0].Label = "a\tb", "c\nd", "e\nf"
	mustRender(t, inv)
	if inv.Lines[0].Description != "a\tb" || inv.Seller.Address[0] != "c\nd" || inv.Taxes[0].Label != "e\nf" {
		t.Errorf("rendering changed its input: %+v", inv)
	}
}

func TestPages(t *testing.T) {
	scenarios := []struct {
		name  string
		inv   Invoice
		pages int
	}{
		{"one line", longInvoice(1), 1},
		{"200 lines", longInvoice(200), 8},
		{"one description longer than a page", func() Invoice {
			inv := longInvoice(1)
			inv.Lines[0].Description = strings.Repeat("all work and no play makes a dull server ", 250)
			return inv
		}(), 3},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			pdf := mustRender(t, s.inv)
			checkStructure(t, pdf)
			text := pdfText(t, pdf)
			if got := strings.Count(text, "--- page"); got != s.pages {
				t.Errorf("got %d pages, want %d", got, s.pages)
			}
			heads := strings.Count(text, "Description | Qty")
			for _, page := range strings.Split(text, "--- page")[1:] {
				lines := strings.Contains(page, "Traffic") || strings.Contains(page, "dull")
				if lines != strings.Contains(page, "Description | Qty") {
					t.Errorf("a page with lines lacks the table head (%d heads)", heads)
				}
				if strings.Contains(page, "Subtotal") != strings.Contains(page, "Total | ") {
					t.Error("the totals are torn apart")
				}
			}
		})
	}
}

func TestMetadata(t *testing.T) {
	pdf := mustRender(t, openInvoice())
	for _, want := range []string{"/CreationDate (D:20261123000000)", "/ModDate (D:20261123000000)", "/Lang (en)", "/Title (", "/Author (", "/Subject ("} {
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("metadata lacks %s", want)
		}
	}
	if !bytes.Contains(pdf, []byte("/URI (https://account.nordlicht.example/pay/9f2c41d2a7)")) {
		t.Error("the pay link cannot be clicked")
	}
}

// TestForeignReader lets poppler read the file where it is installed: a reader
// that is not ours must find the same words.
func TestForeignReader(t *testing.T) {
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext is not installed; our own extractor covers the text")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(mustRender(t, openInvoice()))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("pdftotext: %v %s", err, complaints.String())
	}
	for _, want := range []string{"Σωκράτης & Дарья Ltd.", "€1,485.12", "IBAN DE02 1203", "Page 1 of 1"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("pdftotext does not find %q in\n%s", want, out)
		}
	}
}

func BenchmarkRenderInvoice(b *testing.B) {
	for _, s := range []struct {
		name string
		inv  Invoice
	}{{"common", openInvoice()}, {"200 lines", longInvoice(200)}} {
		b.Run(s.name, func(b *testing.B) {
			mustRender(b, s.inv) // cuts the fonts
			for b.Loop() {
				mustRender(b, s.inv)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pdf/s")
		})
	}
}
