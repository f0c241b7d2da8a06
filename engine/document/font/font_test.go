package font

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func noto(t testing.TB) *Face {
	t.Helper()
	ttf, err := os.ReadFile("../fonts/NotoSans-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse("NotoSans-Regular", ttf)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFace(t *testing.T) {
	f := noto(t)
	if f.Name() != "NotoSans-Regular" {
		t.Errorf("got name %q", f.Name())
	}
	for r, want := range map[rune]bool{'A': true, 'ß': true, 'Ω': true, 'Ж': true, '€': true, '京': false, 0: false, -1: false, 0x1f600: false} {
		if got := f.Has(r); got != want {
			t.Errorf("Has(%q): got %v, want %v", r, got, want)
		}
	}
	if all := f.Runes(); !slices.IsSorted(all) || len(all) < 2000 || !slices.Contains(all, '€') {
		t.Errorf("got %d runes, want more than 2,000, sorted, the euro among them", len(all))
	}
	// Advances of Noto Sans in thousandths: A 639, V 600, space 260, the box 600.
	for text, want := range map[string]float64{"": 0, "A": 6.39, "AV": 12.39, "A V": 14.99, "京": 6} {
		if got := f.Width(10, text); got < want-0.001 || got > want+0.001 {
			t.Errorf("Width(10, %q): got %.3f, want %.3f", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	ttf, err := os.ReadFile("../fonts/NotoSans-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{
		"nothing":           nil,
		"half a directory":  ttf[:100],
		"no outlines":       bytes.Replace(ttf, []byte("glyf"), []byte("glif"), 1),
		"no units":          slices.Concat(ttf[:12], bytes.ReplaceAll(ttf[12:300], []byte("head"), []byte("cvt "))),
		"no character map":  bytes.Replace(ttf, []byte("cmap"), []byte("cmop"), 1),
		"a map of the past": bytes.Replace(ttf, []byte("cmap"), []byte("gasp"), 1),
	} {
		if _, err := Parse(name, raw); !errors.Is(err, ErrFont) {
			t.Errorf("%s: got %v, want %v", name, err, ErrFont)
		}
	}
}

func TestSubset(t *testing.T) {
	f := noto(t)
	s := NewSubset(f)
	if got, want := s.Encode("ABA京鄉"), "\x00\x01\x00\x02\x00\x01\x00\x03\x00\x04"; got != want {
		t.Errorf("got codes %x, want %x", got, want)
	}
	if got := s.Encode("B"); got != "\x00\x02" {
		t.Errorf("got code %x for a character shown before, want 0002", got)
	}
	program := s.program()
	again := NewSubset(f)
	again.Encode("AB京鄉")
	if !bytes.Equal(program, again.program()) {
		t.Error("the same characters give another font")
	}
	if len(program) > 12<<10 {
		t.Errorf("four characters take %d bytes", len(program))
	}
}

// TestSubsetDrawsTheSame reads a subset as a font and compares outlines: simple
// ones are the same bytes, composed ones (Ä is A and two dots) lead to the same
// parts, and the box stands for what the font lacks.
func TestSubsetDrawsTheSame(t *testing.T) {
	f := noto(t)
	s := NewSubset(f)
	const text = "HÄkÖÅ鄉1é"
	s.Encode(text)
	cut := Face{tables: map[string][]byte{}}
	program := s.program()
	for i := range u16(program, 4) {
		entry := part(program, 12+16*i, 16)
		cut.tables[string(entry[:4])] = part(program, u32(entry, 8), u32(entry, 12))
		if got, want := uint32(u32(entry, 4)), checksum(cut.tables[string(entry[:4])]); got != want {
			t.Errorf("table %s has checksum %x, want %x", entry[:4], got, want)
		}
	}
	cut.readMetrics(u16(cut.tables["head"], 18))
	cut.readOutlines()
	composed := 0
	for _, r := range text {
		id, glyph := s.ids[r], f.glyph(r)
		if cut.widths[id] != f.widths[glyph] {
			t.Errorf("%q is %d wide, want %d", r, cut.widths[id], f.widths[glyph])
		}
		sameDrawing(t, f, &cut, glyph, id)
		if i16(f.outline(glyph), 0) < 0 {
			composed++
		}
	}
	if composed < 3 {
		t.Errorf("%d characters of %q are composed, want at least 3 to make this a test", composed, text)
	}
}

// sameDrawing compares two glyphs, part by part where they are composed.
func sameDrawing(t *testing.T, f, cut *Face, glyph, id uint16) {
	t.Helper()
	want, got := f.outline(glyph), cut.outline(id)
	if len(got) < len(want) || len(got) > len(want)+3 {
		t.Errorf("glyph %d: outline has %d bytes, want %d", glyph, len(got), len(want))
		return
	}
	if i16(want, 0) >= 0 {
		if !bytes.HasPrefix(got, want) {
			t.Errorf("glyph %d: another outline", glyph)
		}
		return
	}
	var wantParts, gotParts []uint16
	recompose(want, func(p uint16) uint16 { wantParts = append(wantParts, p); return p })
	recompose(got[:len(want)], func(p uint16) uint16 { gotParts = append(gotParts, p); return p })
	if len(wantParts) != len(gotParts) {
		t.Errorf("glyph %d: got %d parts, want %d", glyph, len(gotParts), len(wantParts))
		return
	}
	for i := range wantParts {
		sameDrawing(t, f, cut, wantParts[i], gotParts[i])
	}
}

// TestObjects proves that the objects refer to each other by the numbers given,
// and that codes lead back to characters.
func TestObjects(t *testing.T) {
	s := NewSubset(noto(t))
	s.Encode("Grüße, Σωκράτης, 京")
	objects := s.Objects(40)
	for i, wants := range [][]string{
		{"/Subtype /Type0", "+NotoSans-Regular", "/Encoding /Identity-H", "[40 0 R]", "/ToUnicode 43 0 R"},
		{"/Subtype /CIDFontType2", "/FontDescriptor 41 0 R", "/W [0 [600 "},
		{"/Type /FontDescriptor", "/FontFile2 42 0 R"},
		{"/Length1 ", "/Filter /FlateDecode", "\nendstream"},
		{"/Filter /FlateDecode", "\nendstream"},
	} {
		for _, want := range wants {
			if !bytes.Contains(objects[i], []byte(want)) {
				t.Errorf("object %d lacks %q: %.200q", i, want, objects[i])
			}
		}
	}
	words := string(s.toUnicode())
	for _, want := range []string{"16 beginbfchar", "<0001> <0047>", "<0003> <00fc>", "> <4eac>"} {
		if !strings.Contains(words, want) {
			t.Errorf("the map to Unicode lacks %q:\n%s", want, words)
		}
	}
	other := NewSubset(s.face)
	other.Encode("x")
	if tag(s.old) == tag(other.old) {
		t.Error("two subsets have one name")
	}
}

// FuzzParse proves that no bytes, however broken, stop the reader or a subset.
func FuzzParse(f *testing.F) {
	ttf, err := os.ReadFile("../fonts/NotoSans-Regular.ttf")
	if err != nil {
		f.Fatal(err)
	}
	head := bytes.Clone(ttf[:4096])
	f.Add(head)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		face, err := Parse("x", raw)
		if err != nil {
			return
		}
		s := NewSubset(face)
		s.Encode("AÄ京 x")
		if got := len(s.Objects(9)); got != 1+ObjectCount {
			t.Fatalf("got %d objects", got)
		}
	})
}
