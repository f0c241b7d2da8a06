package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ezscale/ezscale/engine/document/font"
)

// The PDF writer can embed a Unicode font itself, but reads it anew for each
// document and hashes a list of 65,536 widths: seven eighths of the time that
// an invoice took (TestWriterIsSlowWithFonts). So the writer is told of fonts
// that every reader has, is given glyph numbers as text, and the fonts are put
// in their place here, in the finished file.

// errWriter reports that the PDF writer wrote something else than expected.
var errWriter = errors.New("unexpected output of the PDF writer")

// placeholder is the definition by which the writer knows a font: it writes an
// object that begins as placeholderObject says.
func placeholder(f *font.Face) []byte {
	return fmt.Appendf(nil, `{"Tp":"Core","Name":%q}`, f.Name())
}

func placeholderObject(f *font.Face) []byte {
	return fmt.Appendf(nil, "<</Type /Font\n/BaseFont /%s\n", f.Name())
}

// pdfObject is a numbered object as it stands in a file.
type pdfObject struct {
	number, offset int
	text           []byte // from "1 0 obj" to "endobj" and a line feed
}

// embed returns the writer's file with fonts instead of their placeholders and
// the pages compressed.
func embed(file []byte, fonts map[*font.Face]*font.Subset) ([]byte, error) {
	objects, trailer, err := readObjects(file)
	if err != nil {
		return nil, err
	}
	head := file[:objects[0].offset]
	for i, o := range objects {
		_, body, _ := bytes.Cut(o.text, []byte("\n"))
		if page, ok := plainStream(body); ok {
			objects[i].text = objectText(o.number, font.Stream("", page))
		} else if subset := placedHere(body, fonts); subset != nil {
			next := len(objects) + 1
			bodies := subset.Objects(next)
			objects[i].text = objectText(o.number, bodies[0])
			for n, body := range bodies[1:] {
				objects = append(objects, pdfObject{number: next + n, text: objectText(next+n, body)})
			}
		}
	}
	return writeObjects(head, objects, trailer), nil
}

// placedHere returns the font that body keeps the place of, or nil.
func placedHere(body []byte, fonts map[*font.Face]*font.Subset) *font.Subset {
	for face, subset := range fonts {
		if bytes.HasPrefix(body, placeholderObject(face)) {
			return subset
		}
	}
	return nil
}

// plainStream returns the content of a stream that is not compressed.
func plainStream(body []byte) ([]byte, bool) {
	dictionary, content, found := bytes.Cut(body, []byte(">>\nstream\n"))
	content, ended := bytes.CutSuffix(content, []byte("\nendstream\nendobj\n"))
	return content, found && ended && bytes.HasPrefix(dictionary, []byte("<</Length "))
}

func objectText(number int, body []byte) []byte {
	return fmt.Appendf(nil, "%d 0 obj\n%s\nendobj\n", number, body)
}

// readObjects returns the objects of the writer's file in order of place, and
// the entries of its trailer that remain valid.
func readObjects(file []byte) (objects []pdfObject, trailer []byte, err error) {
	const row = 20 // bytes of an entry of the cross-reference table
	at := bytes.LastIndex(file, []byte("\nxref\n0 ")) + 1
	table := file[at:]
	_, rows, _ := bytes.Cut(table[min(len(table), len("xref\n")):], []byte("\n"))
	_, trailer, found := bytes.Cut(rows, []byte("\ntrailer\n"))
	from := bytes.Index(trailer, []byte("/Root"))
	if at == 0 || !found || from < 0 {
		return nil, nil, fmt.Errorf("%w: no cross-reference table", errWriter)
	}
	trailer, _, _ = bytes.Cut(trailer[from:], []byte(">>"))
	for number := 1; len(rows) >= (number+1)*row && rows[number*row+17] == 'n'; number++ {
		offset, err := strconv.Atoi(string(rows[number*row : number*row+10]))
		if err != nil || offset > at {
			return nil, nil, fmt.Errorf("%w: object %d has no place", errWriter, number)
		}
		objects = append(objects, pdfObject{number: number, offset: offset})
	}
	if len(objects) == 0 {
		return nil, nil, fmt.Errorf("%w: no objects", errWriter)
	}
	slices.SortFunc(objects, func(a, b pdfObject) int { return cmp.Compare(a.offset, b.offset) })
	for i := range objects {
		end := at
		if i+1 < len(objects) {
			end = objects[i+1].offset
		}
		objects[i].text = file[objects[i].offset:end]
	}
	return objects, trailer, nil
}

func writeObjects(head []byte, objects []pdfObject, trailer []byte) []byte {
	size := len(head) + 512
	for _, o := range objects {
		size += len(o.text) + 20
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	out.Write(head)
	for i := range objects {
		objects[i].offset = out.Len()
		out.Write(objects[i].text)
	}
	slices.SortFunc(objects, func(a, b pdfObject) int { return cmp.Compare(a.number, b.number) })
	start := out.Len()
	fmt.Fprintf(out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range objects {
		fmt.Fprintf(out, "%010d 00000 n \n", o.offset)
	}
	fmt.Fprintf(out, "trailer\n<<\n/Size %d\n%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, start)
	return out.Bytes()
}
