package bankfile

import (
	"strings"
	"testing"
)

func references(t *testing.T, text string, o Options) []string {
	t.Helper()
	f, err := Parse([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, e := range f.Entries() {
		list = append(list, e.Reference)
	}
	return list
}

func overlap(a, b []string) int {
	n := 0
	for _, x := range a {
		for _, y := range b {
			if x == y {
				n++
			}
		}
	}
	return n
}

// TestA6ReferencesAreStable: the same movement has the same reference in every
// file that holds it, and two movements never share one.
func TestA6ReferencesAreStable(t *testing.T) {
	head := "Datum;Betrag;Verwendungszweck\n"
	twin, other := "05.03.2026;9,90;INV-1\n", "06.03.2026;9,90;INV-1\n"
	march := references(t, head+twin+twin+other, plainCSV)
	if overlap(march, march) != 3 {
		t.Errorf("three entries share references: %v", march)
	}
	if got := references(t, head+other+twin+twin, plainCSV); overlap(march, got) != 3 {
		t.Errorf("in another order: %v, first %v", got, march)
	}
	if got := references(t, head+"04.03.2026;1,00;before\n"+twin+twin, plainCSV); overlap(march, got) != 2 {
		t.Errorf("an overlapping file: %v, first %v", got, march)
	}
	if got := references(t, strings.ToLower(head)+"2026-03-06;9.90;  inv - 1 \n", plainCSV); overlap(march, got) != 1 {
		t.Errorf("written differently: %v, first %v", got, march)
	}
	if got := references(t, head+twin, Options{CSV: Layout{Account: "A2", Currency: "EUR"}}); overlap(march, got) != 0 {
		t.Errorf("another account: %v, first %v", got, march)
	}
}

func TestReferencesOfBanksIDs(t *testing.T) {
	head := "Datum;Betrag;Verwendungszweck;Transaction ID\n"
	first := references(t, head+"05.03.2026;9,90;INV-1;T7\n05.03.2026;5,00;INV-1;T7\n05.03.2026;1,00;a;T8\n05.03.2026;1,00;b;T8\n", plainCSV)
	if overlap(first, first) != 4 {
		t.Errorf("an id that the bank used twice made one of two: %v", first)
	}
	if got := references(t, head+"05.03.2026;9,90;more text now;T7\n", plainCSV); overlap(first, got) != 1 {
		t.Errorf("the id identifies it whatever the text: %v, first %v", got, first)
	}
	if got := references(t, head+"05.03.2026;1,00;b;T8\n05.03.2026;1,00;a;T8\n", plainCSV); overlap(first, got) != 2 || got[0] != first[3] {
		t.Errorf("parts of a batch in another order: %v, first %v", got, first)
	}
	if got := references(t, head+"05.03.2027;9,90;INV-1;T7\n", plainCSV); overlap(first, got) != 0 {
		t.Errorf("the same id a year later: %v, first %v", got, first)
	}
	for _, none := range []string{"", "NONREF", "not provided", "0000"} {
		if e := one(t, head+"05.03.2026;9,90;INV-1;"+none+"\n", plainCSV); e.BankID != "" || !strings.HasPrefix(e.Reference, "2026-03-05.") {
			t.Errorf("%q is taken for an id: %s", none, e.Reference)
		}
	}
	if e := one(t, head+"05.03.2026;9,90;INV-1;"+strings.Repeat("x", 500)+"\n", plainCSV); len(e.Reference) > 100 {
		t.Errorf("a reference of %d characters", len(e.Reference))
	}
}

// TestPendingIsAnother: what is announced does not take the place of what is
// booked later.
func TestPendingIsAnother(t *testing.T) {
	head := "Datum;Betrag;Verwendungszweck;Status\n"
	announced := references(t, head+"05.03.2026;9,90;INV-1;Vorgemerkt\n", plainCSV)
	booked := references(t, head+"05.03.2026;9,90;INV-1;Vorgemerkt\n05.03.2026;9,90;INV-1;Gebucht\n", plainCSV)
	alone := references(t, head+"05.03.2026;9,90;INV-1;Gebucht\n", plainCSV)
	if announced[0] == alone[0] || booked[1] != alone[0] {
		t.Errorf("announced %v, both %v, alone %v", announced, booked, alone)
	}
}

// TestOneEntryInTwoStatements: a bank's id makes it one; without an id two
// statements hold two.
func TestOneEntryInTwoStatements(t *testing.T) {
	entry := func(bank string) string { return ":61:260305C1,00NTRFNONREF" + bank }
	both := func(bank string) string {
		return swiftOf("C260305EUR11,00", entry(bank)) + strings.Replace(swiftOf("C260305EUR11,00", entry(bank)), "1/1", "2/1", 1)
	}
	if got := references(t, both("//B1"), Options{}); got[0] != got[1] {
		t.Errorf("with an id: %v", got)
	}
	if got := references(t, both(""), Options{}); got[0] == got[1] {
		t.Errorf("without an id: %v", got)
	}
}

func TestWhatIsSaidIsBounded(t *testing.T) {
	f, err := Parse([]byte("Datum;Betrag;Zweck;Verwendungszweck;Name\n05.03.2026;1,00;x;"+strings.Repeat("ä", 10_000)+";"+strings.Repeat("n", 1000)+"\n"), plainCSV)
	if err != nil {
		t.Fatal(err)
	}
	if e := f.Entries()[0]; len(e.Text) > maxText || len(e.Name) > maxWord || strings.Trim(e.Text, "ä") != "" || len(f.Notes) != 1 {
		t.Errorf("got a text of %d, a name of %d bytes, notes %q", len(e.Text), len(e.Name), f.Notes)
	}
}
