package vatid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
)

// examples are ids that fit, and the same with one digit off. They are the
// samples of the construction rules, of national registers' own pages, and
// published ids of large companies.
var examples = []struct{ name, valid, wrong string }{
	{"Austria", "ATU13585627", "ATU13585626"},
	{"Belgium", "BE0403019261", "BE0403019262"},
	{"Belgium, since 2023", "BE1000341796", "BE1000341797"},
	{"Bulgaria, company", "BG175074752", "BG175074751"},
	{"Bulgaria, person", "BG7523169263", "BG7523169260"},
	{"Cyprus", "CY10259033P", "CY10259033Z"},
	{"Czechia, company", "CZ25123891", "CZ25123890"},
	{"Czechia, person", "CZ7103192745", "CZ7103192746"},
	{"Czechia, special", "CZ640903926", "CZ640903925"},
	{"Germany", "DE136695976", "DE136695978"},
	{"Denmark", "DK13585628", "DK13585627"},
	{"Estonia", "EE100594102", "EE100594103"},
	{"Greece", "EL094259216", "EL094259217"},
	{"Spain, digit at the end", "ESB58378431", "ESB58378432"},
	{"Spain, letter at the end", "ESN0112768G", "ESN0112767G"},
	{"Spain, person", "ES54362315K", "ES54362316K"},
	{"Spain, foreigner", "ESX5253868R", "ESX5253867R"},
	{"Spain, person without DNI", "ESM1234567L", "ESM1234566L"},
	{"Finland", "FI20774740", "FI20774741"},
	{"France", "FR40303265045", "FR41303265045"},
	{"France, second style", "FRK7399859412", "FRK8399859412"},
	{"France, second style, digit first", "FR4Z123456782", "FR5Z123456782"},
	{"Monaco", "FR53000004605", "FR54000004605"},
	{"Croatia", "HR33392005961", "HR33392005962"},
	{"Hungary", "HU12892312", "HU12892313"},
	{"Ireland", "IE6433435F", "IE6433435E"},
	{"Ireland, two letters", "IE6433435OA", "IE6433436OA"},
	{"Ireland, before 2013", "IE8D79739I", "IE8D79739J"},
	{"Italy", "IT00743110157", "IT00743110158"},
	{"Lithuania, company", "LT119511515", "LT119511516"},
	{"Lithuania, temporary", "LT100001919017", "LT100001919018"},
	{"Luxembourg", "LU15027442", "LU15027443"},
	{"Latvia, company", "LV40003521600", "LV40003521601"},
	{"Malta", "MT11679112", "MT11679113"},
	{"Netherlands", "NL004495445B01", "NL004495446B01"},
	{"Netherlands, since 2020", "NL000099998B57", "NL000099998B58"},
	{"Poland", "PL8567346215", "PL8567346216"},
	{"Portugal", "PT501964843", "PT501964842"},
	{"Romania", "RO18547290", "RO18547291"},
	{"Romania, short", "RO19", "RO18"},
	{"Sweden", "SE123456789701", "SE123456789101"},
	{"Slovenia", "SI50223054", "SI50223055"},
	{"Slovakia", "SK2022749619", "SK2022749618"},
	{"United Kingdom", "GB980780684", "GB980780685"},
	{"United Kingdom, since 2009", "GB340804329", "GB340804328"},
	{"United Kingdom, branch", "GB980780684001", "GB980780685001"},
	{"Northern Ireland", "XI980780684", "XI980780685"},
	{"Switzerland", "CHE107787577", "CHE107787578"},
	{"Norway", "NO995525828", "NO995525829"},
}

func TestParse(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			id, err := vatid.Parse(e.valid, "")
			if err != nil || id.String() != e.valid || id.FormatOnly {
				t.Errorf("got %+v, error %v, want %s with its check digit looked at", id, err, e.valid)
			}
			if id, err := vatid.Parse(e.wrong, ""); !errors.Is(err, vatid.ErrChecksum) {
				t.Errorf("one digit off, %s: got %v, error %v, want %v", e.wrong, id, err, vatid.ErrChecksum)
			}
		})
	}
}

// TestParseSeesSlips changes each digit of each example to each other one. Check
// digits modulo 10 and 11 cannot see all slips; modulo 97 and Luhn do.
func TestParseSeesSlips(t *testing.T) {
	for _, e := range examples {
		tried, missed := 0, 0
		for i := 2; i < len(e.valid); i++ {
			for d := byte('0'); d <= '9'; d++ {
				if e.valid[i] < '0' || e.valid[i] > '9' || e.valid[i] == d {
					continue
				}
				tried++
				if _, err := vatid.Parse(e.valid[:i]+string(d)+e.valid[i+1:], ""); err == nil {
					missed++
				}
			}
		}
		// Digits that name a place or group (SE, NL, GB branches) bear no check,
		// and Bulgaria's persons have three kinds of it.
		if missed*100 > tried*30 {
			t.Errorf("%s: %d of %d slips are not seen", e.valid, missed, tried)
		}
	}
}

func TestParseFormatOnly(t *testing.T) {
	scenarios := []struct {
		name, text string
		want       error
	}{
		{"Czech born before 1954", "CZ395601439", nil},
		{"no such day", "CZ391332439", vatid.ErrChecksum},
		{"Latvian by date of birth", "LV16117519997", nil},
		{"no such day in Latvia", "LV31027519997", vatid.ErrChecksum},
		{"Latvian since 2017", "LV32867300679", nil},
		{"British government", "GBGD001", nil},
		{"beyond the government's", "GBGD501", vatid.ErrChecksum},
		{"British health authority", "GBHA599", nil},
		{"below the health authorities'", "GBHA499", vatid.ErrChecksum},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			id, err := vatid.Parse(s.text, "")
			if !errors.Is(err, s.want) || err == nil && !id.FormatOnly {
				t.Errorf("got %+v, error %v, want %v and format only", id, err, s.want)
			}
		})
	}
}

func TestParseNormalizes(t *testing.T) {
	scenarios := []struct{ name, text, country, want string }{
		{"blanks, dots and dashes", " be 0403.019-261 ", "", "BE0403019261"},
		{"no-break space", "FR\u00a040\u00a0303\u202f265\u202f045", "", "FR40303265045"},
		{"without prefix", "136 695 976", "DE", "DE136695976"},
		{"without prefix, country in small letters", "136695976", "de", "DE136695976"},
		{"Belgium before 2005", "BE403019261", "", "BE0403019261"},
		{"Greece with its ISO code", "GR094259216", "", "EL094259216"},
		{"Greece without prefix", "94259216", "GR", "EL094259216"},
		{"Swiss with the word", "CHE-107.787.577 MWST", "", "CHE107787577"},
		{"Swiss in Italian, without prefix", "107.787.577 IVA", "CH", "CHE107787577"},
		{"Liechtenstein", "107787577", "LI", "CHE107787577"},
		{"Norwegian with the word", "NO 995 525 828 MVA", "", "NO995525828"},
		{"Monaco has French ids", "53 000 004 605", "MC", "FR53000004605"},
		{"the prefix counts, not the country", "ATU13585627", "DE", "ATU13585627"},
		{"a French key that looks like a prefix", "FR40303265045", "FR", "FR40303265045"},
		{"Spanish letters are no prefix", "B58378431", "ES", "ESB58378431"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			id, err := vatid.Parse(s.text, s.country)
			if err != nil || id.String() != s.want {
				t.Errorf("got %v, error %v, want %s", id, err, s.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	scenarios := []struct {
		name, text, country string
		want                error
	}{
		{"nothing", "", "DE", vatid.ErrFormat},
		{"blanks alone", " - ", "DE", vatid.ErrFormat},
		{"a sentence", "none", "DE", vatid.ErrFormat},
		{"too short", "DE13669597", "", vatid.ErrFormat},
		{"too long", "DE1366959766", "", vatid.ErrFormat},
		{"endless", strings.Repeat("1", 1000), "DE", vatid.ErrFormat},
		{"other signs", "DE136695976;", "", vatid.ErrFormat},
		{"Arabic digits", "DE١٣٦٦٩٥٩٧٦", "", vatid.ErrFormat},
		{"letter O for zero", "ITO0743110157", "", vatid.ErrFormat},
		{"no country", "136695976", "", vatid.ErrCountry},
		{"a country without ids here", "136695976", "US", vatid.ErrCountry},
		{"unknown prefix", "US136695976", "", vatid.ErrCountry},
		{"Austria without U", "AT13585627", "", vatid.ErrFormat},
		{"Spain, a letter of no legal form", "ESO1234567L", "", vatid.ErrChecksum},
		{"Cyprus, 12 is not given out", "CY12259033P", "", vatid.ErrChecksum},
		{"Italy, no such office", "IT00743119997", "", vatid.ErrChecksum},
		{"Sweden, no such place", "SE123456789795", "", vatid.ErrChecksum},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if id, err := vatid.Parse(s.text, s.country); !errors.Is(err, s.want) {
				t.Errorf("got %v, error %v, want %v", id, err, s.want)
			}
		})
	}
}

// TestEveryMemberStateIsKnown also says which ids the Union's register has.
func TestEveryMemberStateIsKnown(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range examples {
		id, err := vatid.Parse(e.valid, "")
		if err != nil {
			t.Fatal(err)
		}
		seen[id.Country()] = true
		want := tax.MemberState(id.Country()) || id.Prefix == "XI"
		if id.InVIES() != want {
			t.Errorf("%s is in VIES: got %v, want %v", id, id.InVIES(), want)
		}
	}
	for _, state := range append(tax.MemberStates(), "GB", "CH", "NO") {
		if !seen[state] {
			t.Errorf("%s has no example", state)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range examples {
		f.Add(e.valid, "")
		f.Add(strings.ToLower(e.wrong), "DE")
	}
	f.Add("CHE-107.787.577 MWST", "CH")
	f.Add("8+79739I", "IE")
	f.Fuzz(func(t *testing.T, text, country string) {
		id, err := vatid.Parse(text, country)
		if err != nil {
			if id != (vatid.ID{}) {
				t.Fatalf("%q, %q: got %+v beside error %v", text, country, id, err)
			}
			return
		}
		again, err := vatid.Parse(id.String(), "")
		if err != nil || again != id {
			t.Fatalf("%q, %q: got %+v, which reads back as %+v, error %v", text, country, id, again, err)
		}
		if len(id.Country()) != 2 || strings.Trim(id.String(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*") != "" {
			t.Fatalf("%q, %q: got %+v", text, country, id)
		}
	})
}
