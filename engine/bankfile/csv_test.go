package bankfile

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// one reads a file of one entry.
func one(t *testing.T, text string, o Options) Entry {
	t.Helper()
	f, err := Parse([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Entries()); n != 1 {
		t.Fatalf("got %d entries, want 1", n)
	}
	return f.Entries()[0]
}

var plainCSV = Options{CSV: Layout{Account: "A1", Currency: "EUR"}}

func TestCSVAmounts(t *testing.T) {
	for cell, want := range map[string]string{
		"19,90": "19.90 EUR", "19.90": "19.90 EUR", "-19,9": "-19.90 EUR", "1.234,56": "1234.56 EUR", "1,234.56": "1234.56 EUR", "1 234,56": "1234.56 EUR",
		"1'234.50": "1234.50 EUR", "1\u00A0234,56 €": "1234.56 EUR", "EUR 12": "12.00 EUR", "12,00-": "-12.00 EUR", "(12.00)": "-12.00 EUR", "12,00 S": "-12.00 EUR", "12,00 H": "12.00 EUR",
		"+7,5": "7.50 EUR", "−3,00": "-3.00 EUR", "1.234.567,00": "1234567.00 EUR", "12.5000": "12.50 EUR", ",50": "0.50 EUR", "0,500": "0.50 EUR", "7": "7.00 EUR",
	} {
		if got := one(t, "Datum;Betrag\n05.03.2026;"+cell+"\n", plainCSV); got.Amount.String() != want {
			t.Errorf("%q: got %s, want %s", cell, got.Amount, want)
		}
	}
	for _, cell := range []string{"", "x", "12,345", "1.23,4,5", "12.34.56", "--1", "1,2 USD EUR", "12 apples", "1,005", "99999999999999", "0x10", "1e3", "٣"} {
		if f, err := Parse([]byte("Datum;Betrag\n05.03.2026;"+cell+"\n"), plainCSV); err == nil {
			t.Errorf("%q: got %s, want an error", cell, f.Entries()[0].Amount)
		} else if !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v does not name the line", cell, err)
		}
	}
}

// TestCSVDecimalOfTheWholeColumn: one amount that leaves no doubt decides for
// those that do.
func TestCSVDecimalOfTheWholeColumn(t *testing.T) {
	for text, want := range map[string]string{"1.234;2,50": "1234.00 EUR", "1,234;2.50": "1234.00 EUR", "1.234;5": ""} {
		a, b, _ := strings.Cut(text, ";")
		f, err := Parse([]byte("Datum;Betrag\n05.03.2026;"+a+"\n05.03.2026;"+b+"\n"), plainCSV)
		if want == "" {
			if !errors.Is(err, ErrUnclear) {
				t.Errorf("%s: got %v, want ErrUnclear", text, err)
			}
			continue
		}
		if err != nil || f.Entries()[0].Amount.String() != want {
			t.Errorf("%s: got %v %v, want %s", text, f.Entries(), err, want)
		}
	}
	said := plainCSV
	said.CSV.Decimal = ","
	if got := one(t, "Datum;Betrag\n05.03.2026;1.234\n", said); got.Amount.String() != "1234.00 EUR" {
		t.Errorf("with a decimal comma 1.234 is %s", got.Amount)
	}
}

func TestCSVDates(t *testing.T) {
	for cell, want := range map[string]string{
		"05.03.2026": "2026-03-05", "5.3.26": "2026-03-05", "2026-03-05": "2026-03-05", "2026/03/05": "2026-03-05", "20260305": "2026-03-05",
		"2026-03-05T23:59:59Z": "2026-03-05", "2026-03-05 08:00": "2026-03-05", "13/03/2026": "2026-03-13", "03/13/2026": "2026-03-13", "29.02.2028": "2028-02-29",
	} {
		if got := one(t, "Datum;Betrag\n"+cell+";1,00\n", plainCSV).BookedAt.Format(time.DateOnly); got != want {
			t.Errorf("%q: got %s, want %s", cell, got, want)
		}
	}
	for cell, want := range map[string]error{"05/03/2026": ErrUnclear, "05-03-2026": ErrUnclear, "29.02.2026": ErrContent, "yesterday": ErrContent, "": ErrContent, "2026-13-01": ErrContent, "1.2.3.4": ErrContent} {
		if _, err := Parse([]byte("Datum;Betrag\n"+cell+";1,00\n"), plainCSV); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", cell, err, want)
		}
	}
	american := plainCSV
	american.CSV.Dates = "mdy"
	if got := one(t, "Date,Amount\n05/03/2026,1.00\n", american).BookedAt.Format(time.DateOnly); got != "2026-05-03" {
		t.Errorf("month first: got %s", got)
	}
	mixed := "Date,Amount\n13/03/2026,1.00\n03/13/2026,1.00\n"
	if _, err := Parse([]byte(mixed), plainCSV); !errors.Is(err, ErrContent) || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("two orders in one file: got %v", err)
	}
}

func TestCSVLayouts(t *testing.T) {
	mapped := Options{CSV: Layout{Delimiter: "|", Headerless: true, Account: "A1", Currency: "CHF", Columns: map[Column]string{ColumnBooked: "2", ColumnAmount: "1", ColumnText: "3"}}}
	if e := one(t, "12.00|2026-03-05|INV-1\n", mapped); e.Text != "INV-1" || e.Amount.String() != "12.00 CHF" {
		t.Errorf("by numbers: got %+v", e)
	}
	named := Options{CSV: Layout{Account: "A1", Currency: "EUR", Columns: map[Column]string{ColumnBooked: "wann", ColumnAmount: "wie viel", ColumnText: "wozu"}}}
	if e := one(t, "Bank X\nWann\tWie viel\tWozu\n05.03.2026\t3,00\tINV-2\n", named); e.Text != "INV-2" || e.Amount.String() != "3.00 EUR" || e.Where != "line 3" {
		t.Errorf("by names: got %+v", e)
	}
	quoted := "Datum;Betrag;Verwendungszweck\n05.03.2026;1,00;\"two\nlines; one cell\"\n06.03.2026;2,00;next\n"
	f, err := Parse([]byte(quoted), plainCSV)
	if err != nil || len(f.Entries()) != 2 || f.Entries()[0].Text != "two\nlines; one cell" || f.Entries()[1].Where != "line 4" {
		t.Errorf("a cell over two lines: got %+v %v", f, err)
	}
	if e := one(t, "Datum;Betrag;Verwendungszweck\n05.03.2026;1,00;5 Stück 3\" Disks\n", plainCSV); e.Text != `5 Stück 3" Disks` {
		t.Errorf("a quotation mark as it is: got %q", e.Text)
	}
	if e := one(t, "Datum;Soll;Haben\r05.03.2026;0,00;5,00\r", plainCSV); e.Amount.String() != "5.00 EUR" {
		t.Errorf("two columns, old line ends: got %s", e.Amount)
	}
	if e := one(t, "Datum;Soll;Haben\n05.03.2026;-5,00;\n", plainCSV); e.Amount.String() != "-5.00 EUR" {
		t.Errorf("a debit with a sign: got %s", e.Amount)
	}
}

func TestCSVRefused(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		o    Options
		want error
		says string
	}{
		"empty":             {"", plainCSV, ErrFormat, "empty"},
		"no headings":       {"hello\nworld\n", plainCSV, ErrFormat, "headings"},
		"binary":            {"Datum;Betrag\n\x00\x01", plainCSV, ErrFormat, "bytes"},
		"a picture":         {"\x89PNG\r\n\x1a\n\x00\x00", plainCSV, ErrFormat, "bytes"},
		"no account":        {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Currency: "EUR"}}, ErrUnclear, "account"},
		"no currency":       {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Account: "A1"}}, ErrUnclear, "line 2: the file can be read"},
		"unknown currency":  {"Datum;Betrag;Währung\n05.03.2026;1,00;XYZ\n", plainCSV, ErrContent, `line 2: currency "XYZ"`},
		"two currencies":    {"Datum;Betrag;Währung\n05.03.2026;1,00 €;USD\n", plainCSV, ErrContent, "line 2"},
		"broken quotes":     {"Datum;Betrag;Zweck\n\"05.03.2026\";\"1,00\";\"open\n", plainCSV, ErrContent, "line 2"},
		"short row":         {"Datum;Betrag;Zweck\n05.03.2026;;x\n", plainCSV, ErrContent, "line 2: amount"},
		"both sides":        {"Datum;Soll;Haben\n05.03.2026;1,00;2,00\n", plainCSV, ErrContent, "line 2"},
		"neither side":      {"Datum;Soll;Haben\n05.03.2026;;\n", plainCSV, ErrContent, "line 2"},
		"side unknown":      {"Datum;Betrag;Soll/Haben\n05.03.2026;1,00;Q\n", plainCSV, ErrContent, `"Q"`},
		"negative credit":   {"Datum;Soll;Haben\n05.03.2026;;-2,00\n", plainCSV, ErrContent, "negative credit"},
		"map to nothing":    {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Columns: map[Column]string{ColumnText: "Zweck"}}}, ErrUnclear, "mapped"},
		"map what is not":   {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Columns: map[Column]string{"color": "1"}}}, ErrUnclear, `"color"`},
		"unknown format":    {"Datum;Betrag\n", Options{Format: "xls"}, ErrFormat, `"xls"`},
		"unknown set":       {"Datum;Betrag\n", Options{Charset: "ebcdic"}, ErrUnclear, `"ebcdic"`},
		"not UTF-8":         {"Datum;Betrag;\xFF\n", Options{Charset: UTF8}, ErrContent, "byte 14"},
		"half a UTF-16":     {"\xFF\xFED", Options{}, ErrContent, "cut off"},
		"unknown order":     {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Dates: "DYM"}}, ErrUnclear, "DYM"},
		"unknown mark":      {"Datum;Betrag\n05.03.2026;1,00\n", Options{CSV: Layout{Decimal: "'"}}, ErrUnclear, "decimal mark"},
		"headerless, blind": {"05.03.2026;1,00\n", Options{CSV: Layout{Headerless: true}}, ErrUnclear, "numbers"},
	} {
		if _, err := Parse([]byte(c.text), c.o); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
	if _, err := Parse(make([]byte, MaxSize+1), Options{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: got %v", err)
	}
}

func TestCharacterSets(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		set  Charset
		want string
	}{
		"UTF-8":            {"Ü€", "", "Ü€"},
		"with a mark":      {"\xEF\xBB\xBFÜ", "", "Ü"},
		"Windows":          {"\xDC\x80\x93", "", "Ü€“"},
		"Windows, no euro": {"\xDC", "", "Ü"},
		"ISO":              {"\xDC\xA4\xA8", "", "Ü€š"},
		"ISO, said":        {"\xA8", ISO8859_15, "š"},
		"Windows, said":    {"\xA4", Windows1252, "¤"},
		"UTF-16 little":    {"\xFF\xFE\xDC\x00\xAC\x20", "", "Ü€"},
		"UTF-16 big":       {"\xFE\xFF\x00\xDC\x20\xAC", "", "Ü€"},
	} {
		if got, err := decode([]byte(c.data), c.set); got != c.want || err != nil {
			t.Errorf("%s: got %q %v, want %q", name, got, err, c.want)
		}
	}
	if got := detect([]byte("\xFF\xFE<\x00?\x00")); got != FormatCAMT {
		t.Errorf("XML in UTF-16 is taken for %s", got)
	}
}
