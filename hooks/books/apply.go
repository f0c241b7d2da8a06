package books

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Decide says what a payment does to an invoice as it stands now. Money in
// another currency than the invoice's cannot pay it and becomes credit; late
// money on a written-off invoice recovers what was written off.
func Decide(d Document, paid money.Amount) (billing.Application, error) {
	if paid.Currency() != d.Total.Currency() {
		none, err := money.New(0, paid.Currency())
		return billing.Application{Applied: none, Excess: paid, Due: none, Status: d.Status}, err
	}
	owed, err := d.Due.Add(d.WrittenOff)
	if err != nil {
		return billing.Application{}, fmt.Errorf("invoice %s: %w", d.title(), err)
	}
	app, err := billing.ApplyPayment(d.Status, owed, paid)
	if err != nil {
		return app, fmt.Errorf("invoice %s: %w", d.title(), err)
	}
	return app, nil
}

// Apply writes on the invoice what Decide decided, and tells those who follow
// paid invoices. The caller records the payment and its ledger entries in the
// same transaction.
func (b *Books) Apply(tx core.App, now time.Time, d Document, app billing.Application) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	if app.Applied.IsZero() {
		return nil
	}
	if d.WrittenOff.Sign() > 0 {
		if err := takeBack(tx, now, &d, app.Applied); err != nil {
			return err
		}
	}
	paid, err := d.Paid.Add(app.Applied)
	if err != nil {
		return fmt.Errorf("pay invoice %s: %w", d.title(), err)
	}
	due, err := d.Due.Sub(app.Applied)
	if err != nil {
		return fmt.Errorf("pay invoice %s: %w", d.title(), err)
	}
	d.Paid, d.Due, d.Status = paid, due, app.Status
	if d.Status == billing.InvoiceUncollectible { // what was not recovered stays written off
		d.Due, d.WrittenOff = d.Total.Zero(), due
	}
	paidAt := ""
	if d.Status == billing.InvoicePaid {
		paidAt = stamp(now)
	}
	_, err = collections.Statement(tx, "UPDATE `invoices` SET `status` = {:status}, `due_minor` = {:due}, `paid_minor` = {:paid}, `written_off_minor` = {:off}, `paid_at` = {:paidAt}, `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": d.ID, "status": string(d.Status), "due": d.Due.Minor(), "paid": d.Paid.Minor(), "off": d.WrittenOff.Minor(), "paidAt": paidAt, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("pay invoice %s: %w", d.title(), err)
	}
	if err := topUp(tx, now, d, app.Applied); err != nil {
		return err
	}
	if d.Status != billing.InvoicePaid {
		return nil
	}
	return tell(tx, b.paid, d)
}

// takeBack takes a written-off part back onto the receivable, so that the payment
// can be applied to it.
func takeBack(tx core.App, now time.Time, d *Document, part money.Amount) error {
	due, err := d.Due.Add(d.WrittenOff)
	if err != nil {
		return fmt.Errorf("recover invoice %s: %w", d.title(), err)
	}
	posting := fmt.Sprintf("recovered:%s:%d", d.ID, d.Paid.Minor())
	if err := collections.Post(tx, now, posting, d.User, d.ID, "", postRecovered(d.Kind, part)); err != nil {
		return err
	}
	d.Due, d.WrittenOff = due, d.Total.Zero()
	return nil
}

// PaidAgain tells those who follow paid invoices once more of one that is: what
// held them back then is gone. Whoever did all there is to do does nothing.
// Errors: ErrState for an invoice that is not paid.
func (b *Books) PaidAgain(tx core.App, id string) error {
	if err := inTransaction(tx); err != nil {
		return err
	}
	d, err := Read(tx, id)
	if err != nil {
		return err
	}
	if d.Status != billing.InvoicePaid {
		return fmt.Errorf("invoice %s is %s: %w", d.title(), d.Status, ErrState)
	}
	return tell(tx, b.paid, d)
}
