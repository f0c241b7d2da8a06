package books

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// KindTopUp is the kind of invoices that buy credit. Nothing is earned by them,
// so they bear no tax, are not paid from credit and not corrected: what was paid
// of one is the customer's credit, and what was not is voided.
const KindTopUp = "topup"

// postIssue books an invoice.
func postIssue(kind string, t billing.Totals) []billing.Entry {
	if kind == KindTopUp {
		return billing.PostTopUpIssued(t.Total)
	}
	return billing.PostInvoice(t)
}

// postGivenUp books what is given up of an invoice: a top-up that nobody pays
// any more is no loss.
func postGivenUp(kind string, a money.Amount) []billing.Entry {
	if kind == KindTopUp {
		return reversed(billing.PostTopUpIssued(a))
	}
	return billing.PostWriteOff(a)
}

// postRecovered books what late money takes back of it.
func postRecovered(kind string, a money.Amount) []billing.Entry {
	if kind == KindTopUp {
		return billing.PostTopUpIssued(a)
	}
	return billing.PostRecovered(a)
}

// topUp turns what was paid of a top-up into credit, part by part as the money
// arrives; d is the invoice with the payment applied.
func topUp(tx core.App, now time.Time, d Document, applied money.Amount) error {
	if d.Kind != KindTopUp {
		return nil
	}
	return collections.Post(tx, now, fmt.Sprintf("topup:%s:%d", d.ID, d.Paid.Minor()), d.User, d.ID, "", billing.PostTopUpPaid(applied))
}
