package bankfile

import (
	"slices"
	"strings"
	"unicode"
)

// Shape is how invoice numbers look: letters stand for themselves, 9 for any
// digit, everything else is a separator. The shape of INV-2026-000042 is
// INV-9999-999999.
type Shape string

// ShapeOf is the shape of one invoice number.
func ShapeOf(number string) Shape {
	return Shape(strings.Map(func(r rune) rune {
		if isDigit(r) {
			return '9'
		}
		return r
	}, number))
}

// Reference is a place in a text that could be an invoice number.
type Reference struct {
	Number string // as an invoice has it
	// Loose says that it takes more than this to be sure: a number of digits alone
	// may as well be a date or a customer's own, and one with blanks where it has
	// none may be two.
	Loose bool
	start int // of the letters and digits of the text
	end   int
	gaps  int // blanks or line ends where the number has none
}

// Finder finds invoice numbers in what payers write.
type Finder struct{ shapes []shape }

type shape struct {
	number  string // with its separators, 9 for digits
	letters []rune // without them, in upper case
	breaks  []bool // before this letter the number has a separator
	prefix  int    // letters before the first digit
}

// ownPrefix is how many letters a number must begin with to be recognized where
// a wrapped line has glued it to the word before or after.
const ownPrefix = 3

// maxShapes bounds how many different shapes are looked for.
const maxShapes = 50

// NewFinder makes a finder of numbers of the given shapes. Shapes that are too
// short to tell from chance, with fewer than four letters and digits, are left
// out, and so are those beyond the fiftieth.
func NewFinder(shapes []Shape) *Finder {
	f := &Finder{}
	for _, s := range shapes {
		p := shape{number: string(s)}
		split, digit := false, false
		for _, r := range string(s) {
			if !unicode.IsLetter(r) && !isDigit(r) {
				split = true
				continue
			}
			p.letters, p.breaks = append(p.letters, unicode.ToUpper(r)), append(p.breaks, split)
			split, digit = false, digit || isDigit(r)
			if !digit {
				p.prefix++
			}
		}
		if len(p.letters) >= 4 && strings.ContainsRune(p.number, '9') && len(f.shapes) < maxShapes {
			f.shapes = append(f.shapes, p)
		}
	}
	return f
}

// spelled is a text's letters and digits, with whether something stands before
// each.
type spelled struct {
	letters []rune
	breaks  []bool
}

func spell(text string) spelled {
	s, split := spelled{}, true
	for _, r := range text {
		if !unicode.IsLetter(r) && !isDigit(r) {
			split = true
			continue
		}
		s.letters, s.breaks = append(s.letters, unicode.ToUpper(r)), append(s.breaks, split)
		split = false
	}
	return s
}

// Find lists the places of a text that could be invoice numbers, by where they
// begin; whether there is such an invoice is for the caller to look up. Case,
// blanks, dashes and line ends within a number do not matter. A run of digits is
// taken whole: in 0000421 there is no 000042. Two places may overlap.
func (f *Finder) Find(text string) []Reference {
	t := spell(text)
	found := []Reference{}
	for at := range t.letters {
		for _, p := range f.shapes {
			if ref, ok := p.match(t, at); ok {
				found = append(found, ref)
			}
		}
	}
	return found
}

// match reads the shape from a place on.
func (p shape) match(t spelled, at int) (Reference, bool) {
	end := at + len(p.letters)
	if end > len(t.letters) || !p.fits(t.letters[at:end]) || !p.alone(t, at, end) {
		return Reference{}, false
	}
	gaps := 0
	for i := 1; i < len(p.letters); i++ {
		if t.breaks[at+i] && !p.breaks[i] {
			gaps++
		}
	}
	if p.prefix == 0 && gaps > 0 {
		return Reference{}, false // two numbers beside each other
	}
	return Reference{Number: p.write(t.letters[at:end]), Loose: p.prefix == 0 || gaps > 0, start: at, end: end, gaps: gaps}, true
}

// fits reports whether letters are those of the shape.
func (p shape) fits(letters []rune) bool {
	for i, want := range p.letters {
		if got := letters[i]; isDigit(want) != isDigit(got) || !isDigit(want) && want != got {
			return false
		}
	}
	return true
}

// alone reports whether a place is not within a longer run of letters or digits,
// as far as lines that were wrapped allow.
func (p shape) alone(t spelled, at, end int) bool {
	if !t.breaks[at] && p.prefix < ownPrefix {
		return false
	}
	if end == len(t.letters) || t.breaks[end] {
		return true
	}
	return p.prefix >= ownPrefix && isDigit(t.letters[end]) != isDigit(t.letters[end-1])
}

// write puts the digits into the shape.
func (p shape) write(letters []rune) string {
	out, next := strings.Builder{}, 0
	for _, r := range p.number {
		if isDigit(r) {
			r = letters[next]
		}
		if unicode.IsLetter(r) || isDigit(r) {
			next++
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Settle keeps, of references whose numbers are known, one of each place: where
// two overlap the one without gaps, then the longer. Each number is listed once.
func Settle(refs []Reference, known func(number string) bool) []Reference {
	kept := []Reference{}
	sorted := slices.Clone(refs)
	slices.SortStableFunc(sorted, func(a, b Reference) int {
		if a.gaps != b.gaps {
			return a.gaps - b.gaps
		}
		return (b.end - b.start) - (a.end - a.start)
	})
	for _, r := range sorted {
		overlaps := slices.ContainsFunc(kept, func(k Reference) bool { return r.start < k.end && k.start < r.end || r.Number == k.Number })
		if !overlaps && known(r.Number) {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b Reference) int { return a.start - b.start })
	return kept
}

// In is Find over all that an entry says: the text, the payer's id and the
// creditor reference.
func (f *Finder) In(e Entry) []Reference {
	structured := e.Structured
	if own, ok := creditorReference(structured); ok {
		structured = own
	}
	found, before := []Reference{}, 0
	for _, text := range []string{structured, e.Text, e.EndToEnd} {
		for _, r := range f.Find(text) {
			r.start, r.end = r.start+before, r.end+before
			found = append(found, r)
		}
		before += len(text) + 1
	}
	return found
}
