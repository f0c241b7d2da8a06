package einvoice

import (
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Type is what a document is (UNTDID 1001).
type Type string

// The types of documents.
const (
	Invoice    Type = "380"
	CreditNote Type = "381"
	Corrected  Type = "384" // an invoice that replaces another
)

// Document is an invoice or a credit note. All amounts are of Currency. Those
// of a credit note are what is given back, so they are positive. Texts are in
// the buyer's language. BT and BG are the norm's business terms and groups.
type Document struct {
	Type     Type
	Number   string    // BT-1
	IssuedAt time.Time // BT-2: its day in UTC
	DueAt    time.Time // BT-9; optional
	Currency string    // BT-5

	Note           string // BT-22; optional
	Terms          string // BT-20: payment terms; optional
	BuyerReference string // BT-10; optional
	Preceding      []Reference
	Start, End     time.Time // BG-14: the period [Start, End); both zero for none

	Seller, Buyer Party
	Payment       Payment

	Lines      []Line
	Allowances []Allowance // BG-20: on the whole document
	Taxes      []Tax       // BG-23: one for each category and rate

	Net     money.Amount // BT-109: lines less allowances
	Tax     money.Amount // BT-110
	Total   money.Amount // BT-112
	Prepaid money.Amount // BT-113: paid or settled already; the zero value is nothing
	Due     money.Amount // BT-115
}

// Reference names a document before this one (BG-3): of a credit note, the
// invoice that it corrects.
type Reference struct {
	Number   string    // BT-25
	IssuedAt time.Time // BT-26; optional
}

// Party is the seller (BG-4) or the buyer (BG-7).
type Party struct {
	Name         string   // BT-27, BT-44
	Street       []string // BT-35, 36 and, all further lines, 162
	City         string
	PostCode     string
	Region       string
	Country      string // BT-40, BT-55: ISO 3166-1 alpha-2; required
	VATID        string // BT-31, BT-48: with the country's prefix
	TaxNumber    string // BT-32: other registration for tax; of the seller
	Registration string // BT-30, BT-47: in a register of companies
	ID           string // BT-29, BT-46
	Endpoint     Endpoint
	Contact      string // BT-41, BT-56
	Phone        string
	Email        string
}

// Endpoint is an electronic address (BT-34, BT-49); the zero value is none.
type Endpoint struct {
	Scheme string // of the CEF list of electronic address schemes, such as "9930" or "EM"
	ID     string
}

// Means is how the document is or was paid (UNTDID 4461).
type Means string

// Ways to pay.
const (
	Unspecified  Means = ""   // nothing is said of payment
	Transfer     Means = "30" // bank transfer, IBAN or other account
	SEPATransfer Means = "58"
	Card         Means = "48"
	Online       Means = "68" // a payment service such as PayPal
)

// Payment is BG-16.
type Payment struct {
	Means     Means
	Reference string // BT-83: what the payer states; optional
	Account   string // BT-84: IBAN; of a transfer
	Holder    string // BT-85; optional
	BIC       string // BT-86; optional
	CardLast4 string // BT-87; of a card, optional
	Network   string // such as "VISA"; without it CardLast4 is left out
}

// Line is an invoice line (BG-25).
type Line struct {
	Name        string // BT-153
	Description string // BT-154; optional
	Note        string // BT-127; optional
	Quantity    int64  // BT-129: not zero; that of a line that gives back is negative
	Unit        string // BT-130, UN/ECE Recommendation 20: UnitOne where it is ""
	Net         money.Amount
	Start, End  time.Time // BG-26: the period [Start, End); both zero for none
	Allowances  []Allowance
	Category    Category // BT-151
	PPM         int64    // BT-152: the rate in parts per million
}

// Units that the product bills in.
const (
	UnitOne      = "C62"
	UnitHour     = "HUR"
	UnitDay      = "DAY"
	UnitMonth    = "MON"
	UnitYear     = "ANN"
	UnitGigabyte = "E34"
	UnitTerabyte = "E35"
)

// Allowance is a discount (BG-20 or BG-27). Category and rate are those of the
// lines it belongs to; of a line's own allowance they are the line's and unused.
type Allowance struct {
	Amount   money.Amount // > 0
	Reason   string       // BT-97, BT-139
	Code     string       // BT-98, BT-140: UNTDID 5189, such as DiscountCode; either is enough
	Category Category     // BT-95
	PPM      int64        // BT-96
}

// DiscountCode is "discount" in UNTDID 5189.
const DiscountCode = "95"

// Category is a duty or tax category code (UNCL5305).
type Category string

// The categories that sales of services fall into, as in engine/tax.
const (
	Standard      Category = "S"
	Zero          Category = "Z"
	Exempt        Category = "E"
	ReverseCharge Category = "AE"
	OutOfScope    Category = "O"
)

// Tax is a row of the breakdown (BG-23).
type Tax struct {
	Category   Category
	PPM        int64        // BT-119
	Base       money.Amount // BT-116
	Amount     money.Amount // BT-117
	ReasonCode string       // BT-121: VATEX code of why nothing is due; optional
	Reason     string       // BT-120: the same in words; optional
}
