package document

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/go-pdf/fpdf"
)

// TestWriterIsSlowWithFonts shows why embed exists: to register one Unicode font
// the writer allocates more than a whole document of ours does. When this fails
// the writer has changed, and its own fonts may be good enough.
func TestWriterIsSlowWithFonts(t *testing.T) {
	pdf := fpdf.New("P", "pt", "A4", "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pdf.AddUTF8FontFromBytes("noto", "", bytes.Clone(regularTTF))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got < 2<<20 {
		t.Errorf("registering a font took %d bytes, expected more than 2 MB", got)
	}
}

// TestFontsAreCutDown proves that a document holds the glyphs it shows, not
// fonts of half a megabyte each.
func TestFontsAreCutDown(t *testing.T) {
	pdf := mustRender(t, openInvoice())
	if len(pdf) > 40<<10 {
		t.Errorf("a common invoice has %d bytes, want at most 40 KB", len(pdf))
	}
	if got := bytes.Count(pdf, []byte("/Subtype /Type0")); got != 2 {
		t.Errorf("got %d composite fonts, want 2", got)
	}
	if bytes.Contains(pdf, []byte("/Type1")) {
		t.Error("a placeholder is still there")
	}
}

func TestEmbedRefuses(t *testing.T) {
	pdf := string(mustRender(t, openInvoice()))
	at := strings.LastIndex(pdf, "xref\n0 ")
	for name, file := range map[string]string{
		"nothing":              "",
		"no table":             "%PDF-1.3\n1 0 obj\n<<>>\nendobj\n",
		"a table without rows": "%PDF-1.3\nxref\n0 1\n0000000000 65535 f \ntrailer\n<<\n/Root 1 0 R\n>>\n",
		"no trailer":           strings.Replace(pdf, "trailer", "trail", 1),
		"a place beyond":       pdf[:at] + "xref\n0 2\n0000000000 65535 f \n9999999999 00000 n \ntrailer\n<<\n/Root 1 0 R\n>>\n",
		"a place in words":     pdf[:at] + "xref\n0 2\n0000000000 65535 f \nabcdefghij 00000 n \ntrailer\n<<\n/Root 1 0 R\n>>\n",
	} {
		if _, err := embed([]byte(file), nil); !errors.Is(err, errWriter) {
			t.Errorf("%s: got %v, want %v", name, err, errWriter)
		}
	}
}
