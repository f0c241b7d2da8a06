package renewals

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
)

// billedLine is an invoiced line that pays for days now or later, with the sums
// of itself and its discounts.
type billedLine struct {
	ID          string `db:"id"`
	Invoice     string `db:"invoice"`
	Status      string `db:"status"`
	Currency    string `db:"currency"`
	Position    int    `db:"position"`
	Live        bool   `db:"live"` // else it bills nothing any more; what is left of it may still be given back
	Item        string `db:"item"`
	Description string `db:"description"`
	Start       string `db:"period_start"`
	End         string `db:"period_end"`
	Net         int64  `db:"net"`
	Tax         int64  `db:"tax"`
	Credited    int64  `db:"credited"`
	CreditedTax int64  `db:"credited_tax"`
}

// billedLines are lines by their ids, in the order of their invoices.
type billedLines struct {
	all  []billedLine
	byID map[string]billedLine
}

// Lines from before items had names are of the plan.
const linesText = "SELECT `l`.`id`, `l`.`invoice`, `i`.`status`, `i`.`currency`, `l`.`position`, CASE WHEN `l`.`item` = '' AND `l`.`kind` = 'period' THEN 'plan' ELSE `l`.`item` END AS `item`, `l`.`live`, `l`.`description`, `l`.`period_start`, `l`.`period_end`," +
	" SUM(`g`.`net_minor`) AS `net`, SUM(`g`.`tax_minor`) AS `tax`, SUM(`g`.`credited_minor`) AS `credited`, SUM(`g`.`credited_tax_minor`) AS `credited_tax`" +
	" FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice` JOIN `invoice_items` `g` ON `g`.`invoice` = `l`.`invoice` AND (`g`.`position` = `l`.`position` OR `g`.`parent` = `l`.`position`)" +
	" WHERE `l`.`subscription` = {:subscription} AND `l`.`parent` = 0 AND `l`.`kind` IN ('period', 'option', 'charge') AND `l`.`period_end` >= {:today} AND `i`.`status` IN ('open', 'paid', 'uncollectible')" +
	" GROUP BY `l`.`id` ORDER BY `i`.`issued_at`, `i`.`seq`, `l`.`position`"

// loadLines reads what is invoiced of a subscription for today and later.
func loadLines(app core.App, subscription string, now time.Time) (billedLines, error) {
	lines := billedLines{byID: map[string]billedLine{}}
	err := collections.Statement(app, linesText).Bind(dbx.Params{"subscription": subscription, "today": today(now)}).All(&lines.all)
	if err != nil {
		return lines, fmt.Errorf("invoiced lines of subscription %s: %w", subscription, err)
	}
	for _, l := range lines.all {
		lines.byID[l.ID] = l
	}
	return lines, nil
}

// after are the lines as they stand once an invoice has taken unused parts of them.
func (ls billedLines) after(taken []books.PricedLine) billedLines {
	out := billedLines{ls.all, maps.Clone(ls.byID)}
	for _, t := range taken {
		if l, ok := out.byID[t.Detail.Line]; ok {
			l.Credited, l.CreditedTax = l.Credited-t.Net.Minor(), l.CreditedTax-t.Tax.Minor()
			out.byID[l.ID] = l
		}
	}
	return out
}

// issued is the line with its discounts as one, as corrections see it.
func (l billedLine) issued() (billing.IssuedLine, error) {
	amounts := [4]money.Amount{}
	for i, minor := range [4]int64{l.Net, l.Tax, l.Credited, l.CreditedTax} {
		var err error
		if amounts[i], err = money.New(minor, l.Currency); err != nil {
			return billing.IssuedLine{}, fmt.Errorf("line %s: %w", l.ID, err)
		}
	}
	return billing.IssuedLine{ID: l.ID, Position: l.Position, Description: l.Description, Split: tax.Split{Net: amounts[0], Tax: amounts[1]}, Credited: amounts[2], CreditedTax: amounts[3]}, nil
}

func (l billedLine) period() (billing.Period, error) {
	start, err := collections.ParseStamp(l.Start)
	if err != nil {
		return billing.Period{}, fmt.Errorf("line %s: %w", l.ID, err)
	}
	end, err := collections.ParseStamp(l.End)
	if err != nil {
		return billing.Period{}, fmt.Errorf("line %s: %w", l.ID, err)
	}
	return billing.Period{Start: start, End: end}, nil
}

// segments are the lines as a change sees them: what was invoiced after
// discounts, in the sense in which prices are meant today.
func (ls billedLines) segments(inclusive bool) ([]billing.Segment, error) {
	segments := []billing.Segment{}
	for _, l := range ls.all {
		if !l.Live {
			continue
		}
		is, err := l.issued()
		if err != nil {
			return nil, err
		}
		s := billing.Segment{Line: l.ID, Item: l.Item, Description: l.Description, Amount: is.Split.Net, Credited: is.Credited, Open: l.Status != string(billing.InvoicePaid)}
		if s.Period, err = l.period(); err != nil {
			return nil, err
		}
		if inclusive {
			if s.Amount, err = s.Amount.Add(is.Split.Tax); err != nil {
				return nil, fmt.Errorf("line %s: %w", l.ID, err)
			}
			if s.Credited, err = s.Credited.Add(is.CreditedTax); err != nil {
				return nil, fmt.Errorf("line %s: %w", l.ID, err)
			}
		}
		segments = append(segments, s)
	}
	return segments, nil
}

// corrections are the credit notes that give parts of lines back, one for each
// invoice, in order. No more is asked for than a line has left: it may have been
// credited since the parts were computed.
func (ls billedLines) corrections(parts []billing.CreditPart, inclusive bool) ([]books.Correction, error) {
	notes := []books.Correction{}
	for _, p := range parts {
		l, known := ls.byID[p.Line]
		if !known || p.Amount.Sign() <= 0 {
			continue
		}
		net, err := l.net(p.Amount, inclusive)
		if err != nil {
			return nil, err
		}
		if net.Sign() <= 0 {
			continue
		}
		i := 0
		for i < len(notes) && notes[i].Invoice != l.Invoice {
			i++
		}
		if i == len(notes) {
			notes = append(notes, books.Correction{Invoice: l.Invoice})
		}
		notes[i].Lines = append(notes[i].Lines, billing.CreditRequest{Position: l.Position, Net: net})
	}
	return notes, nil
}

// net is the net of a part of the line's price, at most what is left of it.
func (l billedLine) net(part money.Amount, inclusive bool) (money.Amount, error) {
	is, err := l.issued()
	if err != nil {
		return part, err
	}
	left, most := l.Net-l.Credited, l.Net-l.Credited
	if inclusive {
		most += l.Tax - l.CreditedTax
	}
	if part.Minor() >= most {
		return money.New(left, l.Currency)
	}
	net, err := is.NetOf(inclusive, part)
	if err != nil {
		return part, fmt.Errorf("line %s: %w", l.ID, err)
	}
	return net, nil
}

// giveBack credits parts of invoiced lines, in credit notes under the given key.
func (r *run) giveBack(lines billedLines, parts []billing.CreditPart, key, reason, by string) error {
	notes, err := lines.corrections(parts, r.session.Pricer().Inclusive())
	if err != nil {
		return err
	}
	for _, n := range notes {
		n.Key, n.Reason, n.Actor = key+":unused:"+n.Invoice, reason, by
		if _, err := r.session.CreditNote(r.tx, r.now, n); err != nil && !errors.Is(err, billing.ErrCreditNothing) {
			return err
		}
	}
	return nil
}
