package tax

import (
	"errors"
	"fmt"
)

// Rounding says where fractions of a minor unit go.
type Rounding string

// The rules of rounding, both half away from zero. PerDocument computes each
// tax on the sum of its lines and shares it out over them.
const (
	PerLine     Rounding = "line"
	PerDocument Rounding = "document"
)

// IDHandling says how a VAT id without a good answer is treated.
type IDHandling string

// What can be done with an id that is not known to be valid. TrustID is reverse
// charge as if it were, if it is well formed; only sensible where a person checks
// later.
const (
	ChargeTax IDHandling = "charge"
	TrustID   IDHandling = "trust"
	RefuseID  IDHandling = "refuse"
)

// Errors that callers act on.
var (
	// ErrPolicy reports settings that contradict themselves.
	ErrPolicy = errors.New("tax settings cannot be used")
	// ErrNoRate reports a sale that bears a tax whose rate nobody has entered.
	// It is never guessed and never zero.
	ErrNoRate = errors.New("no tax rate is known")
	// ErrVATID reports a VAT id that the policy does not sell to.
	ErrVATID = errors.New("VAT id is not accepted")
)

// Policy is how a seller deals with tax.
type Policy struct {
	// Enabled off means that no tax is charged anywhere.
	Enabled bool `json:"enabled"`
	// SmallBusiness exempts all sales, as § 19 UStG and Article 284 of
	// Directive 2006/112/EC do; the document says so.
	SmallBusiness bool `json:"small_business"`
	// Inclusive says that catalog prices contain the tax.
	Inclusive bool `json:"inclusive"`
	// DeductUntaxed lowers inclusive prices by the home country's tax for
	// buyers who bear none; see Treatment.Price.
	DeductUntaxed bool     `json:"deduct_untaxed"`
	Rounding      Rounding `json:"rounding"`
	// HomeCountry (ISO 3166-1) and HomeRegion are the seller's.
	HomeCountry string `json:"home_country"`
	HomeRegion  string `json:"home_region"`
	// EUVAT applies the Union's rules of place: reverse charge by VAT id, no
	// tax beyond the Union unless the table of rates has that country's.
	EUVAT bool `json:"eu_vat"`
	// OSS charges consumers of other member states their country's rate (One
	// Stop Shop, Article 369a); off, they bear the home country's.
	OSS bool `json:"oss"`
	// UncheckedID is for ids that the register has never answered for,
	// InvalidID for those it does not know; the latter is not TrustID. "" is
	// ChargeTax: such buyers are taxed as consumers are.
	UncheckedID IDHandling `json:"unchecked_id"`
	InvalidID   IDHandling `json:"invalid_id"`
	// Calculator names a tax service that decides in place of the table of rates:
	// CalculatorStripe, or "" for the table. WithoutAnswer says what holds while the
	// service does not answer, OwnTable or RefuseSale. TaxCode is the service's code
	// of what is sold, "" for what its own settings say.
	Calculator    string `json:"calculator"`
	WithoutAnswer string `json:"without_answer"`
	TaxCode       string `json:"tax_code"`
}

// CalculatorStripe is Stripe Tax.
const CalculatorStripe = "stripe"

// Check refuses settings that contradict themselves. Errors: ErrPolicy.
func (p Policy) Check() error {
	switch {
	case p.Rounding != PerLine && p.Rounding != PerDocument:
		return fmt.Errorf("%w: rounding %q is not line or document", ErrPolicy, p.Rounding)
	case p.InvalidID == TrustID:
		return fmt.Errorf("%w: an invalid VAT id cannot be trusted", ErrPolicy)
	case !p.UncheckedID.known() || !p.InvalidID.known():
		return fmt.Errorf("%w: VAT ids are charged, trusted or refused, not %q or %q", ErrPolicy, p.UncheckedID, p.InvalidID)
	case p.Enabled && len(p.HomeCountry) != 2:
		return fmt.Errorf("%w: the home country is missing", ErrPolicy)
	case p.Calculator != "" && p.Calculator != CalculatorStripe:
		return fmt.Errorf("%w: there is no calculator %q", ErrPolicy, p.Calculator)
	case p.WithoutAnswer != "" && p.WithoutAnswer != RefuseSale && p.WithoutAnswer != OwnTable:
		return fmt.Errorf("%w: without an answer of the calculator we refuse or take our own table, not %q", ErrPolicy, p.WithoutAnswer)
	case p.OSS && !p.EUVAT:
		return fmt.Errorf("%w: the One Stop Shop needs the EU rules", ErrPolicy)
	}
	return nil
}

func (h IDHandling) known() bool {
	return h == "" || h == ChargeTax || h == TrustID || h == RefuseID
}

// home is where the seller is.
func (p Policy) home() Place { return At(p.HomeCountry, p.HomeRegion, "") }

// Buyer is what decides a buyer's tax: the billing address, what the register
// said, and what else tells where he is. It is copied from the customer at the
// moment of the quote or renewal.
type Buyer struct {
	Country  string // ISO 3166-1, of the billing address
	Region   string
	Postcode string
	// Business says that he buys as one. A valid VAT id says so too.
	Business bool
	VATID    string  // as typed or as vatid.Parse writes it, "" for none
	VAT      IDCheck // the last good answer for VATID as vatid.Parse writes it; see IDCheck.After
	// Exempt buyers bear no tax where they would; the reason is printed.
	Exempt       bool
	ExemptReason string
	// IPCountry and PaymentCountry (of the card or bank) are further evidence
	// of where a consumer is; "" is unknown.
	IPCountry      string
	PaymentCountry string
}

// idStatus is the answer that counts: one for another id does not.
func (b Buyer) idStatus() IDStatus {
	switch {
	case b.VATID == "":
		return IDNone
	case b.VAT.ID == b.VATID && b.VAT.Status.Answered():
		return b.VAT.Status
	}
	return IDUnchecked
}
