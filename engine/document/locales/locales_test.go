package locales

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestLanguagesAgree proves that every language has the same keys, the same
// number of paragraphs and the same placeholders, and no empty text.
func TestLanguagesAgree(t *testing.T) {
	reference, _ := Get(Default)
	for _, code := range Codes() {
		l, _ := Get(code)
		if got, want := l.Keys(), reference.Keys(); !slices.Equal(got, want) {
			for _, key := range append(got, want...) {
				if l.Has(key) != reference.Has(key) {
					t.Errorf("%s: key %q is in one language only", code, key)
				}
			}
		}
		for key, t1 := range reference.texts {
			t2 := l.texts[key]
			if len(t1) != len(t2) {
				t.Errorf("%s: %s has %d paragraphs, want %d", code, key, len(t2), len(t1))
				continue
			}
			for i := range t1 {
				got, want := placeholder.FindAllString(t2[i], -1), placeholder.FindAllString(t1[i], -1)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) || strings.TrimSpace(t2[i]) == "" {
					t.Errorf("%s: %s[%d] has placeholders %v, want %v", code, key, i, got, want)
				}
			}
		}
	}
}

func TestGet(t *testing.T) {
	for tag, want := range map[string]string{"en": "en", "de": "de", "de-AT": "de", "DE_ch": "de", "en-GB": "en", "fr": "", "": "", "deutsch": ""} {
		got := ""
		if l, ok := Get(tag); ok {
			got = l.Code()
		}
		if got != want {
			t.Errorf("Get(%q): got %q, want %q", tag, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	en, _ := Get("en")
	de, _ := Get("de")
	for _, s := range []struct {
		ppm    int64
		en, de string
	}{
		{0, "0 %", "0 %"}, {190_000, "19 %", "19 %"}, {99_750, "9.975 %", "9,975 %"}, {75_000, "7.5 %", "7,5 %"}, {1, "0.0001 %", "0,0001 %"},
	} {
		for l, want := range map[*Locale]string{en: s.en, de: s.de} {
			if got := strings.ReplaceAll(l.Percent(s.ppm), "\u00a0", " "); got != want {
				t.Errorf("%s: Percent(%d): got %q, want %q", l.Code(), s.ppm, got, want)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	scenarios := []struct {
		name   string
		amount money.Amount
		en, de string
	}{
		{"cents", money.Must(123450, "EUR"), "€1,234.50", "1.234,50 €"},
		{"negative", money.Must(-5, "USD"), "−$0.05", "−0,05 $"},
		{"zero", money.Must(0, "GBP"), "£0.00", "0,00 £"},
		{"no decimals", money.Must(1000000, "JPY"), "¥1,000,000", "1.000.000 ¥"},
		{"three decimals, code", money.Must(-1234567, "KWD"), "−KWD 1,234.567", "−1.234,567 KWD"},
		{"below a thousand", money.Must(99999, "EUR"), "€999.99", "999,99 €"},
	}
	en, _ := Get("en")
	de, _ := Get("de")
	for _, s := range scenarios {
		if got := en.Money(s.amount); got != s.en {
			t.Errorf("%s: got %q, want %q", s.name, got, s.en)
		}
		if got := de.Money(s.amount); got != s.de {
			t.Errorf("%s: got %q, want %q", s.name, got, s.de)
		}
	}
}

func TestDates(t *testing.T) {
	at := time.Date(2026, time.March, 1, 23, 30, 0, 0, time.UTC)
	east := time.FixedZone("EET", 2*3600)
	en, _ := Get("en")
	de, _ := Get("de")
	scenarios := []struct{ name, got, want string }{
		{"day", en.Date(at), "1 March 2026"},
		{"day stays in UTC", de.Date(at.In(east)), "1. März 2026"},
		{"no day", en.Date(time.Time{}), ""},
		{"moment", en.Moment(at, nil), "1 March 2026, 23:30 UTC"},
		{"moment in a zone", de.Moment(at, east), "2. März 2026, 01:30 Uhr EET"},
		{"no moment", de.Moment(time.Time{}, nil), ""},
		{"minutes", en.Duration(30 * time.Minute), "30 minutes"},
		{"one hour", en.Duration(time.Hour), "1 hour"},
		{"ninety minutes", en.Duration(90 * time.Minute), "90 minutes"},
		{"a week", de.Duration(7 * 24 * time.Hour), "7 Tage"},
		{"too short", en.Duration(time.Second), ""},
		{"integer", de.Integer(-1234567), "−1.234.567"},
	}
	for _, s := range scenarios {
		if s.got != s.want {
			t.Errorf("%s: got %q, want %q", s.name, s.got, s.want)
		}
	}
}

func TestText(t *testing.T) {
	en, _ := Get("en")
	if got, want := en.Text("nosuch"), "⟨nosuch⟩"; got != want {
		t.Errorf("missing key: got %q, want %q", got, want)
	}
	if got, want := en.Text("invoice.page", "page", "{pages}", "pages", "3"), "Page {pages} of 3"; got != want {
		t.Errorf("a value is not filled again: got %q, want %q", got, want)
	}
	got := en.Paragraphs("mail.password_reset.body", "brand", "X", "valid", "")
	if len(got) != 2 || strings.Contains(strings.Join(got, ""), "{valid}") {
		t.Errorf("a paragraph with an unknown value stays: %q", got)
	}
}
