// Package accent holds the one color a brand adds to documents and mails, and
// keeps it readable: contrast is computed by WCAG 2.2's formula and a color
// that is too pale for text is darkened.
package accent

import (
	"fmt"
	"math"
	"strconv"
)

// Default is the product's own accent, used where a brand sets none.
const Default = "#0a5fd0"

// minText is the contrast ratio that WCAG 2.2 §1.4.3 asks of normal text.
const minText = 4.5

// Color is an opaque sRGB color.
type Color struct{ R, G, B uint8 }

// Parse reads "#rrggbb"; "" is Default. Anything else is an error.
func Parse(s string) (Color, error) {
	if s == "" {
		s = Default
	}
	if len(s) != 7 || s[0] != '#' {
		return Color{}, fmt.Errorf("color %q is not of the form #rrggbb", s)
	}
	n, err := strconv.ParseUint(s[1:], 16, 24)
	if err != nil {
		return Color{}, fmt.Errorf("color %q is not of the form #rrggbb", s)
	}
	return Color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// String writes the color as #rrggbb.
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// Contrast is the contrast ratio of two colors, 1 to 21
// (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
func (c Color) Contrast(other Color) float64 {
	a, b := c.luminance(), other.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

// OnWhite returns c, darkened as far as text on white paper needs (4.5:1).
func (c Color) OnWhite() Color {
	for c.Contrast(Color{255, 255, 255}) < minText {
		c = Color{scale(c.R), scale(c.G), scale(c.B)}
	}
	return c
}

// Label returns white or ink, whichever reads better on c.
func (c Color) Label() Color {
	white, ink := Color{255, 255, 255}, Color{0x0b, 0x12, 0x20}
	if c.Contrast(white) >= minText || c.Contrast(white) > c.Contrast(ink) {
		return white
	}
	return ink
}

func scale(v uint8) uint8 { return uint8(uint16(v) * 95 / 100) }

// luminance is the relative luminance of WCAG 2.2, 0 to 1.
func (c Color) luminance() float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func linear(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}
