package document

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/ezscale/ezscale/engine/document/locales"
)

func TestFontFilesAreTheOnesNamed(t *testing.T) {
	readme, err := os.ReadFile("fonts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, font := range map[string][]byte{"NotoSans-Regular.ttf": regularTTF, "NotoSans-Bold.ttf": boldTTF} {
		if want := fmt.Sprintf("| %s | %x |", name, sha256.Sum256(font)); !strings.Contains(string(readme), want) {
			t.Errorf("fonts/README.md lacks %q", want)
		}
	}
	if license, err := os.ReadFile("fonts/OFL.txt"); err != nil || !bytes.Contains(license, []byte("SIL OPEN FONT LICENSE")) {
		t.Errorf("the fonts' license text is missing: %v", err)
	}
}

func TestFontsCover(t *testing.T) {
	if !slices.Equal(regularFont().Runes(), boldFont().Runes()) {
		t.Error("regular and bold cover different characters")
	}
	modernGreek := "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"
	slavic := "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдеёжзийклмнопрстуфхцчшщъыьэюяҐґЄєІіЇїЎўЂђЃѓЉљЊњЋћЌќЏџӘәҒғҚқҢңӨөҰұҮүҺһ"
	latin := "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßĀāĂăĄąĆćČčĎďĐđĒēĖėĘęĚěĞğĢģĪīĮįİıĶķĹĺĻļŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŤťŪūŮůŰűŲųŹźŻżŽžȘșȚțẞẤấệỹ"
	currency := "$¢£¤¥€₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₴₵₶₷₸₹₺₻₼₽₾₿"
	punctuation := "–—‘’‚“”„†•…‰‹›™№·×÷±°§©®"
	for name, set := range map[string]string{"Greek": modernGreek, "Cyrillic": slavic, "Latin": latin, "currency": currency, "punctuation": punctuation} {
		for _, r := range set {
			if !hasGlyph(r) {
				t.Errorf("%s: no glyph for %q (U+%04X)", name, r, r)
			}
		}
	}
	for _, code := range locales.Codes() {
		l, _ := locales.Get(code)
		for _, r := range clean(l.Runes()) {
			if !hasGlyph(r) && r != '⟨' {
				t.Errorf("language %s: no glyph for %q", code, r)
			}
		}
	}
}

func TestUncovered(t *testing.T) {
	inv := openInvoice()
	if got := inv.Uncovered(); len(got) != 0 {
		t.Errorf("Greek, Cyrillic and Latin: got %q uncovered, want none", got)
	}
	inv.Buyer.Name, inv.Notes = "東京 株式会社 東 \u202eevil\u202c\x00 😀", []string{"broken \xff byte"}
	if got, want := string(inv.Uncovered()), "東京株式会社□"; got != want {
		t.Errorf("got %q uncovered, want %q", got, want)
	}
	text := pdfText(t, mustRender(t, inv))
	for _, want := range []string{"東京 株式会社 東 evil □", "broken □ byte"} {
		if !strings.Contains(text, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("control character %U in the document", r)
		}
	}
}
