package tax

import (
	"slices"
	"strings"
)

// territory is a part of a country, or a country, that VAT treats in its own
// way. It is recognized by the start of its postcode or by its region.
type territory struct {
	country   string
	postcodes string // starts, separated by blanks; with regions "" too: all of it
	regions   string // capitals, separated by commas
	outside   bool   // outside the VAT area of the Union
	as        string // the country whose tax it is, where that is another
	region    string // the region by which the table of rates finds it
}

// territories is Article 6 (left out of the VAT area) and 7 (taken in) of
// Directive 2006/112/EC as amended by Directive (EU) 2019/475 (Campione d'Italia)
// and Article 8 of the Windsor Framework (Northern Ireland belongs to the area
// for goods alone, and we sell services). Regions with rates of their own:
// Article 104 (Jungholz, Kleinwalsertal) and 105 (Azores, Madeira). The
// Commission lists them in "Territorial status of EU countries and certain
// territories"; postcodes are the national posts'. Territories with an ISO code
// of their own that is no member state's (AX, GP, GF, MQ, RE, YT, MF, GG, JE, GI,
// FO, GL, SM, AD) need no row: they are outside. The part of Cyprus where Union
// law is suspended has no postcode to know it by and counts as Cyprus.
var territories = []territory{
	// Article 6(1): Mount Athos, the Canary Islands, the French territories of
	// Articles 349 and 355(1) TFEU, Åland, Campione d'Italia.
	{country: "GR", postcodes: "63086 63087", regions: "69,MOUNT ATHOS,AGION OROS,AGIO OROS", outside: true, region: "69"},
	{country: "ES", postcodes: "35 38", regions: "CN,GC,TF,CANARIAS,CANARY ISLANDS,ISLAS CANARIAS,LAS PALMAS,SANTA CRUZ DE TENERIFE", outside: true, region: "CN"},
	{
		country: "FR", postcodes: "971 972 973 974 975 976 977 978 984 986 987 988",
		regions: "GP,971,GUADELOUPE,MQ,972,MARTINIQUE,GF,973,GUYANE,RE,974,LA RÉUNION,RÉUNION,YT,976,MAYOTTE," +
			"BL,977,MF,978,PM,975,TF,WF,986,PF,987,NC,988",
		outside: true,
	},
	{country: "FI", postcodes: "22", regions: "01,ÅLAND,AHVENANMAA,AALAND", outside: true, region: "01"},
	{country: "IT", postcodes: "22061", outside: true},
	// Article 6(2): Heligoland, Büsingen, Ceuta, Melilla, Livigno.
	{country: "DE", postcodes: "27498 78266", outside: true},
	{country: "ES", postcodes: "51", regions: "CE,CEUTA", outside: true, region: "CE"},
	{country: "ES", postcodes: "52", regions: "ML,MELILLA", outside: true, region: "ML"},
	{country: "IT", postcodes: "23041", outside: true},
	// Greenland and the Faroes share Denmark's post and are not of the Union.
	{country: "DK", postcodes: "39", regions: "GL,GREENLAND,GRØNLAND,FO,FAROE ISLANDS,FÆRØERNE", outside: true},
	// Article 7: Monaco counts as France, the Isle of Man as the United Kingdom.
	{country: "MC", as: "FR"},
	{country: "IM", as: "GB", outside: true},
	{country: "XI", as: "GB", outside: true, region: "NIR"},
	{country: "GB", postcodes: "BT", regions: "NIR,NORTHERN IRELAND", outside: true, region: "NIR"},
	{country: "EL", as: "GR"},
	// Inside, with rates of their own.
	{country: "PT", postcodes: "95 96 97 98 99", regions: "20,AÇORES,AZORES,ACORES", region: "20"},
	{country: "PT", postcodes: "90 91 92 93 94", regions: "30,MADEIRA", region: "30"},
	{country: "AT", postcodes: "6691 6991 6992 6993", regions: "JUNGHOLZ,KLEINWALSERTAL", region: "JUNGHOLZ"},
}

// mark is a territory with its texts taken apart.
type mark struct {
	territory
	starts, names []string
}

// marks are the territories by country, in the table's order.
var marks = func() map[string][]mark {
	all := map[string][]mark{}
	for _, t := range territories {
		m := mark{territory: t, starts: strings.Fields(t.postcodes)}
		if t.regions != "" {
			m.names = strings.Split(t.regions, ",")
		}
		all[t.country] = append(all[t.country], m)
	}
	return all
}()

// territoryOf finds the row of an address; postcode is compact.
func territoryOf(country, region, postcode string) (territory, bool) {
	for _, m := range marks[country] {
		if m.holds(region, postcode) {
			return m.territory, true
		}
	}
	return territory{}, false
}

func (m mark) holds(region, postcode string) bool {
	if len(m.starts) == 0 && len(m.names) == 0 {
		return true
	}
	if region != "" && slices.Contains(m.names, region) {
		return true
	}
	digits := strings.TrimLeft(postcode, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") // people write D-78266 and FR-97100
	return slices.ContainsFunc(m.starts, func(start string) bool {
		return strings.HasPrefix(postcode, start) || strings.HasPrefix(digits, start)
	})
}
