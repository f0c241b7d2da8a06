package document

import "slices"

// rowPad is the space above and below a row's text.
const rowPad = 6.0

// table is rows of a wrapped text and figures.
type table struct {
	heading string // of the texts
	rows    [][]styledText
	lead    column   // left of the texts; without a heading there is none
	columns []column // figures right of them, left to right
}

// column is a column of short cells, one a row.
type column struct {
	heading string
	edge    float64 // right edge of a column of figures
	cells   []string
}

// styledText is a text in its style.
type styledText struct {
	style style
	text  string
}

// table draws t, its head again on every page.
func (s *sheet) table(t table) {
	textLeft, room := s.measureColumns(&t)
	s.tableHead(t, textLeft)
	for i, cell := range t.rows {
		row := s.wrapped(cell, room)
		height := 2 * rowPad
		for _, l := range row {
			height += l.style.leading()
		}
		// A row stays on one page unless it would fill most of one anyway.
		if !s.fits(height) && (height < (bottom-top)/2 || !s.fits(60)) {
			s.nextPage()
			s.tableHead(t, textLeft)
		}
		s.row(t, i, row, textLeft)
	}
}

// wrapped breaks the texts of a cell into lines; empty ones are left out.
func (s *sheet) wrapped(cell []styledText, room float64) (lines []styledText) {
	for _, t := range cell {
		if clean(t.text) == "" {
			continue
		}
		for _, part := range s.wrap(t.style, t.text, room) {
			lines = append(lines, styledText{t.style, part})
		}
	}
	return lines
}

func (s *sheet) row(t table, index int, lines []styledText, textLeft float64) {
	s.y += rowPad
	if t.lead.heading != "" {
		s.text(left, s.y+bodyStyle.size, bodyStyle, t.lead.cells[index])
	}
	for _, c := range t.columns {
		s.textRight(c.edge, s.y+bodyStyle.size, bodyStyle, c.cells[index])
	}
	for _, l := range lines {
		if !s.fits(l.style.leading()) {
			s.nextPage()
			s.tableHead(t, textLeft)
			s.y += rowPad
		}
		s.down(textLeft, l.style, l.text)
	}
	s.y += rowPad
	s.rule(left, right, s.y, 0.5, line)
}

func (s *sheet) tableHead(t table, textLeft float64) {
	s.text(left, s.y+labelStyle.size, labelStyle, t.lead.heading)
	s.text(textLeft, s.y+labelStyle.size, labelStyle, t.heading)
	for _, c := range t.columns {
		s.textRight(c.edge, s.y+labelStyle.size, labelStyle, c.heading)
	}
	s.y += labelStyle.leading() + 5
	s.rule(left, right, s.y, 0.8, muted)
}

// measureColumns sets the columns' edges and returns where the texts begin and
// the width that remains for them.
func (s *sheet) measureColumns(t *table) (textLeft, room float64) {
	t.columns = slices.Clone(t.columns)
	edge := right
	for i := len(t.columns) - 1; i >= 0; i-- {
		t.columns[i].edge = edge
		edge -= s.widest(t.columns[i]) + gutter
	}
	textLeft = left
	if t.lead.heading != "" {
		textLeft += s.widest(t.lead) + gutter
	}
	return textLeft, edge - textLeft
}

func (s *sheet) widest(c column) float64 {
	w := s.measure(labelStyle, c.heading)
	for _, cell := range c.cells {
		w = max(w, s.measure(bodyStyle, cell))
	}
	return w
}
