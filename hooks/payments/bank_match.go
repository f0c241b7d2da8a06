package payments

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/bankfile"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// numberFinder knows how the numbers of all our invoices look: those of earlier
// formats and of the system we moved from, too.
func numberFinder(app core.App) (*bankfile.Finder, error) {
	shape := "`number`"
	for _, digit := range "012345678" {
		shape = fmt.Sprintf("replace(%s, '%c', '9')", shape, digit)
	}
	shapes := []bankfile.Shape{}
	if err := app.DB().NewQuery("SELECT DISTINCT " + shape + " FROM `invoices` WHERE `number` != ''").Column(&shapes); err != nil {
		return nil, fmt.Errorf("shapes of invoice numbers: %w", err)
	}
	slices.Sort(shapes)
	return bankfile.NewFinder(shapes), nil
}

// decide says what becomes of an entry: known already, or what the engine makes
// of the invoices that it names.
func (imp *bankImport) decide(app core.App, e bankfile.Entry) (bankfile.Match, error) {
	m, err := bankfile.Decide(e, nil, nil)
	if err != nil || m.Result == bankfile.Ignored {
		return m, err
	}
	if because, err := knownEntry(app, e); err != nil || because != "" {
		return bankfile.Match{Result: resultKnown, Credit: e.Amount.Zero(), Reasons: []string{because}}, err
	}
	named, err := imp.named(app, e)
	if err != nil {
		return m, err
	}
	alike := []bankfile.Invoice{}
	if len(named) == 0 {
		if alike, err = imp.invoices(app, "`i`.`status` = 'open' AND `i`.`due_minor` = {:due} AND `i`.`currency` = {:currency} ORDER BY `i`.`due_at` LIMIT 1000", dbx.Params{"due": e.Amount.Minor(), "currency": e.Amount.Currency()}); err != nil {
			return m, err
		}
	}
	if m, err = bankfile.Decide(e, named, alike); err != nil || m.Result != bankfile.Booked || m.Closed == nil {
		return m, err
	}
	return byHand(app, e, m)
}

// knownText looks in each index by itself: SQLite would read all transfers for an
// OR.
const knownText = "SELECT `gateway_transaction_id` AS `reference`, `status` FROM `payment_transactions` WHERE `gateway` = 'manual' AND `gateway_transaction_id` != '' AND `gateway_transaction_id` = {:reference}" +
	" UNION ALL SELECT `reference`, `status` FROM `unmatched_payments` WHERE `gateway` = 'manual' AND `reference` = {:reference}" +
	" UNION ALL SELECT `gateway_transaction_id`, `status` FROM `payment_transactions` WHERE `gateway` = 'manual' AND `gateway_transaction_id` != '' AND `gateway_transaction_id` = {:id} AND `currency` = {:currency} AND `amount_minor` = {:amount}" +
	" UNION ALL SELECT `reference`, `status` FROM `unmatched_payments` WHERE `gateway` = 'manual' AND `reference` = {:id} AND `currency` = {:currency} AND `amount_minor` = {:amount} LIMIT 1"

// knownEntry says why an entry is no news: its reference, or the bank's own id
// over the same amount, is a payment or unmatched money. "" if it is new.
func knownEntry(app core.App, e bankfile.Entry) (string, error) {
	rows := []struct {
		Reference string `db:"reference"`
		Status    string `db:"status"`
	}{}
	err := collections.Statement(app, knownText).
		Bind(dbx.Params{"reference": e.Reference, "id": e.BankID, "currency": e.Amount.Currency(), "amount": e.Amount.Minor()}).All(&rows)
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", e.Reference, err)
	}
	switch {
	case len(rows) == 0:
		return "", nil
	case rows[0].Reference != e.Reference:
		return "It was entered by hand under the bank's reference " + e.BankID + ".", nil
	case rows[0].Status == "open":
		return "It waits among unmatched money since an earlier import.", nil
	case rows[0].Status == "returned":
		return "It was sent back.", nil
	}
	return "It was booked before.", nil
}

// named are the invoices whose numbers the entry holds.
func (imp *bankImport) named(app core.App, e bankfile.Entry) ([]bankfile.Named, error) {
	refs := imp.finder.In(e)
	numbers := []any{}
	for _, r := range refs {
		if !slices.Contains(numbers, any(r.Number)) && len(numbers) < 500 {
			numbers = append(numbers, r.Number)
		}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	in, params := "", dbx.Params{}
	for i, n := range numbers {
		key := fmt.Sprintf("n%d", i)
		in, params[key] = in+", {:"+key+"}", n
	}
	found, err := imp.invoices(app, "`i`.`number` IN ("+in[2:]+") AND `i`.`number` != ''", params)
	if err != nil {
		return nil, err
	}
	byNumber := map[string]bankfile.Invoice{}
	for _, i := range found {
		byNumber[i.Number] = i
	}
	named := []bankfile.Named{}
	for _, r := range bankfile.Settle(refs, func(number string) bool { return byNumber[number].ID != "" }) {
		named = append(named, bankfile.Named{Invoice: byNumber[r.Number], Loose: r.Loose})
	}
	return named, nil
}

// invoices reads invoices with the names of their customers, as they would stand
// after what a dry run has paid.
func (imp *bankImport) invoices(app core.App, where string, params dbx.Params) ([]bankfile.Invoice, error) {
	rows := []struct {
		ID         string `db:"id"`
		Number     string `db:"number"`
		User       string `db:"user"`
		Status     string `db:"status"`
		Currency   string `db:"currency"`
		Due        int64  `db:"due_minor"`
		WrittenOff int64  `db:"written_off_minor"`
		DueAt      string `db:"due_at"`
		Name       string `db:"name"`
		Company    string `db:"company"`
	}{}
	err := app.DB().NewQuery("SELECT `i`.`id`, `i`.`number`, `i`.`user`, `i`.`status`, `i`.`currency`, `i`.`due_minor`, `i`.`written_off_minor`, `i`.`due_at`, `u`.`name`, IFNULL(`p`.`company`, '') AS `company`" +
		" FROM `invoices` `i` JOIN `users` `u` ON `u`.`id` = `i`.`user` LEFT JOIN `user_profiles` `p` ON `p`.`user` = `i`.`user` WHERE " + where).Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("invoices to match: %w", err)
	}
	list := []bankfile.Invoice{}
	for _, r := range rows {
		i := bankfile.Invoice{ID: r.ID, Number: r.Number, Customer: r.User, Names: []string{r.Name, r.Company}, Status: billing.InvoiceStatus(r.Status)}
		if i.Owed, err = money.New(r.Due+r.WrittenOff-imp.paid[r.ID], r.Currency); err != nil {
			return nil, fmt.Errorf("invoice %s: %w", r.Number, err)
		}
		if i.DueAt, err = collections.ParseStamp(r.DueAt); err != nil {
			return nil, fmt.Errorf("invoice %s: %w", r.Number, err)
		}
		if imp.paid[r.ID] > 0 && i.Owed.IsZero() {
			i.Status = billing.InvoicePaid
		}
		list = append(list, i)
	}
	return list, nil
}

// byHand keeps money for a paid invoice apart where staff has entered a transfer
// of the same amount for it: it may be the same transfer, and credit would be a
// gift.
func byHand(app core.App, e bankfile.Entry, m bankfile.Match) (bankfile.Match, error) {
	references := []string{}
	err := collections.Statement(app, "SELECT `gateway_transaction_id` FROM `payment_transactions` `t` WHERE `invoice` = {:invoice} AND `gateway` = 'manual' AND `status` = 'succeeded' AND `currency` = {:currency} AND `amount_minor` = {:amount}"+
		" AND NOT EXISTS (SELECT 1 FROM `unmatched_payments` WHERE `payment` = `t`.`id`) LIMIT 1").
		Bind(dbx.Params{"invoice": m.Closed.ID, "currency": e.Amount.Currency(), "amount": e.Amount.Minor()}).Column(&references)
	if err != nil {
		return m, fmt.Errorf("payments of invoice %s: %w", m.Closed.Number, err)
	}
	if len(references) == 0 {
		return m, nil
	}
	kept := bankfile.Match{Result: bankfile.Unmatched, Customer: m.Customer, Credit: e.Amount.Zero()}
	kept.Reasons = []string{fmt.Sprintf("Invoice %s was paid by a transfer of the same amount that was entered by hand (%s): this may be the same money.", m.Closed.Number, references[0])}
	return kept, nil
}
