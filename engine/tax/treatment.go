package tax

import (
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Category is a duty or tax category code of UNCL5305, as EN 16931 uses it.
type Category string

// The categories that sales of services fall into.
const (
	Standard      Category = "S"  // taxed
	Zero          Category = "Z"  // taxed at zero
	Exempt        Category = "E"  // exempt
	ReverseCharge Category = "AE" // the buyer owes the tax
	OutOfScope    Category = "O"  // not subject to tax here
)

// Reason is why a sale bears no tax: the key of the text that the document
// prints, below "tax.reason.".
type Reason string

// The reasons. Of ReasonExempt, the buyer's own text follows the printed one.
const (
	ReasonReverseCharge Reason = "reverse_charge"
	ReasonOutsideEU     Reason = "outside_eu"
	ReasonNotTaxable    Reason = "not_taxable" // the table of rates has nothing for the place
	ReasonExempt        Reason = "exempt"
	ReasonSmallBusiness Reason = "small_business"
	ReasonNoTax         Reason = "no_tax" // taxes are switched off
)

// VATEX is the code of the reason in the CEF list of VAT exemption reasons that
// EN 16931 documents give beside the text, "" where the list has none.
func (r Reason) VATEX() string {
	switch r {
	case ReasonReverseCharge:
		return "VATEX-EU-AE"
	case ReasonOutsideEU, ReasonNotTaxable, ReasonNoTax:
		return "VATEX-EU-O"
	default:
		return ""
	}
}

// Component is one tax that a sale bears, as printed and stored.
type Component struct {
	Name     string `json:"name,omitempty"`
	Country  string `json:"country,omitempty"`
	Region   string `json:"region,omitempty"`
	Level    int    `json:"level,omitempty"`
	PPM      int64  `json:"ppm"`
	Compound bool   `json:"compound,omitempty"` // its base contains the first level's tax
}

// Treatment is how a sale to one buyer on one day is taxed.
type Treatment struct {
	Category   Category
	Components []Component // by level; none where no tax is due
	Reason     Reason      // why not, "" where tax is due
	Note       string      // what of the buyer is printed with the reason
	Date       time.Time   // the day whose rates these are
	Evidence   Evidence

	deduct []Component // of the home country, contained in inclusive prices
}

// Price is what a unit costs this buyer whose catalog price is listed. It
// differs only where inclusive prices are lowered for the untaxed
// (Policy.DeductUntaxed): then it is the net. Errors: money.ErrOverflow.
func (t Treatment) Price(listed money.Amount) (money.Amount, error) {
	if len(t.deduct) == 0 {
		return listed, nil
	}
	f := factorOf(t.deduct)
	contained, err := money.New(f.inclusive().round(listed.Minor()), listed.Currency())
	if err != nil {
		return money.Amount{}, fmt.Errorf("tax contained in %s: %w", listed, err)
	}
	return listed.Sub(contained)
}
