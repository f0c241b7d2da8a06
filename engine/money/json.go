package money

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// MarshalJSON writes {"minor":1234,"currency":"EUR","exponent":2}: whole minor
// units, so that no reader meets a fraction, and the exponent to show them with.
// The zero value, which has no currency, is null.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.currency == "" {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, `{"minor":%d,"currency":%q,"exponent":%d}`, a.minor, a.currency, a.Exponent()), nil
}

// UnmarshalJSON reads what MarshalJSON writes and nothing else: minor is an
// integer literal, the names are spelled exactly and appear once, others are
// refused, and exponent may be absent but not wrong. null is the zero value.
// Errors: ErrSyntax, ErrCurrency, ErrOverflow.
func (a *Amount) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		*a = Amount{}
		return nil
	}
	w, err := readWire(data)
	if err != nil {
		return fmt.Errorf("money amount: %w", err)
	}
	if w.minor == nil || w.currency == nil {
		return fmt.Errorf("money amount: %w: minor and currency are required", ErrSyntax)
	}
	amount, err := New(*w.minor, *w.currency)
	if err != nil {
		return fmt.Errorf("money amount: %w", err)
	}
	if w.exponent != nil && *w.exponent != int64(amount.Exponent()) {
		return fmt.Errorf("money amount: %w: exponent %d, %s has %d", ErrSyntax, *w.exponent, *w.currency, amount.Exponent())
	}
	*a = amount
	return nil
}

// wire is an amount as it travels; what is absent is nil.
type wire struct {
	minor, exponent *int64
	currency        *string
}

// readWire walks the tokens itself, because encoding/json would forgive other
// letter case and repeated names.
func readWire(data []byte) (wire, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return wire{}, fmt.Errorf("%w: an object is expected", ErrSyntax)
	}
	var w wire
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return wire{}, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		value, err := dec.Token()
		if err != nil {
			return wire{}, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		if err := w.set(name, value); err != nil {
			return wire{}, err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return wire{}, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return wire{}, fmt.Errorf("%w: something follows the object", ErrSyntax)
	}
	return w, nil
}

func (w *wire) set(name, value json.Token) error {
	var into **int64
	switch name {
	case "currency":
		text, ok := value.(string)
		if !ok || w.currency != nil {
			return fmt.Errorf("%w: currency must be one text", ErrSyntax)
		}
		w.currency = &text
		return nil
	case "minor":
		into = &w.minor
	case "exponent":
		into = &w.exponent
	default:
		return fmt.Errorf("%w: unknown field %q", ErrSyntax, name)
	}
	literal, ok := value.(json.Number)
	if !ok || *into != nil {
		return fmt.Errorf("%w: %s must be one integer", ErrSyntax, name)
	}
	n, err := strconv.ParseInt(literal.String(), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s %s is not an integer", ErrSyntax, name, quote(literal.String()))
	}
	*into = &n
	return nil
}
