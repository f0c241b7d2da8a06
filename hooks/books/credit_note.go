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
	// Replaced says that another invoice takes the place of this one, with its lines:
	// those over nothing, which no note can credit, bill nothing here any more.
	Replaced bool
	// Lines to credit, each with its discounts; none means all that is left.
	Lines []billing.CreditRequest
}

// CreditNote is an issued credit note.
type CreditNote struct {
	ID, Number      string
	Totals          billing.Totals
	ToDue, ToCredit money.Amount // ToDue + ToCredit = Totals.Total
	Repeated        bool
}

// CreditNote corrects an issued invoice: it takes back the given parts of its
// lines, lowers what is still owed and gives the rest to the customer's credit.
// An invoice that nothing was paid on and nothing is owed on any more is
// cancelled by it; a line credited whole may be billed again. What unused time
// becomes is said at billing.CreditAll. Errors: ErrState, billing.ErrCreditTooMuch,
// billing.ErrCreditNothing and billing.ErrCreditTakes.
func (b *Books) CreditNote(tx core.App, now time.Time, c Correction) (CreditNote, error) {
	if err := inTransaction(tx); err != nil {
		return CreditNote{}, err
	}
	if known, err := noteByKey(tx, c.Key); err != nil || known.ID != "" {
		return known, err
	}
	f, err := foresee(tx, c, nil)
	if err != nil {
		return CreditNote{}, err
	}
	f.note.ID = core.GenerateDefaultRandomId()
	if err := b.writeNote(tx, now, c, f.invoice, &f.note, f.rows, f.plan.Lines); err != nil {
		return f.note, fmt.Errorf("credit note for invoice %s: %w", f.invoice.title(), err)
	}
	if c.Replaced || f.effect.Status == billing.InvoiceVoid {
		if err := releaseFree(tx, f.invoice.ID, now); err != nil {
			return f.note, err
		}
	}
	return f.note, b.lower(tx, now, f.invoice, f.note, f.effect)
}

// Foresee says what a credit note would come to and do, without writing it, by
// the rules by which it is written. first are the lines of an invoice that is
// issued before it: what they take off earlier lines is taken then. Errors as
// CreditNote.
func Foresee(app core.App, c Correction, first []PricedLine) (CreditNote, error) {
	taken := map[string]PricedLine{}
	for _, l := range first {
		if l.Detail.Line != "" {
			taken[l.Detail.Line] = l
		}
	}
	f, err := foresee(app, c, taken)
	return f.note, err
}

// foreseen is a credit note about to be written.
type foreseen struct {
	invoice Document
	rows    map[string]lineRow
	plan    billing.CreditNote
	note    CreditNote
	effect  billing.Application
}

func foresee(app core.App, c Correction, taken map[string]PricedLine) (foreseen, error) {
	f := foreseen{}
	var err error
	if f.invoice, err = Read(app, c.Invoice); err != nil {
		return f, err
	}
	d := f.invoice
	if d.Status == billing.InvoiceDraft || d.Status == billing.InvoiceVoid || d.Kind == KindTopUp {
		return f, fmt.Errorf("credit note for invoice %s (%s): %w", d.title(), d.Status, ErrState)
	}
	if f.rows, f.plan, err = planNote(app, c, taken); err != nil {
		return f, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	f.note.Totals = f.plan.Totals
	owed, err := d.Due.Add(d.WrittenOff)
	if err != nil {
		return f, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	paid, err := d.Paid.Add(f.moved())
	if err != nil {
		return f, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	if f.effect, err = billing.SplitCredit(d.Status, owed, paid, f.note.Totals.Total); err != nil {
		return f, fmt.Errorf("credit note for invoice %s: %w", d.title(), err)
	}
	f.note.ToDue, f.note.ToCredit = f.effect.Applied, f.effect.Excess
	return f, nil
}

// moved is what unused parts of earlier lines paid of the invoice and that the note
// leaves there: that money came in on earlier invoices, and what it paid for can be
// given back like any other.
func (f foreseen) moved() money.Amount {
	sum := int64(0)
	for _, r := range f.rows {
		if r.Kind == string(billing.LineUnused) {
			sum -= r.Net - r.Credited + r.Tax - r.CreditedTax
		}
	}
	for _, l := range f.plan.Lines {
		if f.rows[l.Line].Kind == string(billing.LineUnused) {
			sum += l.Split.Net.Minor() + l.Split.Tax.Minor()
		}
	}
	return money.Must(sum, f.invoice.Total.Currency())
}

// planNote reads the invoice's lines and lets the rules decide what is taken of
// which.
func planNote(tx core.App, c Correction, taken map[string]PricedLine) (map[string]lineRow, billing.CreditNote, error) {
	rows := []lineRow{}
	err := collections.Statement(tx, lineColumns+" WHERE `l`.`invoice` = {:invoice} ORDER BY `l`.`position`").Bind(dbx.Params{"invoice": c.Invoice}).All(&rows)
	if err != nil {
		return nil, billing.CreditNote{}, fmt.Errorf("lines: %w", err)
	}
	lines, byID := make([]billing.IssuedLine, len(rows)), map[string]lineRow{}
	for i, r := range rows {
		if l, ok := taken[r.ID]; ok {
			r.Credited, r.CreditedTax = r.Credited-l.Net.Minor(), r.CreditedTax-l.Tax.Minor()
		}
		if lines[i], err = r.issued(); err != nil {
			return nil, billing.CreditNote{}, err
		}
		byID[r.ID] = r
	}
	if len(c.Lines) == 0 {
		plan, err := billing.CreditAll(lines)
		return byID, plan, err
	}
	plan, err := billing.PlanCreditNote(lines, c.Lines)
	return byID, plan, err
}

// writeNote draws the number and writes the document and its lines.
func (b *Books) writeNote(tx core.App, now time.Time, c Correction, d Document, n *CreditNote, rows map[string]lineRow, lines []billing.CreditNoteLine) error {
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
		taxes[i], nets[i] = l.Split.Taxes, l.Split.Net.Minor()
		if err := writeNoteLine(tx, now, d.User, n.ID, i, rows[l.Line], l); err != nil {
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
func writeNoteLine(tx core.App, now time.Time, user, note string, i int, row lineRow, l billing.CreditNoteLine) error {
	taxes, err := json.Marshal(l.Split.Taxes)
	if err != nil {
		return fmt.Errorf("line %d: %w", row.Position, err)
	}
	_, err = collections.Statement(tx, "INSERT INTO `credit_note_items` (`id`, `user`, `credit_note`, `invoice_item`, `position`, `description`, `net_minor`, `tax_minor`, `taxes`, `period_start`, `period_end`, `created`, `updated`)"+
		" VALUES ({:id}, {:user}, {:note}, {:line}, {:position}, {:description}, {:net}, {:tax}, {:taxes}, {:start}, {:end}, {:now}, {:now})").
		Bind(dbx.Params{
			"id": core.GenerateDefaultRandomId(), "user": user, "note": note, "line": row.ID, "position": i + 1, "description": row.Description,
			"net": l.Split.Net.Minor(), "tax": l.Split.Tax.Minor(), "taxes": string(taxes), "start": row.Start, "end": row.End, "now": stamp(now),
		}).Execute()
	if err != nil {
		return fmt.Errorf("line %d (%s): %w", row.Position, row.Description, err)
	}
	if err := takeFrom(tx, row.ID, l.Split.Net.Minor(), l.Split.Tax.Minor(), now); err != nil {
		return err
	}
	if row.Kind == string(billing.LineUnused) && row.Earlier != "" {
		if err := takeFrom(tx, row.Earlier, l.Split.Net.Minor(), l.Split.Tax.Minor(), now); err != nil {
			return err
		}
	}
	return nil
}

// lower writes on the invoice what the note took off what is owed. Of a
// written-off invoice what was given up is owed again first, as far as it is
// credited now.
func (b *Books) lower(tx core.App, now time.Time, d Document, n CreditNote, effect billing.Application) error {
	if n.ToDue.IsZero() {
		return nil
	}
	if d.WrittenOff.Sign() > 0 {
		if err := collections.Post(tx, now, "recovered:"+n.ID, d.User, d.ID, "", billing.PostRecovered(n.ToDue)); err != nil {
			return err
		}
		d.WrittenOff = effect.Due
	} else {
		d.Due = effect.Due
	}
	credited, err := d.Credited.Add(n.ToDue)
	if err != nil {
		return fmt.Errorf("lower invoice %s: %w", d.title(), err)
	}
	change := dbx.Params{"credited_minor": credited.Minor(), "due_minor": d.Due.Minor(), "written_off_minor": d.WrittenOff.Minor(), "status": string(effect.Status), "updated": stamp(now)}
	followers, changed := b.credited, d.Status != effect.Status
	switch {
	case changed && effect.Status == billing.InvoiceVoid:
		followers, change["voided_at"], change["next_step_at"] = b.voided, stamp(now), ""
	case changed && effect.Status == billing.InvoicePaid:
		followers, change["paid_at"], change["next_step_at"] = b.paid, stamp(now), ""
	}
	d.Credited, d.Status = credited, effect.Status
	if _, err := tx.DB().Update(collections.Invoices, change, dbx.HashExp{"id": d.ID}).Execute(); err != nil {
		return fmt.Errorf("lower invoice %s: %w", d.title(), err)
	}
	return tell(tx, followers, d)
}

// releaseFree makes the lines of an invoice that are over nothing bill nothing any
// more.
func releaseFree(tx core.App, invoice string, now time.Time) error {
	_, err := collections.Statement(tx, "UPDATE `invoice_items` SET `live` = FALSE, `updated` = {:now} WHERE `invoice` = {:invoice} AND `live` AND `net_minor` = 0").
		Bind(dbx.Params{"invoice": invoice, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("lines of invoice %s: %w", invoice, err)
	}
	return nil
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
