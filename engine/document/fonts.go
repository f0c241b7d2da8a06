package document

import (
	_ "embed" // the fonts
	"sync"

	"github.com/ezscale/ezscale/engine/document/font"
)

//go:embed fonts/NotoSans-Regular.ttf
var regularTTF []byte

//go:embed fonts/NotoSans-Bold.ttf
var boldTTF []byte

// The fonts, read when the first document is made.
var (
	regularFont = sync.OnceValue(func() *font.Face { return mustParse("NotoSans-Regular", regularTTF) })
	boldFont    = sync.OnceValue(func() *font.Face { return mustParse("NotoSans-Bold", boldTTF) })
)

// mustParse reads a font of the binary, which is there and whole.
func mustParse(name string, ttf []byte) *font.Face {
	f, err := font.Parse(name, ttf)
	if err != nil {
		panic("document: " + err.Error())
	}
	return f
}

// hasGlyph reports whether r can be printed.
func hasGlyph(r rune) bool { return regularFont().Has(r) }
