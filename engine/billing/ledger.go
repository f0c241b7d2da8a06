package billing

import (
	"errors"
	"fmt"

	"github.com/ezscale/ezscale/engine/money"
)

// Account names a ledger account. Accounts that belong to one customer are
// kept apart by the posting's customer.
type Account string

// The chart of accounts. Debits are positive, credits negative.
const (
	Receivable  Account = "receivable"  // what the customer owes us
	Revenue     Account = "revenue"     // what we sold
	TaxPayable  Account = "tax_payable" // what we owe the state
	CreditOwed  Account = "credit"      // what we owe the customer (credit balance)
	CashStripe  Account = "cash:stripe"
	CashPayPal  Account = "cash:paypal"
	CashManual  Account = "cash:manual"
	GatewayFees Account = "gateway_fees"
)

// CashAccount returns where a gateway's money is booked.
func CashAccount(gateway string) Account { return Account("cash:" + gateway) }

// Entry is one side of a posting.
type Entry struct {
	Account Account
	Amount  money.Amount
}

// ErrUnbalanced reports a posting whose entries do not sum to zero.
var ErrUnbalanced = errors.New("posting does not sum to zero")

// CheckPosting refuses a posting that has no entries, mixes currencies or does
// not sum to zero.
func CheckPosting(entries []Entry) error {
	if len(entries) < 2 {
		return fmt.Errorf("posting of %d entries: %w", len(entries), ErrUnbalanced)
	}
	sum, err := money.New(0, entries[0].Amount.Currency())
	if err != nil {
		return fmt.Errorf("posting to %s: %w", entries[0].Account, err)
	}
	for _, e := range entries {
		if sum, err = sum.Add(e.Amount); err != nil {
			return fmt.Errorf("posting to %s: %w", e.Account, err)
		}
	}
	if !sum.IsZero() {
		return fmt.Errorf("entries sum to %s: %w", sum, ErrUnbalanced)
	}
	return nil
}

// PostInvoice books a finalized invoice: the customer owes the total, we earned
// the subtotal, the state gets the tax. A total of zero books nothing.
func PostInvoice(t Totals) []Entry {
	return entries(Entry{Receivable, t.Total}, Entry{Revenue, t.Subtotal.Neg()}, Entry{TaxPayable, t.Tax.Neg()})
}

// PostVoid books the reversal of a finalized invoice that was voided.
func PostVoid(t Totals) []Entry {
	return entries(Entry{Receivable, t.Total.Neg()}, Entry{Revenue, t.Subtotal}, Entry{TaxPayable, t.Tax})
}

// PostPayment books money received through a gateway: the applied part reduces
// what the customer owes, the excess becomes credit.
func PostPayment(gateway string, a Application) []Entry {
	received, err := a.Applied.Add(a.Excess)
	if err != nil {
		panic("billing: application is inconsistent: " + err.Error())
	}
	return entries(Entry{CashAccount(gateway), received}, Entry{Receivable, a.Applied.Neg()}, Entry{CreditOwed, a.Excess.Neg()})
}

// entries drops the zero sides.
func entries(all ...Entry) []Entry {
	kept := all[:0]
	for _, e := range all {
		if !e.Amount.IsZero() {
			kept = append(kept, e)
		}
	}
	return kept
}
