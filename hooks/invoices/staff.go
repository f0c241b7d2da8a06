package invoices

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *subject) staffOps(t *op.Table) {
	const one = "/api/v1/staff/invoices/{id}"
	op.Add(t, op.Spec{ID: "staff.invoices.void", Method: http.MethodPost, Path: one + "/void", Access: op.Staff, Summary: "Cancel an invoice on which nothing was paid; its number stays"}, s.void)
	op.Add(t, op.Spec{ID: "staff.invoices.write_off", Method: http.MethodPost, Path: one + "/write-off", Access: op.Staff, Summary: "Give up what is still owed on an invoice"}, s.writeOff)
	op.Add(t, op.Spec{ID: "staff.invoices.correct", Method: http.MethodPost, Path: one + "/correct", Access: op.Staff, Status: http.StatusCreated, Summary: "Replace an invoice by a right one: credit note and new invoice in one step; repeatable by its key"}, s.correct)
	op.Add(t, op.Spec{ID: "staff.credit_notes.create", Method: http.MethodPost, Path: one + "/credit-notes", Access: op.Staff, Status: http.StatusCreated, Summary: "Credit an invoice in whole or by lines; repeatable by its key"}, s.createNote)
	op.Add(t, op.Spec{ID: "staff.invoices.apply_credit", Method: http.MethodPost, Path: one + "/apply-credit", Access: op.Staff, Summary: "Pay an invoice from the customer's credit, in whole or in part"}, s.staffApplyCredit)
	op.Add(t, op.Spec{ID: "staff.invoices.resend", Method: http.MethodPost, Path: one + "/resend", Access: op.Staff, Status: http.StatusNoContent, Summary: "Send an invoice to its customer once more"}, s.resend)
}

// record writes the audit row of a staff operation on an invoice, in its
// transaction.
func (s *subject) record(tx core.App, r *op.Request, action, id string, changes map[string]any) error {
	return s.recordOf(tx, r, action, collections.Invoices, id, changes)
}

func (s *subject) recordOf(tx core.App, r *op.Request, action, resource, id string, changes map[string]any) error {
	kind := audit.Customer
	if r.Auth.IsSuperuser() {
		kind = audit.Staff
	}
	return audit.Write(tx, r.Now(), audit.Entry{
		ActorKind: kind, Actor: r.Auth.Id, Action: action, Resource: resource, ResourceID: id, IP: r.RealIP(), UserAgent: r.Agent(), Changes: changes,
	})
}

func staffActor(r *op.Request) string { return "staff:" + r.Auth.Id }

// refusal puts what the books refuse into words; other errors stay.
func refusal(err error) error {
	known := []struct {
		err                  error
		status               int
		code, field, message string
	}{
		{books.ErrNoInvoice, http.StatusNotFound, "not_found", "", "There is nothing here, or it is not yours."},
		{books.ErrState, http.StatusConflict, "state", "", "The invoice is not in a state that allows this. Look at it again: it may have been paid, credited or cancelled meanwhile."},
		{books.ErrCredit, http.StatusConflict, "not_enough_credit", "amount_minor", "There is less credit than that."},
		{books.ErrKeyUsed, http.StatusConflict, "key_used", "key", "This key or reference was used for something else before."},
		{billing.ErrCreditNothing, http.StatusConflict, "nothing_left", "lines", "Nothing is left to credit on this invoice."},
		{billing.ErrCreditTakes, http.StatusConflict, "takes_money", "lines", "The unused time on this invoice comes to more than what would be credited with it. Name the lines that were charged, without it."},
		{billing.ErrCreditTooMuch, http.StatusUnprocessableEntity, "too_much", "lines", "This is more than is left to credit."},
		{billing.ErrRefundTooMuch, http.StatusUnprocessableEntity, "too_much", "amount_minor", "This is more than the payments still hold."},
	}
	var problem *op.Problem
	if errors.As(err, &problem) {
		return err
	}
	for _, k := range known {
		if !errors.Is(err, k.err) {
			continue
		}
		p := op.NewProblem(k.status, k.code, k.message).Because(err)
		if k.field != "" {
			p.Errors = []op.FieldError{{Field: k.field, Message: k.message, Code: k.code}}
		}
		return p
	}
	return err
}

// stopPayments makes sure that no open page of an invoice can still be paid, so
// that what follows sees all its money.
func (s *subject) stopPayments(r *op.Request, inv *core.Record) error {
	closed, err := s.Close(r.Request.Context(), r.App, inv)
	if err != nil {
		return fmt.Errorf("close payments of invoice %s: %w", inv.GetString("number"), err)
	}
	if !closed {
		return op.NewProblem(http.StatusConflict, "payment_pending", "A payment for this invoice is on its way. Wait until it has arrived or failed.")
	}
	return nil
}

type reasonRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}

// Check wants a reason, since the audit log is all that tells later.
func (in reasonRequest) Check(f *op.Fields) { checkReason(f, in.Reason) }

func (s *subject) void(r *op.Request, in reasonRequest) (invoiceView, error) {
	inv, err := anyInvoice(r.App, in.ID)
	if err != nil {
		return invoiceView{}, err
	}
	if err := s.stopPayments(r, inv); err != nil {
		return invoiceView{}, err
	}
	err = r.App.RunInTransaction(func(tx core.App) error {
		before, err := books.Read(tx, in.ID)
		if err != nil || before.Status == billing.InvoiceVoid {
			return err
		}
		if before.Status == billing.InvoiceDraft {
			return op.NewProblem(http.StatusConflict, "draft", "A draft is thrown away, not voided: it has no number yet.")
		}
		if err := refuseEarlier(tx, in.ID); err != nil {
			return err
		}
		if err := s.Books.Void(tx, r.Now(), in.ID); err != nil {
			return err
		}
		return s.record(tx, r, "invoice.void", in.ID, map[string]any{"number": before.Number, "reason": in.Reason})
	})
	if err != nil {
		return invoiceView{}, refusal(err)
	}
	return s.staffInvoice(r, byID{in.ID})
}

// refuseEarlier refuses to void what bills a period before another that is billed
// already: what is void is invoiced again, and periods are invoiced in order.
func refuseEarlier(tx core.App, invoice string) error {
	later := []string{}
	err := collections.Statement(tx, "SELECT `i`.`number` FROM `invoice_items` `l` CROSS JOIN `invoice_items` `o` ON `o`.`subscription` = `l`.`subscription` CROSS JOIN `invoices` `i` ON `i`.`id` = `o`.`invoice`"+
		" WHERE `l`.`invoice` = {:invoice} AND `l`.`kind` = 'period' AND `l`.`live` AND `o`.`invoice` != {:invoice} AND `o`.`kind` = 'period' AND `o`.`live` AND `o`.`period_start` > `l`.`period_start` LIMIT 1").
		Bind(dbx.Params{"invoice": invoice}).Column(&later)
	if err != nil {
		return fmt.Errorf("periods after invoice %s: %w", invoice, err)
	}
	if len(later) > 0 {
		return op.NewProblem(http.StatusConflict, "later_period", "Invoice "+later[0]+" bills a later period of the same service. Void that one first, or give a credit note for this one.")
	}
	return nil
}

// refuseUndelivered refuses to write off an invoice of which nothing is delivered
// before it is paid: an order, a change, or the end of a pause. It is no loss, and
// what waits for it would wait for ever, with the stock that it holds and the unused
// time that it took.
func refuseUndelivered(tx core.App, invoice string) error {
	waiting := 0
	err := collections.Statement(tx, "SELECT (SELECT COUNT(*) FROM `orders` WHERE `invoice` = {:invoice} AND `status` = 'pending') + (SELECT COUNT(*) FROM `subscription_changes` WHERE `invoice` = {:invoice} AND `status` = 'pending')"+
		" + (SELECT COUNT(*) FROM `invoice_items` `l` CROSS JOIN `subscriptions` `s` ON `s`.`id` = `l`.`subscription` WHERE `l`.`invoice` = {:invoice} AND `l`.`kind` = 'period' AND `l`.`live` AND `s`.`status` = 'paused' AND `s`.`resumed_at` != '' AND `l`.`period_start` = `s`.`anchor`)").
		Bind(dbx.Params{"invoice": invoice}).Row(&waiting)
	if err != nil {
		return fmt.Errorf("what waits for invoice %s: %w", invoice, err)
	}
	if waiting > 0 {
		return op.NewProblem(http.StatusConflict, "not_delivered", "What this invoice is for is delivered once it is paid, so nothing is lost without. Void it instead, or leave it: it ends by itself.")
	}
	return nil
}

func (s *subject) writeOff(r *op.Request, in reasonRequest) (invoiceView, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		before, err := books.Read(tx, in.ID)
		if err != nil || before.Status == billing.InvoiceUncollectible {
			return err
		}
		if err := refuseUndelivered(tx, in.ID); err != nil {
			return err
		}
		if err := s.Books.WriteOff(tx, r.Now(), in.ID); err != nil {
			return err
		}
		return s.record(tx, r, "invoice.write_off", in.ID, map[string]any{"number": before.Number, "amount": before.Due, "reason": in.Reason})
	})
	if err != nil {
		return invoiceView{}, refusal(err)
	}
	return s.staffInvoice(r, byID{in.ID})
}

// creditLine asks for a part of a line; without an amount for all that is left.
type creditLine struct {
	Position int   `json:"position"`
	Net      int64 `json:"net_minor,omitzero"`
}

type noteRequest struct {
	ID     string       `json:"-" path:"id"`
	Key    string       `json:"key"`
	Reason string       `json:"reason"`
	Lines  []creditLine `json:"lines,omitzero"` // none: all that is left of the invoice
}

// Check refuses what no credit note could be made from.
func (in noteRequest) Check(f *op.Fields) {
	checkKey(f, in.Key)
	checkReason(f, in.Reason)
	seen := map[int]bool{}
	for i, l := range in.Lines {
		f.Check(!seen[l.Position], fmt.Sprintf("lines.%d.position", i), "repeated", "Each line is credited once.")
		f.Check(l.Net >= -money.Limit && l.Net <= money.Limit, fmt.Sprintf("lines.%d.net_minor", i), "out_of_range", "The amount is beyond any invoice.")
		seen[l.Position] = true
	}
}

// correction is what the books are asked for. Positions that no credit note can
// name are faults of the input.
func (in noteRequest) correction(tx core.App, r *op.Request) (books.Correction, error) {
	c := books.Correction{Invoice: in.ID, Key: "staff:" + in.ID + ":" + in.Key, Reason: in.Reason, Actor: staffActor(r)}
	inv, err := anyInvoice(tx, in.ID)
	if err != nil {
		return c, err
	}
	faults := op.Fields{}
	for i, l := range in.Lines {
		at := fmt.Sprintf("lines.%d.position", i)
		row, err := collections.First(tx, collections.InvoiceItems, dbx.HashExp{"invoice": in.ID, "position": l.Position})
		if err != nil {
			return c, err
		}
		if row == nil || row.GetInt("parent") > 0 {
			faults.Add(at, "unknown_line", "The invoice has no such line, or it is a discount, which is credited with its line.")
			continue
		}
		want := billing.CreditRequest{Position: l.Position}
		if l.Net != 0 {
			want.Net = money.Must(l.Net, inv.GetString("currency")) // checked
		}
		c.Lines = append(c.Lines, want)
	}
	return c, faults.Problem()
}

func (s *subject) createNote(r *op.Request, in noteRequest) (noteView, error) {
	note := books.CreditNote{}
	err := r.App.RunInTransaction(func(tx core.App) error {
		c, err := in.correction(tx, r)
		if err != nil {
			return err
		}
		note, err = s.credit(tx, r, c)
		return err
	})
	if err != nil {
		return noteView{}, refusal(err)
	}
	return s.noteByID(r, note.ID)
}

// credit issues a credit note with its audit row; a repeated one has it already. An
// invoice that comes to nothing, since unused time paid for all of it, is not
// credited whole: that would look like giving it back.
func (s *subject) credit(tx core.App, r *op.Request, c books.Correction) (books.CreditNote, error) {
	note, err := s.Books.CreditNote(tx, r.Now(), c)
	if err != nil || note.Repeated {
		return note, err
	}
	if len(c.Lines) == 0 && note.Totals.Total.IsZero() {
		return note, op.NewProblem(http.StatusConflict, "comes_to_nothing", "What is left of this invoice comes to nothing, so that crediting all of it would give nothing back. Name the lines to credit.")
	}
	return note, s.recordOf(tx, r, "credit_note.create", collections.CreditNotes, note.ID, map[string]any{
		"number": note.Number, "invoice": c.Invoice, "total": note.Totals.Total, "to_credit": note.ToCredit, "reason": c.Reason,
	})
}

func (s *subject) noteByID(r *op.Request, id string) (noteView, error) {
	n, err := r.App.FindRecordById(collections.CreditNotes, id)
	if err != nil {
		return noteView{}, fmt.Errorf("credit note %s: %w", id, err)
	}
	return s.wholeNote(r.App, n, r.Now())
}

// resend queues the mail with the invoice once more, at most once a minute.
func (s *subject) resend(r *op.Request, in byID) (op.None, error) {
	inv, err := anyInvoice(r.App, in.ID)
	if err != nil {
		return op.None{}, err
	}
	if status := collections.InvoiceStatus(inv); status == billing.InvoiceDraft || status == billing.InvoiceVoid {
		return op.None{}, op.NewProblem(http.StatusConflict, "state", "A draft or a void invoice is not sent.")
	}
	return op.None{}, r.App.RunInTransaction(func(tx core.App) error {
		sent, err := s.Send(tx, inv, r.Now().UTC().Format("200601021504"))
		if err != nil || !sent {
			return err
		}
		return s.record(tx, r, "invoice.resend", in.ID, map[string]any{"number": inv.GetString("number")})
	})
}
