package locales

import (
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// minus is the real minus sign (U+2212), not a hyphen.
const minus = "−"

// symbols are the currency signs that mean exactly one currency to a reader in
// any country; every other currency is written by its ISO 4217 code.
var symbols = map[string]string{
	"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "UAH": "₴", "INR": "₹", "TRY": "₺", "RUB": "₽",
	"KRW": "₩", "ILS": "₪", "VND": "₫", "NGN": "₦", "PHP": "₱", "KZT": "₸", "GEL": "₾", "AZN": "₼",
}

// Symbol returns the sign of a currency, or its code where a sign would be
// ambiguous.
func Symbol(currency string) string {
	if s, ok := symbols[currency]; ok {
		return s
	}
	return currency
}

// Number writes the figure of an amount with exactly the currency's decimals
// and the language's separators, without the currency: "−1,234.50".
func (l *Locale) Number(a money.Amount) string {
	figure, negative := strings.CutPrefix(a.Decimal(), "-")
	whole, decimals, _ := strings.Cut(figure, ".")
	s := l.group(whole)
	if decimals != "" {
		s += l.Text("number.decimal") + decimals
	}
	if negative {
		return minus + s
	}
	return s
}

// Money writes an amount as the language does: "−€1,234.50", "−1.234,50 €",
// "CHF 12.00".
func (l *Locale) Money(a money.Amount) string {
	figure, negative := strings.CutPrefix(l.Number(a), minus)
	symbol := Symbol(a.Currency())
	key := "number.money.symbol"
	if symbol == a.Currency() {
		key = "number.money.code"
	}
	s := l.Text(key, "symbol", symbol, "figure", figure)
	if negative {
		return minus + s
	}
	return s
}

// Integer writes a whole number with the language's grouping.
func (l *Locale) Integer(n int64) string {
	digits, negative := strings.CutPrefix(strconv.FormatInt(n, 10), "-")
	if negative {
		return minus + l.group(digits)
	}
	return l.group(digits)
}

// Percent writes a rate given in parts per million: "19 %", "9.975 %".
func (l *Locale) Percent(ppm int64) string {
	figure := strconv.FormatInt(ppm/10_000, 10)
	if rest := ppm % 10_000; rest != 0 {
		decimals := strconv.FormatInt(10_000+rest, 10)[1:]
		figure += l.Text("number.decimal") + strings.TrimRight(decimals, "0")
	}
	return l.Text("number.percent", "figure", figure)
}

// Date writes the calendar day of t in UTC: "2 December 2026". The zero time
// is "".
func (l *Locale) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	y, m, d := t.UTC().Date()
	return l.date(y, m, d)
}

// Moment writes t to the minute in zone with the zone's name: "2 December
// 2026, 14:05 CET". A nil zone is UTC, the zero time is "".
func (l *Locale) Moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	y, m, d := t.Date()
	return l.Text("date.moment", "date", l.date(y, m, d), "time", t.Format("15:04"), "zone", t.Format("MST"))
}

// Duration writes a length of time in its largest whole unit, minutes at the
// smallest: "30 minutes", "7 days". Below a minute it is "".
func (l *Locale) Duration(d time.Duration) string {
	units := []struct {
		size time.Duration
		key  string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}}
	for _, u := range units {
		n := int64(d / u.size)
		if n < 1 || (d%u.size != 0 && u.size > time.Minute) {
			continue
		}
		key := "unit." + u.key + ".many"
		if n == 1 {
			key = "unit." + u.key + ".one"
		}
		return l.Text(key, "n", l.Integer(n))
	}
	return ""
}

func (l *Locale) date(y int, m time.Month, d int) string {
	return l.Text("date.day", "day", strconv.Itoa(d), "month", l.months[m-1], "year", strconv.Itoa(y))
}

// group puts the language's separator between thousands.
func (l *Locale) group(digits string) string {
	sep := l.Text("number.group")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + sep + digits[i:]
	}
	return digits
}
