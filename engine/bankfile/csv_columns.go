package bankfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// Column is what a CSV column holds. Layout.Columns uses these names.
type Column string

// The columns. A file needs a date, and an amount or the pair debit and credit.
const (
	ColumnBooked     Column = "booked"
	ColumnValue      Column = "value"
	ColumnAmount     Column = "amount"
	ColumnDebit      Column = "debit"
	ColumnCredit     Column = "credit"
	ColumnSide       Column = "side"
	ColumnCurrency   Column = "currency"
	ColumnText       Column = "text"
	ColumnName       Column = "name"
	ColumnIBAN       Column = "iban"
	ColumnAccount    Column = "account"
	ColumnEndToEnd   Column = "end_to_end"
	ColumnStructured Column = "structured"
	ColumnID         Column = "id"
	ColumnStatus     Column = "status"
	ColumnKind       Column = "kind"
)

// headings are the words over columns, as plain leaves them, the surest first.
// They are those of exports of German, Austrian, Dutch and English banks.
var headings = map[Column]string{
	ColumnBooked:     "BUCHUNGSTAG BUCHUNGSDATUM BOOKINGDATE BUCHUNG POSTINGDATE COMPLETEDDATE DATECOMPLETED TRANSACTIONDATE TRANSAKTIONSDATUM BOEKDATUM DATUM DATE",
	ColumnValue:      "VALUTADATUM WERTSTELLUNGSDATUM WERTSTELLUNG VALUTA VALUEDATE RENTEDATUM WERT",
	ColumnAmount:     "BETRAG UMSATZ AMOUNT BETRAGINEUR UMSATZINEUR AMOUNTEUR BETRAGEUR BEDRAG BEDRAGEUR MONTANT",
	ColumnDebit:      "SOLL BELASTUNG LASTSCHRIFT DEBIT DEBITAMOUNT PAIDOUT MONEYOUT WITHDRAWAL WITHDRAWALS",
	ColumnCredit:     "HABEN GUTSCHRIFT CREDIT CREDITAMOUNT PAIDIN MONEYIN DEPOSIT DEPOSITS",
	ColumnSide:       "SOLLHABEN SOLLHABENKENNZEICHEN SH CREDITDEBITINDICATOR DEBITCREDIT CREDITDEBIT DRCR CRDR AFBIJ",
	ColumnCurrency:   "WÄHRUNG WAEHRUNG CURRENCY AMOUNTCURRENCY MUNT VALUTACODE",
	ColumnText:       "VERWENDUNGSZWECK VERWENDUNGSZWECKE PAYMENTREFERENCE REMITTANCEINFORMATION REMITTANCE REFERENCE DESCRIPTION DETAILS MITTEILUNG MEDEDELINGEN OMSCHRIJVING MEMO NARRATIVE ZAHLUNGSREFERENZ",
	ColumnName:       "BEGUENSTIGTERZAHLUNGSPFLICHTIGER BEGÜNSTIGTERZAHLUNGSPFLICHTIGER AUFTRAGGEBEREMPFÄNGER AUFTRAGGEBEREMPFAENGER AUFTRAGGEBERBEGÜNSTIGTER NAMEZAHLUNGSBETEILIGTER ZAHLUNGSPFLICHTIGER ZAHLUNGSBETEILIGTER PARTNERNAME COUNTERPARTYNAME COUNTERPARTY PAYERNAME PAYER DEBTORNAME SENDER NAAMTEGENPARTIJ NAAMOMSCHRIJVING NAMEDESCRIPTION NAME",
	ColumnIBAN:       "KONTONUMMERIBAN IBANZAHLUNGSBETEILIGTER PARTNERIBAN COUNTERPARTYIBAN DEBTORIBAN TEGENREKENING IBAN",
	ColumnAccount:    "AUFTRAGSKONTO IBANAUFTRAGSKONTO IBANKONTOINHABER ACCOUNTIBAN ACCOUNTNUMBER OWNACCOUNT REKENING ACCOUNT KONTO",
	ColumnEndToEnd:   "ENDTOENDREFERENZ ENDTOENDREFERENCE ENDTOENDID ENDTOEND KUNDENREFERENZ CUSTOMERREFERENCE",
	ColumnStructured: "CREDITORREFERENCE STRUCTUREDREFERENCE STRUKTURIERTEREFERENZ BETALINGSKENMERK",
	ColumnID:         "TRANSACTIONID TRANSAKTIONSID TRANSAKTIONSNUMMER BANKREFERENCE BANKREFERENZ UMSATZID BOOKINGID TRANSFERWISEID ID",
	ColumnStatus:     "STATUS STATE BUCHUNGSSTATUS INFO",
	ColumnKind:       "BUCHUNGSTEXT UMSATZART UMSATZTYP TRANSACTIONTYPE TYPE MUTATIESOORT KIND",
}

// columns says where in a row each column is, from 0. Text may be spread over
// several.
type columns struct {
	at       map[Column]int
	text     []int
	currency string // named in the heading of the amount, as in "Betrag (EUR)"
}

// enough reports whether entries can be read by these columns.
func (c columns) enough() bool {
	_, booked := c.at[ColumnBooked]
	_, amount := c.at[ColumnAmount]
	_, debit := c.at[ColumnDebit]
	_, credit := c.at[ColumnCredit]
	return booked && (amount || debit && credit)
}

// findColumns finds columns by their headings; mapped ones are where they are
// said to be. Errors: ErrUnclear for a mapping that fits nothing.
func findColumns(row []string, mapped map[Column]string) (columns, error) {
	c := columns{at: map[Column]int{}}
	words := make([]string, len(row))
	for i, cell := range row {
		words[i] = plain(withoutBrackets(cell))
	}
	for column, list := range headings {
		if column == ColumnText || column == ColumnCurrency {
			continue
		}
		if at := firstOf(words, list); at >= 0 {
			c.at[column] = at
		}
	}
	if err := c.mapTo(row, mapped); err != nil {
		return c, err
	}
	amount, ok := c.at[ColumnAmount]
	if ok && amount < len(row) {
		c.currency = bracketed(row[amount])
	}
	if _, known := c.at[ColumnCurrency]; !known {
		c.findCurrency(words, amount)
	}
	if text, ok := c.at[ColumnText]; ok {
		c.text = []int{text}
		return c, nil
	}
	c.findText(words)
	return c, nil
}

// mapTo puts columns where a mapping says: under a heading, or at a number from 1.
func (c columns) mapTo(row []string, mapped map[Column]string) error {
	for column, where := range mapped {
		at := slices.IndexFunc(row, func(cell string) bool { return plain(cell) == plain(where) && plain(where) != "" })
		if n, err := strconv.Atoi(where); at < 0 && err == nil {
			at = n - 1
		}
		if at < 0 || at >= 1000 {
			return fmt.Errorf("%w: column %q is mapped to %q, which the file does not have", ErrUnclear, column, where)
		}
		c.at[column] = at
	}
	return nil
}

// findCurrency prefers the column right of the amount: some banks have another
// one for the balance.
func (c columns) findCurrency(words []string, amount int) {
	for _, from := range []int{amount + 1, 0} {
		if at := firstOf(words[min(from, len(words)):], headings[ColumnCurrency]); at >= 0 {
			c.at[ColumnCurrency] = at + from
			return
		}
	}
}

// findText takes every column of what the payer wrote, numbered ones too; the
// kind of movement only where there is nothing else.
func (c *columns) findText(words []string) {
	for i, w := range words {
		if slices.Contains(strings.Fields(headings[ColumnText]), strings.TrimRight(w, "0123456789")) {
			c.text = append(c.text, i)
		}
	}
	if kind, ok := c.at[ColumnKind]; ok && len(c.text) == 0 {
		c.text = []int{kind}
	}
}

// firstOf is the place of the surest word of a list that is among words, or -1.
func firstOf(words []string, list string) int {
	for want := range strings.FieldsSeq(list) {
		if at := slices.Index(words, want); at >= 0 {
			return at
		}
	}
	return -1
}

// withoutBrackets is a heading without what it has in brackets.
func withoutBrackets(heading string) string {
	before, rest, found := strings.Cut(heading, "(")
	if _, after, closed := strings.Cut(rest, ")"); found && closed {
		return before + after
	}
	return heading
}

// bracketed is the currency that a heading names, as in "Betrag (€)", "Amount
// (USD)" or "Betrag in EUR"; "" if none.
func bracketed(heading string) string {
	for _, word := range strings.FieldsFunc(heading, func(r rune) bool { return strings.ContainsRune("()[] /", r) }) {
		if code := signs[word]; code != "" {
			return code
		}
		if _, known := money.Exponent(word); known {
			return word
		}
	}
	return ""
}
