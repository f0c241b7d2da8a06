package bankfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// item is a row on its way to an entry: its dates and figures are read, and
// wait for what the whole column says of their order and decimal mark.
type item struct {
	row           row
	booked, value [3]string
	figure        figure
}

// file turns the rows into entries.
func (t table) file() (File, error) {
	items, notes, err := t.items()
	if err != nil {
		return File{}, err
	}
	mark, err := t.decimal(items)
	if err != nil {
		return File{}, err
	}
	dates, err := t.dates(items)
	if err != nil {
		return File{}, err
	}
	s := Statement{Account: t.account()}
	for _, it := range items {
		e, err := t.entry(it, mark, dates, s.Account)
		if err != nil {
			return File{}, fmt.Errorf("%w: line %d: %w", ErrContent, it.row.line, err)
		}
		if e.Account == "" {
			return File{}, fmt.Errorf("%w: the file does not say of which account it is; name the account", ErrUnclear)
		}
		s.Entries = append(s.Entries, e)
	}
	if s.Account == "" && len(s.Entries) > 0 {
		s.Account = s.Entries[0].Account
	}
	return File{Statements: []Statement{s}, Notes: notes}, nil
}

// items reads the rows. A row that is too short to hold what an entry needs is a
// footer, and is noted.
func (t table) items() (items []item, notes []string, err error) {
	for _, r := range t.rows {
		if t.width > 0 && len(r.cells) < t.needs() {
			notes = append(notes, fmt.Sprintf("Line %d was not read: it has %d cells, an entry needs %d.", r.line, len(r.cells), t.needs()))
			continue
		}
		it := item{row: r}
		if it.booked, err = dateParts(r.cell(t.columns.at[ColumnBooked])); err != nil {
			return nil, nil, fmt.Errorf("%w: line %d: date: %w", ErrContent, r.line, err)
		}
		if at, ok := t.columns.at[ColumnValue]; ok && r.cell(at) != "" {
			if it.value, err = dateParts(r.cell(at)); err != nil {
				return nil, nil, fmt.Errorf("%w: line %d: value date: %w", ErrContent, r.line, err)
			}
		}
		if it.figure, err = t.figure(r); err != nil {
			return nil, nil, fmt.Errorf("%w: line %d: amount: %w", ErrContent, r.line, err)
		}
		items = append(items, it)
	}
	return items, notes, nil
}

// needs is how many cells a row must have to hold a date and an amount.
func (t table) needs() int {
	last := 0
	for _, c := range []Column{ColumnBooked, ColumnAmount, ColumnDebit, ColumnCredit} {
		last = max(last, t.columns.at[c])
	}
	return last + 1
}

// figure reads the amount of a row: one column, with a side beside it or not, or
// one of two columns.
func (t table) figure(r row) (figure, error) {
	at, ok := t.columns.at[ColumnAmount]
	if !ok {
		return t.eitherSide(r)
	}
	f, err := readFigure(r.cell(at))
	if err != nil {
		return f, err
	}
	at, ok = t.columns.at[ColumnSide]
	if !ok {
		return f, nil
	}
	word := strings.ToUpper(r.cell(at))
	debit, known := sides[word]
	if word == "AF" || word == "BIJ" { // Dutch: off, on
		debit, known = word == "AF", true
	}
	if !known {
		return f, fmt.Errorf("%q does not say whether it is a debit or a credit", r.cell(at))
	}
	if f.negative && !debit {
		return f, fmt.Errorf("%q is negative but marked as %q", r.cell(t.columns.at[ColumnAmount]), r.cell(at))
	}
	f.negative = debit
	return f, nil
}

// eitherSide reads the one of the columns debit and credit that is filled.
func (t table) eitherSide(r row) (figure, error) {
	debit, credit := r.cell(t.columns.at[ColumnDebit]), r.cell(t.columns.at[ColumnCredit])
	if credit != "" && (debit == "" || isZero(debit)) {
		f, err := readFigure(credit)
		if err == nil && f.negative && !isZero(credit) {
			err = fmt.Errorf("%q is a negative credit", credit)
		}
		return f, err
	}
	if debit == "" || credit != "" && !isZero(credit) {
		return figure{}, fmt.Errorf("one of debit %q and credit %q must be filled", debit, credit)
	}
	f, err := readFigure(debit) // some write debits with a sign, some without
	f.negative = true
	return f, err
}

func isZero(cell string) bool { return strings.Trim(cell, "0., ") == "" }

// decimal decides which mark is the decimal one, by all amounts of the file.
func (t table) decimal(items []item) (byte, error) {
	switch t.layout.Decimal {
	case ",", ".":
		return t.layout.Decimal[0], nil
	case "":
	default:
		return 0, fmt.Errorf("%w: the decimal mark is , or . and not %q", ErrUnclear, t.layout.Decimal)
	}
	proof, unclear := map[byte]int{}, 0
	for _, it := range items {
		mark, whole := it.figure.mark()
		if mark != 0 && proof[mark] == 0 {
			proof[mark] = it.row.line
		}
		if mark == 0 && !whole && unclear == 0 {
			unclear = it.row.line
		}
	}
	switch {
	case proof[','] > 0 && proof['.'] > 0:
		return 0, fmt.Errorf("%w: line %d has a decimal comma and line %d a decimal point", ErrUnclear, proof[','], proof['.'])
	case proof[','] > 0:
		return ',', nil
	case proof['.'] > 0 || unclear == 0:
		return '.', nil
	}
	return 0, fmt.Errorf("%w: line %d: nothing in the file tells whether the mark in its amount is a decimal one; say which mark is", ErrUnclear, unclear)
}

// dates decides in which order dates are written, by all dates of the file.
func (t table) dates(items []item) (order, error) {
	if said := order(strings.ToUpper(t.layout.Dates)); said != "" {
		if said != ymd && said != dmy && said != mdy {
			return "", fmt.Errorf("%w: dates are YMD, DMY or MDY and not %q", ErrUnclear, t.layout.Dates)
		}
		return said, nil
	}
	possible := []order{dmy, mdy, ymd}
	if t.dotted(items) {
		possible = []order{dmy, ymd}
	}
	for _, it := range items {
		for _, parts := range [][3]string{it.booked, it.value} {
			possible = slices.DeleteFunc(possible, func(o order) bool { return parts[0] != "" && !fits(parts, o) })
		}
		if len(possible) == 0 {
			return "", fmt.Errorf("%w: line %d: its dates are in another order than those above", ErrContent, it.row.line)
		}
	}
	if len(possible) > 1 && len(items) > 0 {
		return "", fmt.Errorf("%w: every date can be read as day and month or as month and day; say whether dates are DMY or MDY", ErrUnclear)
	}
	return possible[0], nil
}

// dotted reports whether dates are written with points, which is day first
// everywhere.
func (t table) dotted(items []item) bool {
	return len(items) > 0 && strings.Contains(items[0].row.cell(t.columns.at[ColumnBooked]), ".")
}

func fits(parts [3]string, o order) bool {
	if (len(parts[0]) == 4) != (o == ymd) {
		return false
	}
	_, err := dayOf(parts, o)
	return err == nil
}

func (t table) entry(it item, mark byte, dates order, account string) (Entry, error) {
	r := it.row
	get := func(c Column) string {
		if at, ok := t.columns.at[c]; ok {
			return r.cell(at)
		}
		return ""
	}
	e := Entry{
		Account: account, Name: get(ColumnName), IBAN: strings.ReplaceAll(get(ColumnIBAN), " ", ""), Structured: get(ColumnStructured),
		EndToEnd: given(get(ColumnEndToEnd)), BankID: given(get(ColumnID)), Text: t.text(r), Pending: says(get(ColumnStatus), pendingWords), Reversal: says(get(ColumnKind), reversalWords), Where: fmt.Sprintf("line %d", r.line),
	}
	if own := strings.ReplaceAll(get(ColumnAccount), " ", ""); own != "" {
		e.Account = own
	}
	var err error
	if e.BookedAt, err = dayOf(it.booked, dates); err != nil {
		return e, fmt.Errorf("date: %w", err)
	}
	if it.value[0] != "" {
		if e.ValueAt, err = dayOf(it.value, dates); err != nil {
			return e, fmt.Errorf("value date: %w", err)
		}
	}
	code, err := t.currency(it, get(ColumnCurrency))
	if err != nil {
		return e, err
	}
	if e.Amount, err = it.figure.amount(mark, code); err != nil {
		return e, fmt.Errorf("amount: %w", err)
	}
	return e, nil
}

// currency is what the row, its amount, the heading or the layout name, in this
// order.
func (t table) currency(it item, column string) (string, error) {
	column = strings.ToUpper(column)
	if sign := signs[column]; sign != "" {
		column = sign
	}
	for _, code := range []string{column, it.figure.currency, t.columns.currency, t.layout.Currency} {
		if code == "" {
			continue
		}
		if _, known := money.Exponent(code); !known {
			return "", fmt.Errorf("currency %q is not known", code)
		}
		if it.figure.currency != "" && it.figure.currency != code {
			return "", fmt.Errorf("the amount is in %s but the currency is %s", it.figure.currency, code)
		}
		return code, nil
	}
	return "", fmt.Errorf("%w: nothing says in which currency the amount is; name the currency", ErrUnclear)
}

func (t table) text(r row) string {
	parts := []string{}
	for _, at := range t.columns.text {
		if cell := r.cell(at); cell != "" {
			parts = append(parts, cell)
		}
	}
	return strings.Join(parts, " ")
}

// pendingWords are said of what is not booked, or not yet; reversalWords of
// money that comes back.
const (
	pendingWords  = "VORGEMERKT VORMERK PENDING AUTHORI RESERV DECLINED REVERTED FAILED CANCELLED NICHTGEBUCHT"
	reversalWords = "STORNO RETOURE RÜCK RUECK REVERSAL RETURN CHARGEBACK"
)

// says reports whether a status or a kind contains one of the words.
func says(cell, words string) bool {
	said := plain(cell)
	for word := range strings.FieldsSeq(words) {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

var ibanLike = regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b`)

// account is the one that the layout names, or the only IBAN above the heading.
func (t table) account() string {
	if t.layout.Account != "" {
		return strings.ReplaceAll(t.layout.Account, " ", "")
	}
	found := ""
	for _, line := range t.above {
		for _, text := range ibanLike.FindAllString(line, -1) {
			iban := strings.ReplaceAll(text, " ", "")
			if !checksum(iban) || found == iban {
				continue
			}
			if found != "" {
				return ""
			}
			found = iban
		}
	}
	return found
}
