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
		{"unknown kind of line", func(i *Invoice) { i.Lines[0].Kind = "gift" }, "line 1 kind"},
		{"discount that adds", func(i *Invoice) { i.Lines[0].Kind = Discount }, "line 1 amount"},
		{"more days than there are", func(i *Invoice) { i.Lines[0].Share = Share{Days: 31, Of: 30} }, "line 1 share"},
		{"days of no period", func(i *Invoice) { i.Lines[0].Share = Share{Days: 3} }, "line 1 share"},
		{"full price in another currency", func(i *Invoice) { i.Lines[0].Share = Share{3, 30, usd} }, "line 1 full price"},
		{"cap in another currency", func(i *Invoice) { i.Lines[0].Cap = usd }, "line 1 cap"},
		{"usage without a unit", func(i *Invoice) { i.Lines[0].Usage = Usage{Used: 3} }, "line 1 usage"},
		{"negative usage", func(i *Invoice) { i.Lines[0].Usage = Usage{-3, 0, "GB"} }, "line 1 usage"},
		{"unknown tax category of a line", func(i *Invoice) { i.Lines[0].Category = "X" }, "line 1 tax category"},
		{"rate beyond everything", func(i *Invoice) { i.Lines[0].Rates = []int64{1_000_001} }, "line 1 tax rate"},
		{"tax without a name", func(i *Invoice) { i.Taxes[0].Label = "" }, "tax 1 label"},
		{"unknown tax category", func(i *Invoice) { i.Taxes[0].Category = "X" }, "tax 1 category"},
		{"negative rate", func(i *Invoice) { i.Taxes[0].PPM = -1 }, "tax 1 rate"},
		{"unknown reason", func(i *Invoice) { i.Taxes[0].Reason = "because" }, "tax 1 reason"},
		{"unknown prices", func(i *Invoice) { i.Prices = "cheap" }, "prices"},
		{"unknown rounding", func(i *Invoice) { i.Rounding = "up" }, "rounding"},
		{"lines that do not make the subtotal", func(i *Invoice) { i.Prices, i.Lines[0].Amount = Exclusive, eur(1) }, "lines"},
		{"lines that do not make the total", func(i *Invoice) { i.Prices = Inclusive }, "lines"},
		{"lines beyond bounds", func(i *Invoice) { i.Prices, i.Lines[0].Amount = Exclusive, eur(money.Limit) }, "lines"},
		{"correction of nothing", func(i *Invoice) { i.Corrects = []Reference{{}} }, "corrected document 1"},
		{"corrected by nothing", func(i *Invoice) { i.Corrected = []Correction{{}} }, "credit note 1"},
		{"negative reduction", func(i *Invoice) {
			i.Corrected = []Correction{{Reference{Number: "CN-1"}, eur(-1)}}
		}, "credit note 1 amount"},
		{"negative write-off", func(i *Invoice) { i.WrittenOff = eur(-1) }, "written off"},
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

func TestBadCreditNote(t *testing.T) {
	scenarios := []struct {
		name  string
		spoil func(*CreditNote)
		field string
	}{
		{"no brand", func(n *CreditNote) { n.Brand = "" }, "brand"},
		{"no buyer", func(n *CreditNote) { n.Buyer.Name = "" }, "buyer name"},
		{"no number", func(n *CreditNote) { n.Number = "" }, "number"},
		{"no invoice", func(n *CreditNote) { n.Corrects.Number = "" }, "corrected invoice"},
		{"no lines", func(n *CreditNote) { n.Lines = nil }, "lines"},
		{"wrong total", func(n *CreditNote) { n.Total = eur(1) }, "total"},
		{"negative reduction", func(n *CreditNote) { n.Reduced = eur(-1) }, "reduction"},
		{"credit in another currency", func(n *CreditNote) { n.ToBalance = money.Must(1, "USD") }, "credit"},
		{"total with no use", func(n *CreditNote) { n.ToBalance = money.Amount{} }, "total"},
		{"negative total", func(n *CreditNote) {
			n.Lines = []Line{{Description: "x", Quantity: 1, Amount: eur(-1)}}
			n.Subtotal, n.Taxes, n.Total = eur(-1), nil, eur(-1)
		}, "total"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			n := creditNote("en")
			s.spoil(&n)
			_, err := RenderCreditNote(n)
			if !errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), ErrInput.Error()+": "+s.field+" ") {
				t.Errorf("got %v, want %v naming %q", err, ErrInput, s.field)
			}
		})
	}
}

func TestBadStatement(t *testing.T) {
	scenarios := []struct {
		name  string
		spoil func(*Statement)
		field string
	}{
		{"no language", func(s *Statement) { s.Language = "" }, "language"},
		{"no seller", func(s *Statement) { s.Seller.Name = "" }, "seller name"},
		{"no time", func(s *Statement) { s.To = s.From }, "time"},
		{"opening balance in another currency", func(s *Statement) { s.Opening = money.Must(1, "USD") }, "opening balance"},
		{"unknown kind", func(s *Statement) { s.Rows[0].Kind = "gift" }, "row 1 kind"},
		{"neither debit nor credit", func(s *Statement) { s.Rows[0].Credit = money.Amount{} }, "row 1"},
		{"both debit and credit", func(s *Statement) { s.Rows[0].Debit = eur(1) }, "row 1"},
		{"negative debit", func(s *Statement) { s.Rows[1].Debit = eur(-1) }, "row 2 debit"},
		{"credit in another currency", func(s *Statement) { s.Rows[0].Credit = money.Must(1, "USD") }, "row 1 credit"},
		{"out of order", func(s *Statement) { s.Rows[1].At = s.From }, "row 2 date"},
		{"after the end", func(s *Statement) { s.Rows[4].At = s.To }, "row 5 date"},
		{"a balance that is wrong", func(s *Statement) { s.Rows[2].Balance = eur(1) }, "row 3 balance"},
		{"a balance beyond bounds", func(s *Statement) { s.Rows[1].Debit, s.Opening = eur(money.Limit), eur(money.Limit) }, "row 1 balance"},
		{"a closing balance that is wrong", func(s *Statement) { s.Closing = eur(0) }, "closing balance"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			st := statement("en")
			s.spoil(&st)
			_, err := RenderStatement(st)
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
