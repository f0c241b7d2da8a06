package bankfile

import (
	"reflect"
	"testing"
)

func found(f *Finder, text string, known ...string) []string {
	list := []string{}
	for _, r := range Settle(f.Find(text), func(n string) bool {
		for _, k := range known {
			if k == n || known[0] == "any" {
				return true
			}
		}
		return false
	}) {
		if r.Loose {
			r.Number += "?"
		}
		list = append(list, r.Number)
	}
	return list
}

func TestFindInvoiceNumbers(t *testing.T) {
	finder := NewFinder([]Shape{ShapeOf("INV-2026-000042"), "INV-9999-9999999", "R-9999-9", "R-9999-99", "99999999", "ab9999", "X9", "---"})
	for text, want := range map[string][]string{
		"INV-2026-000042":                   {"INV-2026-000042"},
		"Rechnung inv 2026 000042 vom 5.3.": {"INV-2026-000042"},
		"INV2026000042":                     {"INV-2026-000042"},
		"inv–2026/000042":                   {"INV-2026-000042"},
		"Invoice:INV-2026-000042.":          {"INV-2026-000042"},
		"HOSTING MAERZINV-2026-000042DANKE": {"INV-2026-000042"},
		"INV-2026-00\n0042":                 {"INV-2026-000042?"},
		"INV-2026-000042 INV-2026-000043":   {"INV-2026-000042", "INV-2026-000043"},
		"INV-2026-000042, INV-2026-000042":  {"INV-2026-000042"},
		"INV-2026-000042 2026-03-05":        {"INV-2026-000042"},
		"INV-2026-0000421":                  {"INV-2026-0000421"},
		"INV-2026-000042123":                {},
		"INV-2026-00042":                    {},
		"INV-2026":                          {},
		"":                                  {},
		"R-2026-42":                         {"R-2026-42"},
		"R-2026-4 2":                        {"R-2026-4"},
		"ORDER 2026 4":                      {},
		"LEER-2026-42":                      {},
		"20260042":                          {"20260042?"},
		"am 20260042, danke":                {"20260042?"},
		"2026 0042":                         {},
		"1200000020260042":                  {},
		"A20260042":                         {},
		"AB 1234":                           {"ab1234?"},
		"ab1234":                            {"ab1234"},
		"X1":                                {},
		"INV-٢٠٢٦-000042":                   {},
	} {
		if got := found(finder, text, "any"); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestOnlyKnownNumbersCount: what overlaps a known number does not hide it.
func TestOnlyKnownNumbersCount(t *testing.T) {
	finder := NewFinder([]Shape{"R-9999-9", "R-9999-99"})
	if got := found(finder, "R-2026-4 2", "R-2026-42"); !reflect.DeepEqual(got, []string{"R-2026-42?"}) {
		t.Errorf("got %q", got)
	}
	if got := found(finder, "R-2026-4 2", "R-2026-7"); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestFindInAllThatAnEntrySays(t *testing.T) {
	finder := NewFinder([]Shape{"INV-9999-999999", "99999999"})
	for name, c := range map[string]struct {
		e    Entry
		want string
	}{
		"text":                        {Entry{Text: "INV-2026-000044"}, "INV-2026-000044"},
		"end to end":                  {Entry{Text: "hosting", EndToEnd: "INV2026000044"}, "INV-2026-000044"},
		"creditor reference":          {Entry{Structured: "RF97 INV2 0260 0004 4"}, "INV-2026-000044"},
		"creditor reference, digits":  {Entry{Structured: rf("20260044")}, "20260044"},
		"reference that is none":      {Entry{Structured: "RF00INV2026000044"}, "INV-2026-000044"},
		"not over the border of both": {Entry{Text: "INV-2026-0000", EndToEnd: "44"}, ""},
	} {
		refs := Settle(finder.In(c.e), func(string) bool { return true })
		if got := len(refs); c.want == "" && got != 0 || c.want != "" && (got != 1 || refs[0].Number != c.want) {
			t.Errorf("%s: got %+v, want %q", name, refs, c.want)
		}
	}
}

// rf makes a creditor reference.
func rf(reference string) string {
	for a := '0'; a <= '9'; a++ {
		for b := '0'; b <= '9'; b++ {
			if code := "RF" + string(a) + string(b) + reference; checksum(code) {
				return code
			}
		}
	}
	return ""
}

func TestChecksum(t *testing.T) {
	for code, want := range map[string]bool{
		"DE02120300000000202051": true, "DE03120300000000202051": false, "RF18539007547034": true, "RF18539007547035": false, "": false, "DE02": false, "DE0212030000000020205ä": false,
	} {
		if got := checksum(code); got != want {
			t.Errorf("%s: got %v, want %v", code, got, want)
		}
	}
}

// FuzzFind: whatever the text, a number that is found has the shape, and one
// that stands alone in it is found.
func FuzzFind(f *testing.F) {
	f.Add("Rechnung INV-2026-000042", uint32(42))
	f.Add("INV", uint32(2026000042))
	finder := NewFinder([]Shape{"INV-9999-999999"})
	f.Fuzz(func(t *testing.T, text string, n uint32) {
		for _, r := range finder.Find(text) {
			if ShapeOf(r.Number) != "INV-9999-999999" {
				t.Fatalf("%q: found %q", text, r.Number)
			}
		}
		number := numberOf(n)
		if refs := Settle(finder.Find(text+" | "+number+" | "+text), func(got string) bool { return got == number }); len(refs) != 1 {
			t.Fatalf("%q beside %q is found %d times", number, text, len(refs))
		}
	})
}

func numberOf(n uint32) string {
	digits := []byte("0000000000")
	for i := range digits {
		digits[len(digits)-1-i] += byte(n % 10)
		n /= 10
	}
	return "INV-" + string(digits[:4]) + "-" + string(digits[4:])
}
