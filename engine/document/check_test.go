package document

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

var zeroTime time.Time

func TestBadInput(t *testing.T) {
	usd := money.Must(100, "USD")
	scenarios := []struct {
		name  string
		spoil func(*Invoice)
		field string
	}{
		{"no brand", func(i *Invoice) { i.Brand = " " }, "brand"},
		{"no number", func(i *Invoice) { i.Number = "" }, "number"},
		{"unknown language", func(i *Invoice) { i.Language = "tlh" }, "language"},
		{"unknown status", func(i *Invoice) { i.Status = "lost" }, "status"},
		{"no date", func(i *Invoice) { i.IssuedAt = zeroTime }, "issue date"},
		{"unknown currency", func(i *Invoice) { i.Currency = "XXY" }, "currency"},
		{"bad accent", func(i *Invoice) { i.Accent = "blue" }, "accent"},
		{"no seller", func(i *Invoice) { i.Seller.Name = "" }, "seller name"},
		{"no buyer", func(i *Invoice) { i.Buyer.Name = "" }, "buyer name"},
		{"no lines", func(i *Invoice) { i.Lines = nil }, "lines"},
		{"empty line", func(i *Invoice) { i.Lines[1].Description = "" }, "line 2 description"},
		{"no quantity", func(i *Invoice) { i.Lines[1].Quantity = 0 }, "line 2 quantity"},
		{"half a period", func(i *Invoice) { i.Lines[0].End = zeroTime }, "line 1 period"},
		{"period backwards", func(i *Invoice) { i.Lines[0].Start, i.Lines[0].End = i.Lines[0].End, i.Lines[0].Start }, "line 1 period"},
		{"unit price in another currency", func(i *Invoice) { i.Lines[2].UnitPrice = usd }, "line 3 unit price"},
		{"line in another currency", func(i *Invoice) { i.Lines[2].Amount = usd }, "line 3 amount"},
		{"subtotal without a currency", func(i *Invoice) { i.Subtotal = money.Amount{} }, "subtotal"},
		{"tax base in another currency", func(i *Invoice) { i.Taxes[0].Base = usd }, "tax 1 base"},
		{"tax in another currency", func(i *Invoice) { i.Taxes[0].Amount = usd }, "tax 1 amount"},
		{"sum beyond bounds", func(i *Invoice) { i.Taxes[0].Amount = eur(money.Limit) }, "tax 1 amount"},
		{"wrong total", func(i *Invoice) { i.Total = eur(1) }, "total"},
		{"negative credit", func(i *Invoice) { i.Credit = eur(-1) }, "credit"},
		{"credit in another currency", func(i *Invoice) { i.Credit = usd }, "credit"},
		{"payment in another currency", func(i *Invoice) { i.Payments = []Payment{{Amount: usd}} }, "payment 1 amount"},
		{"paid but due", func(i *Invoice) { i.Status = Paid }, "amount due"},
		{"script as pay link", func(i *Invoice) { i.PayURL = "javascript:alert(1)" }, "pay link"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			inv := openInvoice()
			s.spoil(&inv)
			_, err := RenderInvoice(inv)
			if !errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), ErrInput.Error()+": "+s.field+" ") {
				t.Errorf("got %v, want %v naming %q", err, ErrInput, s.field)
			}
		})
	}
}

func TestLogo(t *testing.T) {
	good := logoPNG(t, 40, 10)
	scenarios := []struct {
		name string
		raw  []byte
		ok   bool
	}{
		{"png with transparency", good, true},
		{"text", []byte("hello"), false},
		{"half a png", good[:len(good)/2], false},
		{"too many bytes", bytes.Repeat([]byte{1}, MaxLogoBytes+1), false},
		{"too many pixels", logoPNG(t, 3001, 1), false},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			inv := openInvoice()
			inv.Logo = s.raw
			_, err := RenderInvoice(inv)
			if s.ok != (err == nil) || (err != nil && !errors.Is(err, ErrLogo)) {
				t.Errorf("got %v, want ok %v", err, s.ok)
			}
			if got := CheckLogo(s.raw); (got == nil) != s.ok {
				t.Errorf("CheckLogo: got %v, want ok %v", got, s.ok)
			}
		})
	}
}

// FuzzText proves that no text, however broken, stops or breaks a document.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "Ωμέγα", "a\\)b(", "\x00\xff\u202e", "😀", strings.Repeat("W", 900), "\u2028 \uffff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		inv := openInvoice()
		inv.Lines, inv.Notes = inv.Lines[:1], []string{s}
		inv.Buyer.Name, inv.Lines[0].Description = "x"+s, "x"+s
		pdf, err := RenderInvoice(inv)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		checkStructure(t, pdf)
	})
}
