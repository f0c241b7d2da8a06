package font

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"hash/fnv"
	"strconv"
	"sync"
	"unicode/utf16"
)

// ObjectCount is how many objects Objects needs besides the font's own.
const ObjectCount = 4

// Objects returns the bodies of the PDF objects that make up the font: first
// the font dictionary, then the ObjectCount objects it refers to, which must
// get the numbers from next on.
func (s *Subset) Objects(next int) [1 + ObjectCount][]byte {
	descendant, descriptor, data, words := next, next+1, next+2, next+3
	name, f := tag(s.old)+"+"+s.face.name, s.face
	program := s.program()
	return [...][]byte{
		fmt.Appendf(nil, "<</Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H\n/DescendantFonts [%d 0 R] /ToUnicode %d 0 R>>", name, descendant, words),
		fmt.Appendf(nil, "<</Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDToGIDMap /Identity\n"+
			"/CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>> /FontDescriptor %d 0 R\n/W [0 [%s]]>>", name, descriptor, s.widths()),
		fmt.Appendf(nil, "<</Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%d %d %d %d]\n"+
			"/ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 /FontFile2 %d 0 R>>",
			name, f.box[0], f.box[1], f.box[2], f.box[3], f.ascent, f.descent, f.capHeight, data),
		Stream(fmt.Sprintf("/Length1 %d ", len(program)), program),
		Stream("", s.toUnicode()),
	}
}

func (s *Subset) widths() []byte {
	var b []byte
	for _, g := range s.old {
		b = append(strconv.AppendInt(b, int64(s.face.widths[g]), 10), ' ')
	}
	return b
}

// toUnicode maps the codes back to characters, so that text can be copied and
// searched (ISO 32000-1, 9.10.3; at most 100 entries a block).
func (s *Subset) toUnicode() []byte {
	b := []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n")
	for from := 1; from < len(s.runes); from += 100 {
		to := min(from+100, len(s.runes))
		b = append(strconv.AppendInt(b, int64(to-from), 10), " beginbfchar\n"...)
		for id := from; id < to; id++ {
			b = append(appendHex(append(b, '<'), uint16(id)), "> <"...)
			for _, unit := range utf16.AppendRune(nil, s.runes[id]) {
				b = appendHex(b, unit)
			}
			b = append(b, ">\n"...)
		}
		b = append(b, "endbfchar\n"...)
	}
	return append(b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"...)
}

func appendHex(b []byte, v uint16) []byte {
	const digits = "0123456789abcdef"
	return append(b, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// tag names a subset by its glyphs: six capital letters (ISO 32000-1, 9.6.4).
func tag(glyphs []uint16) string {
	h := fnv.New32a()
	for _, g := range glyphs {
		_, _ = h.Write([]byte{byte(g >> 8), byte(g)})
	}
	sum, letters := h.Sum32(), [6]byte{}
	for i := range letters {
		letters[i] = 'A' + byte(sum%26)
		sum /= 26
	}
	return string(letters[:])
}

// compressors are reused: each is some hundred KB that would be made and thrown
// away for every stream.
var compressors = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // the level is a valid one
	return w
}}

// Stream returns the body of a compressed stream object; dictionary holds its
// entries besides filter and length.
func Stream(dictionary string, data []byte) []byte {
	var packed bytes.Buffer
	w := compressors.Get().(*zlib.Writer) //nolint:forcetypeassert // the pool holds nothing else
	w.Reset(&packed)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	compressors.Put(w)
	body := fmt.Appendf(nil, "<<%s/Filter /FlateDecode /Length %d>>\nstream\n", dictionary, packed.Len())
	return append(append(body, packed.Bytes()...), "\nendstream"...)
}
