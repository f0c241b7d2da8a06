// Package vatid reads VAT identification numbers: it brings what people type
// into one form and checks format and check digits. It knows the 27 member
// states of the European Union (Greece as EL), Northern Ireland (XI), the United
// Kingdom, Switzerland with Liechtenstein (CHE) and Norway. That a number is well
// formed says nothing about whether it is in use: ask the register for that
// (tax.IDChecker).
//
// Formats are those of the Commission's list (VIES, frequently asked questions,
// question 11). Check digits follow the Commission's "VIES VAT number
// construction rules", functional description, version 15.0, which the member
// states have confirmed; where another source was needed the rule names it.
package vatid

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Errors that callers act on.
var (
	// ErrCountry reports an id whose country cannot be told or is not known.
	ErrCountry = errors.New("VAT id is of no country that is known")
	// ErrFormat reports an id with the wrong length or the wrong characters.
	ErrFormat = errors.New("VAT id has the wrong format")
	// ErrChecksum reports an id whose check digits do not fit: most likely a
	// typing error.
	ErrChecksum = errors.New("VAT id has a wrong check digit")
)

// ID is a well-formed VAT id.
type ID struct {
	Prefix string // "DE", "EL", "XI", "CHE"
	Number string // what follows, capitals and digits
	// FormatOnly says that this form has no published check digit, so a slip of
	// the pen cannot be seen.
	FormatOnly bool
}

// String is the one form in which ids are stored, compared and printed: prefix
// and number without anything between. Parse reads it back.
func (id ID) String() string { return id.Prefix + id.Number }

// Country is the ISO 3166-1 code of the state.
func (id ID) Country() string {
	switch id.Prefix {
	case "EL":
		return "GR"
	case "XI":
		return "GB"
	case "CHE":
		return "CH"
	}
	return id.Prefix
}

// InVIES says whether the Union's register answers for the id.
func (id ID) InVIES() bool {
	return id.Prefix != "GB" && id.Prefix != "CHE" && id.Prefix != "NO"
}

// prefixes are the ids' prefixes where they are not the ISO code.
var prefixes = map[string]string{"GR": "EL", "CH": "CHE", "LI": "CHE", "MC": "FR", "IM": "GB"}

// maxText bounds what Parse looks at, in bytes.
const maxText = 64

// Parse reads an id as people write it: any case, with blanks, dots, dashes and
// slashes, with or without the prefix; without it, country (ISO 3166-1) tells
// whose it is. Where a text can be read both ways the prefix counts, unless the
// id is only right without. Errors: ErrCountry, ErrFormat, ErrChecksum; they
// name the text.
func Parse(text, country string) (ID, error) {
	if len(text) > maxText {
		return ID{}, fmt.Errorf("%w: it is longer than %d characters", ErrFormat, maxText)
	}
	number, ok := clean(text)
	if !ok {
		return ID{}, fmt.Errorf("%w: %q holds something besides letters and digits", ErrFormat, text)
	}
	prefix, rest, found := cutPrefix(number)
	own := prefixOf(country)
	if !found && own == "" {
		return ID{}, fmt.Errorf("%w: %q", ErrCountry, text)
	}
	var first error
	if found {
		id, err := read(prefix, rest)
		if err == nil {
			return id, nil
		}
		first = err
	}
	if own != "" {
		id, err := read(own, number)
		if err == nil {
			return id, nil
		}
		if first == nil {
			first = err
		}
	}
	return ID{}, first
}

// prefixOf is the prefix of a country's ids, "" for a country that is not known.
func prefixOf(country string) string {
	country = strings.ToUpper(strings.TrimSpace(country))
	if prefix, ok := prefixes[country]; ok {
		return prefix
	}
	if _, ok := rules[country]; ok {
		return country
	}
	return ""
}

// cutPrefix takes the prefix off an id. Greece's ISO code is read as EL.
func cutPrefix(number string) (prefix, rest string, found bool) {
	if rest, ok := strings.CutPrefix(number, "CHE"); ok {
		return "CHE", rest, true
	}
	if rest, ok := strings.CutPrefix(number, "GR"); ok {
		return "EL", rest, true
	}
	if len(number) < 2 {
		return "", number, false
	}
	if _, ok := rules[number[:2]]; !ok {
		return "", number, false
	}
	return number[:2], number[2:], true
}

// read checks the number of one country.
func read(prefix, number string) (ID, error) {
	r := rules[prefix]
	if r.tidy != nil {
		number = r.tidy(number)
	}
	err := fmt.Errorf("%w: %s%s, %s ids look like %s", ErrFormat, prefix, number, prefix, r.formats(prefix))
	for _, f := range r.forms {
		if !fits(f.shape, number) {
			continue
		}
		if f.check == nil || f.check(number) {
			return ID{Prefix: prefix, Number: number, FormatOnly: f.check == nil || f.formatOnly}, nil
		}
		err = fmt.Errorf("%w: %s%s", ErrChecksum, prefix, number)
	}
	return ID{}, err
}

// clean leaves capitals, digits and the two signs of old Irish ids.
func clean(text string) (string, bool) {
	var b strings.Builder
	for _, r := range strings.ToUpper(text) {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r == '+', r == '*':
			b.WriteRune(r)
		case unicode.IsSpace(r), strings.ContainsRune(".-/,_:–—‑\u200b\ufeff", r):
		default:
			return "", false
		}
	}
	return b.String(), b.Len() > 0
}

// form is one shape of a country's numbers: d is a digit, l a letter, x either,
// s a letter, + or *; everything else is itself.
type form struct {
	shape string
	check func(number string) bool // of a number that fits; nil where none is published
	// formatOnly says that check looks at more than the shape, such as a date of
	// birth, and yet at no check digit.
	formatOnly bool
}

// rule is what is known of a country's ids.
type rule struct {
	tidy  func(number string) string // brings old spellings into today's
	forms []form
}

// formats lists the shapes for people, as the Commission writes them.
func (r rule) formats(prefix string) string {
	all := make([]string, len(r.forms))
	for i, f := range r.forms {
		all[i] = prefix + strings.NewReplacer("d", "9", "l", "L", "x", "X", "s", "S").Replace(f.shape)
	}
	return strings.Join(all, ", ")
}

func fits(shape, number string) bool {
	if len(shape) != len(number) {
		return false
	}
	for i := range len(shape) {
		c := number[i]
		digit, letter := c >= '0' && c <= '9', c >= 'A' && c <= 'Z'
		ok := c == shape[i]
		switch shape[i] {
		case 'd':
			ok = digit
		case 'l':
			ok = letter
		case 'x':
			ok = digit || letter
		case 's':
			ok = letter || c == '+' || c == '*'
		}
		if !ok {
			return false
		}
	}
	return true
}
