package billing

import "github.com/ezscale/ezscale/engine/money"

// Accounts beside the sales: what corrections, gifts and losses are booked to.
const (
	BadDebt       Account = "bad_debt"       // invoices written off
	Goodwill      Account = "goodwill"       // credit given away by staff
	TopUps        Account = "topups"         // credit that is invoiced and not yet paid
	Disputed      Account = "disputed"       // money that a gateway holds back during a dispute
	DisputeLosses Account = "dispute_losses" // money that a lost dispute took
	PaidOut       Account = "paid_out"       // money that gateways sent to our bank
)

// PostCreditNote books a credit note over the given totals, all positive: sales
// and tax are taken back; toDue is no longer owed, toCredit becomes the
// customer's credit. Total = toDue + toCredit.
func PostCreditNote(t Totals, toDue, toCredit money.Amount) []Entry {
	return entries(Entry{Revenue, t.Subtotal}, Entry{TaxPayable, t.Tax}, Entry{Receivable, toDue.Neg()}, Entry{CreditOwed, toCredit.Neg()})
}

// PostCreditApplied books credit that pays an invoice.
func PostCreditApplied(a money.Amount) []Entry {
	return entries(Entry{CreditOwed, a}, Entry{Receivable, a.Neg()})
}

// PostRefund books credit that is paid out through a gateway.
func PostRefund(gateway string, a money.Amount) []Entry {
	return entries(Entry{CreditOwed, a}, Entry{CashAccount(gateway), a.Neg()})
}

// PostRefundFailed books a refund that the gateway could not deliver after all:
// the money is the customer's credit again.
func PostRefundFailed(gateway string, a money.Amount) []Entry {
	return entries(Entry{CashAccount(gateway), a}, Entry{CreditOwed, a.Neg()})
}

// PostWriteOff books what is given up of an invoice.
func PostWriteOff(a money.Amount) []Entry {
	return entries(Entry{BadDebt, a}, Entry{Receivable, a.Neg()})
}

// PostRecovered books what late money takes back of a write-off.
func PostRecovered(a money.Amount) []Entry {
	return entries(Entry{Receivable, a}, Entry{BadDebt, a.Neg()})
}

// PostGoodwill books credit given by staff, or taken back where a is negative.
func PostGoodwill(a money.Amount) []Entry {
	return entries(Entry{Goodwill, a}, Entry{CreditOwed, a.Neg()})
}

// PostTopUpIssued books an invoice that buys credit: nothing is earned.
func PostTopUpIssued(a money.Amount) []Entry {
	return entries(Entry{Receivable, a}, Entry{TopUps, a.Neg()})
}

// PostTopUpPaid turns a paid top-up into credit.
func PostTopUpPaid(a money.Amount) []Entry {
	return entries(Entry{TopUps, a}, Entry{CreditOwed, a.Neg()})
}

// PostFee books what a gateway kept of a payment, or gave back where a is
// negative.
func PostFee(gateway string, a money.Amount) []Entry {
	return entries(Entry{GatewayFees, a}, Entry{CashAccount(gateway), a.Neg()})
}

// PostPayout books money that a gateway sent to our bank, or that came back where
// a is negative.
func PostPayout(gateway string, a money.Amount) []Entry {
	return entries(Entry{PaidOut, a}, Entry{CashAccount(gateway), a.Neg()})
}

// PostDisputeOpened books money that a gateway withdrew for a dispute.
func PostDisputeOpened(gateway string, a money.Amount) []Entry {
	return entries(Entry{Disputed, a}, Entry{CashAccount(gateway), a.Neg()})
}

// PostDisputeWon books money that came back.
func PostDisputeWon(gateway string, a money.Amount) []Entry {
	return entries(Entry{CashAccount(gateway), a}, Entry{Disputed, a.Neg()})
}

// PostDisputeLost books money that stays away.
func PostDisputeLost(a money.Amount) []Entry {
	return entries(Entry{DisputeLosses, a}, Entry{Disputed, a.Neg()})
}
