package invoices

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// csv is the statement for spreadsheets, in UTF-8 with a header row. Dates are
// days in UTC; amounts are plain numbers with a decimal point.
func (a account) csv() ([]byte, error) {
	rows := [][]string{
		{"date", "kind", "document", "text", "debit", "credit", "balance", "currency"},
		{a.From.Format(time.DateOnly), "opening", "", "", "", "", a.Opening.Decimal(), a.Currency},
	}
	for _, r := range a.Rows {
		rows = append(rows, []string{
			r.At.UTC().Format(time.DateOnly), r.Kind, harmless(r.Document), harmless(r.Text), r.Debit.Decimal(), r.Credit.Decimal(), r.Balance.Decimal(), a.Currency,
		})
	}
	rows = append(rows, []string{a.To.AddDate(0, 0, -1).Format(time.DateOnly), "closing", "", "", "", "", a.Closing.Decimal(), a.Currency})
	out := bytes.Buffer{}
	w := csv.NewWriter(&out)
	w.UseCRLF = true // RFC 4180
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("statement of customer %s: %w", a.User, err)
	}
	return out.Bytes(), nil
}

// harmless is a text that no spreadsheet takes for a formula: one that begins
// like one, whatever cannot be seen before it, gets an apostrophe in front, which
// spreadsheets do not show (OWASP, CSV Injection).
func harmless(text string) string {
	seen := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	first, _ := utf8.DecodeRuneInString(seen)
	if len(seen) < len(text) || strings.ContainsRune("=+-@|%＝＋－＠", first) {
		return "'" + text
	}
	return text
}
