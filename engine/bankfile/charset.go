package bankfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Charset is how a file's bytes are characters. Detected when empty: a byte
// order mark, valid UTF-8, else one of the two Western code pages.
type Charset string

// The character sets.
const (
	UTF8        Charset = "utf-8"
	Windows1252 Charset = "windows-1252"
	ISO8859_15  Charset = "iso-8859-15"
)

// high1252 are the characters of Windows-1252 from 0x80 to 0x9F; the rest is as
// in Unicode. The five unassigned ones read as U+FFFD.
const high1252 = "€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ"

// latin9 are the characters in which ISO-8859-15 differs from Unicode's first
// 256.
var latin9 = map[byte]rune{0xA4: '€', 0xA6: 'Š', 0xA8: 'š', 0xB4: 'Ž', 0xB8: 'ž', 0xBC: 'Œ', 0xBD: 'œ', 0xBE: 'Ÿ'}

// decode turns a file into text. Errors: ErrContent for a UTF-16 file cut in
// half or bytes that are not UTF-8 though they should be, ErrUnclear for a set
// that is not known.
func decode(data []byte, set Charset) (string, error) {
	if text, ok := bytes.CutPrefix(data, []byte("\xEF\xBB\xBF")); ok && set == "" {
		data, set = text, UTF8
	}
	if set == "" && (bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF"))) {
		return decodeUTF16(data)
	}
	if set == "" {
		set = guessSet(data)
	}
	switch set {
	case UTF8:
		if !utf8.Valid(data) {
			return "", fmt.Errorf("%w: byte %d is not UTF-8", ErrContent, invalidByte(data))
		}
		return strings.TrimPrefix(string(data), "\uFEFF"), nil
	case Windows1252, ISO8859_15:
		return decodeWestern(data, set), nil
	}
	return "", fmt.Errorf("%w: character set %q is not known", ErrUnclear, set)
}

// guessSet is UTF-8 if it can be, else one of the two Western code pages.
func guessSet(data []byte) Charset {
	if utf8.Valid(data) {
		return UTF8
	}
	return western(data)
}

// western tells the two code pages apart. Bytes from 0x80 to 0x9F are controls
// in ISO-8859-15, and 0xA4 is the euro sign there but a sign that nobody uses in
// Windows-1252.
func western(data []byte) Charset {
	euro := false
	for _, b := range data {
		if b >= 0x80 && b < 0xA0 {
			return Windows1252
		}
		euro = euro || b == 0xA4
	}
	if euro {
		return ISO8859_15
	}
	return Windows1252
}

func decodeWestern(data []byte, set Charset) string {
	high := []rune(high1252)
	out := strings.Builder{}
	out.Grow(len(data) + len(data)/8)
	for _, b := range data {
		r := rune(b)
		if set == ISO8859_15 {
			if special, ok := latin9[b]; ok {
				r = special
			}
		} else if b >= 0x80 && b < 0xA0 {
			r = high[b-0x80]
		}
		out.WriteRune(r)
	}
	return out.String()
}

func decodeUTF16(data []byte) (string, error) {
	if len(data)%2 != 0 {
		return "", fmt.Errorf("%w: UTF-16 of an odd number of bytes; the file is cut off", ErrContent)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if data[0] == 0xFE {
		order = binary.BigEndian
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 2; i < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return string(utf16.Decode(units)), nil
}

func invalidByte(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at + 1
}
