package bankfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// field is a tagged field of a SWIFT message with its further lines.
type field struct {
	tag   string
	lines []string
	line  int // of the file, from 1
}

func (f field) first() string { return strings.TrimRight(f.lines[0], " ") }

var swiftTag = regexp.MustCompile(`^:([0-9]{2}[A-Z]?|NS):`)

// parseMT940 reads the statements of a file; banks put many into one, with and
// without the envelope {1:…}{4: … -}.
func parseMT940(data []byte, set Charset) (File, error) {
	text, err := decode(data, set)
	if err != nil {
		return File{}, err
	}
	fields := fieldsOf(text)
	m := mt940{}
	for _, f := range fields {
		if err := m.field(f); err != nil {
			return File{}, fmt.Errorf("%w: line %d (:%s:): %w", ErrContent, f.line, f.tag, err)
		}
	}
	if m.open != nil {
		return File{}, fmt.Errorf("%w: statement %s has no closing balance (:62F:); the file is cut off", ErrContent, m.open.title())
	}
	if len(m.file.Statements) == 0 {
		return File{}, fmt.Errorf("%w: no statement (:20:) was found", ErrFormat)
	}
	return m.file, m.chain()
}

// fieldsOf splits a file into tagged fields. Envelopes, separators and what
// stands before the first tag belong to none.
func fieldsOf(text string) []field {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	fields, inside := []field{}, false
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "{") {
			_, line, _ = strings.Cut(line, "{4:") // block headers
			inside = false
		}
		m := swiftTag.FindStringSubmatch(line)
		switch {
		case m != nil:
			fields, inside = append(fields, field{m[1], []string{line[len(m[0]):]}, i + 1}), true
		case line == "-" || strings.HasPrefix(line, "-}"):
			inside = false
		case inside && len(fields) > 0 && strings.TrimSpace(line) != "":
			last := &fields[len(fields)-1]
			last.lines = append(last.lines, line)
		}
	}
	return fields
}

// mt940 collects statements field by field.
type mt940 struct {
	file    File
	open    *Statement // since :20:, until its closing balance
	waiting *Entry     // which :86: is about
}

func (m *mt940) field(f field) error {
	switch f.tag {
	case "20":
		return m.begin()
	case "21", "13", "13D", "34F", "90D", "90C", "64", "65", "NS": // nothing of an entry
		return nil
	}
	if m.open == nil {
		if f.tag == "86" && len(m.file.Statements) > 0 { // about the statement as a whole
			return nil
		}
		return fmt.Errorf("it belongs to no statement")
	}
	switch f.tag {
	case "25", "25P":
		m.open.Account = strings.ReplaceAll(f.first(), " ", "")
		if m.open.Account == "" {
			return fmt.Errorf("the account is missing")
		}
		return nil
	case "28", "28C":
		return m.number(f.first())
	case "60F", "60M":
		b, err := m.balance(f.first())
		m.open.Opening, m.open.boundary = b, f.tag == "60M"
		return err
	case "61":
		return m.entry(f)
	case "86":
		if m.waiting != nil {
			m.waiting.information(f.lines)
		}
		return nil
	case "62F", "62M":
		return m.end(f)
	}
	return fmt.Errorf("the field is not known")
}

func (m *mt940) begin() error {
	if m.open != nil {
		return fmt.Errorf("a statement begins before %s has its closing balance (:62F:)", m.open.title())
	}
	m.open, m.waiting = &Statement{}, nil
	return nil
}

// number reads ":28C:00123/002": the statement and its page.
func (m *mt940) number(text string) error {
	number, page, paged := strings.Cut(text, "/")
	m.open.Number = number
	if !paged {
		return nil
	}
	n, err := strconv.Atoi(page)
	if err != nil || n < 0 {
		return fmt.Errorf("page %q is no number", page)
	}
	m.open.Page = n
	return nil
}

var swiftBalance = regexp.MustCompile(`^(D|C)([0-9]{6})([A-Z]{3})([0-9]+(?:,[0-9]*)?)$`)

// balance reads "C260305EUR1234,56".
func (m *mt940) balance(text string) (Balance, error) {
	p := swiftBalance.FindStringSubmatch(text)
	if p == nil {
		return Balance{}, fmt.Errorf("%q is no balance", text)
	}
	if _, err := swiftDay(p[2]); err != nil {
		return Balance{}, err
	}
	amount, err := swiftAmount(p[4], p[3])
	if err != nil {
		return Balance{}, err
	}
	if p[1] == "D" {
		amount = amount.Neg()
	}
	return Balance{amount, true}, nil
}

// end closes a statement, or a page of one.
func (m *mt940) end(f field) error {
	b, err := m.balance(f.first())
	if err != nil {
		return err
	}
	s := m.open
	switch {
	case s.Account == "":
		return fmt.Errorf("the statement names no account (:25:)")
	case !s.Opening.Known:
		return fmt.Errorf("the statement has no opening balance (:60F:)")
	case s.Opening.Amount.Currency() != b.Amount.Currency():
		return fmt.Errorf("the statement opens in %s and closes in %s", s.Opening.Amount.Currency(), b.Amount.Currency())
	}
	s.Closing = b
	for i := range s.Entries {
		s.Entries[i].Account = s.Account
	}
	m.file.Statements = append(m.file.Statements, *s)
	m.open, m.waiting = nil, nil
	return nil
}

// chain compares the pages of a statement: each opens with what the one before
// closed with. Errors: ErrBalance.
func (m *mt940) chain() error {
	for i, s := range m.file.Statements {
		if i == 0 || !s.boundary {
			continue
		}
		before := m.file.Statements[i-1]
		if before.Account == s.Account && before.Number == s.Number && before.Page+1 == s.Page && before.Closing != s.Opening {
			return fmt.Errorf("%w: statement %s opens with %s, but page %d closes with %s", ErrBalance, s.title(), s.Opening.Amount, before.Page, before.Closing.Amount)
		}
	}
	return nil
}

// swiftAmount reads "1234,5": a comma, and as many decimals as are needed.
func swiftAmount(text, code string) (money.Amount, error) {
	a, err := money.Parse(strings.TrimSuffix(strings.Replace(text, ",", ".", 1), "."), code)
	if err != nil {
		return a, fmt.Errorf("amount %q: %w", text, err)
	}
	return a, nil
}

// swiftDay reads YYMMDD, of this century.
func swiftDay(text string) (time.Time, error) {
	t, err := time.Parse("20060102", "20"+text)
	if err != nil {
		return t, fmt.Errorf("%q is no date", text)
	}
	return t, nil
}
