package document

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

var (
	pageObject = regexp.MustCompile(`(?s)/Type /Page\n.*?/Contents (\d+) 0 R`)
	textShown  = regexp.MustCompile(`(?s)BT (?:/F([0-9a-f]+) [\d.]+ Tf ET|([\d.-]+) ([\d.-]+) Td \(((?:\\.|[^\\)])*)\) Tj ET)`)
	fontName   = regexp.MustCompile(`/F([0-9a-f]{40}) (\d+) 0 R`)
	toUnicode  = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
	mapping    = regexp.MustCompile(`<([0-9a-f]{4})> <([0-9a-f]+)>`)
)

// pdfText reads our own PDFs as a person does: page by page, line by line from
// the top, what stands on one line separated by " | ".
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	fonts := map[string]map[string]string{}
	for _, m := range fontName.FindAllSubmatch(pdf, -1) {
		fonts[string(m[1])] = characters(t, pdf, string(m[2]))
	}
	var out strings.Builder
	for n, m := range pageObject.FindAllSubmatch(pdf, -1) {
		fmt.Fprintf(&out, "--- page %d\n", n+1)
		writeLines(t, &out, contentStream(t, pdf, string(m[1])), fonts)
	}
	return out.String()
}

// characters returns what the codes of a font mean, from its map to Unicode.
func characters(t testing.TB, pdf []byte, object string) map[string]string {
	t.Helper()
	_, body, ok := bytes.Cut(pdf, []byte("\n"+object+" 0 obj\n"))
	m := toUnicode.FindSubmatch(body)
	if !ok || m == nil {
		t.Fatalf("font %s has no map to Unicode", object)
	}
	all := map[string]string{}
	for _, entry := range mapping.FindAllSubmatch(contentStream(t, pdf, string(m[1])), -1) {
		unit, err := strconv.ParseUint(string(entry[2]), 16, 16)
		if err != nil {
			t.Fatalf("font %s maps %s to %s: %v", object, entry[1], entry[2], err)
		}
		all[string(entry[1])] = string(rune(unit))
	}
	return all
}

type shownText struct {
	x, y float64
	s    string
}

func writeLines(t testing.TB, out *strings.Builder, content []byte, fonts map[string]map[string]string) {
	t.Helper()
	var shown []shownText
	font := ""
	for _, m := range textShown.FindAllSubmatch(content, -1) {
		if len(m[1]) > 0 {
			font = string(m[1])
			continue
		}
		x, _ := strconv.ParseFloat(string(m[2]), 64)
		y, _ := strconv.ParseFloat(string(m[3]), 64)
		var text strings.Builder
		for code := range slices.Chunk(unescape(m[4]), 2) {
			c, ok := fonts[font][hex.EncodeToString(code)]
			if !ok {
				t.Errorf("font F%s does not say what %x means", font, code)
			}
			text.WriteString(c)
		}
		shown = append(shown, shownText{x, y, text.String()})
	}
	sort.SliceStable(shown, func(i, j int) bool {
		if shown[i].y != shown[j].y {
			return shown[i].y > shown[j].y
		}
		return shown[i].x < shown[j].x
	})
	for i, s := range shown {
		switch {
		case i == 0:
		case s.y == shown[i-1].y:
			out.WriteString(" | ")
		default:
			out.WriteString("\n")
		}
		out.WriteString(s.s)
	}
	out.WriteString("\n")
}

// unescape undoes the escapes of a PDF string.
func unescape(raw []byte) []byte {
	var b []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' {
			i++
			if raw[i] == 'r' {
				b = append(b, '\r')
				continue
			}
		}
		b = append(b, raw[i])
	}
	return b
}

// contentStream returns the inflated stream of an object.
func contentStream(t testing.TB, pdf []byte, object string) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(pdf, []byte("\n"+object+" 0 obj\n"))
	if !ok {
		t.Fatalf("object %s is missing", object)
	}
	_, rest, _ = bytes.Cut(rest, []byte("stream\n"))
	r, err := zlib.NewReader(bytes.NewReader(rest))
	if err != nil {
		t.Fatalf("object %s: %v", object, err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("object %s: %v", object, err)
	}
	return content
}

// checkStructure proves the outer form: header, a cross-reference table whose
// every entry points at its object, and the end mark.
func checkStructure(t testing.TB, pdf []byte) {
	t.Helper()
	if !bytes.HasPrefix(pdf, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(pdf), []byte("%%EOF")) {
		t.Fatalf("not a PDF: starts %q", pdf[:8])
	}
	m := regexp.MustCompile(`startxref\n(\d+)\n%%EOF`).FindSubmatch(pdf)
	if m == nil {
		t.Fatal("no startxref")
	}
	at, _ := strconv.Atoi(string(m[1]))
	rows := strings.Split(string(pdf[at:]), "\n")
	if rows[0] != "xref" {
		t.Fatalf("startxref points at %q", rows[0])
	}
	count, _ := strconv.Atoi(strings.TrimPrefix(rows[1], "0 "))
	for n := 1; n < count; n++ {
		offset, _ := strconv.Atoi(rows[2+n][:10])
		if want := fmt.Sprintf("%d 0 obj", n); !bytes.HasPrefix(pdf[offset:], []byte(want)) {
			t.Errorf("xref entry %d points at %q", n, pdf[offset:offset+12])
		}
	}
}
