package invoices

import (
	"fmt"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
)

// frozen are the fields of an invoice that never change once it is issued. A
// trigger in the database says the same; here it is said in words.
var frozen = []string{
	"user", "number", "series", "year", "seq", "currency", "subtotal_minor", "tax_minor", "total_minor",
	"issued_at", "due_at", "seller", "buyer", "language",
}

// guard binds what keeps issued invoices as they are, whoever saves.
func (s *subject) guard(app core.App) {
	app.OnRecordUpdate(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{Id: "invoicesGuard", Func: func(e *core.RecordEvent) error {
		if err := checkInvoice(e.Record.Original(), e.Record); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}})
	app.OnRecordDelete(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{Id: "invoicesKeep", Func: func(e *core.RecordEvent) error {
		if collections.InvoiceStatus(e.Record) != billing.InvoiceDraft {
			return apis.NewBadRequestError(fmt.Sprintf("Invoice %s was issued and is never deleted; void it.", e.Record.GetString("number")), nil)
		}
		return e.Next()
	}})
}

func checkInvoice(before, after *core.Record) error {
	from := collections.InvoiceStatus(before)
	if err := billing.CheckInvoiceTransition(from, collections.InvoiceStatus(after)); err != nil {
		return err
	}
	if from == billing.InvoiceDraft {
		return nil
	}
	for _, f := range frozen {
		if before.GetString(f) != after.GetString(f) {
			return fmt.Errorf("invoice %s was issued: %s never changes; correct it by a credit note", before.GetString("number"), f)
		}
	}
	return nil
}
