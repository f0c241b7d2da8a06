package bankfile

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// swiftEntry is :61: — value date, booking day, mark, third letter of the
// currency, amount, kind of movement, the payer's and after "//" the bank's
// reference.
var swiftEntry = regexp.MustCompile(`^([0-9]{6})([0-9]{4})?(RC|RD|EC|ED|C|D)([A-Z])?([0-9]+(?:,[0-9]*)?)([A-Z][A-Z0-9]{3})(.*)$`)

func (m *mt940) entry(f field) error {
	p := swiftEntry.FindStringSubmatch(f.first())
	if p == nil {
		return fmt.Errorf("%q is no entry", f.first())
	}
	if !m.open.Opening.Known {
		return fmt.Errorf("an entry stands before the opening balance (:60F:)")
	}
	e := Entry{Where: fmt.Sprintf("line %d", f.line), Reversal: p[3][0] == 'R', Pending: p[3][0] == 'E'}
	var err error
	if e.ValueAt, err = swiftDay(p[1]); err != nil {
		return err
	}
	if e.BookedAt, err = bookedNear(e.ValueAt, p[2]); err != nil {
		return err
	}
	if e.Amount, err = swiftAmount(p[5], m.open.Opening.Amount.Currency()); err != nil {
		return err
	}
	switch p[3] {
	case "D", "RC", "ED": // RC takes back a credit
		e.Amount = e.Amount.Neg()
	}
	own, bank, _ := strings.Cut(p[7], "//")
	e.EndToEnd, e.BankID = given(own), given(bank)
	if len(f.lines) > 1 {
		e.Text = joined(f.lines[1:]...)
	}
	m.open.Entries = append(m.open.Entries, e)
	if len(m.open.Entries) > MaxEntries {
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, MaxEntries)
	}
	m.waiting = &m.open.Entries[len(m.open.Entries)-1]
	return nil
}

// bookedNear is the booking day MMDD in the year that brings it closest to the
// value date; without one it is the value date.
func bookedNear(value time.Time, text string) (time.Time, error) {
	if text == "" {
		return value, nil
	}
	best := time.Time{}
	for _, year := range []int{value.Year() - 1, value.Year(), value.Year() + 1} {
		t, err := time.Parse("20060102", fmt.Sprintf("%04d%s", year, text))
		if err == nil && (best.IsZero() || t.Sub(value).Abs() < best.Sub(value).Abs()) {
			best = t
		}
	}
	if best.IsZero() {
		return best, fmt.Errorf("%q is no day of the calendar", text)
	}
	return best, nil
}

// german matches the beginning of a structured :86:, a code of three digits and
// the sign that parts its subfields.
var german = regexp.MustCompile(`^([0-9]{3})([^0-9A-Za-z ])`)

// returns are the German codes of money that comes back: debits returned, and
// transfers of ours that did not arrive.
var returns = map[string]bool{"108": true, "109": true, "159": true}

// information reads :86: into the entry before it.
func (e *Entry) information(lines []string) {
	if g := german.FindStringSubmatch(lines[0]); g != nil {
		e.Reversal = e.Reversal || returns[g[1]]
		e.subfields(strings.Join(lines, "")[3:], g[2])
		return
	}
	e.Text = joined(e.Text, wrapped(lines, 65))
	if slashed := strings.Join(lines, ""); strings.HasPrefix(slashed, "/") {
		e.codewords(slashed)
	}
}

// wrapped undoes the wrapping of a text: a line that fills its width goes on in
// the next, a shorter one ended with a word.
func wrapped(lines []string, width int) string {
	out := strings.Builder{}
	for i, line := range lines {
		out.WriteString(line)
		if i < len(lines)-1 && utf8.RuneCountInString(line) < width {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// sepaWords begin the parts of what a SEPA payment says, each in a subfield of
// its own: end-to-end id, text, creditor reference and others.
var sepaWords = regexp.MustCompile(`^(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|RREF|COAM|OAMT|DDAT|SQTP)\+`)

// subfields reads "?00…?20…": ?20 to ?29 and ?60 to ?63 are text, ?31 is the
// account of the other side, ?32 and ?33 its name.
func (e *Entry) subfields(text, sign string) {
	said := map[string][]string{}
	word := ""
	for _, part := range strings.Split(text, sign)[1:] {
		if len(part) < 2 || strings.Trim(part[:2], "0123456789") != "" { // a sign within the text
			said[word] = append(said[word], sign+part)
			continue
		}
		code, value := part[:2], part[2:]
		switch {
		case code >= "20" && code <= "29" || code >= "60" && code <= "63":
			if w := sepaWords.FindString(value); w != "" {
				word, value = strings.TrimSuffix(w, "+"), value[len(w):]
			}
			said[word] = append(said[word], value)
		case code == "31":
			e.IBAN = strings.ReplaceAll(value, " ", "")
		case code == "32" || code == "33":
			e.Name += value
		}
	}
	e.Name = strings.TrimSpace(e.Name)
	if id := given(wrapped(said["EREF"], 27)); id != "" {
		e.EndToEnd = id
	}
	if iban := wrapped(said["IBAN"], 27); e.IBAN == "" {
		e.IBAN = strings.ReplaceAll(iban, " ", "")
	}
	e.Text = joined(wrapped(said["SVWZ"], 27), wrapped(said[""], 27))
}

// slashWords are the code words of :86: in other countries.
var slashWords = regexp.MustCompile(`/(EREF|REMI|NAME|IBAN|BIC|TRTP|ORDP|BENM|CSID|MARF|PURP|RTRN|CNTP|ULTD|ULTB|ADDR|ISDT|PREF|SVCL)/`)

// codewords reads "/TRTP/SEPA/IBAN/NL…/NAME/…/REMI/…/EREF/…".
func (e *Entry) codewords(text string) {
	marks := slashWords.FindAllStringSubmatchIndex(text, -1)
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		value := strings.TrimSpace(text[min(m[1], end):end])
		switch text[m[2]:m[3]] {
		case "EREF":
			e.EndToEnd = given(value)
		case "REMI":
			e.Text = value
		case "CNTP": // account, BIC, name and town
			if p := strings.Split(value, "/"); len(p) > 2 {
				e.IBAN, e.Name = p[0], p[2]
			}
		case "NAME":
			if e.Name == "" { // a later one is of who pays for somebody else
				e.Name = value
			}
		case "IBAN":
			e.IBAN = strings.ReplaceAll(value, " ", "")
		case "RTRN":
			e.Reversal = true
		}
	}
}
