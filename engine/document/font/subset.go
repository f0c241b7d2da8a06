package font

import (
	"encoding/binary"
	"slices"
)

// Subset is a face as one document uses it: glyphs are numbered anew in the
// order in which the document first shows them, so the file holds these only.
// It must not be used concurrently.
type Subset struct {
	face  *Face
	ids   map[rune]uint16 // number of each character shown
	runes []rune          // by number; the first is "no character"
	old   []uint16        // the face's glyph by number
}

// NewSubset returns an empty subset of f.
func NewSubset(f *Face) *Subset {
	return &Subset{face: f, ids: make(map[rune]uint16, 96), runes: []rune{0}, old: []uint16{0}}
}

// Encode returns the character codes of text, two bytes each, and adds its
// characters to the subset. Each character gets a code of its own, also those
// that all draw the empty box, so that copied text is the text.
func (s *Subset) Encode(text string) string {
	codes := make([]byte, 0, 2*len(text))
	for _, r := range text {
		id, ok := s.ids[r]
		if !ok && len(s.runes) < 1<<16-1 {
			id = uint16(len(s.runes))
			s.ids[r] = id
			s.runes, s.old = append(s.runes, r), append(s.old, s.face.glyph(r))
		}
		codes = binary.BigEndian.AppendUint16(codes, id)
	}
	return string(codes)
}

// Flags of a composite glyph's parts (OpenType 1.9, "glyf").
const (
	wordArguments  = 1 << 0
	scaled         = 1 << 3
	moreComponents = 1 << 5
	scaledXY       = 1 << 6
	twoByTwo       = 1 << 7
)

// program returns the font file with the shown glyphs and the parts they are
// composed of.
func (s *Subset) program() []byte {
	glyphs := slices.Clone(s.old)
	added := map[uint16]uint16{}
	renumber := func(old uint16) uint16 {
		id, ok := added[old]
		if !ok {
			id = uint16(len(glyphs))
			added[old] = id
			glyphs = append(glyphs, old)
		}
		return id
	}
	var glyf, hmtx []byte
	loca := []byte{0, 0, 0, 0}
	for i := 0; i < len(glyphs) && i < 1<<16-1; i++ { // grows while it runs
		glyf = append(glyf, recompose(s.face.outline(glyphs[i]), renumber)...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = append(hmtx, s.face.metric(glyphs[i])...)
	}
	count := uint16(len(hmtx) / 4)
	return assemble(map[string][]byte{
		"cvt ": s.face.tables["cvt "], "fpgm": s.face.tables["fpgm"], "prep": s.face.tables["prep"],
		"glyf": glyf, "loca": loca, "hmtx": hmtx,
		"head": patched(patched(s.face.tables["head"], 50, 1), 8, 0, 0),
		"hhea": patched(s.face.tables["hhea"], 34, count),
		"maxp": patched(s.face.tables["maxp"], 4, count),
	})
}

// recompose returns an outline whose parts have the numbers that renumber gives
// them. Simple glyphs are returned as they are.
func recompose(outline []byte, renumber func(uint16) uint16) []byte {
	if i16(outline, 0) >= 0 {
		return outline
	}
	out := slices.Clone(outline)
	for at := 10; at+4 <= len(out); {
		flags := u16(out, at)
		binary.BigEndian.PutUint16(out[at+2:], renumber(uint16(u16(out, at+2))))
		at += 6
		if flags&wordArguments != 0 {
			at += 2
		}
		switch {
		case flags&scaled != 0:
			at += 2
		case flags&scaledXY != 0:
			at += 4
		case flags&twoByTwo != 0:
			at += 8
		}
		if flags&moreComponents == 0 {
			break
		}
	}
	return out
}

// metric returns advance and left side bearing of a glyph, four bytes.
func (f *Face) metric(glyph uint16) []byte {
	hmtx, long := f.tables["hmtx"], u16(f.tables["hhea"], 34)
	g := int(glyph)
	if g < long {
		return append(make([]byte, 0, 4), padded(part(hmtx, 4*g, 4), 4)...)
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(u16(hmtx, 4*(long-1))))
	return binary.BigEndian.AppendUint16(out, uint16(u16(hmtx, 4*long+2*(g-long))))
}

// patched returns a copy of table with the values written at offset at.
func patched(table []byte, at int, values ...uint16) []byte {
	out := padded(slices.Clone(table), at+2*len(values))
	for i, v := range values {
		binary.BigEndian.PutUint16(out[at+2*i:], v)
	}
	return out
}

func padded(b []byte, n int) []byte {
	for len(b) < n {
		b = append(b, 0)
	}
	return b
}

// assemble writes a font file of the tables that are not empty.
func assemble(tables map[string][]byte) []byte {
	names := make([]string, 0, len(tables))
	size := 12
	for name, data := range tables {
		if len(data) > 0 {
			names = append(names, name)
			size += 16 + len(data) + 3
		}
	}
	slices.Sort(names)
	power := 1
	for power*2 <= len(names) {
		power *= 2
	}
	out := make([]byte, 0, size)
	out = append(out, 0, 1, 0, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(names)))
	out = binary.BigEndian.AppendUint16(out, uint16(16*power))
	out = binary.BigEndian.AppendUint16(out, uint16(logarithm(power)))
	out = binary.BigEndian.AppendUint16(out, uint16(16*(len(names)-power)))
	at := 12 + 16*len(names)
	for _, name := range names {
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, checksum(tables[name]))
		out = binary.BigEndian.AppendUint32(out, uint32(at))
		out = binary.BigEndian.AppendUint32(out, uint32(len(tables[name])))
		at += (len(tables[name]) + 3) &^ 3
	}
	for _, name := range names {
		out = append(out, tables[name]...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

// logarithm returns the base-2 logarithm of a power of two.
func logarithm(power int) (n int) {
	for ; power > 1; power /= 2 {
		n++
	}
	return n
}

// checksum is the sum of a table's big-endian words, the last one padded.
func checksum(table []byte) (sum uint32) {
	whole := len(table) &^ 3
	for i := 0; i < whole; i += 4 {
		sum += binary.BigEndian.Uint32(table[i:])
	}
	var last [4]byte
	copy(last[:], table[whole:])
	return sum + binary.BigEndian.Uint32(last[:])
}
