package books

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

type invoiceRow struct {
	ID         string `db:"id"`
	User       string `db:"user"`
	Number     string `db:"number"`
	Kind       string `db:"kind"`
	Parent     string `db:"parent"`
	Status     string `db:"status"`
	Currency   string `db:"currency"`
	Total      int64  `db:"total_minor"`
	Due        int64  `db:"due_minor"`
	Paid       int64  `db:"paid_minor"`
	Credited   int64  `db:"credited_minor"`
	WrittenOff int64  `db:"written_off_minor"`
	IssuedAt   string `db:"issued_at"`
	DueAt      string `db:"due_at"`
}

// Read returns an issued invoice. Errors: ErrNoInvoice.
func Read(app core.App, id string) (Document, error) {
	row := invoiceRow{}
	err := collections.Statement(app, "SELECT `id`, `user`, `number`, `kind`, `parent`, `status`, `currency`, `total_minor`, `due_minor`, `paid_minor`, `credited_minor`, `written_off_minor`, `issued_at`, `due_at`"+
		" FROM `invoices` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return Document{}, fmt.Errorf("invoice %q: %w", id, ErrNoInvoice)
	}
	if err != nil {
		return Document{}, fmt.Errorf("invoice %s: %w", id, err)
	}
	return row.document()
}

func (r invoiceRow) document() (Document, error) {
	d := Document{ID: r.ID, User: r.User, Number: r.Number, Kind: r.Kind, Parent: r.Parent, Status: billing.InvoiceStatus(r.Status)}
	for _, f := range []struct {
		into  *money.Amount
		minor int64
	}{{&d.Total, r.Total}, {&d.Due, r.Due}, {&d.Paid, r.Paid}, {&d.Credited, r.Credited}, {&d.WrittenOff, r.WrittenOff}} {
		a, err := money.New(f.minor, r.Currency)
		if err != nil {
			return d, fmt.Errorf("invoice %s: %w", r.ID, err)
		}
		*f.into = a
	}
	var err error
	if d.IssuedAt, err = collections.ParseStamp(r.IssuedAt); err != nil {
		return d, fmt.Errorf("invoice %s: %w", r.ID, err)
	}
	if d.DueAt, err = collections.ParseStamp(r.DueAt); err != nil {
		return d, fmt.Errorf("invoice %s: %w", r.ID, err)
	}
	return d, nil
}

// title is how errors name an invoice.
func (d Document) title() string {
	if d.Number != "" {
		return d.Number
	}
	return d.ID
}

// stamp is a time as SQL stores it.
func stamp(t time.Time) string { return collections.Stamp(t).String() }
