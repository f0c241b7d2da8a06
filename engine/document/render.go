package document

import (
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
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
	partyColumns = []float64{left, left + 176, left + 348}
)

// sheet is an invoice being laid out: y is the top of what comes next.
type sheet struct {
	*canvas
	inv    Invoice
	l      *locales.Locale
	accent accent.Color // of lines
	link   accent.Color // the same, dark enough for text
	y      float64
}

// RenderInvoice returns inv as a PDF: A4, any number of pages. The same inv
// gives the same bytes. Safe for concurrent use. Errors: ErrInput naming the
// field (see Invoice.Check), ErrLogo.
func RenderInvoice(inv Invoice) ([]byte, error) {
	if err := inv.Check(); err != nil {
		return nil, err
	}
	var picture *logo
	if len(inv.Logo) > 0 {
		var err error
		if picture, err = readLogo(inv.Logo); err != nil {
			return nil, err
		}
	}
	l, _ := locales.Get(inv.Language)  // checked
	col, _ := accent.Parse(inv.Accent) // checked
	s := &sheet{canvas: newCanvas(inv.IssuedAt), inv: inv.cleaned(), l: l, accent: col, link: col.OnWhite()}
	s.describe()

	s.page()
	s.head(picture)
	s.parties()
	s.panel()
	s.table()
	s.totals()
	s.notes()
	s.footers()
	return s.bytes()
}

// describe sets the file's metadata.
func (s *sheet) describe() {
	s.pdf.SetLang(s.l.Code())
	s.pdf.SetTitle(s.name(), true)
	s.pdf.SetAuthor(s.inv.Seller.Name, true)
	s.pdf.SetCreator(s.inv.Brand, true)
	s.pdf.SetProducer("", false)
	s.pdf.SetSubject(s.l.Text("invoice.subject", "number", s.inv.Number, "seller", s.inv.Seller.Name, "buyer", s.inv.Buyer.Name), true)
}

// name is what the document is called: "Invoice INV-2026-000123".
func (s *sheet) name() string {
	if s.inv.Status == Draft {
		return strings.TrimSpace(s.title() + " " + s.inv.Number)
	}
	return s.l.Text("invoice.file", "number", s.inv.Number)
}

func (s *sheet) title() string {
	if s.inv.Status == Draft {
		return s.l.Text("invoice.title.draft")
	}
	return s.l.Text("invoice.title")
}

// head draws brand or logo, title and number, and the accent line.
func (s *sheet) head(picture *logo) {
	if picture != nil {
		s.image(picture, left, top-6, 200, 36)
	} else {
		s.text(left, top+16, brandStyle, s.ellipsis(brandStyle, s.inv.Brand, width/2))
	}
	s.textRight(right, top+14, titleStyle, s.title())
	s.textRight(right, top+30, numberStyle, s.ellipsis(numberStyle, s.inv.Number, width/2))
	s.rule(left, right, top+titleHeight, 2, s.accent)
	s.y = top + titleHeight + 22
}

// nextPage opens a page with a short head.
func (s *sheet) nextPage() {
	s.page()
	name := s.l.Text("invoice.continued", "title", s.title(), "number", s.inv.Number)
	s.text(left, top, strongStyle, s.ellipsis(strongStyle, s.inv.Brand, width/2-gutter))
	s.textRight(right, top, smallStyle, s.ellipsis(smallStyle, name, width/2))
	s.rule(left, right, top+8, 1, s.accent)
	s.y = top + 26
}

// fits reports whether h points still fit on the page.
func (s *sheet) fits(h float64) bool { return s.y+h <= bottom }

// parties draws seller, buyer and the document's own details side by side.
func (s *sheet) parties() {
	colWidth := partyColumns[1] - partyColumns[0] - gutter
	start, lowest := s.y, s.y
	for i, p := range []struct {
		key   string
		party Party
	}{{"invoice.from", s.inv.Seller}, {"invoice.to", s.inv.Buyer}} {
		s.y = start
		s.party(partyColumns[i], colWidth, s.l.Text(p.key), p.party)
		lowest = max(lowest, s.y)
	}
	s.y = start
	s.details(partyColumns[2])
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
		if contact != "" {
			s.block(x, w, smallStyle, contact)
		}
	}
}

func (s *sheet) details(x float64) {
	s.down(x, labelStyle, s.l.Text("invoice.details"))
	s.y += 2
	for _, d := range [][2]string{
		{"invoice.number", s.inv.Number},
		{"invoice.series", s.inv.Series},
		{"invoice.issued", s.l.Date(s.inv.IssuedAt)},
		{"invoice.due", s.l.Date(s.inv.DueAt)},
		{"invoice.currency", s.inv.Currency},
		{"invoice.status", s.l.Text("invoice.status." + string(s.inv.Status))},
	} {
		if d[1] == "" {
			continue
		}
		label := s.l.Text(d[0])
		indent := s.measure(bodyStyle, label) + gutter/2
		s.text(x, s.y+bodyStyle.size, style{bodyStyle.size, false, muted}, label)
		for _, part := range s.wrap(bodyStyle, d[1], right-x-indent) {
			s.textRight(right, s.y+bodyStyle.size, bodyStyle, part)
			s.y += bodyStyle.leading()
		}
	}
}

// panel says in one look what is owed, or that nothing is.
func (s *sheet) panel() {
	const height, pad = 54.0, 14.0
	s.box(left, s.y, width, height, surface)
	figure := s.money(s.inv.Due)
	s.text(left+pad, s.y+18, labelStyle, s.l.Text("invoice.amountdue"))
	s.text(left+pad, s.y+40, figureStyle, figure)
	room := width - 3*pad - s.measure(figureStyle, figure)
	note, noteStyle := s.standing()
	y := s.y + 32
	if s.payable() && s.inv.PayURL != "" {
		y = s.y + 22
		s.payLink(y+18, room)
	}
	s.textRight(right-pad, y, noteStyle, s.ellipsis(noteStyle, note, room))
	s.y += height + 20
}

// payLink sets the pay link so that it ends at the panel's right edge.
func (s *sheet) payLink(y, room float64) {
	st := style{9, true, s.link}
	plain := style{8, false, s.link}
	label := s.l.Text("invoice.pay")
	room -= s.measure(st, label) + 8
	_, address, _ := strings.Cut(s.inv.PayURL, "://")
	address = s.ellipsis(plain, clean(address), room)
	x := right - 14 - s.measure(plain, address)
	s.canvas.link(x, y, plain, address, s.inv.PayURL)
	s.canvas.link(x-8-s.measure(st, label), y, st, label, s.inv.PayURL)
}

// standing is the sentence about the invoice's state.
func (s *sheet) standing() (string, style) {
	st := style{10, true, ink}
	switch s.inv.Status {
	case Paid:
		st.ink = okInk
		if n := len(s.inv.Payments); n > 0 && !s.inv.Payments[n-1].At.IsZero() {
			return s.l.Text("invoice.paidon", "date", s.l.Date(s.inv.Payments[n-1].At)), st
		}
		return s.l.Text("invoice.paid"), st
	case Draft, Void, Uncollectible:
		st.ink = badInk
		return s.l.Text("invoice.status." + string(s.inv.Status)), st
	case Open:
	}
	if s.inv.DueAt.IsZero() {
		return s.l.Text("invoice.status.open"), st
	}
	return s.l.Text("invoice.dueby", "date", s.l.Date(s.inv.DueAt)), st
}

// payable reports whether the reader is asked for money.
func (s *sheet) payable() bool {
	return (s.inv.Status == Open || s.inv.Status == Uncollectible) && s.inv.Due.Sign() > 0
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
	p := s.inv.Seller
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

// block sets wrapped text and moves below it.
func (s *sheet) block(x, w float64, st style, text string) {
	for _, part := range s.wrap(st, text, w) {
		s.down(x, st, part)
	}
}

// money writes an amount with its currency in characters that the fonts have.
func (s *sheet) money(a money.Amount) string { return clean(s.l.Money(a)) }

// figure writes an amount without its currency.
func (s *sheet) figure(a money.Amount) string { return clean(s.l.Number(a)) }
