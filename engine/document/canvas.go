package document

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/font"
)

// The page, in points of 1/72 inch: A4 with its text block.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
	left       = 48.0
	right      = pageWidth - 48
	top        = 44.0
	bottom     = pageHeight - 72 // of what flows; the footer is below
	width      = right - left
)

// The inks. Everything that is not the accent is one of these.
var (
	ink     = accent.Color{R: 0x14, G: 0x18, B: 0x1f}
	muted   = accent.Color{R: 0x56, G: 0x5e, B: 0x6b}
	line    = accent.Color{R: 0xdf, G: 0xe3, B: 0xe8}
	surface = accent.Color{R: 0xf6, G: 0xf7, B: 0xf9}
	okInk   = accent.Color{R: 0x0f, G: 0x70, B: 0x40}
	// stampInk is pale enough to read through.
	stampInk = accent.Color{R: 0xf7, G: 0xdc, B: 0xda}
	badInk   = accent.Color{R: 0xb3, G: 0x26, B: 0x1e}
)

// style is a way to set text.
type style struct {
	size float64 // points
	bold bool
	ink  accent.Color
}

// leading is the distance of two base lines.
func (s style) leading() float64 { return s.size * 1.4 }

// canvas is a document being drawn: text by base line, lines and boxes. It
// wraps the PDF writer so that the layout speaks of styles only. Texts are made
// printable here (see clean), wherever they come from.
type canvas struct {
	pdf   *fpdf.Fpdf
	fonts map[*font.Face]*font.Subset // what is shown of each
	last  style                       // font now selected
}

func newCanvas(at time.Time) *canvas {
	pdf := fpdf.New("P", "pt", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(at.UTC())
	pdf.SetModificationDate(at.UTC())
	pdf.SetCompression(false) // embed does that
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(left, top, pageWidth-right)
	c := &canvas{pdf: pdf, fonts: map[*font.Face]*font.Subset{}}
	for _, f := range []*font.Face{regularFont(), boldFont()} {
		pdf.AddFontFromBytes(f.Name(), "", placeholder(f), nil)
		c.fonts[f] = font.NewSubset(f)
	}
	return c
}

// face is the font that s is set in.
func (s style) face() *font.Face {
	if s.bold {
		return boldFont()
	}
	return regularFont()
}

// page opens a new page.
func (c *canvas) page() {
	c.pdf.AddPage()
	c.last = style{}
}

// revisit makes page n the one drawn on.
func (c *canvas) revisit(n int) {
	c.pdf.SetPage(n)
	c.last = style{} // the writer must state the font again on this page
}

func (c *canvas) measure(s style, text string) float64 { return s.face().Width(s.size, clean(text)) }

// text sets one line from x on the base line y.
func (c *canvas) text(x, y float64, s style, text string) {
	if text = clean(text); text == "" {
		return
	}
	if c.last.size != s.size || c.last.bold != s.bold {
		c.pdf.SetFont(s.face().Name(), "", s.size)
		c.last = s
	}
	c.pdf.SetTextColor(int(s.ink.R), int(s.ink.G), int(s.ink.B))
	c.pdf.Text(x, y, c.fonts[s.face()].Encode(text))
}

// textRight sets one line that ends at x.
func (c *canvas) textRight(x, y float64, s style, text string) {
	c.text(x-c.measure(s, text), y, s, text)
}

// link sets one line that opens url.
func (c *canvas) link(x, y float64, s style, text, url string) {
	c.text(x, y, s, text)
	c.pdf.LinkString(x, y-s.size, c.measure(s, text), s.leading(), url)
}

// rule draws a horizontal line.
func (c *canvas) rule(x1, x2, y, thickness float64, col accent.Color) {
	c.pdf.SetFillColor(int(col.R), int(col.G), int(col.B))
	c.pdf.Rect(x1, y-thickness/2, x2-x1, thickness, "F")
}

func (c *canvas) box(x, y, w, h float64, col accent.Color) {
	c.pdf.SetFillColor(int(col.R), int(col.G), int(col.B))
	c.pdf.RoundedRect(x, y, w, h, 4, "1234", "F")
}

// image fits l into w × h with its top right corner at (x, y).
func (c *canvas) image(l *logo, x, y, w, h float64) {
	scale := min(w/float64(l.width), h/float64(l.height))
	iw, ih := float64(l.width)*scale, float64(l.height)*scale
	c.pdf.RegisterImageOptionsReader("logo", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(l.png))
	c.pdf.ImageOptions("logo", x, y, iw, ih, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
}

// wrap breaks text into lines of at most w points, between words where it can
// and inside a word that is wider than a line. A no-break space keeps its words
// together. It always returns a line.
func (c *canvas) wrap(s style, text string, w float64) []string {
	var lines []string
	current := ""
	for _, word := range strings.FieldsFunc(clean(text), func(r rune) bool { return r == ' ' }) {
		next := word
		if current != "" {
			next = current + " " + word
		}
		if c.measure(s, next) <= w {
			current = next
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		var full []string
		full, current = c.breakWord(s, word, w)
		lines = append(lines, full...)
	}
	if current != "" || len(lines) == 0 {
		lines = append(lines, current)
	}
	return lines
}

// breakWord cuts a word into full lines and the part that remains.
func (c *canvas) breakWord(s style, word string, w float64) (full []string, remaining string) {
	for word != "" && c.measure(s, word) > w {
		at, used := 0, 0.0
		for i, r := range word {
			if used += c.measure(s, string(r)); used > w && i > 0 {
				at = i
				break
			}
		}
		if at == 0 {
			break // one character: it must stand somewhere
		}
		full, word = append(full, word[:at]), word[at:]
	}
	return full, word
}

// ellipsis shortens text to one line of at most w points.
func (c *canvas) ellipsis(s style, text string, w float64) string {
	if c.measure(s, text) <= w {
		return text
	}
	runes := []rune(clean(text))
	for len(runes) > 0 && c.measure(s, string(runes)+"…") > w {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}

func (c *canvas) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := c.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return embed(out.Bytes(), c.fonts)
}
