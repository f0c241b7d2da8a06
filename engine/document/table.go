package document

import "time"

// rowPad is the space above and below a row's text.
const rowPad = 6.0

// column is a right-aligned column of figures.
type column struct {
	heading string
	edge    float64 // right edge
	cells   []string
}

// table draws the lines of the invoice, its head again on every page.
func (s *sheet) table() {
	columns, room := s.columns()
	s.tableHead(columns)
	for i, l := range s.inv.Lines {
		row := s.describeLine(l, room)
		height := 2 * rowPad
		for _, t := range row {
			height += t.style.leading()
		}
		// A row stays on one page unless it would fill most of one anyway.
		if !s.fits(height) && (height < (bottom-top)/2 || !s.fits(60)) {
			s.nextPage()
			s.tableHead(columns)
		}
		s.row(row, i, columns)
	}
}

// styledLine is one set line of a cell.
type styledLine struct {
	style style
	text  string
}

// describeLine wraps what stands in a line's description cell.
func (s *sheet) describeLine(l Line, room float64) []styledLine {
	var out []styledLine
	add := func(st style, text string) {
		for _, part := range s.wrap(st, text, room) {
			out = append(out, styledLine{st, part})
		}
	}
	add(bodyStyle, l.Description)
	if !l.Start.IsZero() {
		// The period is half-open: its last day is the one before End.
		last := l.End.Add(-time.Nanosecond)
		if last.Before(l.Start) {
			last = l.Start
		}
		add(smallStyle, s.l.Text("invoice.period", "start", s.l.Date(l.Start), "end", s.l.Date(last)))
	}
	for _, d := range l.Details {
		add(smallStyle, d)
	}
	return out
}

func (s *sheet) row(row []styledLine, index int, columns []column) {
	s.y += rowPad
	for _, c := range columns {
		s.textRight(c.edge, s.y+bodyStyle.size, bodyStyle, c.cells[index])
	}
	for _, t := range row {
		if !s.fits(t.style.leading()) {
			s.nextPage()
			s.tableHead(columns)
			s.y += rowPad
		}
		s.down(left, t.style, t.text)
	}
	s.y += rowPad
	s.rule(left, right, s.y, 0.5, line)
}

func (s *sheet) tableHead(columns []column) {
	s.text(left, s.y+labelStyle.size, labelStyle, s.l.Text("invoice.col.description"))
	for _, c := range columns {
		s.textRight(c.edge, s.y+labelStyle.size, labelStyle, c.heading)
	}
	s.y += labelStyle.leading() + 5
	s.rule(left, right, s.y, 0.8, muted)
}

// columns measures the columns of figures and returns them left to right, with
// the width that remains for descriptions.
func (s *sheet) columns() (columns []column, room float64) {
	n := len(s.inv.Lines)
	quantity, unit := column{cells: make([]string, n)}, column{cells: make([]string, n)}
	tax, amount := column{cells: make([]string, n)}, column{cells: make([]string, n)}
	taxed := false
	for i, l := range s.inv.Lines {
		quantity.cells[i], unit.cells[i] = clean(s.l.Integer(l.Quantity)), s.figure(l.UnitPrice)
		tax.cells[i], amount.cells[i] = s.ellipsis(bodyStyle, l.Tax, 90), s.figure(l.Amount)
		taxed = taxed || l.Tax != ""
	}
	quantity.heading, unit.heading = s.l.Text("invoice.col.quantity"), s.l.Text("invoice.col.unit")
	tax.heading, amount.heading = s.l.Text("invoice.col.tax"), s.l.Text("invoice.col.amount", "currency", s.inv.Currency)

	columns = []column{quantity, unit, tax, amount}
	if !taxed {
		columns = []column{quantity, unit, amount}
	}
	edge := right
	for i := len(columns) - 1; i >= 0; i-- {
		columns[i].edge = edge
		edge -= s.widest(columns[i]) + gutter
	}
	return columns, edge - left
}

func (s *sheet) widest(c column) float64 {
	w := s.measure(labelStyle, c.heading)
	for _, cell := range c.cells {
		w = max(w, s.measure(bodyStyle, cell))
	}
	return w
}
