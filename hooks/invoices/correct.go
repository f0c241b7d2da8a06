package invoices

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// linked are the collections whose rows wait for an invoice to be paid; a
// correction takes the invoice's place for them.
var linked = []string{collections.Orders, collections.SubscriptionChanges, collections.BillableItems}

type correctRequest struct {
	ID     string `json:"-" path:"id"`
	Key    string `json:"key"`
	Reason string `json:"reason"`
	Draft  bool   `json:"draft,omitzero"` // leave the new invoice for another look
	content
}

// Check refuses what no correction could be made from. Without lines all are
// copied: the new invoice differs by today's buyer and taxes alone.
func (in correctRequest) Check(f *op.Fields) {
	checkKey(f, in.Key)
	checkReason(f, in.Reason)
	in.check(f, true)
}

func checkReason(f *op.Fields, reason string) {
	f.Check(strings.TrimSpace(reason) != "" && len(reason) <= 500, "reason", "required", "Say why; it is printed or kept with the document.")
}

type correction struct {
	CreditNote noteView    `json:"credit_note"`
	Invoice    invoiceView `json:"invoice"`
}

// correct replaces an issued invoice in one step: a credit note takes back all
// that is left of it, and a new invoice says what is right. Money that was paid
// on the old one pays the new one.
func (s *subject) correct(r *op.Request, in correctRequest) (correction, error) {
	inv, err := anyInvoice(r.App, in.ID)
	if err != nil {
		return correction{}, err
	}
	if err := s.stopPayments(r, inv); err != nil {
		return correction{}, err
	}
	id, note := idOf("correct", in.ID+"\n"+in.Key), books.CreditNote{}
	err = r.App.RunInTransaction(func(tx core.App) error {
		d, err := in.draft(tx, inv, id, r.Now())
		if err != nil {
			return err
		}
		note, err = s.replace(tx, r, inv, d, in)
		return err
	})
	if err != nil {
		return correction{}, refusal(err)
	}
	answer := correction{}
	if answer.CreditNote, err = s.noteByID(r, note.ID); err != nil {
		return answer, err
	}
	answer.Invoice, err = s.staffInvoice(r, byID{id})
	return answer, err
}

// replace credits the old invoice and writes the new one, once per key.
func (s *subject) replace(tx core.App, r *op.Request, inv *core.Record, d draft, in correctRequest) (books.CreditNote, error) {
	earlier, err := collections.First(tx, collections.Invoices, dbx.HashExp{"id": d.ID})
	if err != nil {
		return books.CreditNote{}, err
	}
	if earlier == nil {
		// First, so that nobody takes the order for cancelled with its invoice.
		if err := relink(tx, inv.Id, d.ID); err != nil {
			return books.CreditNote{}, err
		}
	}
	note, err := s.Books.CreditNote(tx, d.now, books.Correction{Invoice: inv.Id, Key: "correct:" + d.ID, Reason: in.Reason, Actor: staffActor(r), Replaced: true})
	if err != nil || earlier != nil {
		return note, err
	}
	if err := s.put(tx, r, d, !in.Draft, "invoice.correct"); err != nil {
		return note, err
	}
	if in.Draft || note.ToCredit.IsZero() {
		return note, nil
	}
	_, err = s.Books.SpendCredit(tx, d.now, d.ID, note.ToCredit)
	return note, err
}

func relink(tx core.App, from, to string) error {
	for _, c := range linked {
		if _, err := tx.DB().Update(c, dbx.Params{"invoice": to}, dbx.HashExp{"invoice": from}).Execute(); err != nil {
			return fmt.Errorf("%s of invoice %s: %w", c, from, err)
		}
	}
	return nil
}

// draft is the new invoice.
func (in correctRequest) draft(tx core.App, inv *core.Record, id string, now time.Time) (draft, error) {
	if collections.InvoiceStatus(inv) == billing.InvoiceDraft {
		return draft{}, op.NewProblem(http.StatusConflict, "draft", "A draft is changed, not corrected.")
	}
	d := draft{now: now, Invoice: books.Invoice{
		ID: id, User: inv.GetString("user"), Kind: books.KindCorrection, Parent: inv.Id, Currency: inv.GetString("currency"),
		Note: strings.TrimSpace(in.Note), AutoCharge: in.AutoCharge || inv.GetBool("auto_charge"), DueAt: collections.Time(inv, "due_at"),
	}}
	var err error
	if in.DueOn != "" || d.DueAt.Before(now) {
		if d.DueAt, err = in.due(tx, now); err != nil {
			return d, err
		}
	}
	old, err := storedLines(tx, inv)
	if err != nil {
		return d, err
	}
	if len(in.Lines) == 0 {
		d.Lines = old
		return d, refuseTouched(tx, inv)
	}
	d.Lines, err = corrected(old, in.Lines, d.Currency)
	return d, err
}

// refuseTouched refuses to copy what is not whole any more: part of it was credited,
// or a change of the subscription took over what was unused, and the copy would
// charge that once more.
func refuseTouched(tx core.App, inv *core.Record) error {
	touched := 0
	err := collections.Statement(tx, "SELECT COUNT(*) FROM `invoice_items` WHERE `invoice` = {:invoice} AND `credited_minor` != 0").Bind(dbx.Params{"invoice": inv.Id}).Row(&touched)
	if err != nil {
		return fmt.Errorf("lines of invoice %s: %w", inv.GetString("number"), err)
	}
	if touched > 0 {
		return op.NewProblem(http.StatusConflict, "partly_credited", "Part of this invoice was credited already, or taken over by a change. Credit the rest, or say what the new lines are.")
	}
	return nil
}

// corrected are the lines of a correction: copies of the old ones, with what was
// typed in place of what they said, and new ones.
func corrected(old []billing.Line, in []lineInput, currency string) ([]billing.Line, error) {
	lines, at := make([]billing.Line, len(in)), map[int]int{} // old position → new one
	for i, l := range in {
		if l.Copy > len(old) {
			return nil, op.Fields{{Field: fmt.Sprintf("lines.%d.copy", i), Message: "The corrected invoice has no such line.", Code: "unknown_line"}}.Problem()
		}
		var err error
		if l.Copy == 0 {
			lines[i], err = l.line(currency)
		} else {
			at[l.Copy] = i + 1
			lines[i], err = l.over(old[l.Copy-1])
		}
		if err != nil {
			return nil, op.Fields{{Field: fmt.Sprintf("lines.%d.unit_minor", i), Message: "The line is beyond what an invoice can hold.", Code: "out_of_range"}}.Problem()
		}
	}
	for i, l := range in {
		if l.Copy == 0 || lines[i].Parent == 0 {
			continue
		}
		parent, copied := at[lines[i].Parent]
		if !copied || parent > i {
			return nil, op.Fields{{Field: fmt.Sprintf("lines.%d.copy", i), Message: fmt.Sprintf("This is a discount of line %d; copy that above it.", lines[i].Parent), Code: "unknown_line"}}.Problem()
		}
		lines[i].Parent = parent
	}
	return lines, checkDiscounts(lines)
}

// over is a copy of a line with what was typed in its place.
func (l lineInput) over(old billing.Line) (billing.Line, error) {
	out := old
	if text := strings.TrimSpace(l.Description); text != "" {
		out.Description = text
	}
	if note := strings.TrimSpace(l.Note); note != "" {
		out.Detail.Note = note
	}
	if l.Start != "" {
		out.Period = l.period()
	}
	if l.Unit == nil && l.Quantity == 0 {
		return out, nil
	}
	unit, quantity := old.UnitPrice, old.Quantity
	if l.Unit != nil {
		if *l.Unit < 0 != (old.Amount.Sign() < 0) && *l.Unit != 0 {
			return out, errors.New("the sign of a copied line stays")
		}
		unit = money.Must(*l.Unit, old.UnitPrice.Currency()) // checked
	}
	if l.Quantity > 0 {
		quantity = l.Quantity
	}
	priced, err := billing.NewLine(out.Description, quantity, unit, out.Period)
	out.InvoiceLine = priced
	return out, err
}
