package billing

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var numberField = regexp.MustCompile(`\{(year|seq)(?::(\d+))?\}`)

// FormatNumber writes an invoice number such as "INV-2026-000042" from a format
// such as "INV-{year}-{seq:6}". A width pads with zeros and never cuts. The
// format must name {seq}, or two invoices could get one number. Errors: a
// format without {seq}, a seq below 1.
func FormatNumber(format string, year int, seq int64) (string, error) {
	if err := CheckNumberFormat(format); err != nil {
		return "", err
	}
	if seq < 1 {
		return "", fmt.Errorf("invoice number %d: sequences start at 1", seq)
	}
	return numberField.ReplaceAllStringFunc(format, func(field string) string {
		m := numberField.FindStringSubmatch(field)
		value := strconv.Itoa(year)
		if m[1] == "seq" {
			value = strconv.FormatInt(seq, 10)
		}
		if width, err := strconv.Atoi(m[2]); err == nil && len(value) < width {
			value = strings.Repeat("0", width-len(value)) + value
		}
		return value
	}), nil
}

// CheckNumberFormat refuses a format that cannot give each invoice of a year
// series its own number, or that no document would carry.
func CheckNumberFormat(format string) error {
	rest := numberField.ReplaceAllString(format, "")
	switch {
	case !strings.Contains(format, "{seq}") && !strings.Contains(format, "{seq:"):
		return fmt.Errorf("invoice number format %q must contain {seq}", format)
	case !strings.Contains(format, "{year"):
		return fmt.Errorf("invoice number format %q must contain {year}, since each year has its own sequence", format)
	case strings.ContainsAny(rest, "{}"):
		return fmt.Errorf("invoice number format %q: only {year}, {seq} and a width as in {seq:6} are known", format)
	case len(format) > 40:
		return fmt.Errorf("invoice number format %q is longer than 40 characters", format)
	}
	return nil
}
