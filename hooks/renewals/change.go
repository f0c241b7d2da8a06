package renewals

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

type changeRequest struct {
	ID string `json:"-" path:"id"`
	wish
	ClientKey string `json:"client_key"`
	// Total and Credit are what the preview showed.
	Total  int64 `json:"total_minor"`
	Credit int64 `json:"credit_minor,omitzero"`
}

func (in changeRequest) subscription() string { return in.ID }

// Check refuses what no change could make right.
func (in changeRequest) Check(f *op.Fields) {
	in.check(f)
	checkKey(f, in.ClientKey)
}

func (in wish) check(f *op.Fields) {
	checkTiming(f, "timing", in.Timing)
	f.Check(len(in.Options) <= maxOptions, "options", "too_many", fmt.Sprintf("At most %d options can be asked for.", maxOptions))
}

// maxOptions bounds a request; plans have far fewer.
const maxOptions = 50

// change agrees a change of plan, options, quantity or cycle. One that is to be
// paid takes effect when its invoice is paid; one that costs nothing takes effect
// at once; one for the end of the period when that comes. The same client key
// again returns the same change.
func (s *Subject) change(r *op.Request, by actor, id string, in changeRequest) (changeView, error) {
	now := r.Now()
	if err := s.possible(r, id, in); err != nil {
		return changeView{}, err
	}
	if err := s.closeBefore(r, id, in, now); err != nil {
		return changeView{}, err
	}
	made := ""
	err := r.App.RunInTransaction(func(tx core.App) error {
		d, err := s.open(tx, by, id, now)
		if err != nil {
			return err
		}
		known, err := collections.First(tx, collections.SubscriptionChanges, dbx.HashExp{"user": d.sub.User, "client_key": in.ClientKey})
		if err != nil {
			return err
		}
		if known != nil {
			made = known.Id
			return nil
		}
		if err := refused(d.is.Refuse(billing.ActChange)); err != nil {
			return err
		}
		p, err := s.propose(tx, d.session.Pricer(), d.session.Invoicing().ChangeDays, d.sub, d.record, in.wish, now)
		if err != nil {
			return err
		}
		if err := p.hold(in); err != nil {
			return err
		}
		made, err = d.agree(p, in.ClientKey)
		return err
	})
	if err != nil {
		return changeView{}, err
	}
	change, err := r.App.FindRecordById(collections.SubscriptionChanges, made)
	if err != nil {
		return changeView{}, fmt.Errorf("change %s: %w", made, err)
	}
	return viewChange(r.App, change)
}

// closeBefore closes the payment pages of invoices that a change is going to take
// back at once: it costs nothing, or what it gives back pays it. Those of a change
// that waits to be paid stay open meanwhile.
func (s *Subject) closeBefore(r *op.Request, id string, in changeRequest, now time.Time) error {
	sub, err := loadOne(r.App, id, now)
	if err != nil || in.Timing == atOnce && in.Total > 0 && in.Credit == 0 {
		return err
	}
	from, err := sub.paidThrough(now)
	if err != nil {
		return err
	}
	return s.closePages(r, sub, from)
}

// hold refuses a change whose price is not what the customer was shown.
func (p proposal) hold(in changeRequest) error {
	if p.priced.Totals.Total.Minor() == in.Total && p.returned.Minor() == in.Credit {
		return nil
	}
	text := fmt.Sprintf("The change now costs %s.", p.priced.Totals.Total.Format("en"))
	if p.returned.Sign() > 0 {
		text = fmt.Sprintf("The change now gives you %s back.", p.returned.Format("en"))
	}
	return op.NewProblem(http.StatusConflict, "price_changed", text+" Nothing was changed; please look at it again.")
}

// agree writes a change and what follows from it now.
func (d *deed) agree(p proposal, key string) (string, error) {
	if err := d.reserve(p); err != nil {
		return "", err
	}
	change, err := collections.New(d.tx, collections.SubscriptionChanges)
	if err != nil {
		return "", err
	}
	values := map[string]any{
		"user": d.sub.User, "subscription": d.sub.ID, "client_key": key, "kind": p.kind, "timing": p.Timing, "status": string(billing.ChangePending), "from": p.stored[0], "to": p.stored[1],
		"currency": d.sub.Currency, "total_minor": p.priced.Totals.Total.Minor(), "requested_at": collections.Stamp(d.now), "actor": d.by.String(),
		"effective_at": collections.Stamp(p.effects), "expires_at": collections.Stamp(p.expires),
	}
	if p.Timing == atPeriodEnd {
		values["status"] = string(billing.ChangeScheduled)
	}
	if len(p.invoice) > 0 { // the change names its invoice before there is one: whoever pays it looks for the change
		values["invoice"] = core.GenerateDefaultRandomId()
	}
	change.Load(values)
	if err := collections.Update(d.tx, change); err != nil {
		return "", fmt.Errorf("change of subscription %s: %w", d.sub.ID, err)
	}
	if err := d.note("change", map[string]any{"change": change.Id, "timing": p.Timing, "from": p.stored[0], "to": p.stored[1], "total_minor": p.priced.Totals.Total.Minor()}); err != nil {
		return "", err
	}
	switch {
	case p.Timing == atPeriodEnd:
		return change.Id, d.schedule(p, change.Id)
	case len(p.invoice) > 0:
		return change.Id, d.charge(p, change)
	}
	return change.Id, d.apply(change, d.by.String())
}

// reserve holds a unit of the new plan, so that it cannot be sold meanwhile.
func (d *deed) reserve(p proposal) error {
	if p.to.Plan == p.from.Plan {
		return nil
	}
	res, err := collections.Statement(d.tx, "UPDATE `plans` SET `stock` = `stock` - (`stock_limited` = TRUE) WHERE `id` = {:id} AND (`stock_limited` = FALSE OR `stock` >= 1)").Bind(dbx.Params{"id": p.to.Plan}).Execute()
	if err != nil {
		return fmt.Errorf("reserve plan %s: %w", p.to.Plan, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return op.NewProblem(http.StatusConflict, "sold_out", p.to.Name+" is sold out just now.")
	}
	return nil
}

// schedule prepares a change for the end of what is paid: what is invoiced for
// later is taken back, to be invoiced on the new terms.
func (d *deed) schedule(p proposal, change string) error {
	if p.from.Cycle == billing.Hourly {
		return nil // the month's hours are invoiced first
	}
	if err := d.giveUp(p.effects, "change:"+change, "The subscription changes."); err != nil {
		return err
	}
	d.record.Set("next_invoice_at", collections.Stamp(p.effects))
	return d.save()
}

// charge issues the invoice of a change. It may be paid in the same moment, by
// the customer's credit or for want of anything to pay; the change has then taken
// effect. Otherwise it lapses in some days.
func (d *deed) charge(p proposal, change *core.Record) error {
	invoice, err := d.session.Issue(books.Invoice{
		ID: change.GetString("invoice"), User: d.sub.User, Kind: kindChange, Currency: d.sub.Currency, Lines: p.invoice, DueAt: d.now, AutoCharge: d.sub.auto(),
	})
	if err != nil {
		return fmt.Errorf("change of subscription %s: %w", d.sub.ID, err)
	}
	if invoice.Status == billing.InvoiceOpen && p.due.IsZero() {
		if err := d.giveBack(p.lines.after(p.priced.Lines), p.give, "change:"+change.Id, "Unused after a change.", d.by.String()); err != nil {
			return err
		}
		if _, err := d.Books.SpendCredit(d.tx, d.now, invoice.ID, money.Amount{}); err != nil {
			return err
		}
		if invoice, err = books.Read(d.tx, invoice.ID); err != nil {
			return err
		}
	}
	if invoice.Status != billing.InvoiceOpen {
		return nil
	}
	return lapseAt(d.tx, d.now, invoice, p.expires)
}

// kindChange is the kind of invoices for changes.
const kindChange = "change"

// undo cancels a change that has not taken effect. What was prepared for it is
// undone; its invoice is void.
func (s *Subject) undo(r *op.Request, by actor, id string, _ byID) (subscriptionView, error) {
	now := r.Now()
	change, err := openChange(r.App, id)
	if err != nil {
		return subscriptionView{}, err
	}
	if change != nil && change.GetString("invoice") != "" {
		invoice, err := r.App.FindRecordById(collections.Invoices, change.GetString("invoice"))
		if err != nil {
			return subscriptionView{}, fmt.Errorf("undo change %s: %w", change.Id, err)
		}
		closed, err := s.Close(r.Request.Context(), r.App, invoice)
		if err != nil {
			return subscriptionView{}, fmt.Errorf("undo change %s: %w", change.Id, err)
		}
		if !closed {
			return subscriptionView{}, op.NewProblem(http.StatusConflict, "payment_pending", "A payment for this change is on its way, so it cannot be cancelled now.")
		}
	}
	err = s.do(r.App, by, id, now, billing.ActUndoChange, func(d *deed) error {
		if err := d.dropChange("Cancelled."); err != nil {
			return err
		}
		if d.sub.ChangeID != "" { // it was for later: renewals go on as before
			d.record.Set("next_invoice_at", collections.Stamp(d.now))
			if err := d.save(); err != nil {
				return err
			}
		}
		return d.note("undo_change", nil)
	})
	if err != nil {
		return subscriptionView{}, err
	}
	return s.view(r.App, id, now)
}

// paidFor follows the paid invoice of a change, which takes effect. It does so
// once: the change is pending no more then. An invoice that was credited instead
// has paid for nothing; it is not credited by its lines so that the unused time of
// what goes on would become money.
func (s *Subject) paidFor(tx core.App, d books.Document) error {
	if d.Kind != kindChange && d.Kind != books.KindCorrection {
		return nil
	}
	change, err := collections.First(tx, collections.SubscriptionChanges, dbx.HashExp{"invoice": d.ID, "status": string(billing.ChangePending)})
	if err != nil || change == nil {
		return err
	}
	bought, took := 0, 0
	err = collections.Statement(tx, "SELECT COUNT(*) FILTER (WHERE `kind` NOT IN ('unused', 'discount')), COUNT(*) FILTER (WHERE `kind` = 'unused' AND `net_minor` != 0) FROM `invoice_items` WHERE `invoice` = {:invoice} AND `live` = TRUE").
		Bind(dbx.Params{"invoice": d.ID}).Row(&bought, &took)
	if err != nil {
		return fmt.Errorf("lines of invoice %s: %w", d.Number, err)
	}
	now := s.Now()
	if bought == 0 && took > 0 {
		return op.NewProblem(http.StatusConflict, "change_not_paid", "The change on this invoice is not paid yet. This would pay its unused time out while the service goes on by it: void the invoice, or credit all of it.")
	}
	if bought == 0 {
		return drop(tx, now, change, "Its invoice was credited.")
	}
	session, err := s.Books.Open(tx, now)
	if err != nil {
		return err
	}
	r := &run{session: session, tx: tx, now: now}
	return r.apply(change, audit.System)
}
