// Package font embeds TrueType fonts into PDF files: a Face is a font read once
// and shared, a Subset is what one document shows of it. It writes the objects
// of a composite font (ISO 32000-1, 9.7) whose character codes are glyph
// numbers of the subset. It owns no layout and no file.
package font

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFont reports bytes that are not a TrueType font this package can embed.
var ErrFont = errors.New("font cannot be embedded")

// Face is a TrueType font, read once and shared: it is read-only and safe for
// concurrent use. Names of tables and fields are those of OpenType 1.9.
type Face struct {
	name   string
	tables map[string][]byte
	glyphs []uint16 // by rune of the basic plane; 0 is "no glyph"
	widths []uint16 // by glyph, in thousandths of the font size
	loca   []uint32 // where each glyph's outline begins in glyf, and the end

	ascent, descent, capHeight int // thousandths
	box                        [4]int
}

// Parse reads a TrueType font with outlines in "glyf" and a character map
// of format 4. The bytes are kept and must not be written to. name is the
// PostScript name of the font. The error wraps ErrFont.
func Parse(name string, ttf []byte) (*Face, error) {
	f := &Face{name: name, tables: map[string][]byte{}}
	for i := range u16(ttf, 4) {
		entry := part(ttf, 12+16*i, 16)
		if len(entry) < 16 {
			return nil, fmt.Errorf("%w: %s ends in its table directory", ErrFont, name)
		}
		f.tables[string(entry[:4])] = part(ttf, u32(entry, 8), u32(entry, 12))
	}
	for _, table := range []string{"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp"} {
		if len(f.tables[table]) == 0 {
			return nil, fmt.Errorf("%w: %s lacks the table %q", ErrFont, name, table)
		}
	}
	upem := u16(f.tables["head"], 18)
	if upem == 0 {
		return nil, fmt.Errorf("%w: %s has no units per em", ErrFont, name)
	}
	f.readMetrics(upem)
	f.readOutlines()
	if !f.readCharacters() {
		return nil, fmt.Errorf("%w: %s has no character map of format 4", ErrFont, name)
	}
	return f, nil
}

// Name returns the PostScript name.
func (f *Face) Name() string { return f.name }

// Has reports whether the font has a glyph for r.
func (f *Face) Has(r rune) bool { return f.glyph(r) != 0 }

// Runes returns the characters of the basic plane that the font has, sorted.
func (f *Face) Runes() []rune {
	var all []rune
	for r, g := range f.glyphs {
		if g != 0 {
			all = append(all, rune(r))
		}
	}
	return all
}

// Width returns the length of s in points, set in size. A character that the
// font lacks is as wide as its empty box.
func (f *Face) Width(size float64, s string) float64 {
	sum := 0
	for _, r := range s {
		sum += int(f.widths[f.glyph(r)])
	}
	return float64(sum) * size / 1000
}

func (f *Face) glyph(r rune) uint16 {
	if r < 0 || int(r) >= len(f.glyphs) {
		return 0
	}
	return f.glyphs[r]
}

// outline returns the drawing of a glyph, empty for a space.
func (f *Face) outline(glyph uint16) []byte {
	if int(glyph)+1 >= len(f.loca) {
		return nil
	}
	from, to := int(f.loca[glyph]), int(f.loca[glyph+1])
	return part(f.tables["glyf"], from, to-from)
}

func (f *Face) readMetrics(upem int) {
	thousandths := func(units int) int { return (2000*units + upem) / (2 * upem) }
	hhea, hmtx, head, os2 := f.tables["hhea"], f.tables["hmtx"], f.tables["head"], f.tables["OS/2"]
	f.ascent, f.descent = thousandths(i16(hhea, 4)), thousandths(i16(hhea, 6))
	f.capHeight = f.ascent
	if u16(os2, 0) > 1 {
		f.capHeight = thousandths(i16(os2, 88))
	}
	for i := range f.box {
		f.box[i] = thousandths(i16(head, 36+2*i))
	}
	f.widths = make([]uint16, max(u16(f.tables["maxp"], 4), 1))
	last := u16(hhea, 34) - 1 // glyphs from here on share one width
	for g := range f.widths {
		f.widths[g] = uint16(min(thousandths(u16(hmtx, 4*min(g, max(last, 0)))), 1<<15))
	}
}

func (f *Face) readOutlines() {
	loca := f.tables["loca"]
	f.loca = make([]uint32, len(f.widths)+1)
	long := u16(f.tables["head"], 50) == 1
	for g := range f.loca {
		if long {
			f.loca[g] = uint32(u32(loca, 4*g))
		} else {
			f.loca[g] = uint32(2 * u16(loca, 2*g))
		}
	}
}

// readCharacters reads the first subtable of format 4, and reports whether
// there is one.
func (f *Face) readCharacters() bool {
	cmap := f.tables["cmap"]
	for i := range u16(cmap, 2) {
		at := u32(cmap, 8+8*i)
		if at >= len(cmap) || u16(cmap, at) != 4 {
			continue
		}
		f.glyphs = make([]uint16, 1<<16)
		f.readSegments(cmap[at:])
		return true
	}
	return false
}

func (f *Face) readSegments(sub []byte) {
	segX2 := u16(sub, 6)
	ends, starts := 14, 16+segX2
	deltas, offsets := starts+segX2, starts+2*segX2
	for s := 0; s < segX2; s += 2 {
		first, delta, offset := u16(sub, starts+s), u16(sub, deltas+s), u16(sub, offsets+s)
		for r := first; r <= u16(sub, ends+s) && r < 0xffff; r++ {
			glyph := r
			if offset != 0 {
				if glyph = u16(sub, offsets+s+offset+2*(r-first)); glyph == 0 {
					continue
				}
			}
			if g := (glyph + delta) & 0xffff; r > 0 && g < len(f.widths) {
				f.glyphs[r] = uint16(g)
			}
		}
	}
}

// u16 reads a big-endian number; beyond the end everything is 0.
func u16(b []byte, at int) int {
	if at < 0 || at+2 > len(b) {
		return 0
	}
	return int(binary.BigEndian.Uint16(b[at:]))
}

func i16(b []byte, at int) int { return int(int16(u16(b, at))) }

func u32(b []byte, at int) int {
	if at < 0 || at+4 > len(b) {
		return 0
	}
	return int(binary.BigEndian.Uint32(b[at:]))
}

// part returns n bytes of b from at, fewer where b ends.
func part(b []byte, at, n int) []byte {
	if at < 0 || n <= 0 || at >= len(b) {
		return nil
	}
	return b[at:min(at+n, len(b))]
}
