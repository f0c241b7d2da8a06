package books

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// Void cancels an open invoice on which nothing was paid or credited: its number
// stays, its booking is reversed, its lines bill nothing any more and what they
// took off earlier lines is given back. Errors: ErrState; correct an invoice on
// which something was paid by a credit note.
func (b *Books) Void(tx core.App, now time.Time, id string) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	d, err := Read(tx, id)
	if err != nil {
		return err
	}
	if d.Status == billing.InvoiceVoid {
		return nil
	}
	if err := billing.CheckInvoiceTransition(d.Status, billing.InvoiceVoid); err != nil {
		return fmt.Errorf("void invoice %s: %w: %w", d.title(), ErrState, err)
	}
	if !d.Paid.IsZero() || !d.Credited.IsZero() || !d.WrittenOff.IsZero() {
		return fmt.Errorf("void invoice %s: something was paid, credited or written off: %w", d.title(), ErrState)
	}
	totals, err := totalsOf(tx, id)
	if err != nil {
		return err
	}
	_, err = collections.Statement(tx, "UPDATE `invoices` SET `status` = 'void', `due_minor` = 0, `voided_at` = {:now}, `next_step_at` = '', `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": id, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("void invoice %s: %w", d.title(), err)
	}
	if err := collections.Post(tx, now, "void:"+id, d.User, id, "", reversed(postIssue(d.Kind, totals))); err != nil {
		return err
	}
	if err := releaseLines(tx, id, now); err != nil {
		return err
	}
	d.Status, d.Due = billing.InvoiceVoid, d.Total.Zero()
	return tell(tx, b.voided, d)
}

func reversed(entries []billing.Entry) []billing.Entry {
	out := make([]billing.Entry, len(entries))
	for i, e := range entries {
		out[i] = billing.Entry{Account: e.Account, Amount: e.Amount.Neg()}
	}
	return out
}

func totalsOf(app core.App, id string) (billing.Totals, error) {
	inv, err := app.FindRecordById(collections.Invoices, id)
	if err != nil {
		return billing.Totals{}, fmt.Errorf("invoice %s: %w", id, err)
	}
	return collections.InvoiceTotals(inv)
}

// releaseLines makes the lines of a cancelled invoice bill nothing, and then gives
// back what its unused parts had taken off earlier lines, which may bill their
// periods again.
func releaseLines(tx core.App, invoice string, now time.Time) error {
	taken := []struct {
		Line string `db:"line"`
		Net  int64  `db:"net_minor"`
		Tax  int64  `db:"tax_minor"`
	}{}
	err := collections.Statement(tx, "SELECT json_extract(`detail`, '$.line') AS `line`, `net_minor`, `tax_minor` FROM `invoice_items` WHERE `invoice` = {:invoice} AND `kind` = 'unused' AND `live` ORDER BY `position`").
		Bind(dbx.Params{"invoice": invoice}).All(&taken)
	if err != nil {
		return fmt.Errorf("lines of invoice %s: %w", invoice, err)
	}
	_, err = collections.Statement(tx, "UPDATE `invoice_items` SET `live` = FALSE, `updated` = {:now} WHERE `invoice` = {:invoice} AND `live`").
		Bind(dbx.Params{"invoice": invoice, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("lines of invoice %s: %w", invoice, err)
	}
	for _, t := range taken {
		if err := takeFrom(tx, t.Line, t.Net, t.Tax, now); err != nil { // negative: gives back
			return err
		}
	}
	return nil
}

// WriteOff gives up what is still owed on an open invoice. Money that arrives
// later recovers it. A service that is on stays on and is invoiced for its next
// period, the written-off one being given away; one that is suspended for it stays
// so until it is paid, or ends. Dunning looks at it once more. Errors: ErrState.
func (b *Books) WriteOff(tx core.App, now time.Time, id string) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	d, err := Read(tx, id)
	if err != nil || d.Status == billing.InvoiceUncollectible {
		return err
	}
	if err := billing.CheckInvoiceTransition(d.Status, billing.InvoiceUncollectible); err != nil {
		return fmt.Errorf("write off invoice %s: %w: %w", d.title(), ErrState, err)
	}
	_, err = collections.Statement(tx, "UPDATE `invoices` SET `status` = 'uncollectible', `due_minor` = 0, `written_off_minor` = {:off}, `next_step_at` = {:now}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": id, "off": d.Due.Minor(), "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("write off invoice %s: %w", d.title(), err)
	}
	return collections.Post(tx, now, "writeoff:"+id, d.User, id, "", postGivenUp(d.Kind, d.Due))
}
