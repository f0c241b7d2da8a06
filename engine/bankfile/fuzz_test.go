package bankfile

import (
	"reflect"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

// The property of all three: a file is refused, or each entry is whole, no two
// booked ones share a reference, unless two statements hold one that the bank
// gave an id, balances add up, and reading it again gives the same.
func holds(t *testing.T, data []byte, o Options) {
	f, err := Parse(data, o)
	if err != nil {
		if len(f.Statements) > 0 {
			t.Fatalf("an error and entries: %v", err)
		}
		return
	}
	again, err := Parse(data, o)
	if err != nil || !reflect.DeepEqual(f, again) {
		t.Fatalf("read again it is %v %v", again, err)
	}
	seen := map[string]string{}
	for _, s := range f.Statements {
		sum := int64(0)
		for _, e := range s.Entries {
			whole := e.Account != "" && !e.BookedAt.IsZero() && e.Amount.Currency() != "" && e.Reference != "" && len(e.Reference) <= 100 && e.Where != "" && len(e.Text) <= maxText
			if !whole || e.Amount.Minor() > money.Limit || e.Amount.Minor() < -money.Limit {
				t.Fatalf("entry %+v is not whole", e)
			}
			if e.Pending {
				continue
			}
			if within, twice := seen[e.Reference]; twice && (e.BankID == "" || within == s.Number) {
				t.Fatalf("two entries are %s", e.Reference)
			}
			seen[e.Reference] = s.Number
			sum += e.Amount.Minor()
		}
		if s.Opening.Known && s.Closing.Known && s.Opening.Amount.Minor()+sum != s.Closing.Amount.Minor() {
			t.Fatalf("statement %s does not add up", s.title())
		}
	}
}

func seed(f *testing.F, format Format) {
	for name := range samples {
		if data := sample(f, name); detect(data) == format {
			f.Add(data)
		}
	}
}

func FuzzCSV(f *testing.F) {
	seed(f, FormatCSV)
	f.Add([]byte("Datum;Betrag\n05.03.2026;1.234\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		holds(t, data, Options{Format: FormatCSV, CSV: Layout{Account: "A1", Currency: "EUR"}})
	})
}

func FuzzCAMT(f *testing.F) {
	seed(f, FormatCAMT)
	f.Add([]byte(camtOf("04", ntry)))
	f.Fuzz(func(t *testing.T, data []byte) { holds(t, data, Options{Format: FormatCAMT}) })
}

func FuzzMT940(f *testing.F) {
	seed(f, FormatMT940)
	f.Add([]byte(swiftOf("C260305EUR11,00", ":61:260305C1,00NTRFNONREF", ":86:166?20SVWZ+X")))
	f.Fuzz(func(t *testing.T, data []byte) { holds(t, data, Options{Format: FormatMT940}) })
}
