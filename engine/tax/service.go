package tax

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OwnTable, as Policy.WithoutAnswer, lets the seller's own table decide while the
// tax service does not answer. The other choice is RefuseSale, which is "": nothing
// is sold or invoiced until it does.
const (
	OwnTable   = "table"
	RefuseSale = "refuse"
)

// Question is what a tax service is asked: the tax of a sale to a place, by a buyer
// with a VAT id that counts, or without one. Everybody of the same place gets the
// same answer, so that one is asked for and kept for all of them.
type Question struct {
	Country  string // ISO 3166-1, of the tax
	Region   string
	Postcode string
	VATID    string // as vatid.Parse writes it
	Code     string // the service's code of what is sold, "" for its own setting
}

// Key is the question in one line.
func (q Question) Key() string {
	return strings.Join([]string{q.Country, q.Region, q.Postcode, q.VATID, q.Code}, "|")
}

// Answer is what a service says of a sale. It is kept, and becomes a Treatment.
type Answer struct {
	Category   Category    `json:"category"`
	Reason     Reason      `json:"reason,omitempty"`
	Components []Component `json:"components,omitempty"`
}

// ErrAnswer reports an answer that no document could print.
var ErrAnswer = errors.New("the tax service's answer cannot be used")

// Check refuses an answer that no document could print. Errors: ErrAnswer.
func (a Answer) Check() error {
	taxed := a.Category == Standard || a.Category == Zero
	switch {
	case !slices.Contains([]Category{Standard, Zero, Exempt, ReverseCharge, OutOfScope}, a.Category):
		return fmt.Errorf("%w: category %q", ErrAnswer, a.Category)
	case taxed != (len(a.Components) > 0) || len(a.Components) > Levels || taxed == (a.Reason != ""):
		return fmt.Errorf("%w: category %s with %d taxes and reason %q", ErrAnswer, a.Category, len(a.Components), a.Reason)
	}
	for _, c := range a.Components {
		if c.Name == "" || c.PPM < 0 || c.PPM > MaxPPM || c.Compound || (c.PPM > 0) != (a.Category == Standard) {
			return fmt.Errorf("%w: %d ppm of %q", ErrAnswer, c.PPM, c.Name)
		}
	}
	return nil
}

// Service decides taxes in place of the table of rates.
type Service interface {
	// TaxOf answers a question as of now. It has no effect and may be repeated; an
	// error means that there is no answer, whatever its class. Answers have passed
	// Check. Safe for concurrent use.
	TaxOf(ctx context.Context, q Question) (Answer, error)
}

// UnaskedError reports a sale about whose tax the service has not been asked. Ask
// it outside of any transaction, keep the answer, and do again what failed.
type UnaskedError struct{ Question Question }

// Error names the place.
func (e *UnaskedError) Error() string {
	return "the tax service has not said how a sale to " + e.Question.Key() + " is taxed"
}

// Ask says what a service is to be asked about a buyer; needed is false where the
// policy decides by itself. Errors: ErrPolicy, ErrVATID.
func Ask(p Policy, b Buyer) (q Question, needed bool, err error) {
	if err := p.Check(); err != nil {
		return q, false, err
	}
	if p.Calculator == "" || !p.Enabled || p.SmallBusiness {
		return q, false, nil
	}
	at := At(b.Country, b.Region, b.Postcode)
	q = Question{Country: at.Country, Region: at.Region, Postcode: compact(b.Postcode), Code: p.TaxCode}
	d := decision{p: p, b: b, at: at, home: p.home()}
	if !at.EU || at.Country == d.home.Country {
		return q, true, nil
	}
	counts, err := d.reverse()
	if counts {
		q.VATID = b.VATID
	}
	return q, true, err
}

// DecideAs is Decide by a service's answer to the Question of Ask, of the service
// that the policy names.
func DecideAs(p Policy, b Buyer, rates []Rate, a Answer, date time.Time) (Treatment, error) {
	if err := a.Check(); err != nil {
		return Treatment{}, err
	}
	at := At(b.Country, b.Region, b.Postcode)
	d := decision{p: p, b: b, rates: rates, at: at, home: p.home()}
	d.t = Treatment{Category: a.Category, Reason: a.Reason, Components: a.Components, Date: day(date), Evidence: b.evidence(at)}
	d.t.Evidence.By = p.Calculator
	d.exempt()
	return d.t, d.deduct()
}

// NotTaxable is the treatment of what is no supply, such as credit that is bought.
func NotTaxable(b Buyer, date time.Time) Treatment {
	return Treatment{Category: OutOfScope, Reason: ReasonNotTaxable, Date: day(date), Evidence: b.evidence(At(b.Country, b.Region, b.Postcode))}
}
