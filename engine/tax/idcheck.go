package tax

import (
	"context"
	"time"
)

// IDStatus is what is known of a VAT id.
type IDStatus string

// What a VAT id can be. IDUnchecked is no verdict: the register was not asked
// or did not answer.
const (
	IDNone      IDStatus = "none"
	IDValid     IDStatus = "valid"
	IDInvalid   IDStatus = "invalid"
	IDUnchecked IDStatus = "unchecked"
)

// Answered says whether a register has given a verdict.
func (s IDStatus) Answered() bool { return s == IDValid || s == IDInvalid }

// IDCheck is one question to a register of VAT ids and its answer, as it is
// stored with a customer and copied to each invoice that relies on it.
type IDCheck struct {
	ID     string    `json:"id"`             // as vatid.Parse writes it, with prefix
	Status IDStatus  `json:"status"`         // "" reads as none
	At     time.Time `json:"at,omitzero"`    // of the answer
	By     string    `json:"by,omitempty"`   // who answered: "vies", "staff"
	Name   string    `json:"name,omitempty"` // as the register has it; "" where it keeps that to itself
	// Address is the register's too, in its own lines.
	Address string `json:"address,omitempty"`
	// Consultation is the register's number of this question, proof before the
	// tax office that it was asked. "" unless the seller named himself.
	Consultation string `json:"consultation,omitempty"`
	// Why says, of an unchecked id, what kept the register from answering, for
	// staff: "MS_UNAVAILABLE". TriedAt is when it was asked last without result.
	Why     string    `json:"why,omitempty"`
	TriedAt time.Time `json:"tried_at,omitzero"`
	// Retry says, of an unchecked id, that asking again later may help.
	Retry bool `json:"retry,omitempty"`
}

// After is what to store when next follows c. A verdict replaces what was
// known; "could not check" never does: of the same id it only notes that and
// why the question failed. An answer older than the stored one is dropped, so
// late answers change nothing. Another id starts afresh.
func (c IDCheck) After(next IDCheck) IDCheck {
	switch {
	case c.ID != next.ID || !c.Status.Answered():
		return next
	case next.Status.Answered():
		if next.At.Before(c.At) {
			return c
		}
		return next
	}
	c.Why, c.Retry, c.TriedAt = next.Why, next.Retry, next.TriedAt
	return c
}

// IDChecker asks the register of a state whether a VAT id is in use.
type IDChecker interface {
	// CheckID asks about an id in the form that vatid.Parse gives, at now. It
	// answers IDValid or IDInvalid only if the register said so in full;
	// whatever else happens, an outage, a refusal, a broken answer, the end of
	// ctx, is IDUnchecked with Why, and Retry if a later question may succeed.
	// It changes nothing anywhere, may be repeated and is safe for concurrent
	// use. It may take as long as ctx allows: never call it in a transaction.
	CheckID(ctx context.Context, id string, now time.Time) IDCheck
}
