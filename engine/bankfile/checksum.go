package bankfile

import "strings"

// checksum is ISO 7064 MOD 97-10 with the first four characters moved to the
// end, as IBANs (ISO 13616) and creditor references (ISO 11649) have it.
func checksum(code string) bool {
	if len(code) < 5 {
		return false
	}
	rest := 0
	for _, r := range code[4:] + code[:4] {
		switch {
		case r >= '0' && r <= '9':
			rest = (rest*10 + int(r-'0')) % 97
		case r >= 'A' && r <= 'Z':
			rest = (rest*100 + int(r-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// creditorReference returns the reference within "RF18 INV2026…", which is what
// the creditor gave out; ok is false for a text that is no such reference.
func creditorReference(text string) (reference string, ok bool) {
	code := strings.ToUpper(strings.Join(strings.Fields(text), ""))
	if !strings.HasPrefix(code, "RF") || len(code) > 25 || !checksum(code) {
		return "", false
	}
	return code[4:], true
}

// SameAccount reports whether two names are of one account: the same letters and
// digits, or a German IBAN beside the bank code and number within it, as MT940
// writes "12030000/202051".
func SameAccount(a, b string) bool {
	if plain(a) == plain(b) {
		return true
	}
	if strings.Contains(a, "/") {
		a, b = b, a
	}
	bank, number, ok := strings.Cut(b, "/")
	iban := plain(a)
	return ok && len(iban) == 22 && strings.HasPrefix(iban, "DE") && iban[4:12] == bank && strings.TrimLeft(iban[12:], "0") == strings.TrimLeft(number, "0")
}
