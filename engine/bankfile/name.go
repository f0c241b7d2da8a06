package bankfile

import (
	"slices"
	"strings"
)

// ascii writes letters as banks do that know no others.
var ascii = strings.NewReplacer(
	"Ä", "AE", "Ö", "OE", "Ü", "UE", "ẞ", "SS", "Å", "A", "Æ", "AE", "Ø", "OE", "À", "A", "Á", "A", "Â", "A", "Ã", "A", "Ç", "C", "Č", "C", "Ć", "C",
	"È", "E", "É", "E", "Ê", "E", "Ë", "E", "Ę", "E", "Ě", "E", "Ì", "I", "Í", "I", "Î", "I", "Ï", "I", "Ł", "L", "Ñ", "N", "Ń", "N", "Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O",
	"Ř", "R", "Ś", "S", "Š", "S", "Ù", "U", "Ú", "U", "Û", "U", "Ů", "U", "Ý", "Y", "Ź", "Z", "Ż", "Z", "Ž", "Z",
)

// addressing are titles and legal forms, which people write or leave out.
var addressing = strings.Fields("DR PROF DIPL ING HERR FRAU MR MRS MS GMBH MBH AG UG KG OHG GBR EK EV SE CO LTD LIMITED LLP INC LLC CORP BV NV SARL SAS SRL SPA SA AB OY AS HAFTUNGSBESCHRAENKT UND AND")

// nameWords are the words of a name that tell people apart.
func nameWords(name string) []string {
	folded := ascii.Replace(strings.ToUpper(strings.ReplaceAll(name, "ß", "ss")))
	words := strings.FieldsFunc(folded, func(r rune) bool { return !isDigit(r) && (r < 'A' || r > 'Z') && r < 0x80 })
	words = slices.DeleteFunc(words, func(w string) bool { return len(w) < 2 || slices.Contains(addressing, w) })
	slices.Sort(words)
	return slices.Compact(words)
}

// sameName reports whether a payer has one of the names: the same words in any
// order, or two words of it at least and no other, so that a middle name may be
// missing on either side.
func sameName(payer string, names []string) bool {
	words := nameWords(payer)
	for _, name := range names {
		own := nameWords(name)
		few, many := words, own
		if len(few) > len(many) {
			few, many = many, few
		}
		within := len(few) > 0 && !slices.ContainsFunc(few, func(w string) bool { return !slices.Contains(many, w) })
		if within && (len(few) > 1 || len(many) == 1) {
			return true
		}
	}
	return false
}
