package billing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ezscale/ezscale/engine/lifecycle"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// Errors of a credit note that callers act on.
var (
	// ErrCreditTooMuch: more is to be credited than a line has left.
	ErrCreditTooMuch = errors.New("more is to be credited than is left")
	// ErrCreditNothing: there is nothing to credit.
	ErrCreditNothing = errors.New("nothing is left to credit")
	// ErrCreditTakes: the note would take money from the customer, because unused
	// time that the invoice took off comes to more than what is credited with it.
	ErrCreditTakes = errors.New("more unused time would be taken back than is credited")
)

// IssuedLine is a line of an issued invoice as a credit note sees it.
type IssuedLine struct {
	ID          string
	Position    int
	Parent      int // position of the line that this discount belongs to; 0 for none
	Description string
	Split       tax.Split    // as issued
	Credited    money.Amount // net, of the line's own sign
	CreditedTax money.Amount // the same of its tax
}

// left is what of the line's net is not credited.
func (l IssuedLine) left() int64 { return l.Split.Net.Minor() - l.Credited.Minor() }

// isSpent reports whether a part of the line takes nothing back: none of its net,
// and the line is not one that is all tax.
func (l IssuedLine) isSpent(part int64) bool {
	return part == 0 && (!l.Split.Net.IsZero() || l.Split.Tax.IsZero() || !l.CreditedTax.IsZero())
}

// CreditRequest asks for a part of a line.
type CreditRequest struct {
	Position int
	// Net is the amount before tax and after the line's discounts; the zero
	// Amount asks for all that is left.
	Net money.Amount
}

// CreditNoteLine is what a credit note takes back of one line: positive for a
// line that was charged, negative for its discounts.
type CreditNoteLine struct {
	Line        string // id
	Description string
	Split       tax.Split
	Whole       bool // with it, all of the line is credited
}

// CreditNote is what a credit note says, before it has a number.
type CreditNote struct {
	Lines  []CreditNoteLine
	Totals Totals // positive
}

// PlanCreditNote takes the wanted parts back, with the tax each line was issued
// with. A line is credited together with its discounts and never apart from
// them, so that a discount never becomes money; the tax of all credits of a line
// sums exactly to its tax. Errors: ErrCreditTooMuch, naming the line;
// ErrCreditNothing; ErrCreditTakes; a position that does not exist, is wanted twice or is a
// discount; money.ErrMismatch.
func PlanCreditNote(lines []IssuedLine, wanted []CreditRequest) (CreditNote, error) {
	if len(lines) == 0 || len(wanted) == 0 {
		return CreditNote{}, fmt.Errorf("credit note: %w", ErrCreditNothing)
	}
	note, seen := CreditNote{}, map[int]bool{}
	for _, w := range wanted {
		g, err := groupAt(lines, w.Position)
		if err == nil && seen[w.Position] {
			err = errors.New("it is wanted twice")
		}
		if err == nil {
			err = note.take(g, w.Net)
		}
		if err != nil {
			return CreditNote{}, fmt.Errorf("credit note: line %d: %w", w.Position, err)
		}
		seen[w.Position] = true
	}
	if err := note.sum(lines[0].Split.Net.Currency()); err != nil {
		return CreditNote{}, fmt.Errorf("credit note: %w", err)
	}
	return note, nil
}

// CreditAll takes back all that is left of an invoice: its mirror, which undoes it
// and comes to what is left of its total. Unused time that a change took off an
// earlier line is taken back as well, and is worth there again what it was: the
// customer has then paid what they would have without the invoice. To give back
// what the new plan cost, however it was paid, its lines are credited by their
// positions: the unused time that paid for them came in as money once, and becomes
// credit. Errors as PlanCreditNote.
func CreditAll(lines []IssuedLine) (CreditNote, error) {
	wanted := []CreditRequest{}
	for _, l := range lines {
		if l.Parent == 0 {
			wanted = append(wanted, CreditRequest{Position: l.Position})
		}
	}
	return PlanCreditNote(lines, wanted)
}

// creditGroup is a line with its discounts, which come first.
type creditGroup []IssuedLine

// groupAt collects the line at a position and what belongs to it.
func groupAt(lines []IssuedLine, position int) (creditGroup, error) {
	g, found := creditGroup{}, false
	parent := IssuedLine{}
	for _, l := range lines {
		switch position {
		case l.Parent:
			g = append(g, l)
		case l.Position:
			parent, found = l, true
		}
	}
	switch {
	case !found:
		return nil, errors.New("there is no such line")
	case parent.Parent != 0:
		return nil, fmt.Errorf("%s is credited with line %d, not alone", parent.Description, parent.Parent)
	}
	return append(g, parent), nil
}

// sums are the group's net and what of it is credited.
func (g creditGroup) sums() (net, credited int64) {
	for _, l := range g {
		net, credited = net+l.Split.Net.Minor(), credited+l.Credited.Minor()
	}
	return net, credited
}

// parts splits what is to be credited over the group's lines: each discount as
// far as the whole is credited with it, and the line itself the rest.
func (g creditGroup) parts(net money.Amount) ([]int64, error) {
	parts := make([]int64, len(g))
	all, credited := g.sums()
	parent := g[len(g)-1]
	if net == (money.Amount{}) {
		for i, l := range g {
			parts[i] = l.left()
		}
		return parts, nil
	}
	left := all - credited
	if net.Sign() == 0 || net.Sign() < 0 != (all < 0) {
		return nil, fmt.Errorf("%s of %s: %w", net, parent.Description, ErrCreditNothing)
	}
	if abs(net.Minor()) > abs(left) {
		return nil, fmt.Errorf("%s of %s, which has %s left: %w", net, parent.Description, money.Must(left, net.Currency()), ErrCreditTooMuch)
	}
	after, rest := credited+net.Minor(), net.Minor()
	for i, l := range g[:len(g)-1] {
		target := l.Split.Net.Neg().Prorate(after, all).Minor() // of a discount, which is negative; all is then positive
		parts[i] = -max(0, min(target+l.Credited.Minor(), -l.left()))
		rest -= parts[i]
	}
	parts[len(g)-1] = rest
	return g.level(parts), nil
}

// farthest bounds how far level moves a discount; the tax of this many units
// passes every fraction of one at rates from half a percent on.
const farthest = 200

// maxTaxes is the sum of a line's taxes and each of them.
const maxTaxes = 1 + tax.Levels

// level moves parts between a discount and its line by as little as it takes for
// the tax that is given back so far to lie between none and all that the group
// has. The taxes of line and discount are rounded apart, so that in between one
// unit more could come back than was ever charged. The sum stays as it is. Of two
// taxes each is kept to where that can be, their sum always.
func (g creditGroup) level(parts []int64) []int64 {
	for _, taxes := range []int{maxTaxes, 1} {
		for step := int64(0); step <= farthest; step++ {
			for _, by := range []int64{step, -step} {
				for some := range 1 << min(len(parts)-1, 4) {
					if moved := moveSome(parts, some, by); g.taxLies(moved, taxes) {
						return moved
					}
				}
			}
		}
	}
	return parts
}

// moveSome takes so much more of each of some discounts, given by their bits, and
// of the line as much more as that.
func moveSome(parts []int64, some int, by int64) []int64 {
	moved := slices.Clone(parts)
	for i := range len(parts) - 1 {
		if some>>i&1 == 1 {
			moved[i], moved[len(parts)-1] = moved[i]-by, moved[len(parts)-1]+by
		}
	}
	return moved
}

// taxLies reports whether, with these parts credited as well, none of the group's
// first so many sums of tax is credited beyond what it has. A part that no line
// has is no.
func (g creditGroup) taxLies(parts []int64, taxes int) bool {
	so, all := []int64{}, []int64{}
	for i, l := range g {
		if sign := int64(l.Split.Net.Sign()); parts[i]*sign < 0 || abs(parts[i]) > abs(l.left()) {
			return false
		}
		part := money.Must(l.Credited.Minor()+parts[i], l.Split.Net.Currency())
		taken, err := l.Split.Credit(l.Split.Net.Zero(), part)
		if err != nil {
			return false
		}
		so, all = addTaxes(so, taken), addTaxes(all, l.Split)
	}
	for i := range so[:min(taxes, len(so))] {
		if so[i]*all[i] < 0 || abs(so[i]) > abs(all[i]) {
			return false
		}
	}
	return true
}

// addTaxes adds the tax of a line, and each of its taxes, to sums.
func addTaxes(sums []int64, s tax.Split) []int64 {
	taxes := []int64{s.Tax.Minor()}
	for _, c := range s.Taxes.Components {
		taxes = append(taxes, c.Tax)
	}
	for i, minor := range taxes {
		if i == len(sums) {
			sums = append(sums, 0)
		}
		sums[i] += minor
	}
	return sums
}

// take adds a group's part to the note.
func (n *CreditNote) take(g creditGroup, net money.Amount) error {
	currency := g[len(g)-1].Split.Net.Currency()
	if net != (money.Amount{}) && net.Currency() != currency {
		return fmt.Errorf("%s of a line in %s: %w", net, currency, money.ErrMismatch)
	}
	parts, err := g.parts(net)
	if err != nil {
		return err
	}
	for i := len(g) - 1; i >= 0; i-- { // the line before its discounts
		l := g[i]
		if l.isSpent(parts[i]) {
			continue
		}
		more, err := money.New(parts[i], currency)
		if err != nil {
			return err
		}
		split, err := l.Split.Credit(l.Credited, more)
		if err != nil {
			return fmt.Errorf("%s: %w: %w", l.Description, ErrCreditTooMuch, err)
		}
		n.Lines = append(n.Lines, CreditNoteLine{l.ID, l.Description, split, parts[i] == l.left()})
	}
	return nil
}

func (n *CreditNote) sum(currency string) error {
	nets, taxes := []money.Amount{}, []money.Amount{}
	for _, l := range n.Lines {
		nets, taxes = append(nets, l.Split.Net), append(taxes, l.Split.Tax)
	}
	var err error
	if n.Totals.Subtotal, err = money.Sum(currency, nets...); err != nil {
		return err
	}
	if n.Totals.Tax, err = money.Sum(currency, taxes...); err != nil {
		return err
	}
	if n.Totals.Total, err = n.Totals.Subtotal.Add(n.Totals.Tax); err != nil {
		return err
	}
	if len(n.Lines) == 0 || n.Totals.Subtotal.Sign() >= 0 && n.Totals.Total.Sign() < 0 {
		return ErrCreditNothing // or less than the rounding of a line's and its discounts' taxes
	}
	if n.Totals.Total.Sign() < 0 {
		return fmt.Errorf("it comes to %s: %w", n.Totals.Total, ErrCreditTakes)
	}
	return nil
}

// CreditPriced is what to take back of a line when a part of its price is given
// back, in the sense of prices: net, or gross where they include tax. Of a gross
// part the net is the line's own share of net, reckoned over all that is credited
// so far, so that the parts of a line sum to its net. Errors: tax.ErrCredit for
// more than is left, money.ErrMismatch.
func CreditPriced(l IssuedLine, inclusive bool, part money.Amount) (tax.Split, error) {
	net, err := l.NetOf(inclusive, part)
	if err != nil {
		return tax.Split{}, err
	}
	return l.Split.Credit(l.Credited, net)
}

// NetOf is the net of a part of the line's price, as CreditPriced takes it. A
// line may stand for itself and its discounts, with their sums. Errors as
// CreditPriced, which finds out what is too much net.
func (l IssuedLine) NetOf(inclusive bool, part money.Amount) (money.Amount, error) {
	if !inclusive || part.IsZero() {
		return part, nil
	}
	gross, err := l.Split.Net.Add(l.Split.Tax)
	if err != nil {
		return money.Amount{}, err
	}
	before, err := l.Credited.Add(l.CreditedTax)
	if err != nil {
		return money.Amount{}, err
	}
	after, err := before.Add(part)
	if err != nil {
		return money.Amount{}, err
	}
	if part.Sign() < 0 || gross.Sign() <= 0 || after.Minor() > gross.Minor() {
		return money.Amount{}, fmt.Errorf("%s of %s, of which %s is credited: %w", part, gross, before, tax.ErrCredit)
	}
	net := l.Split.Net.Prorate(after.Minor(), gross.Minor()).Minor()
	return money.Must(max(0, net-l.Credited.Minor()), gross.Currency()), nil
}

// SplitCredit decides what a credit note over total does to an invoice on which
// owed is still owed (written-off parts included) and paid was paid: it lowers
// what is owed first, the rest was paid and becomes the customer's credit. An
// invoice of which nothing is owed any more is paid, or void if nothing was ever
// paid on it. Errors: lifecycle.ErrTransition for a draft or a void invoice,
// whose content was never or is no longer owed; ErrCreditTooMuch for more than
// was owed and paid; money.ErrMismatch.
func SplitCredit(status InvoiceStatus, owed, paid, total money.Amount) (Application, error) {
	switch status {
	case InvoiceDraft, InvoiceVoid:
		return Application{}, fmt.Errorf("credit a %s invoice: %w", status, lifecycle.ErrTransition)
	case InvoiceOpen, InvoicePaid, InvoiceUncollectible:
	}
	most, err := owed.Add(paid)
	if err != nil {
		return Application{}, fmt.Errorf("credit %s: %w", total, err)
	}
	above, err := total.Cmp(most)
	if err != nil {
		return Application{}, fmt.Errorf("credit %s: %w", total, err)
	}
	if total.Sign() < 0 || above > 0 {
		return Application{}, fmt.Errorf("credit %s of %s: %w", total, most, ErrCreditTooMuch)
	}
	applied := money.Must(min(total.Minor(), owed.Minor()), total.Currency())
	excess, rest := money.Must(total.Minor()-applied.Minor(), total.Currency()), money.Must(owed.Minor()-applied.Minor(), total.Currency())
	if rest.IsZero() && status != InvoicePaid {
		status = InvoicePaid
		if paid.IsZero() {
			status = InvoiceVoid
		}
	}
	return Application{Applied: applied, Excess: excess, Due: rest, Status: status}, nil
}

func abs(n int64) int64 { return max(n, -n) }
