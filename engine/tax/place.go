package tax

import (
	"slices"
	"strings"
)

// memberStates are the states of the European Union by ISO 3166-1 code, sorted.
// VAT ids of Greece begin with EL.
var memberStates = strings.Fields(`AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK`)

// MemberState says whether an ISO 3166-1 code is of a member state of the
// European Union. Parts of a state may still lie outside its VAT area; see At.
func MemberState(country string) bool {
	_, found := slices.BinarySearch(memberStates, country)
	return found
}

// MemberStates lists the codes that MemberState knows, sorted.
func MemberStates() []string { return slices.Clone(memberStates) }

// Place is where a sale is taxed.
type Place struct {
	Country string // ISO 3166-1, of the tax: Monaco is FR
	Region  string // as regionCode writes it; "" where none was given
	// EU says that the place belongs to the VAT area of the European Union.
	EU bool
}

// At finds the place of an address: what counts as its country for VAT, whether
// it lies in the Union's VAT area, and its region where postcodes tell it.
// Unknown countries are taken as they are.
func At(country, region, postcode string) Place {
	country = strings.ToUpper(strings.TrimSpace(country))
	p := Place{Country: country, Region: regionCode(country, region)}
	if t, ok := territoryOf(country, p.Region, compact(postcode)); ok {
		if t.as != "" {
			p.Country = t.as
			p.Region = ""
		}
		if t.region != "" {
			p.Region = t.region
		}
		p.EU = !t.outside && MemberState(p.Country)
		return p
	}
	p.EU = MemberState(country)
	return p
}

// leftOut says that a place is a part of a member state outside the VAT area:
// the state's rates do not hold there, only rates of its region.
func (p Place) leftOut() bool { return MemberState(p.Country) && !p.EU }

// regionCode writes a region as rates and addresses are compared: capitals,
// without the country's prefix (ISO 3166-2 "CA-QC" is "QC") and without blanks
// around it.
func regionCode(country, region string) string {
	region = strings.ToUpper(strings.TrimSpace(region))
	return strings.TrimPrefix(region, strings.ToUpper(country)+"-")
}

// compact leaves the letters and digits of a postcode, as capitals.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(s))
}
