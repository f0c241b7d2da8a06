package bankfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Options say what a file does not. The zero value is right for CAMT.053 and
// MT940, and for a CSV that is clear by itself.
type Options struct {
	Format  Format  // "" is detected
	Charset Charset // "" is detected
	CSV     Layout
}

// Parse reads a file. Whatever it returns is whole: one wrong line refuses the
// file. Errors: ErrFormat, ErrContent, ErrBalance, ErrUnclear, ErrTooLarge.
func Parse(data []byte, o Options) (File, error) {
	if len(data) > MaxSize {
		return File{}, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(data), MaxSize)
	}
	format := o.Format
	if format == "" {
		format = detect(data)
	}
	f, err := File{}, error(nil)
	switch format {
	case FormatCAMT:
		f, err = parseCAMT(data, o.Charset)
	case FormatMT940:
		f, err = parseMT940(data, o.Charset)
	case FormatCSV:
		f, err = parseCSV(data, o.Charset, o.CSV)
	default:
		err = fmt.Errorf("%w: format %q is not known", ErrFormat, format)
	}
	if err != nil {
		return File{}, err
	}
	f.Format = format
	f.dropRepeats()
	for _, s := range f.Statements {
		if err := s.check(); err != nil {
			return File{}, err
		}
	}
	if n := len(f.Entries()); n > MaxEntries {
		return File{}, fmt.Errorf("%w: %d entries, at most %d are read", ErrTooLarge, n, MaxEntries)
	}
	f.identify()
	f.cut()
	return f, nil
}

// Bounds of what an entry says. Banks stay far below; a batch that is read as one
// entry may not.
const (
	maxText = 10_000 // bytes
	maxWord = 500
)

// cut shortens what is said beyond all measure, so that nobody who looks into it
// has to bound it again. Identities are those of the whole.
func (f *File) cut() {
	for i := range f.Statements {
		for j := range f.Statements[i].Entries {
			e := &f.Statements[i].Entries[j]
			if len(e.Text) > maxText {
				f.Notes = append(f.Notes, fmt.Sprintf("The text of %s is longer than %d characters; the rest was not read.", e.Where, maxText))
			}
			e.Text = shorter(e.Text, maxText)
			for _, word := range []*string{&e.Account, &e.BankID, &e.Name, &e.IBAN, &e.EndToEnd, &e.Structured} {
				*word = shorter(*word, maxWord)
			}
		}
	}
}

// shorter cuts a text at a whole character.
func shorter(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// detect tells a file's format by how it begins. Everything that is neither XML
// nor SWIFT is tried as CSV.
func detect(data []byte) Format {
	head := bytes.TrimLeft(plainHead(data), " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("<")):
		return FormatCAMT
	case bytes.HasPrefix(head, []byte("{1:")), bytes.HasPrefix(head, []byte(":20:")), bytes.Contains(head, []byte("\n:20:")) && bytes.Contains(head, []byte("\n:25:")):
		return FormatMT940
	}
	return FormatCSV
}

// plainHead is the beginning of a file without byte order marks and, of UTF-16,
// without the zero bytes between ASCII characters.
func plainHead(data []byte) []byte {
	head := data[:min(len(data), 4096)]
	for _, mark := range []string{"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF"} {
		head = bytes.TrimPrefix(head, []byte(mark))
	}
	return bytes.ReplaceAll(head, []byte{0}, nil)
}

// dropRepeats keeps the first of statements that are the same in all they say:
// a bank delivers one twice, or people paste files together.
func (f *File) dropRepeats() {
	seen, kept := map[string]bool{}, []Statement{}
	for _, s := range f.Statements {
		key := s.content()
		if s.Number != "" && seen[key] {
			f.Notes = append(f.Notes, fmt.Sprintf("Statement %s is in the file twice; it was read once.", s.title()))
			continue
		}
		seen[key] = true
		kept = append(kept, s)
	}
	f.Statements = kept
}

// content is all that a statement says, without where in the file it does.
func (s Statement) content() string {
	out := strings.Builder{}
	fmt.Fprintf(&out, "%q %q %d %v %v", s.Account, s.Number, s.Page, s.Opening, s.Closing)
	for _, e := range s.Entries {
		e.Where = ""
		fmt.Fprintf(&out, "\n%q", fmt.Sprint(e))
	}
	return out.String()
}
