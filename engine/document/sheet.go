package document

import (
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
)

// The styles of a document.
var (
	titleStyle   = style{20, true, ink}
	brandStyle   = style{15, true, ink}
	figureStyle  = style{19, true, ink}
	bodyStyle    = style{9, false, ink}
	strongStyle  = style{9, true, ink}
	totalStyle   = style{10.5, true, ink}
	smallStyle   = style{8, false, muted}
	labelStyle   = style{8, true, muted}
	footerStyle  = style{7.5, false, muted}
	numberStyle  = style{10, false, muted}
	gutter       = 14.0
	titleHeight  = 46.0
	footerY      = pageHeight - 44
	stampY       = pageHeight * 0.6
	partyColumns = []float64{left, left + 176, left + 348}
)

// letter is what every document has on its paper.
type letter struct {
	brand, accent string
	logo          []byte
	seller, buyer Party
	at            time.Time // dates the file

	title, number string // top right
	name, subject string // of the file
	stamp         string // large across every page; "" is none
}

// sheet is a document being laid out: y is the top of what comes next.
type sheet struct {
	*canvas
	letter

	l         *locales.Locale
	lineColor accent.Color
	linkColor accent.Color // the same, dark enough for text
	picture   *logo
	y         float64
}

// newSheet returns an empty document whose letter has been checked. Errors:
// ErrLogo.
func newSheet(of letter, l *locales.Locale) (*sheet, error) {
	col, _ := accent.Parse(of.accent) // checked
	s := &sheet{canvas: newCanvas(of.at), letter: of, l: l, lineColor: col, linkColor: col.OnWhite()}
	if len(of.logo) > 0 {
		var err error
		if s.picture, err = readLogo(of.logo); err != nil {
			return nil, err
		}
	}
	s.pdf.SetLang(l.Code())
	s.pdf.SetTitle(clean(of.name), true)
	s.pdf.SetAuthor(clean(of.seller.Name), true)
	s.pdf.SetCreator(clean(of.brand), true)
	s.pdf.SetProducer("", false)
	s.pdf.SetSubject(clean(of.subject), true)
	return s, nil
}

// begin opens the first page: brand or logo, title and number, the accent line.
func (s *sheet) begin() {
	s.page()
	s.stampPage()
	if s.picture != nil {
		s.image(s.picture, left, top-6, 200, 36)
	} else {
		s.text(left, top+16, brandStyle, s.ellipsis(brandStyle, s.brand, width/2))
	}
	s.textRight(right, top+14, titleStyle, s.title)
	s.textRight(right, top+30, numberStyle, s.ellipsis(numberStyle, s.number, width/2))
	s.rule(left, right, top+titleHeight, 2, s.lineColor)
	s.y = top + titleHeight + 22
}

// nextPage opens a page with a short head.
func (s *sheet) nextPage() {
	s.page()
	s.stampPage()
	name := s.l.Text("invoice.continued", "title", s.title, "number", s.number)
	s.text(left, top, strongStyle, s.ellipsis(strongStyle, s.brand, width/2-gutter))
	s.textRight(right, top, smallStyle, s.ellipsis(smallStyle, name, width/2))
	s.rule(left, right, top+8, 1, s.lineColor)
	s.y = top + 26
}

// stampPage sets the stamp across the page, below all that follows.
func (s *sheet) stampPage() {
	if s.stamp == "" {
		return
	}
	st := style{1, true, stampInk}
	st.size = min(130, 480/s.measure(st, s.stamp))
	s.pdf.TransformBegin()
	s.pdf.TransformRotate(30, pageWidth/2, stampY)
	s.text((pageWidth-s.measure(st, s.stamp))/2, stampY+st.size/3, st, s.stamp)
	s.pdf.TransformEnd()
	s.last = style{} // the font ends with the transformation
}

// fits reports whether h points still fit on the page.
func (s *sheet) fits(h float64) bool { return s.y+h <= bottom }

// detail is a row of the document's own details: the key of its label, and its
// value. It is left out where the value is empty.
type detail struct{ key, value string }

// parties draws seller, buyer and the document's own details side by side.
func (s *sheet) parties(details []detail) {
	colWidth := partyColumns[1] - partyColumns[0] - gutter
	start, lowest := s.y, s.y
	for i, p := range []struct {
		key   string
		party Party
	}{{"invoice.from", s.seller}, {"invoice.to", s.buyer}} {
		s.y = start
		s.party(partyColumns[i], colWidth, s.l.Text(p.key), p.party)
		lowest = max(lowest, s.y)
	}
	s.y = start
	s.details(partyColumns[2], details)
	s.y = max(lowest, s.y) + 14
}

func (s *sheet) party(x, w float64, heading string, p Party) {
	s.down(x, labelStyle, heading)
	s.y += 2
	s.block(x, w, strongStyle, p.Name)
	for _, a := range p.Address {
		s.block(x, w, bodyStyle, a)
	}
	if p.VATID != "" {
		s.block(x, w, bodyStyle, s.l.Text("invoice.vat", "id", p.VATID))
	}
	if p.Registration != "" {
		s.block(x, w, bodyStyle, s.l.Text("invoice.registration", "id", p.Registration))
	}
	for _, contact := range []string{p.Email, p.Website} {
		s.block(x, w, smallStyle, contact)
	}
}

func (s *sheet) details(x float64, rows []detail) {
	s.down(x, labelStyle, s.l.Text("invoice.details"))
	s.y += 2
	for _, d := range rows {
		if clean(d.value) == "" {
			continue
		}
		label := s.l.Text(d.key)
		indent := s.measure(bodyStyle, label) + gutter/2
		s.text(x, s.y+bodyStyle.size, style{bodyStyle.size, false, muted}, label)
		for _, part := range s.wrap(bodyStyle, d.value, right-x-indent) {
			s.textRight(right, s.y+bodyStyle.size, bodyStyle, part)
			s.y += bodyStyle.leading()
		}
	}
}

// panel is the box that says in one look what the document comes to.
type panel struct {
	label, figure string
	note          string
	style         style  // of the note
	payURL        string // "" is none
}

func (s *sheet) panel(p panel) {
	const height, pad = 54.0, 14.0
	s.box(left, s.y, width, height, surface)
	s.text(left+pad, s.y+18, labelStyle, p.label)
	s.text(left+pad, s.y+40, figureStyle, p.figure)
	room := width - 3*pad - s.measure(figureStyle, p.figure)
	y := s.y + 32
	if p.payURL != "" {
		y = s.y + 22
		s.payLink(p.payURL, y+18, room)
	}
	s.textRight(right-pad, y, p.style, s.ellipsis(p.style, p.note, room))
	s.y += height + 20
}

// payLink sets the pay link so that it ends at the panel's right edge.
func (s *sheet) payLink(url string, y, room float64) {
	st := style{9, true, s.linkColor}
	plain := style{8, false, s.linkColor}
	label := s.l.Text("invoice.pay")
	room -= s.measure(st, label) + 8
	_, address, _ := strings.Cut(url, "://")
	address = s.ellipsis(plain, address, room)
	x := right - 14 - s.measure(plain, address)
	s.link(x, y, plain, address, url)
	s.link(x-8-s.measure(st, label), y, st, label, url)
}

// notes draws paragraphs below the totals.
func (s *sheet) notes(paragraphs []string) {
	if len(paragraphs) > 0 {
		s.section(s.l.Text("invoice.notes"), paragraphs, 4)
	}
}

// section draws a heading and paragraphs; the heading never stands alone at the
// foot of a page.
func (s *sheet) section(heading string, paragraphs []string, gap float64) {
	const measure = 380.0
	if !s.fits(labelStyle.leading() + 3*bodyStyle.leading()) {
		s.nextPage()
	}
	s.down(left, labelStyle, heading)
	s.y += 2
	for _, p := range paragraphs {
		if clean(p) == "" {
			continue
		}
		for _, part := range s.wrap(bodyStyle, p, measure) {
			if !s.fits(bodyStyle.leading()) {
				s.nextPage()
			}
			s.down(left, bodyStyle, part)
		}
		s.y += gap
	}
	s.y += 12
}

// footers draws the seller's line and the page numbers, which are known last.
func (s *sheet) footers() {
	seller := s.sellerLine(width - 80)
	pages := s.pdf.PageCount()
	for n := 1; n <= pages; n++ {
		s.revisit(n)
		count := s.l.Text("invoice.page", "page", strconv.Itoa(n), "pages", strconv.Itoa(pages))
		s.rule(left, right, footerY-12, 0.5, line)
		s.text(left, footerY, footerStyle, seller)
		s.textRight(right, footerY, footerStyle, count)
	}
}

// sellerLine names the seller with as many of its details as fit into w.
func (s *sheet) sellerLine(w float64) string {
	p := s.seller
	text := s.ellipsis(footerStyle, p.Name, w)
	more := []string{"", "", p.Website, p.Email}
	if p.Registration != "" {
		more[0] = s.l.Text("invoice.registration", "id", p.Registration)
	}
	if p.VATID != "" {
		more[1] = s.l.Text("invoice.vat", "id", p.VATID)
	}
	for _, m := range more {
		if next := text + "  ·  " + m; m != "" && s.measure(footerStyle, next) <= w {
			text = next
		}
	}
	return text
}

// down sets one line and moves below it.
func (s *sheet) down(x float64, st style, text string) {
	s.text(x, s.y+st.size, st, text)
	s.y += st.leading()
}

// block sets wrapped text and moves below it; of nothing it sets nothing.
func (s *sheet) block(x, w float64, st style, text string) {
	if clean(text) == "" {
		return
	}
	for _, part := range s.wrap(st, text, w) {
		s.down(x, st, part)
	}
}
