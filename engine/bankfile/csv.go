package bankfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Layout says of a CSV what the file does not. Zero fields are detected.
type Layout struct {
	Delimiter  string            // ";", ",", "\t" or "|"
	Columns    map[Column]string // the heading, or the number of the column from 1
	Headerless bool              // the first line is an entry; Columns gives numbers
	Dates      string            // "YMD", "DMY" or "MDY"
	Decimal    string            // "," or "."
	Currency   string            // of amounts that name none
	Account    string            // of files that name none
}

const (
	delimiters  = ";,\t|"
	headerLines = 40 // how far down a heading is looked for
	maxColumns  = 200
)

// row is a line of the file that holds cells.
type row struct {
	line  int // from 1
	cells []string
}

// cell is a cell without blanks around it; "" where the row is too short.
func (r row) cell(i int) string {
	if i < 0 || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// table is a CSV once its heading is found.
type table struct {
	layout  Layout
	columns columns
	width   int // cells of the heading; 0 without one
	rows    []row
	above   []string // the lines before the heading
}

func parseCSV(data []byte, set Charset, l Layout) (File, error) {
	text, err := decode(data, set)
	if err != nil {
		return File{}, err
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if strings.TrimSpace(text) == "" {
		return File{}, fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	if strings.ContainsRune(text, 0) {
		return File{}, fmt.Errorf("%w: the file holds bytes that no text has", ErrFormat)
	}
	for column := range l.Columns {
		if _, known := headings[column]; !known {
			return File{}, fmt.Errorf("%w: there is no column %q to map", ErrUnclear, column)
		}
	}
	t, err := open(text, l)
	if err != nil {
		return File{}, err
	}
	return t.file()
}

// open finds the heading and reads all rows below it.
func open(text string, l Layout) (table, error) {
	lines := strings.Split(text, "\n")
	if l.Headerless {
		c, err := findColumns(nil, l.Columns)
		if err != nil {
			return table{}, err
		}
		if !c.enough() || len(l.Delimiter) != 1 {
			return table{}, fmt.Errorf("%w: a file without headings needs its delimiter and the numbers of its columns: booked, and amount or debit and credit", ErrUnclear)
		}
		t := table{layout: l, columns: c}
		t.rows, err = readRows(lines, 0, rune(l.Delimiter[0]), 0)
		return t, err
	}
	for i, line := range lines[:min(len(lines), headerLines)] {
		c, delimiter, width := heading(line, l)
		if delimiter == 0 {
			continue
		}
		rows, err := readRows(lines[i+1:], i+1, delimiter, width)
		return table{layout: l, columns: c, width: width, above: lines[:i], rows: rows}, err
	}
	if len(l.Columns) > 0 {
		return table{}, fmt.Errorf("%w: none of the first %d lines has all the headings to which columns are mapped, and ones for a date and an amount", ErrUnclear, min(len(lines), headerLines))
	}
	return table{}, fmt.Errorf("%w: none of the first %d lines has headings for a date and an amount; if it is a CSV, map its columns", ErrFormat, min(len(lines), headerLines))
}

// heading reads a line as headings, by the delimiter that makes most of it. The
// delimiter is 0 if it is none.
func heading(line string, l Layout) (best columns, delimiter rune, width int) {
	if strings.Trim(line, delimiters+" ") == "" {
		return best, 0, 0
	}
	candidates := delimiters
	if l.Delimiter != "" {
		candidates = l.Delimiter
	}
	for _, d := range candidates {
		cells := cellsOf(line, d)
		if len(cells) <= max(width, 1) || len(cells) > maxColumns {
			continue
		}
		if c, err := findColumns(cells, l.Columns); err == nil && c.enough() {
			best, delimiter, width = c, d, len(cells)
		}
	}
	return best, delimiter, width
}

func cellsOf(line string, delimiter rune) []string {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = delimiter
	if cells, err := r.Read(); err == nil {
		return cells
	}
	return strings.Split(line, string(delimiter))
}

// readRows reads the lines below the heading, which is above lines of the file.
// Banks that never quote write quotation marks as they are; that is tried where
// quoting makes no sense, and must then give every line as many cells as the
// heading has.
func readRows(lines []string, above int, delimiter rune, width int) ([]row, error) {
	rows, err := readQuoted(lines, above, delimiter)
	if err == nil {
		return rows, nil
	}
	literal := []row{}
	for i, line := range lines {
		cells := strings.Split(line, string(delimiter))
		if strings.TrimSpace(line) == "" {
			continue
		}
		if width == 0 || len(cells) != width || strings.HasPrefix(line, `"`) {
			return nil, err
		}
		literal = append(literal, row{above + i + 1, cells})
	}
	return literal, nil
}

func readQuoted(lines []string, above int, delimiter rune) ([]row, error) {
	r := csv.NewReader(strings.NewReader(strings.Join(lines, "\n")))
	r.Comma, r.FieldsPerRecord = delimiter, -1
	rows := []row{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
			return nil, fmt.Errorf("%w: line %d: a quotation mark is wrong (%w)", ErrContent, above+parse.Line, parse.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line after %d: %w", ErrContent, above+len(rows), err)
		}
		if len(rows) > MaxEntries+1000 || len(cells) > maxColumns {
			return nil, fmt.Errorf("%w: more than %d lines or %d columns", ErrTooLarge, MaxEntries, maxColumns)
		}
		if slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			line, _ := r.FieldPos(0)
			rows = append(rows, row{above + line, cells})
		}
	}
}
