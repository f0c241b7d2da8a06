package document

import (
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Status is what the document says about its invoice.
type Status string

// The states an invoice is printed in.
const (
	Draft         Status = "draft"
	Open          Status = "open"
	Paid          Status = "paid"
	Void          Status = "void"
	Uncollectible Status = "uncollectible"
)

// Invoice is everything that stands on an invoice, frozen: texts are already in
// the customer's language and amounts already rounded. Only dates, figures and
// the fixed words follow Language.
type Invoice struct {
	Brand    string // shown where there is no logo; required
	Accent   string // the brand's color, "#rrggbb"; "" is the product's own
	Logo     []byte // PNG or JPEG, at most MaxLogoBytes; optional
	Language string // "en" or "de", a region after it is ignored; required

	Number   string // required unless Status is Draft
	Series   string // optional
	Status   Status
	IssuedAt time.Time // required: its day in UTC is printed and dates the file
	DueAt    time.Time // optional
	Currency string    // ISO 4217, of every amount below

	Seller Party
	Buyer  Party

	Lines    []Line // at least one
	Subtotal money.Amount
	Taxes    []TaxRow
	Total    money.Amount // Subtotal plus all Taxes
	Credit   money.Amount // credit balance used, ≥ 0; the zero value is none
	Payments []Payment
	Due      money.Amount // still to pay; zero when Status is Paid

	Notes  []string // paragraphs below the totals, such as reverse charge
	PayURL string   // http(s) address of the hosted payment page; optional
}

// Party is the seller or the buyer. Name is required.
type Party struct {
	Name         string
	Address      []string // lines as they stand on an envelope
	VATID        string
	Registration string
	Email        string
	Website      string
	Bank         []string // account details for a transfer; of the seller
}

// Line is one position of an invoice.
type Line struct {
	Description string    // required
	Details     []string  // how the line came about, one sentence each
	Start, End  time.Time // the period [Start, End) it pays for; both zero for none
	Quantity    int64     // ≥ 1
	UnitPrice   money.Amount
	Amount      money.Amount
	Tax         string // label such as "19 %"; optional
}

// TaxRow is the sum of one tax.
type TaxRow struct {
	Label  string // such as "VAT 19 %"
	Base   money.Amount
	Amount money.Amount
}

// Payment is money received on the invoice.
type Payment struct {
	At     time.Time
	Method string // such as "Visa •••• 4242"
	Amount money.Amount
}
