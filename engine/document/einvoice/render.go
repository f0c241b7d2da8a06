package einvoice

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused reports a document that breaks a rule of the norm. Use errors.As
// with *Refusal to learn which.
var ErrRefused = errors.New("document breaks the rules of EN 16931")

// Refusal is the error of a refused document.
type Refusal struct {
	Violations []Violation // at least one
}

// Error names the rules.
func (r *Refusal) Error() string {
	texts := make([]string, len(r.Violations))
	for i, v := range r.Violations {
		texts[i] = v.String()
	}
	return ErrRefused.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap makes a Refusal an ErrRefused.
func (r *Refusal) Unwrap() error { return ErrRefused }

// Render returns d as a file in UTF-8. What it returns has passed Check. The
// same d gives the same bytes. Safe for concurrent use. Errors: ErrRefused, as
// a *Refusal naming the rules that d breaks.
func Render(d Document) ([]byte, error) {
	raw := d.tree().write()
	violations, err := Check(raw)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", d.Number, err)
	}
	if len(violations) > 0 {
		return nil, fmt.Errorf("document %s: %w", d.Number, &Refusal{violations})
	}
	return raw, nil
}
