package books

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// Correction asks for a credit note.
type Correction struct {
	Invoice string
	Key     string // the same key again returns the first credit note
	Reason  string
	Actor   string
	// Lines to credit; none means all that is left of every line.
	Lines []LineCredit
}

// LineCredit credits a part of one line.
type LineCredit struct {
	Line string // id
	// Net is how much, without tax and in the line's own sign; the zero Amount
	// means all that is left.
	Net money.Amount
}

// CreditNote is an issued credit note.
type CreditNote struct {
	ID, Number      string
	Totals          billing.Totals
	ToDue, ToCredit money.Amount // ToDue + ToCredit = Totals.Total
	Repeated        bool
}

// credited is a line of the credit note about to be written.
type credited struct {
	row  lineRow
	part tax.Split
}

// CreditNote corrects an issued invoice: it takes back the given parts of its
// lines, lowers what is still owed and gives the rest to the customer's credit.
// An invoice that nothing was paid on and nothing is owed on any more is
// cancelled by it; a line credited whole may be billed again. Errors: ErrState,
// tax.ErrCredit for more than is left of a line.
func (b *Books) CreditNote(tx core.App, now time.Time, c Correction) (CreditNote, error) {
	if err := inTransaction(tx); err != nil {
		return CreditNote{}, err
	}
	if known, err := noteByKey(tx, c.Key); err != nil || known.ID != "" {
		return known, err
	}
	d, err := Read(tx, c.Invoice)
	if err != nil {
		return CreditNote{}, err
	}
	if d.Status == billing.InvoiceDraft || d.Status == billing.InvoiceVoid || d.Kind == KindTopUp {
		return CreditNote{}, fmt.Errorf("credit note for invoice %s (%s): %w", d.title(), d.Status, ErrState)
	}
	lines, err := toCredit(tx, c)
	if err != nil {
		return CreditNote{}, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	n := CreditNote{ID: core.GenerateDefaultRandomId()}
	if n.Totals, err = sumCredited(d.Total.Currency(), lines); err != nil {
		return n, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	if n.Totals.Total.Sign() <= 0 {
		return n, fmt.Errorf("credit note for invoice %s over %s: nothing is left to credit: %w", d.title(), n.Totals.Total, ErrState)
	}
	owed := d.Due.Minor() + d.WrittenOff.Minor()
	n.ToDue = money.Must(min(owed, n.Totals.Total.Minor()), d.Total.Currency())
	n.ToCredit = money.Must(n.Totals.Total.Minor()-n.ToDue.Minor(), d.Total.Currency())
	if err := b.writeNote(tx, now, c, d, &n, lines); err != nil {
		return n, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	return n, b.lower(tx, now, d, n)
}

// toCredit finds what is to be credited of which line.
func toCredit(tx core.App, c Correction) ([]credited, error) {
	rows := []lineRow{}
	err := collections.Statement(tx, lineColumns+" WHERE `l`.`invoice` = {:invoice} ORDER BY `l`.`position`").Bind(dbx.Params{"invoice": c.Invoice}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("lines: %w", err)
	}
	asked := map[string]money.Amount{}
	for _, l := range c.Lines {
		asked[l.Line] = l.Net
	}
	out := []credited{}
	for _, r := range rows {
		net, wanted := asked[r.ID]
		if len(c.Lines) > 0 && !wanted {
			continue
		}
		delete(asked, r.ID)
		whole, before, err := r.split()
		if err != nil {
			return nil, err
		}
		if net.IsZero() {
			if net, err = whole.Net.Sub(before); err != nil {
				return nil, fmt.Errorf("line %d: %w", r.Position, err)
			}
		}
		part, err := whole.Credit(before, net)
		if err != nil {
			return nil, fmt.Errorf("line %d (%s): %w", r.Position, r.Description, err)
		}
		if !part.Net.IsZero() || !part.Tax.IsZero() {
			out = append(out, credited{r, part})
		}
	}
	for id := range asked {
		return nil, fmt.Errorf("line %q is not on this invoice: %w", id, ErrState)
	}
	return out, nil
}

func sumCredited(currency string, lines []credited) (billing.Totals, error) {
	zero, err := money.New(0, currency)
	t := billing.Totals{Subtotal: zero, Tax: zero, Total: zero}
	for _, l := range lines {
		if err == nil {
			t.Subtotal, err = t.Subtotal.Add(l.part.Net)
		}
		if err == nil {
			t.Tax, err = t.Tax.Add(l.part.Tax)
		}
	}
	if err != nil {
		return t, err
	}
	t.Total, err = t.Subtotal.Add(t.Tax)
	return t, err
}

// writeNote draws the number and writes the document and its lines.
func (b *Books) writeNote(tx core.App, now time.Time, c Correction, d Document, n *CreditNote, lines []credited) error {
	settings, err := collections.LoadInvoicing(tx)
	if err != nil {
		return err
	}
	year := now.UTC().Year()
	seq, err := collections.NextInvoiceSeq(tx, now, settings.CreditSeries, year)
	if err != nil {
		return err
	}
	if n.Number, err = billing.FormatNumber(settings.CreditFormat, year, seq); err != nil {
		return err
	}
	taxes, nets := make([]tax.LineTaxes, len(lines)), make([]int64, len(lines))
	for i, l := range lines {
		taxes[i], nets[i] = l.part.Taxes, l.part.Net.Minor()
		if err := writeNoteLine(tx, now, d.User, n.ID, i, l); err != nil {
			return err
		}
	}
	groups, err := json.Marshal(tax.Breakdown(taxes, nets))
	if err != nil {
		return fmt.Errorf("taxes: %w", err)
	}
	// Seller, buyer and language are the invoice's own: the note corrects that document.
	_, err = collections.Statement(tx, "INSERT INTO `credit_notes` (`id`, `user`, `invoice`, `key`, `number`, `series`, `year`, `seq`, `currency`, `subtotal_minor`, `tax_minor`, `total_minor`, `to_due_minor`, `to_credit_minor`,"+
		" `reason`, `issued_at`, `seller`, `buyer`, `language`, `taxes`, `actor`, `created`, `updated`)"+
		" SELECT {:id}, `user`, `id`, {:key}, {:number}, {:series}, {:year}, {:seq}, `currency`, {:subtotal}, {:tax}, {:total}, {:toDue}, {:toCredit}, {:reason}, {:now}, `seller`, `buyer`, `language`, {:taxes}, {:actor}, {:now}, {:now} FROM `invoices` WHERE `id` = {:invoice}").
		Bind(dbx.Params{
			"id": n.ID, "key": c.Key, "number": n.Number, "series": settings.CreditSeries, "year": year, "seq": seq, "subtotal": n.Totals.Subtotal.Minor(), "tax": n.Totals.Tax.Minor(), "total": n.Totals.Total.Minor(),
			"toDue": n.ToDue.Minor(), "toCredit": n.ToCredit.Minor(), "reason": collections.Cut(c.Reason, 500), "now": stamp(now), "taxes": string(groups), "actor": c.Actor, "invoice": d.ID,
		}).Execute()
	if err != nil {
		return fmt.Errorf("save %s: %w", n.Number, err)
	}
	return collections.Post(tx, now, "credit_note:"+n.ID, d.User, d.ID, "", billing.PostCreditNote(n.Totals, n.ToDue, n.ToCredit))
}

// writeNoteLine writes a line and notes on the invoice's line what was taken.
// Crediting an unused part gives it back to the earlier line it was taken from.
func writeNoteLine(tx core.App, now time.Time, user, note string, i int, l credited) error {
	taxes, err := json.Marshal(l.part.Taxes)
	if err != nil {
		return fmt.Errorf("line %d: %w", l.row.Position, err)
	}
	_, err = collections.Statement(tx, "INSERT INTO `credit_note_items` (`id`, `user`, `credit_note`, `invoice_item`, `position`, `description`, `net_minor`, `tax_minor`, `taxes`, `period_start`, `period_end`, `created`, `updated`)"+
		" VALUES ({:id}, {:user}, {:note}, {:line}, {:position}, {:description}, {:net}, {:tax}, {:taxes}, {:start}, {:end}, {:now}, {:now})").
		Bind(dbx.Params{
			"id": core.GenerateDefaultRandomId(), "user": user, "note": note, "line": l.row.ID, "position": i + 1, "description": l.row.Description,
			"net": l.part.Net.Minor(), "tax": l.part.Tax.Minor(), "taxes": string(taxes), "start": l.row.Start, "end": l.row.End, "now": stamp(now),
		}).Execute()
	if err != nil {
		return fmt.Errorf("line %d (%s): %w", l.row.Position, l.row.Description, err)
	}
	if err := takeFrom(tx, l.row.ID, l.part.Net.Minor(), l.part.Tax.Minor(), now); err != nil {
		return err
	}
	if l.row.Kind == string(billing.LineUnused) && l.row.Earlier != "" {
		if err := takeFrom(tx, l.row.Earlier, l.part.Net.Minor(), l.part.Tax.Minor(), now); err != nil {
			return err
		}
	}
	_, err = collections.Statement(tx, "UPDATE `invoice_items` SET `live` = FALSE WHERE `id` = {:id} AND `credited_minor` = `net_minor` AND `credited_tax_minor` = `tax_minor`").Bind(dbx.Params{"id": l.row.ID}).Execute()
	if err != nil {
		return fmt.Errorf("line %d (%s): %w", l.row.Position, l.row.Description, err)
	}
	return nil
}

// lower writes on the invoice what the note took off what is owed.
func (b *Books) lower(tx core.App, now time.Time, d Document, n CreditNote) error {
	if n.ToDue.IsZero() {
		return nil
	}
	if d.WrittenOff.Sign() > 0 { // what was given up is owed again, then credited
		part := money.Must(min(d.WrittenOff.Minor(), n.ToDue.Minor()), d.Total.Currency())
		if err := collections.Post(tx, now, "recovered:"+n.ID, d.User, d.ID, "", billing.PostRecovered(part)); err != nil {
			return err
		}
		d.WrittenOff = money.Must(d.WrittenOff.Minor()-part.Minor(), d.Total.Currency())
		d.Due = money.Must(d.Due.Minor()+part.Minor(), d.Total.Currency())
	}
	d.Due = money.Must(d.Due.Minor()-n.ToDue.Minor(), d.Total.Currency())
	d.Credited = money.Must(d.Credited.Minor()+n.ToDue.Minor(), d.Total.Currency())
	change, followers := dbx.Params{"credited_minor": d.Credited.Minor(), "due_minor": d.Due.Minor(), "written_off_minor": d.WrittenOff.Minor(), "updated": stamp(now)}, []Follower(nil)
	switch {
	case !d.Due.IsZero() || !d.WrittenOff.IsZero():
	case d.Paid.IsZero():
		d.Status, followers = billing.InvoiceVoid, b.voided
		change["status"], change["voided_at"], change["next_step_at"] = string(d.Status), stamp(now), ""
	default:
		d.Status, followers = billing.InvoicePaid, b.paid
		change["status"], change["paid_at"], change["next_step_at"] = string(d.Status), stamp(now), ""
	}
	if _, err := tx.DB().Update(collections.Invoices, change, dbx.HashExp{"id": d.ID}).Execute(); err != nil {
		return fmt.Errorf("lower invoice %s: %w", d.title(), err)
	}
	return tell(tx, followers, d)
}

func noteByKey(tx core.App, key string) (CreditNote, error) {
	r, err := collections.First(tx, collections.CreditNotes, dbx.HashExp{"key": key})
	if err != nil || r == nil {
		return CreditNote{}, err
	}
	n := CreditNote{ID: r.Id, Number: r.GetString("number"), Repeated: true}
	if n.Totals, err = collections.InvoiceTotals(r); err != nil {
		return n, err
	}
	if n.ToDue, err = collections.Amount(r, "to_due_minor"); err != nil {
		return n, err
	}
	n.ToCredit, err = collections.Amount(r, "to_credit_minor")
	return n, err
}
