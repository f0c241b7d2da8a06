package tax

import (
	"strings"
	"time"
)

// Proof says how well a consumer's place is shown.
type Proof string

// The Union asks for two pieces that do not contradict each other (Articles 24b
// and 24f of Implementing Regulation (EU) 282/2011); one is enough for small
// sellers below 100,000 EUR a year (Regulation (EU) 2017/2459). ProofNone is
// for sales where no such proof is asked: to businesses and beyond the Union.
const (
	ProofNone     Proof = ""
	ProofTwo      Proof = "two"
	ProofOne      Proof = "one"
	ProofConflict Proof = "conflict"
)

// Evidence is what a treatment relies on, kept with the invoice.
type Evidence struct {
	Country string `json:"country"`           // whose tax, or where no tax is due
	Region  string `json:"region,omitempty"`  // as rates are found by
	Billing string `json:"billing,omitempty"` // country of the billing address
	IP      string `json:"ip,omitempty"`
	Payment string `json:"payment,omitempty"`
	Proof   Proof  `json:"proof,omitempty"`
	// Conflict says what contradicts what, for staff: nothing is guessed from
	// it. The billing address has decided.
	Conflict string `json:"conflict,omitempty"`
	// By names the service that decided; ByTable says that our own table did, because
	// the service did not answer. "" is our own table.
	By string `json:"by,omitempty"`
	// The VAT id and the answer that was used.
	VATID        string    `json:"vat_id,omitempty"`
	VATStatus    IDStatus  `json:"vat_status,omitempty"`
	VATCheckedAt time.Time `json:"vat_checked_at,omitzero"`
	Consultation string    `json:"consultation,omitempty"`
}

// ByTable marks what our own table decided in place of a service.
const ByTable = "table"

// evidence gathers what is known of a buyer at a place.
func (b Buyer) evidence(at Place) Evidence {
	e := Evidence{
		Country: at.Country, Region: at.Region, VATID: b.VATID,
		Billing: code(b.Country), IP: code(b.IPCountry), Payment: code(b.PaymentCountry),
	}
	if b.VATID == "" {
		return e
	}
	e.VATStatus = b.idStatus()
	if e.VATStatus.Answered() {
		e.VATCheckedAt, e.Consultation = b.VAT.At, b.VAT.Consultation
	}
	return e
}

// prove weighs the pieces that show where a consumer is. Two that agree with
// the billing address outweigh a third; the address against all others is a
// conflict.
func (e *Evidence) prove() {
	agree, against := 1, []string{}
	for _, piece := range []struct{ name, country string }{{"IP address", e.IP}, {"payment", e.Payment}} {
		switch {
		case piece.country == "":
		case sameTax(piece.country, e.Country):
			agree++
		default:
			against = append(against, piece.name+" "+piece.country)
		}
	}
	switch {
	case agree > 1:
		e.Proof = ProofTwo
	case len(against) > 0:
		e.Proof = ProofConflict
	default:
		e.Proof = ProofOne
	}
	if len(against) > 0 {
		e.contradict("billing address " + e.Billing + ", " + strings.Join(against, ", "))
	}
}

// contradict adds a sentence to what staff should look at.
func (e *Evidence) contradict(what string) {
	if e.Conflict != "" {
		e.Conflict += "; "
	}
	e.Conflict += what
}

// sameTax says whether a country of evidence is the one whose tax is charged.
func sameTax(country, taxed string) bool { return At(country, "", "").Country == taxed }

// code writes a country as ISO 3166-1 does.
func code(country string) string { return strings.ToUpper(strings.TrimSpace(country)) }
