package tax

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxPPM bounds one rate: 100 %.
const MaxPPM int64 = 1_000_000

// Levels is how many taxes a sale bears at most: a country's and a region's, or
// a state's and a county's.
const Levels = 2

// ErrRate reports a rate that cannot be used.
var ErrRate = errors.New("tax rate cannot be used")

// Rate is one row of the table of rates: what a place charges from a day on. It
// holds until a row of the same place and level with a later day; a tax that
// was abolished ends by a row of zero.
type Rate struct {
	Name    string `json:"name"`             // as printed: "USt.", "GST"
	Country string `json:"country"`          // ISO 3166-1 alpha-2
	Region  string `json:"region,omitempty"` // "" is the whole country
	Level   int    `json:"level"`            // 1 or 2
	PPM     int64  `json:"ppm"`
	// Compound taxes the first level's tax too. Level 2 only.
	Compound bool `json:"compound,omitempty"`
	// ConsumersOnly leaves businesses untaxed where the seller is foreign: they
	// account for the tax themselves (United Kingdom, Norway, Australia).
	ConsumersOnly bool `json:"consumers_only,omitempty"`
	// ValidFrom is the first day, at midnight UTC; zero is always.
	ValidFrom time.Time `json:"valid_from,omitzero"`
}

// Check refuses a row that Decide could not use. Errors: ErrRate.
func (r Rate) Check() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return fmt.Errorf("%w: its name is missing", ErrRate)
	case len(r.Country) != 2 || strings.ToUpper(r.Country) != r.Country:
		return fmt.Errorf("%w: country %q is not a code of two capitals", ErrRate, r.Country)
	case r.Level < 1 || r.Level > Levels:
		return fmt.Errorf("%w: level %d is not 1 or 2", ErrRate, r.Level)
	case r.PPM < 0 || r.PPM > MaxPPM:
		return fmt.Errorf("%w: %d ppm is not between 0 and %d", ErrRate, r.PPM, MaxPPM)
	case r.Compound && r.Level != Levels:
		return fmt.Errorf("%w: only the second level can be compound", ErrRate)
	case !r.ValidFrom.Equal(day(r.ValidFrom)):
		return fmt.Errorf("%w: valid from %s is not midnight UTC", ErrRate, r.ValidFrom.Format(time.RFC3339))
	}
	return nil
}

// component is what of a rate goes into documents.
func (r Rate) component() Component {
	return Component{Name: r.Name, Country: r.Country, Region: r.Region, Level: r.Level, PPM: r.PPM, Compound: r.Compound}
}

// pick returns the rates of a place on a day, one a level at most: the region's
// before the country's, of these the youngest that is valid. ok is false where
// the table says nothing of the place. A row of zero beside one that is not
// zero is left out, since it ends a tax.
func pick(rates []Rate, at Place, date time.Time, business bool) (found []Component, ok bool) {
	best := [Levels + 1]*Rate{}
	for i := range rates {
		r := &rates[i]
		if r.Level < 1 || r.Level > Levels || date.Before(r.ValidFrom) || r.ConsumersOnly && business || !r.holds(at) {
			continue
		}
		if best[r.Level] == nil || r.beats(best[r.Level]) {
			best[r.Level] = r
		}
	}
	var zero []Component
	for _, r := range best {
		switch {
		case r == nil:
		case r.PPM == 0:
			zero = append(zero, r.component())
		default:
			found = append(found, r.component())
		}
	}
	if len(found) == 0 {
		found = zero
	}
	return found, len(found) > 0
}

// holds says whether r is a rate of a place.
func (r *Rate) holds(at Place) bool {
	if r.Country != at.Country {
		return false
	}
	if r.Region == "" {
		return !at.leftOut()
	}
	return regionCode(r.Country, r.Region) == at.Region
}

// beats says whether r comes before another rate of the same place, both valid.
func (r *Rate) beats(other *Rate) bool {
	if (r.Region != "") != (other.Region != "") {
		return r.Region != ""
	}
	return r.ValidFrom.After(other.ValidFrom)
}

// day is midnight UTC of a moment.
func day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
