package testapp

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
)

// CheckBooks fails the test for every rule of the books that does not hold, for
// a broken audit chain, and for requests that Stripe would complain about.
func (a *App) CheckBooks() {
	a.Helper()
	err := a.RunInTransaction(func(tx core.App) error { // one moment of the database
		for _, r := range books.Rules() {
			found, err := r.Check(tx.DB())
			if err != nil {
				return err
			}
			for _, f := range found {
				a.Errorf("books: %s", f)
			}
		}
		broken, err := audit.Verify(tx.DB())
		if broken != 0 {
			a.Errorf("books: the audit chain breaks at row %d", broken)
		}
		return err
	})
	if err != nil {
		a.Errorf("books: %v", err)
	}
	for _, c := range a.Stripe.Complaints() {
		a.Errorf("books: Stripe complains: %s", c)
	}
}

// Balance sums an account of a customer's ledger in one currency.
func (a *App) Balance(user, account, currency string) int64 {
	a.Helper()
	sum := int64(0)
	err := a.DB().NewQuery("SELECT IFNULL(SUM(`amount_minor`), 0) FROM `ledger_entries` WHERE `user` = {:user} AND `account` = {:account} AND `currency` = {:currency}").
		Bind(dbx.Params{"user": user, "account": account, "currency": currency}).Row(&sum)
	if err != nil {
		a.Fatal(err)
	}
	return sum
}
