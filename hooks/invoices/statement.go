package invoices

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document"
	"github.com/ezscale/ezscale/engine/money"
)

// statementRow is one movement of a customer's account: what is owed goes up by
// a debit and down by a credit.
type statementRow struct {
	At       time.Time    `json:"at"`
	Kind     string       `json:"kind"` // of document.RowKind
	Document string       `json:"document"`
	Text     string       `json:"text"`
	Debit    money.Amount `json:"debit"`
	Credit   money.Amount `json:"credit"`
	Balance  money.Amount `json:"balance"` // above zero is owed, below is in the customer's favor
}

// account is a customer's account over a time [from, to), in one currency, read
// from the ledger: what the customer owes us less what we owe the customer.
type account struct {
	User             string
	Currency         string
	From, To         time.Time
	Opening, Closing money.Amount
	Rows             []statementRow
}

type postingRow struct {
	Posting string `db:"posting"`
	At      string `db:"at"`
	Sum     int64  `db:"sum"`
	Number  string `db:"number"`
	Note    string `db:"note"`
	Gateway string `db:"gateway"`
	Reason  string `db:"reason"`
}

// readAccount sums the ledger.
func readAccount(app core.App, user, currency string, from, to time.Time) (account, error) {
	a := account{User: user, Currency: currency, From: from, To: to, Rows: []statementRow{}}
	params := dbx.Params{"user": user, "currency": currency, "from": collections.Stamp(from).String(), "to": collections.Stamp(to).String()}
	opening := int64(0)
	err := app.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `ledger_entries` WHERE `user` = {:user} AND `currency` = {:currency} AND `account` IN ('receivable', 'credit') AND `at` < {:from}").Bind(params).Row(&opening)
	if err != nil {
		return a, fmt.Errorf("statement of customer %s: %w", user, err)
	}
	if a.Opening, err = money.New(opening, currency); err != nil {
		return a, fmt.Errorf("statement of customer %s: %w", user, err)
	}
	rows := []postingRow{}
	err = app.DB().NewQuery("WITH `moved` AS (SELECT `posting`, MIN(`at`) AS `at`, SUM(`amount_minor`) AS `sum`, MAX(`invoice`) AS `invoice`, MAX(`payment`) AS `payment`, MIN(`rowid`) AS `first` FROM `ledger_entries`" +
		" WHERE `user` = {:user} AND `currency` = {:currency} AND `account` IN ('receivable', 'credit') AND `at` >= {:from} AND `at` < {:to} GROUP BY `posting` HAVING `sum` != 0)" +
		" SELECT `m`.`posting`, `m`.`at`, `m`.`sum`, IFNULL(`i`.`number`, '') AS `number`, IFNULL(`n`.`number`, '') AS `note`, COALESCE(`r`.`gateway`, `p`.`gateway`, '') AS `gateway`, COALESCE(`a`.`reason`, `r`.`reason`, '') AS `reason`" +
		" FROM `moved` `m` LEFT JOIN `invoices` `i` ON `i`.`id` = `m`.`invoice` LEFT JOIN `payment_transactions` `p` ON `p`.`id` = `m`.`payment`" +
		" LEFT JOIN `credit_notes` `n` ON `m`.`posting` = 'credit_note:' || `n`.`id` LEFT JOIN `credit_adjustments` `a` ON `m`.`posting` = 'adjustment:' || `a`.`id`" +
		" LEFT JOIN `refunds` `r` ON `r`.`id` = substr(`m`.`posting`, instr(`m`.`posting`, ':') + 1) ORDER BY `m`.`at`, `m`.`first`").Bind(params).All(&rows)
	if err != nil {
		return a, fmt.Errorf("statement of customer %s: %w", user, err)
	}
	a.Closing = a.Opening
	for _, r := range rows {
		row, err := r.row(a.Closing)
		if err != nil {
			return a, fmt.Errorf("statement of customer %s: posting %s: %w", user, r.Posting, err)
		}
		a.Rows, a.Closing = append(a.Rows, row), row.Balance
	}
	return a, nil
}

// rowKinds say what a posting is to the customer, by the first part of its name.
var rowKinds = map[string]document.RowKind{
	"invoice": document.RowInvoice, "void": document.RowVoid, "credit_note": document.RowCreditNote, "payment": document.RowPayment,
	"refund": document.RowRefund, "refund_failed": document.RowRefund, "writeoff": document.RowWriteOff, "recovered": document.RowWriteOff,
}

func (r postingRow) row(before money.Amount) (statementRow, error) {
	name, _, _ := strings.Cut(r.Posting, ":")
	kind, known := rowKinds[name]
	if !known {
		kind = document.RowAdjustment
	}
	moved, err := money.New(r.Sum, before.Currency())
	if err != nil {
		return statementRow{}, err
	}
	row := statementRow{Kind: string(kind), Document: r.Number, Text: r.Reason, Debit: moved.Zero(), Credit: moved.Zero()}
	if r.Note != "" {
		row.Document = r.Note
	}
	if kind == document.RowPayment || kind == document.RowRefund {
		row.Text = collections.GatewayName(r.Gateway)
	}
	if row.At, err = collections.ParseStamp(r.At); err != nil {
		return row, err
	}
	if moved.Sign() > 0 {
		row.Debit = moved
	} else {
		row.Credit = moved.Neg()
	}
	row.Balance, err = before.Add(moved)
	return row, err
}

// printed is the statement as a document of today's seller to today's customer.
func (a account) printed(app core.App, now time.Time) (document.Statement, error) {
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return document.Statement{}, err
	}
	seller, err := collections.LoadSeller(app)
	if err != nil {
		return document.Statement{}, err
	}
	customer, err := collections.LoadCustomer(app, a.User)
	if err != nil {
		return document.Statement{}, err
	}
	st := document.Statement{
		Brand: brand.Name, Accent: brand.Accent, Language: speaks(customer.Language), IssuedAt: now, From: a.From, To: a.To, Currency: a.Currency, Customer: a.User,
		Seller: printedSeller(seller), Buyer: printedBuyer(customer.Buyer), Opening: a.Opening, Closing: a.Closing,
	}
	for _, r := range a.Rows {
		st.Rows = append(st.Rows, document.StatementRow{At: r.At, Kind: document.RowKind(r.Kind), Document: r.Document, Text: r.Text, Debit: r.Debit, Credit: r.Credit, Balance: r.Balance})
	}
	return st, nil
}
