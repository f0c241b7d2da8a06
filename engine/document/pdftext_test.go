package document

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

var (
	pageObject = regexp.MustCompile(`(?s)/Type /Page\n.*?/Contents (\d+) 0 R`)
	textShown  = regexp.MustCompile(`(?s)BT ([\d.-]+) ([\d.-]+) Td \(((?:\\.|[^\\)])*)\) Tj ET`)
)

// pdfText reads our own PDFs as a person does: page by page, line by line from
// the top, what stands on one line separated by " | ".
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	var out strings.Builder
	for n, m := range pageObject.FindAllSubmatch(pdf, -1) {
		fmt.Fprintf(&out, "--- page %d\n", n+1)
		writeLines(&out, contentStream(t, pdf, string(m[1])))
	}
	return out.String()
}

type shownText struct {
	x, y float64
	s    string
}

func writeLines(out *strings.Builder, content []byte) {
	var shown []shownText
	for _, m := range textShown.FindAllSubmatch(content, -1) {
		x, _ := strconv.ParseFloat(string(m[1]), 64)
		y, _ := strconv.ParseFloat(string(m[2]), 64)
		shown = append(shown, shownText{x, y, decodeText(m[3])})
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

// decodeText undoes PDF string escapes and reads UTF-16.
func decodeText(raw []byte) string {
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
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
	}
	return string(utf16.Decode(units))
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
