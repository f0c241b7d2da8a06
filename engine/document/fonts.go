package document

import (
	"bytes"
	_ "embed" // the fonts
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-pdf/fpdf"
)

//go:embed fonts/NotoSans-Regular.ttf
var regularTTF []byte

//go:embed fonts/NotoSans-Bold.ttf
var boldTTF []byte

// A script is a group of characters that documents tend to use together. The
// PDF writer reads a font anew for each document and cuts it down to the runes
// used, so documents start from a cut that has their scripts only: far smaller
// than the font, made once, and the same bytes every time.
type script uint8

const (
	latinExtended script = 1 << iota
	greek
	cyrillic
	rest
)

// base is in every cut: Latin-1, punctuation, currency signs.
var base = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0020, Hi: 0x00ff, Stride: 1},
	{Lo: 0x2010, Hi: 0x2044, Stride: 1},
	{Lo: 0x20a0, Hi: 0x20bf, Stride: 1},
	{Lo: 0x2116, Hi: 0x2122, Stride: 1},
}}

var scripts = []struct {
	script script
	table  *unicode.RangeTable
}{
	{latinExtended, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x0100, Hi: 0x024f, Stride: 1}, {Lo: 0x1e00, Hi: 0x1eff, Stride: 1}}}},
	{greek, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x0370, Hi: 0x03ff, Stride: 1}, {Lo: 0x1f00, Hi: 0x1fff, Stride: 1}}}},
	{cyrillic, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x0400, Hi: 0x052f, Stride: 1}}}},
}

func scriptOf(r rune) script {
	if unicode.Is(base, r) {
		return 0
	}
	for _, s := range scripts {
		if unicode.Is(s.table, r) {
			return s.script
		}
	}
	return rest
}

// cut is the pair of fonts for one set of scripts.
type cut struct {
	once          sync.Once
	regular, bold []byte
}

// cuts holds every set of scripts, 16 at most; each is made when first used.
var cuts [rest << 1]cut

// fontsFor returns the two fonts with at least the given scripts. The slices
// are shared and must not be written to.
func fontsFor(set script) (regular, bold []byte) {
	c := &cuts[set]
	c.once.Do(func() {
		var runes strings.Builder
		for _, r := range covered() {
			if s := scriptOf(r); s == 0 || s&set != 0 {
				runes.WriteRune(r)
			}
		}
		// The cutter may write behind the slices it reads: it gets copies.
		c.regular = fpdf.UTF8CutFont(bytes.Clone(regularTTF), runes.String())
		c.bold = fpdf.UTF8CutFont(bytes.Clone(boldTTF), runes.String())
	})
	return c.regular, c.bold
}

// covered returns the runes that the fonts have, sorted.
var covered = sync.OnceValue(func() []rune { return cmapRunes(regularTTF) })

// hasGlyph reports whether r can be printed.
func hasGlyph(r rune) bool {
	_, ok := slices.BinarySearch(covered(), r)
	return ok
}

// cmapRunes returns the runes of a font's Unicode BMP character map, sorted
// (OpenType 1.9, cmap subtable format 4). The font is one of ours.
func cmapRunes(font []byte) []rune {
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(font[at:])) }
	u32 := func(at int) int { return int(binary.BigEndian.Uint32(font[at:])) }
	cmap := 0
	for i := range u16(4) {
		if entry := 12 + 16*i; string(font[entry:entry+4]) == "cmap" {
			cmap = u32(entry + 8)
		}
	}
	for i := range u16(cmap + 2) {
		entry := cmap + 4 + 8*i
		sub := cmap + u32(entry+4)
		if u16(sub) != 4 {
			continue
		}
		return segmentRunes(u16, sub)
	}
	return nil
}

func segmentRunes(u16 func(int) int, sub int) []rune {
	var runes []rune
	segX2 := u16(sub + 6)
	ends, starts := sub+14, sub+16+segX2
	deltas, offsets := starts+segX2, starts+2*segX2
	for s := 0; s < segX2; s += 2 {
		for r := u16(starts + s); r <= u16(ends+s) && r < 0xffff; r++ {
			glyph := r
			if off := u16(offsets + s); off != 0 {
				if glyph = u16(offsets + s + off + 2*(r-u16(starts+s))); glyph == 0 {
					continue
				}
			}
			if r > 0 && (glyph+u16(deltas+s))&0xffff != 0 {
				runes = append(runes, rune(r))
			}
		}
	}
	return runes
}
