package invoices

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/money"
)

type paymentView struct {
	ID       string       `json:"id"`
	At       time.Time    `json:"at"`
	Gateway  string       `json:"gateway"` // "credit" is the customer's own credit
	Amount   money.Amount `json:"amount"`
	Applied  money.Amount `json:"applied"`  // to this invoice; the rest became credit
	Refunded money.Amount `json:"refunded"` // paid back of it
	State    string       `json:"state"`
	Reason   string       `json:"reason"` // why it was declined, a sentence in the invoice's language
}

// documentRef names a document that has to do with another.
type documentRef struct {
	Relation string       `json:"relation"` // "credit_note", "corrects", "corrected_by", "fee", "fee_for"
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	IssuedAt time.Time    `json:"issued_at"`
	Total    money.Amount `json:"total"`
}

// invoicePayments lists what happened to pay an invoice. Attempts of which the
// customer never saw anything are left out.
func invoicePayments(app core.App, inv *core.Record) ([]paymentView, error) {
	found, err := collections.All(app, collections.PaymentTransactions, dbx.HashExp{"invoice": inv.Id}, "created ASC, rowid ASC")
	if err != nil {
		return nil, err
	}
	views := []paymentView{}
	for _, p := range found {
		state := p.GetString("status")
		if state == "created" || state == "cancelled" && strings.HasPrefix(p.GetString("idempotency_key"), "part:") {
			continue
		}
		v := paymentView{ID: p.Id, At: collections.Time(p, "settled_at"), Gateway: p.GetString("gateway"), State: state, Reason: locales.Decline(inv.GetString("language"), p.GetString("reason"))}
		if v.At.IsZero() {
			v.At = collections.Time(p, "created")
		}
		for field, into := range map[string]*money.Amount{"amount_minor": &v.Amount, "applied_minor": &v.Applied, "refunded_minor": &v.Refunded} {
			if *into, err = collections.Amount(p, field); err != nil {
				return nil, err
			}
		}
		views = append(views, v)
	}
	return views, nil
}

type refRow struct {
	Relation string `db:"relation"`
	ID       string `db:"id"`
	Number   string `db:"number"`
	IssuedAt string `db:"issued_at"`
	Minor    int64  `db:"total_minor"`
	Currency string `db:"currency"`
}

// related lists the issued documents that have to do with an invoice, oldest
// first. They are all the same customer's, which finds them.
func related(app core.App, inv *core.Record) ([]documentRef, error) {
	rows := []refRow{}
	err := collections.Statement(app, "SELECT 'credit_note' AS `relation`, `id`, `number`, `issued_at`, `total_minor`, `currency` FROM `credit_notes` WHERE `invoice` = {:id}"+
		" UNION ALL SELECT IIF(`kind` = 'late_fee', 'fee', 'corrected_by'), `id`, `number`, `issued_at`, `total_minor`, `currency` FROM `invoices` WHERE `user` = {:user} AND `parent` = {:id} AND `status` != 'draft'"+
		" UNION ALL SELECT IIF({:kind} = 'late_fee', 'fee_for', 'corrects'), `id`, `number`, `issued_at`, `total_minor`, `currency` FROM `invoices` WHERE `id` = {:parent} AND `status` != 'draft' ORDER BY `issued_at`, `number`").
		Bind(dbx.Params{"id": inv.Id, "user": inv.GetString("user"), "kind": inv.GetString("kind"), "parent": inv.GetString("parent")}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("documents of invoice %s: %w", inv.Id, err)
	}
	refs := make([]documentRef, len(rows))
	for i, r := range rows {
		total, err := money.New(r.Minor, r.Currency)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", r.Number, err)
		}
		at, err := collections.ParseStamp(r.IssuedAt)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", r.Number, err)
		}
		refs[i] = documentRef{r.Relation, r.ID, r.Number, at, total}
	}
	return refs, nil
}

// succeeded are the payments of an invoice that brought money, in order.
func succeeded(app core.App, inv *core.Record) ([]*core.Record, error) {
	return collections.All(app, collections.PaymentTransactions, dbx.HashExp{"invoice": inv.Id, "status": string(billing.PaymentSucceeded)}, "settled_at ASC, rowid ASC")
}
