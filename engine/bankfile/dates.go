package bankfile

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// order is how the three parts of a date follow each other.
type order string

// The orders that Layout.Dates names.
const (
	ymd order = "YMD"
	dmy order = "DMY"
	mdy order = "MDY"
)

// dateParts splits a date into its three numbers, which make a day in one order
// at least. A time behind the date is cut off.
func dateParts(cell string) (parts [3]string, err error) {
	text := strings.TrimSpace(cell)
	if i := strings.IndexAny(text, "T "); i >= 8 {
		text = text[:i]
	}
	if len(text) == 8 && strings.Trim(text, "0123456789") == "" {
		text = text[:4] + "-" + text[4:6] + "-" + text[6:]
	}
	sep := strings.IndexAny(text, "./-")
	if sep < 1 {
		return parts, fmt.Errorf("%q is no date", cell)
	}
	split := strings.Split(text, text[sep:sep+1])
	wrong := func(p string) bool { return p == "" || len(p) > 4 || strings.Trim(p, "0123456789") != "" }
	if len(split) != 3 || slices.ContainsFunc(split, wrong) {
		return parts, fmt.Errorf("%q is no date", cell)
	}
	copy(parts[:], split)
	orders := []order{dmy, mdy}
	switch {
	case len(parts[0]) == 4:
		orders = []order{ymd}
	case text[sep] == '.':
		orders = []order{dmy}
	}
	for _, o := range orders {
		if _, err := dayOf(parts, o); err == nil {
			return parts, nil
		}
	}
	return parts, fmt.Errorf("%q is no day of the calendar", cell)
}

// dayOf is the day that the parts name in an order. Years of two digits are of
// this century.
func dayOf(parts [3]string, o order) (time.Time, error) {
	y, m, d := parts[0], parts[1], parts[2]
	switch o {
	case dmy:
		y, d = d, y
	case mdy:
		y, m, d = parts[2], parts[0], parts[1]
	case ymd:
	}
	if len(y) == 2 {
		y = "20" + y
	}
	t, err := time.Parse("2006-1-2", y+"-"+m+"-"+d)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s-%s-%s is no day of the calendar", y, m, d)
	}
	return t, nil
}

// isoDay reads the day of an ISO 8601 date, with or without a time behind it:
// the day that the bank names, whatever its zone.
func isoDay(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	day := text
	if len(day) > 10 {
		day = day[:10]
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil || len(text) > 10 && text[10] != 'T' && text[10] != 'Z' && text[10] != '+' && text[10] != '-' {
		return time.Time{}, fmt.Errorf("%q is no date", text)
	}
	return t, nil
}
