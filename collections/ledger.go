package collections

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// Post books entries under a posting name such as "invoice:<id>". The same
// posting twice changes nothing, since (posting, account) is unique. Entries
// that do not sum to zero are refused.
func Post(tx core.App, now time.Time, posting, user, invoice, payment string, entries []billing.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := billing.CheckPosting(entries); err != nil {
		return fmt.Errorf("post %s: %w", posting, err)
	}
	values, params := []string{}, dbx.Params{"posting": posting, "user": user, "invoice": invoice, "payment": payment, "at": Stamp(now).String()}
	for i, e := range entries {
		n := strconv.Itoa(i)
		values = append(values, "({:id"+n+"}, {:posting}, {:user}, {:account"+n+"}, {:currency"+n+"}, {:amount"+n+"}, {:invoice}, {:payment}, {:at}, {:at}, {:at})")
		params["id"+n], params["account"+n] = NewID(now), string(e.Account)
		params["currency"+n], params["amount"+n] = e.Amount.Currency(), e.Amount.Minor()
	}
	_, err := Statement(tx, "INSERT INTO `ledger_entries` (`id`, `posting`, `user`, `account`, `currency`, `amount_minor`, `invoice`, `payment`, `at`, `created`, `updated`) VALUES "+
		strings.Join(values, ", ")+" ON CONFLICT DO NOTHING").Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("post %s: %w", posting, err)
	}
	return nil
}

// Balance sums an account of one customer in one currency.
func Balance(app core.App, user string, account billing.Account, currency string) (money.Amount, error) {
	sum := int64(0)
	err := app.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `ledger_entries` WHERE `user` = {:user} AND `account` = {:account} AND `currency` = {:currency}").
		Bind(dbx.Params{"user": user, "account": string(account), "currency": currency}).Row(&sum)
	if err != nil {
		return money.Amount{}, fmt.Errorf("balance of %s: %w", account, err)
	}
	return money.New(sum, currency)
}
