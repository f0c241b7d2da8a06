package invoices

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// FuzzCSVIsHarmless: whatever a text is, the file has the same cells when it is
// read back, and none of them begins as spreadsheets begin formulas.
func FuzzCSVIsHarmless(f *testing.F) {
	for _, seed := range []string{"", "Bank transfer", "=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "a\"b,c\nd", "＝1", "|cmd", "%0A", "\u00a0=1", "\ufeff=1"} {
		f.Add(seed)
	}
	day := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		zero := money.Must(0, "EUR")
		a := account{
			User: "u", Currency: "EUR", From: day.AddDate(0, 0, -30), To: day.AddDate(0, 0, 1), Opening: zero, Closing: money.Must(-150, "EUR"),
			Rows: []statementRow{{At: day, Kind: "payment", Document: text, Text: text, Debit: zero, Credit: money.Must(150, "EUR"), Balance: money.Must(-150, "EUR")}},
		}
		raw, err := a.csv()
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil || len(rows) != 4 {
			t.Fatalf("read back: %d rows, %v", len(rows), err)
		}
		for _, cell := range rows[2][2:4] {
			if begins := strings.TrimLeft(cell, " \u00a0\ufeff"); begins != "" && strings.ContainsAny(begins[:1], "=+-@|%\t") {
				t.Errorf("%q is a formula to some", cell)
			}
		}
		if got := rows[2][6]; got != "-1.50" {
			t.Errorf("balance is %q, want a number", got)
		}
	})
}
