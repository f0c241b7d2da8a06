package money_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

func TestParse(t *testing.T) {
	scenarios := []struct {
		name, text, code string
		want             int64
		err              error
	}{
		{"whole", "12", "EUR", 1200, nil},
		{"cents", "12.34", "EUR", 1234, nil},
		{"one decimal", "12.3", "EUR", 1230, nil},
		{"leading zeros", "0012.30", "EUR", 1230, nil},
		{"plus", "+0.05", "EUR", 5, nil},
		{"hyphen", "-0.05", "EUR", -5, nil},
		{"real minus", "−1234.50", "EUR", -123450, nil},
		{"negative zero", "-0.00", "EUR", 0, nil},
		{"no decimals", "1200", "JPY", 1200, nil},
		{"three decimals", "0.005", "KWD", 5, nil},
		{"four decimals", "1.0001", "CLF", 10001, nil},
		{"the limit", "10000000000.00", "EUR", money.Limit, nil},
		{"minus the limit", "-10000000000", "EUR", -money.Limit, nil},
		{"beyond the limit", "10000000000.01", "EUR", 0, money.ErrOverflow},
		{"beyond 64 bits", strings.Repeat("9", 40), "EUR", 0, money.ErrOverflow},
		{"too long", strings.Repeat("0", 65), "EUR", 0, money.ErrSyntax},
		{"too many decimals", "1.234", "EUR", 0, money.ErrSyntax},
		{"too many zeros", "1.000", "EUR", 0, money.ErrSyntax},
		{"decimals without any", "1.0", "JPY", 0, money.ErrSyntax},
		{"empty", "", "EUR", 0, money.ErrSyntax},
		{"sign alone", "-", "EUR", 0, money.ErrSyntax},
		{"point alone", ".", "EUR", 0, money.ErrSyntax},
		{"nothing before the point", ".5", "EUR", 0, money.ErrSyntax},
		{"nothing after the point", "5.", "EUR", 0, money.ErrSyntax},
		{"two points", "1.2.3", "EUR", 0, money.ErrSyntax},
		{"two signs", "--5", "EUR", 0, money.ErrSyntax},
		{"mixed signs", "-+5", "EUR", 0, money.ErrSyntax},
		{"grouping", "1,234.50", "EUR", 0, money.ErrSyntax},
		{"comma", "12,34", "EUR", 0, money.ErrSyntax},
		{"space", " 12", "EUR", 0, money.ErrSyntax},
		{"exponent", "1e3", "EUR", 0, money.ErrSyntax},
		{"hexadecimal", "0x10", "EUR", 0, money.ErrSyntax},
		{"underscore", "1_000", "EUR", 0, money.ErrSyntax},
		{"Arabic digits", "١٢", "EUR", 0, money.ErrSyntax},
		{"currency inside", "12 EUR", "EUR", 0, money.ErrSyntax},
		{"unknown currency", "12", "ABC", 0, money.ErrCurrency},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, err := money.Parse(s.text, s.code)
			if !errors.Is(err, s.err) || got.Minor() != s.want {
				t.Fatalf("Parse(%q, %s): got %v, error %v, want %d, error %v", s.text, s.code, got, err, s.want, s.err)
			}
			if err != nil && len(s.text) <= 64 && !strings.Contains(err.Error(), `"`+s.text+`"`) {
				t.Errorf("error %q does not name the text %q", err, s.text)
			}
		})
	}
}

func TestParseErrorIsShort(t *testing.T) {
	_, err := money.Parse(strings.Repeat("x", 1<<20), "EUR")
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("a megabyte of text gives an error of %d bytes", len(err.Error()))
	}
}

func TestWriting(t *testing.T) {
	scenarios := []struct {
		minor                    int64
		code                     string
		decimal, english, german string
	}{
		{0, "EUR", "0.00", "EUR 0.00", "0,00 EUR"},
		{5, "EUR", "0.05", "EUR 0.05", "0,05 EUR"},
		{-5, "EUR", "-0.05", "EUR −0.05", "−0,05 EUR"},
		{99_999, "EUR", "999.99", "EUR 999.99", "999,99 EUR"},
		{123_456, "EUR", "1234.56", "EUR 1,234.56", "1.234,56 EUR"},
		{-123_456_789, "USD", "-1234567.89", "USD −1,234,567.89", "−1.234.567,89 USD"},
		{money.Limit, "EUR", "10000000000.00", "EUR 10,000,000,000.00", "10.000.000.000,00 EUR"},
		{1200, "JPY", "1200", "JPY 1,200", "1.200 JPY"},
		{7, "JPY", "7", "JPY 7", "7 JPY"},
		{5, "KWD", "0.005", "KWD 0.005", "0,005 KWD"},
		{12_345_678, "CLF", "1234.5678", "CLF 1,234.5678", "1.234,5678 CLF"},
	}
	for _, s := range scenarios {
		t.Run(s.decimal+" "+s.code, func(t *testing.T) {
			a := money.Must(s.minor, s.code)
			for _, c := range []struct{ what, got, want string }{
				{"Decimal", a.Decimal(), s.decimal},
				{"String", a.String(), s.decimal + " " + s.code},
				{"Format en", a.Format("en"), s.english},
				{"Format en-GB", a.Format("en-GB"), s.english},
				{"Format of another language", a.Format("fr"), s.english},
				{"Format of no language", a.Format(""), s.english},
				{"Format de", a.Format("de"), s.german},
				{"Format de_AT", a.Format("de_AT"), s.german},
			} {
				if c.got != c.want {
					t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
				}
			}
		})
	}
}

func TestParseReadsDecimalBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "code")
		a := anyAmount(code).Draw(t, "a")
		if got, err := money.Parse(a.Decimal(), code); err != nil || got != a {
			t.Fatalf("Parse(%q): got %v, error %v, want %v", a.Decimal(), got, err, a)
		}
		bare := strings.ReplaceAll(strings.TrimPrefix(a.Format("en"), code+" "), ",", "")
		if got, err := money.Parse(bare, code); err != nil || got != a {
			t.Fatalf("Parse(%q): got %v, error %v, want %v", bare, got, err, a)
		}
	})
}

// FuzzParse: what is accepted is in bounds and is read back as the same amount
// from its canonical text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"12.34", "-0.05", "−1", "+7", "1.2.3", "", "1,000", "99999999999999999999", "0.00001"} {
		for _, code := range codes {
			f.Add(text, code)
		}
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		a, err := money.Parse(text, code)
		if err != nil {
			return
		}
		if a.Minor() > money.Limit || a.Minor() < -money.Limit || a.Currency() != code {
			t.Fatalf("Parse(%q, %q) is out of bounds: %v", text, code, a)
		}
		if again, err := money.Parse(a.Decimal(), code); err != nil || again != a {
			t.Fatalf("Parse(%q, %q) is %v, but its own text reads %v, error %v", text, code, a, again, err)
		}
	})
}
