package vatid

import "strings"

// rules are the countries by prefix, in the order of the construction rules'
// sections. Where a comment names no other source, they are it.
var rules = map[string]rule{
	"AT": {forms: []form{{shape: "Udddddddd", check: austria}}},
	"BE": {tidy: padded(9, 10), forms: []form{{shape: "dddddddddd", check: belgium}}},
	"BG": {forms: []form{{shape: "ddddddddd", check: bulgarianCompany}, {shape: "dddddddddd", check: bulgarianPerson}}},
	"CY": {forms: []form{{shape: "ddddddddl", check: cyprus}}},
	"CZ": {forms: []form{
		{shape: "dddddddd", check: czechCompany},
		{shape: "6dddddddd", check: czechSpecial},
		{shape: "ddddddddd", check: czechBornBefore1954, formatOnly: true}, // birth numbers had no check digit then
		{shape: "dddddddddd", check: czechPerson},
	}},
	"DE": {forms: []form{{shape: "ddddddddd", check: germany}}},
	"DK": {forms: []form{{shape: "dddddddd", check: denmark}}},
	"EE": {forms: []form{{shape: "ddddddddd", check: estonia}}},
	"EL": {tidy: padded(8, 9), forms: []form{{shape: "ddddddddd", check: greece}}},
	"ES": {forms: []form{
		{shape: "ldddddddd", check: spanishDigits},
		{shape: "ldddddddl", check: spanishLetters},
		{shape: "ddddddddl", check: spanishPerson},
	}},
	"FI": {forms: []form{{shape: "dddddddd", check: finland}}},
	"FR": {forms: []form{{shape: "xxddddddddd", check: france}}},
	"HR": {forms: []form{{shape: "ddddddddddd", check: mod1110}}},
	"HU": {forms: []form{{shape: "dddddddd", check: hungary}}},
	"IE": {forms: []form{
		{shape: "dddddddl", check: ireland},
		{shape: "dddddddll", check: ireland},
		{shape: "dsdddddl", check: irelandBefore2013},
	}},
	"IT": {forms: []form{{shape: "ddddddddddd", check: italy}}},
	"LT": {forms: []form{{shape: "ddddddddd", check: lithuania}, {shape: "dddddddddddd", check: lithuania}}},
	"LU": {forms: []form{{shape: "dddddddd", check: luxembourg}}},
	"LV": {forms: []form{
		{shape: "ddddddddddd", check: latvianCompany},
		// Persons: the date of birth alone can be checked, and since July 2017 not
		// even that (Population Register Law: 3, then 2 to 9, then chance).
		{shape: "ddddddddddd", check: latvianPerson, formatOnly: true},
	}},
	"MT": {forms: []form{{shape: "dddddddd", check: malta}}},
	"NL": {forms: []form{{shape: "dddddddddBdd", check: netherlands}}},
	"PL": {forms: []form{{shape: "dddddddddd", check: poland}}},
	"PT": {forms: []form{{shape: "ddddddddd", check: portugal}}},
	"RO": {forms: romanian()},
	"SE": {forms: []form{{shape: "dddddddddddd", check: sweden}}},
	"SI": {forms: []form{{shape: "dddddddd", check: slovenia}}},
	"SK": {forms: []form{{shape: "dddddddddd", check: slovakia}}},
	"XI": {forms: british},
	// HMRC, "VAT Notice 700" and the construction rules of the time before 2021.
	"GB": {forms: british},
	// Federal Statistical Office, "UID number: composition", and eCH-0097.
	"CHE": {tidy: without("MWST", "TVA", "IVA", "TPV", "VAT"), forms: []form{{shape: "ddddddddd", check: switzerland}}},
	// Brønnøysundregistrene, organization numbers, "Modulus 11".
	"NO": {tidy: without("MVA"), forms: []form{{shape: "ddddddddd", check: norway}}},
}

// british has the check digits of traders; those of government departments (GD)
// and health authorities (HA) were never published.
var british = []form{
	{shape: "ddddddddd", check: britain},
	{shape: "dddddddddddd", check: britain}, // of a group or branch: its number behind
	{shape: "GDddd", check: func(n string) bool { return n[2] < '5' }, formatOnly: true},
	{shape: "HAddd", check: func(n string) bool { return n[2] >= '5' }, formatOnly: true},
}

// padded puts the zero back that Belgium and Greece added when their numbers
// grew by a digit.
func padded(from, to int) func(string) string {
	return func(number string) string {
		if len(number) == from {
			return strings.Repeat("0", to-from) + number
		}
		return number
	}
}

// without takes the national word for VAT off the end.
func without(words ...string) func(string) string {
	return func(number string) string {
		for _, w := range words {
			if rest, ok := strings.CutSuffix(number, w); ok {
				return rest
			}
		}
		return number
	}
}

// romanian is two to ten digits.
func romanian() (forms []form) {
	for n := 2; n <= 10; n++ {
		forms = append(forms, form{shape: strings.Repeat("d", n), check: romania})
	}
	return forms
}
