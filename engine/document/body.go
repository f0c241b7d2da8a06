package document

import (
	"slices"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

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

// LineKind is what a line does to the sum.
type LineKind string

// The kinds of lines. Every other line charges for something.
const (
	Charge   LineKind = ""
	Discount LineKind = "discount" // off the line above it; its amount is not positive
	Unused   LineKind = "unused"   // gives back a period that was paid and not used; its amount is not positive
)

// Line is one position of an invoice or credit note. What explains it is
// printed below its description, one sentence each, in this order: period,
// share, trial, coupon, usage, cap, earlier invoice, details.
type Line struct {
	Kind        LineKind
	Description string       // required
	Start, End  time.Time    // the period [Start, End) it pays for; both zero for none
	Share       Share        // the part of a period that is charged; the zero value is the whole
	TrialUntil  time.Time    // end of the free days, itself not free; zero for none
	Coupon      string       // code of the coupon that grants it; optional
	Usage       Usage        // what was counted; the zero value is nothing
	Cap         money.Amount // price at which counting stops; the zero value is none
	Invoice     string       // number of the earlier invoice that it refers to; optional
	Details     []string     // how else the line came about
	Quantity    int64        // ≥ 1; not printed of a discount
	UnitPrice   money.Amount
	Amount      money.Amount
	Tax         string  // label such as "19 %"; where it is empty, Rates and Category make one
	Rates       []int64 // each tax the line bears, in ppm: 190000 is 19 %
	Category    string  // UNCL5305 code of a line without rates, such as "AE"
}

// Share is a part of a period: Days of Of days.
type Share struct {
	Days, Of int64
	Full     money.Amount // price of the whole period; the zero value says nothing of it
}

// Usage is a counted quantity: how much was used, and how much of it the price
// of the service contains.
type Usage struct {
	Used, Included int64
	Unit           string // in the customer's language, such as "GB"; required
}

// TaxRow is the sum of one tax. Either Label says what it is, or Category with
// Name and PPM does.
type TaxRow struct {
	Label  string // such as "VAT 19 %"
	Base   money.Amount
	Amount money.Amount

	Category string // UNCL5305: S, Z, E, AE, O
	Name     string // of the tax, such as "GST"; "" is VAT
	PPM      int64  // rate in parts per million
	Reason   string // why nothing is due, a key below "tax.reason."; optional
	Note     string // printed after the reason; optional
}

// Prices says what the amounts of the lines contain.
type Prices string

// What amounts contain.
const (
	Exclusive Prices = "exclusive" // tax is added
	Inclusive Prices = "inclusive" // tax is in them
)

// Rounding is the rule by which taxes were rounded.
type Rounding string

// The rules, as in engine/tax.
const (
	RoundLine     Rounding = "line"     // each line's tax by itself
	RoundDocument Rounding = "document" // the sum of each rate once, shared among its lines
)

// body is what invoice and credit note have in common: lines and their sums.
type body struct {
	currency string
	lines    []Line
	subtotal money.Amount
	taxes    []TaxRow
	total    money.Amount
	prices   Prices
	rounding Rounding
}

// lines lays out the positions.
func (s *sheet) lines(b body) table {
	t := table{heading: s.l.Text("invoice.col.description")}
	quantity, unit := column{heading: s.l.Text("invoice.col.quantity")}, column{heading: s.l.Text("invoice.col.unit")}
	tax, amount := column{heading: s.l.Text("invoice.col.tax")}, column{heading: s.l.Text("invoice.col.amount", "currency", b.currency)}
	taxed := false
	for _, l := range b.lines {
		count, price, label := s.l.Integer(l.Quantity), "", s.lineTax(l)
		if l.UnitPrice != (money.Amount{}) {
			price = s.l.Number(l.UnitPrice)
		}
		if l.Kind == Discount {
			count, price = "", ""
		}
		quantity.cells, unit.cells = append(quantity.cells, count), append(unit.cells, price)
		tax.cells, amount.cells = append(tax.cells, s.ellipsis(bodyStyle, label, 90)), append(amount.cells, s.l.Number(l.Amount))
		taxed = taxed || label != ""
		t.rows = append(t.rows, s.describe(l))
	}
	t.columns = []column{quantity, unit, tax, amount}
	if !taxed {
		t.columns = []column{quantity, unit, amount}
	}
	return t
}

// lineTax labels what a line bears.
func (s *sheet) lineTax(l Line) string {
	if l.Tax != "" || (len(l.Rates) == 0 && l.Category == "") {
		return l.Tax
	}
	if l.Category == "O" {
		return "–"
	}
	rates := make([]string, 0, 2)
	for _, ppm := range l.Rates {
		rates = append(rates, s.l.Percent(ppm))
	}
	if len(rates) == 0 {
		rates = append(rates, s.l.Percent(0))
	}
	return strings.Join(rates, " + ")
}

// describe returns what stands in a line's description cell.
func (s *sheet) describe(l Line) (cell []styledText) {
	add := func(st style, text string) { cell = append(cell, styledText{st, text}) }
	name := l.Description
	if l.Kind != Charge {
		name = s.l.Text("invoice.line."+string(l.Kind), "text", name)
	}
	add(bodyStyle, name)
	if !l.Start.IsZero() {
		// The period is half-open: its last day is the one before End.
		last := l.End.Add(-time.Nanosecond)
		if last.Before(l.Start) {
			last = l.Start
		}
		add(smallStyle, s.l.Text("invoice.period", "start", s.l.Date(l.Start), "end", s.l.Date(last)))
	}
	for _, text := range s.explanation(l) {
		add(smallStyle, text)
	}
	for _, d := range l.Details {
		add(smallStyle, d)
	}
	return cell
}

// explanation says how the amount came about.
func (s *sheet) explanation(l Line) (texts []string) {
	add := func(key string, args ...string) { texts = append(texts, s.l.Text(key, args...)) }
	if l.Share.Of > 0 {
		days, of := s.l.Integer(l.Share.Days), s.l.Integer(l.Share.Of)
		if l.Share.Full == (money.Amount{}) {
			add("invoice.line.share", "days", days, "of", of)
		} else {
			add("invoice.line.share.full", "days", days, "of", of, "full", s.l.Money(l.Share.Full))
		}
	}
	if !l.TrialUntil.IsZero() {
		add("invoice.line.trial", "date", s.l.Date(l.TrialUntil.Add(-time.Nanosecond)))
	}
	if l.Coupon != "" {
		add("invoice.line.coupon", "code", l.Coupon)
	}
	if u := l.Usage; u.Included > 0 {
		add("invoice.line.usage.included", "used", s.counted(u.Used, u.Unit), "included", s.counted(u.Included, u.Unit))
	} else if u.Unit != "" {
		add("invoice.line.usage", "used", s.counted(u.Used, u.Unit))
	}
	if l.Cap != (money.Amount{}) {
		add("invoice.line.cap", "price", s.l.Money(l.Cap))
	}
	if l.Invoice != "" {
		add("invoice.line.invoice", "number", together(l.Invoice))
	}
	return texts
}

// counted writes a quantity with its unit on one line.
func (s *sheet) counted(n int64, unit string) string { return s.l.Integer(n) + "\u00a0" + unit }

// sums are the rows from the subtotal to the total.
func (s *sheet) sums(b body) []totalRow {
	rows := []totalRow{s.total(bodyStyle, false, s.l.Text("invoice.subtotal"), b.subtotal)}
	for _, t := range b.taxes {
		label := s.l.Text("invoice.taxrow", "label", s.taxLabel(t), "base", s.l.Money(t.Base))
		rows = append(rows, s.total(bodyStyle, false, label, t.Amount))
	}
	return append(rows, s.total(strongStyle, true, s.l.Text("invoice.total"), b.total))
}

// taxLabel names a tax: "VAT 19 %", "GST 5 %", "Reverse charge".
func (s *sheet) taxLabel(t TaxRow) string {
	if t.Label != "" {
		return t.Label
	}
	if t.Category != "S" && t.PPM == 0 {
		return s.l.Text("invoice.tax." + t.Category)
	}
	name := t.Name
	if name == "" {
		name = s.l.Text("invoice.tax.name")
	}
	return name + "\u00a0" + s.l.Percent(t.PPM)
}

// taxNotes says why no tax is due, what prices contain and how was rounded.
func (s *sheet) taxNotes(b body) {
	var sentences []string
	for _, t := range b.taxes {
		text := ""
		if t.Reason != "" {
			text = s.l.Text("tax.reason." + t.Reason)
		}
		if text = strings.TrimSpace(text + " " + t.Note); text != "" && !slices.Contains(sentences, text) {
			sentences = append(sentences, text)
		}
	}
	rules := ""
	if b.prices != "" {
		rules = s.l.Text("invoice.prices." + string(b.prices))
	}
	if b.rounding != "" {
		rules = strings.TrimSpace(rules + " " + s.l.Text("invoice.rounding."+string(b.rounding)))
	}
	if rules != "" {
		sentences = append(sentences, rules)
	}
	if len(sentences) > 0 {
		s.section(s.l.Text("invoice.taxnotes"), sentences, 2)
	}
}
