package invoices

import (
	"crypto/sha256"
	"encoding/base32"
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

func (s *subject) manualOps(t *op.Table) {
	const one = "/api/v1/staff/invoices/{id}"
	op.Add(t, op.Spec{ID: "staff.invoices.create", Method: http.MethodPost, Path: "/api/v1/staff/invoices", Access: op.Staff, Status: http.StatusCreated, Summary: "Write an invoice by hand, as a draft or issued at once; repeatable by its key"}, s.createManual)
	op.Add(t, op.Spec{ID: "staff.invoices.update", Method: http.MethodPut, Path: one, Access: op.Staff, Summary: "Write a draft anew"}, s.updateDraft)
	op.Add(t, op.Spec{ID: "staff.invoices.discard", Method: http.MethodDelete, Path: one, Access: op.Staff, Status: http.StatusNoContent, Summary: "Throw a draft away"}, s.discardDraft)
	op.Add(t, op.Spec{ID: "staff.invoices.issue", Method: http.MethodPost, Path: one + "/issue", Access: op.Staff, Summary: "Give a draft its number and send it"}, s.issueDraft)
}

// content is what staff types of an invoice.
type content struct {
	Lines      []lineInput `json:"lines"`
	DueOn      string      `json:"due_on,omitzero"` // last day to pay; the settings decide unless given
	Note       string      `json:"note,omitzero"`
	AutoCharge bool        `json:"auto_charge,omitzero"` // charge a saved method when due
}

func (in content) check(f *op.Fields, mayCopy bool) {
	checkLines(f, in.Lines, mayCopy)
	checkDay(f, "due_on", in.DueOn)
	f.Check(len(in.Note) <= 1000, "note", "too_long", "At most 1000 characters fit.")
}

// due is the last moment to pay. A day in the past, or beyond a year, is refused.
func (in content) due(app core.App, now time.Time) (time.Time, error) {
	if in.DueOn == "" {
		settings, err := collections.LoadInvoicing(app)
		return now.AddDate(0, 0, settings.DueDays), err
	}
	due := lastMoment(day(in.DueOn))
	if due.Before(now) || due.After(now.AddDate(1, 0, 0)) {
		return due, op.Fields{{Field: "due_on", Message: "An invoice is due today or within a year.", Code: "out_of_range"}}.Problem()
	}
	return due, nil
}

type manualRequest struct {
	Key      string `json:"key"`
	Customer string `json:"customer"`
	Currency string `json:"currency,omitzero"` // the customer's own unless they have none
	Issue    bool   `json:"issue,omitzero"`
	content
}

// Check refuses what no invoice could be made from.
func (in manualRequest) Check(f *op.Fields) {
	checkKey(f, in.Key)
	f.Check(in.Customer != "", "customer", "required", "Choose the customer.")
	f.Check(len(in.Lines) > 0, "lines", "required", "An invoice has at least one line.")
	in.check(f, false)
}

func checkKey(f *op.Fields, key string) {
	f.Check(len(key) >= 8 && len(key) <= 80, "key", "invalid", "key must have 8 to 80 characters; use a random one for each submission, so that a repetition is recognized.")
}

// idOf is the id of what a key makes: the same key makes it once.
func idOf(purpose, key string) string {
	sum := sha256.Sum256([]byte(purpose + "\n" + key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:15]
}

func (s *subject) createManual(r *op.Request, in manualRequest) (invoiceView, error) {
	id := idOf("manual", in.Customer+"\n"+in.Key)
	err := r.App.RunInTransaction(func(tx core.App) error {
		if earlier, err := collections.First(tx, collections.Invoices, dbx.HashExp{"id": id}); err != nil || earlier != nil {
			return err
		}
		d, err := in.draft(tx, id, r.Now())
		if err != nil {
			return err
		}
		return s.put(tx, r, d, in.Issue, "invoice.create")
	})
	if err != nil {
		return invoiceView{}, err
	}
	return s.staffInvoice(r, byID{id})
}

func (in manualRequest) draft(tx core.App, id string, now time.Time) (draft, error) {
	user, err := collections.First(tx, collections.Users, dbx.HashExp{"id": in.Customer})
	if err != nil {
		return draft{}, err
	}
	if user == nil {
		return draft{}, op.Fields{{Field: "customer", Message: "There is no such customer.", Code: "unknown_customer"}}.Problem()
	}
	currency, err := currencyFor(user, in.Currency)
	if err != nil {
		return draft{}, err
	}
	d := draft{now: now, Invoice: books.Invoice{ID: id, User: user.Id, Kind: "manual", Currency: currency}}
	return d, in.fill(tx, &d)
}

// fill writes what was typed into a draft.
func (in content) fill(tx core.App, d *draft) error {
	var err error
	if d.DueAt, err = in.due(tx, d.now); err != nil {
		return err
	}
	if d.Lines, err = typed(in.Lines, d.Currency); err != nil {
		return err
	}
	d.Note, d.AutoCharge = strings.TrimSpace(in.Note), in.AutoCharge
	return nil
}

// currencyFor is the one currency a customer is billed in.
func currencyFor(user *core.Record, asked string) (string, error) {
	fixed := user.GetString("currency")
	if fixed != "" && (asked == "" || asked == fixed) {
		return fixed, nil
	}
	if fixed != "" {
		return "", op.Fields{{Field: "currency", Message: "This customer is billed in " + fixed + ".", Code: "wrong_currency"}}.Problem()
	}
	if _, known := money.Exponent(asked); !known {
		return "", op.Fields{{Field: "currency", Message: "This customer has no currency yet; name one, such as EUR.", Code: "unknown_currency"}}.Problem()
	}
	return asked, nil
}

// put saves a draft, or issues it at once.
func (s *subject) put(tx core.App, r *op.Request, d draft, issue bool, action string) error {
	changes := map[string]any{"customer": d.User, "kind": d.Kind, "lines": len(d.Lines)}
	if !issue {
		if err := d.save(tx); err != nil {
			return err
		}
		return s.record(tx, r, action, d.ID, changes)
	}
	doc, err := s.issue(tx, d)
	if err != nil {
		return err
	}
	changes["number"], changes["total"] = doc.Number, doc.Total
	return s.record(tx, r, action, d.ID, changes)
}

type updateRequest struct {
	ID string `json:"-" path:"id"`
	content
}

// Check refuses what no invoice could be made from.
func (in updateRequest) Check(f *op.Fields) {
	f.Check(len(in.Lines) > 0, "lines", "required", "An invoice has at least one line.")
	in.check(f, false)
}

func (s *subject) updateDraft(r *op.Request, in updateRequest) (invoiceView, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		d, err := openDraft(tx, in.ID, r.Now())
		if err != nil {
			return err
		}
		if err := in.fill(tx, &d); err != nil {
			return err
		}
		return s.put(tx, r, d, false, "invoice.update")
	})
	if err != nil {
		return invoiceView{}, err
	}
	return s.staffInvoice(r, byID{in.ID})
}

// openDraft reads a draft; what is issued is refused.
func openDraft(tx core.App, id string, now time.Time) (draft, error) {
	inv, err := anyInvoice(tx, id)
	if err != nil {
		return draft{}, err
	}
	if collections.InvoiceStatus(inv) != billing.InvoiceDraft {
		return draft{}, op.NewProblem(http.StatusConflict, "issued", fmt.Sprintf("Invoice %s was issued and is never edited; correct it.", inv.GetString("number")))
	}
	return readDraft(tx, inv, now)
}

func (s *subject) discardDraft(r *op.Request, in byID) (op.None, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		d, err := openDraft(tx, in.ID, r.Now())
		if err != nil {
			return err
		}
		for _, waiting := range linked {
			n, err := tx.CountRecords(waiting, dbx.HashExp{"invoice": in.ID})
			if err != nil {
				return fmt.Errorf("discard draft %s: %w", in.ID, err)
			}
			if n > 0 {
				return op.NewProblem(http.StatusConflict, "in_use", "An order waits for this draft to be paid. Issue it; it can be voided then, with the order.")
			}
		}
		if err := d.erase(tx); err != nil {
			return err
		}
		return s.record(tx, r, "invoice.discard", in.ID, map[string]any{"customer": d.User, "lines": len(d.Lines)})
	})
	return op.None{}, err
}

func (s *subject) issueDraft(r *op.Request, in byID) (invoiceView, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		inv, err := anyInvoice(tx, in.ID)
		if err != nil {
			return err
		}
		if collections.InvoiceStatus(inv) != billing.InvoiceDraft {
			return nil // a second click
		}
		d, err := readDraft(tx, inv, r.Now())
		if err != nil {
			return err
		}
		return s.put(tx, r, d, true, "invoice.issue")
	})
	if err != nil {
		return invoiceView{}, err
	}
	return s.staffInvoice(r, byID{in.ID})
}
