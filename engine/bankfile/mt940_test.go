package bankfile

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// swiftOf is a statement with the lines of its entries.
func swiftOf(closing string, lines ...string) string {
	return ":20:X\n:25:DE02120300000000202051\n:28C:1/1\n:60F:C260304EUR10,00\n" + strings.Join(lines, "\n") + "\n:62F:" + closing + "\n-\n"
}

func TestMT940Marks(t *testing.T) {
	for line, want := range map[string]struct {
		amount            string
		reversal, pending bool
		closing           string
	}{
		"C1,50NTRFNONREF":   {"1.50 EUR", false, false, "C260305EUR11,50"},
		"CR1,5NTRFNONREF":   {"1.50 EUR", false, false, "C260305EUR11,5"},
		"D1,50NTRFNONREF":   {"-1.50 EUR", false, false, "C260305EUR8,50"},
		"DR20,NTRFNONREF":   {"-20.00 EUR", false, false, "D260305EUR10,"},
		"RC1,50NTRFNONREF":  {"-1.50 EUR", true, false, "C260305EUR8,50"},
		"RCR1,50NTRFNONREF": {"-1.50 EUR", true, false, "C260305EUR8,50"},
		"RD1,50NTRFNONREF":  {"1.50 EUR", true, false, "C260305EUR11,50"},
		"EC1,50NTRFNONREF":  {"1.50 EUR", false, true, "C260305EUR10,00"},
		"ED1,50NTRFNONREF":  {"-1.50 EUR", false, true, "C260305EUR10,00"},
	} {
		e := one(t, swiftOf(want.closing, ":61:2603050305"+line), Options{})
		if e.Amount.String() != want.amount || e.Reversal != want.reversal || e.Pending != want.pending {
			t.Errorf("%s: got %s reversal %v pending %v", line, e.Amount, e.Reversal, e.Pending)
		}
	}
}

func TestMT940BookingDay(t *testing.T) {
	for fields, want := range map[string]string{
		"260305": "2026-03-05", "2603050306": "2026-03-06", "2512310102": "2026-01-02", "2601021231": "2025-12-31", "2802290229": "2028-02-29", "2703010229": "2028-02-29",
	} {
		e := one(t, swiftOf("C260305EUR11,00", ":61:"+fields+"C1,00NTRFNONREF"), Options{})
		if got := e.BookedAt.Format(time.DateOnly); got != want {
			t.Errorf("%s: got %s, want %s", fields, got, want)
		}
	}
}

func TestMT940Information(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  Entry
	}{
		"German, words over subfields": {
			[]string{":86:166?00UEBERWEISUNG?20EREF+A-1?21SVWZ+123456789012345678INV-?222026-000042 DANKE?30BIC?31DE1?32ADA LOVELACE UND SOEHNE GES?33ELLSCHAFT"},
			Entry{Text: "123456789012345678INV- 2026-000042 DANKE", EndToEnd: "A-1", IBAN: "DE1", Name: "ADA LOVELACE UND SOEHNE GESELLSCHAFT"},
		},
		"German, a full subfield goes on": {
			[]string{":86:166?20SVWZ+0123456789012345678901?210123456789012345678901234ABC?22DEF"},
			Entry{Text: "0123456789012345678901 0123456789012345678901234ABCDEF"},
		},
		"German, no words":       {[]string{":86:051?20RECHNUNG INV-1?21ZWEITE ZEILE?60MEHR"}, Entry{Text: "RECHNUNG INV-1 ZWEITE ZEILE MEHR"}},
		"German, sign in text":   {[]string{":86:051?20WIE GEHT?ES?21B"}, Entry{Text: "WIE GEHT ?ES B"}},
		"German, account in 20":  {[]string{":86:166?20IBAN+DE 12?21SVWZ+X"}, Entry{Text: "X", IBAN: "DE12"}},
		"plain, over lines":      {[]string{":86:PAYMENT", "OF INV-1"}, Entry{Text: "PAYMENT OF INV-1"}},
		"plain, full line":       {[]string{":86:" + strings.Repeat("x", 62) + "INV", "-2026"}, Entry{Text: strings.Repeat("x", 62) + "INV-2026"}},
		"second information":     {[]string{":86:A", ":86:B"}, Entry{Text: "A B"}},
		"code words":             {[]string{":86:/TRTP/X/ORDP//NAME/ADA/ADDR/ROAD/REMI/INV-1/EREF/NOTPROVIDED/RTRN/AC01/"}, Entry{Text: "INV-1", Name: "ADA", Reversal: true}},
		"code words, other side": {[]string{":86:/EREF/E 1//CNTP/NL86INGB0002445588/INGBNL2A/ADA/CITY//REMI/USTD//INV-1/"}, Entry{Text: "USTD//INV-1/", Name: "ADA", IBAN: "NL86INGB0002445588", EndToEnd: "E 1/"}},
	} {
		e := one(t, swiftOf("C260305EUR11,00", append([]string{":61:260305C1,00NTRFNONREF"}, c.lines...)...), Options{})
		if e.Text != c.want.Text || e.Name != c.want.Name || e.IBAN != c.want.IBAN || e.EndToEnd != c.want.EndToEnd || e.Reversal != c.want.Reversal {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

func TestMT940Refused(t *testing.T) {
	entry := ":61:260305C1,00NTRFNONREF"
	whole := swiftOf("C260305EUR11,00", entry)
	change := func(from, to string) string { return strings.Replace(whole, from, to, 1) }
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"sum":                                {swiftOf("C260305EUR12,00", entry), ErrBalance, "opens with 10.00 EUR, its entries sum to 1.00 EUR, which makes 11.00 EUR, but it closes with 12.00 EUR"},
		"a line the payer wrote as an entry": {swiftOf("C260305EUR11,00", entry, ":86:HELLO", ":61:260305C999,00NTRFNONREF"), ErrBalance, "1000.00 EUR"},
		"entry":                              {change(entry, ":61:garbage"), ErrContent, "line 5 (:61:)"},
		"decimals":                           {change("C1,00N", "C1,005N"), ErrContent, "line 5"},
		"value date":                         {change(":61:260305", ":61:261305"), ErrContent, "261305"},
		"booking day":                        {change(":61:260305C", ":61:2603051399C"), ErrContent, "1399"},
		"opening":                            {change("C260304EUR10,00", "X"), ErrContent, "line 4 (:60F:)"},
		"currency":                           {strings.ReplaceAll(whole, "EUR", "XYZ"), ErrContent, "XYZ"},
		"two currencies":                     {change("C260305EUR11", "C260305USD11"), ErrContent, "closes in USD"},
		"no closing":                         {change(":62F:C260305EUR11,00\n", ""), ErrContent, "cut off"},
		"no opening":                         {change(":60F:C260304EUR10,00\n", ""), ErrContent, "before the opening balance"},
		"no account":                         {change(":25:DE02120300000000202051\n", ""), ErrContent, ":25:"},
		"empty account":                      {change(":25:DE02120300000000202051\n", ":25:\n"), ErrContent, "account is missing"},
		"page":                               {change("1/1", "1/x"), ErrContent, "line 3"},
		"unknown field":                      {change(entry, ":99:X"), ErrContent, "line 5 (:99:)"},
		"outside":                            {":20:X\n:25:A\n:62F:C260305EUR11,00\n", ErrContent, "opening balance"},
		"balance first":                      {":25:A\n:20:X\n", ErrContent, "belongs to no statement"},
		"nested":                             {":20:X\n:25:A\n:20:Y\n", ErrContent, "a statement begins before"},
		"pages do not meet": {
			":20:X\n:25:A\n:28C:1/1\n:60F:C260304EUR10,00\n:62M:C260304EUR10,00\n:20:X\n:25:A\n:28C:1/2\n:60M:C260304EUR11,00\n:62F:C260304EUR11,00\n", ErrBalance, "page 1 closes with 10.00 EUR",
		},
	} {
		if _, err := Parse([]byte(c.text), Options{Format: FormatMT940}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
}
