package notify

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/money"
)

// onRecords writes mails in the transactions of what they tell.
func (s *Subject) onRecords(app core.App) {
	app.OnRecordUpdateExecute(collections.Invoices).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifyInvoice", Priority: 10, Func: func(e *core.RecordEvent) error {
		before := e.Record.Original().GetString("status")
		if err := e.Next(); err != nil {
			return err
		}
		return s.invoiceMail(e.App, e.Record, before)
	}})
	app.OnRecordUpdateExecute(collections.Services).Bind(&hook.Handler[*core.RecordEvent]{Id: "notifyService", Priority: 10, Func: func(e *core.RecordEvent) error {
		before := e.Record.Original().GetString("status")
		if err := e.Next(); err != nil {
			return err
		}
		return s.serviceMail(e.App, e.Record, before)
	}})
}

func (s *Subject) invoiceMail(tx core.App, inv *core.Record, before string) error {
	after := inv.GetString("status")
	if before == after {
		return nil
	}
	user, err := tx.FindRecordById(collections.Users, inv.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about invoice %s: %w", inv.GetString("number"), err)
	}
	link, err := portal(tx, "/invoices/"+inv.Id)
	if err != nil {
		return err
	}
	total, err := collections.Amount(inv, "total_minor")
	if err != nil {
		return err
	}
	data := mail.Data{Number: inv.GetString("number"), Amount: total, Link: link, DueAt: collections.Time(inv, "due_at")}
	switch {
	case after == "open" && total.Sign() > 0 && collections.Time(inv, "due_at").After(collections.Time(inv, "issued_at")):
		// Due later: the customer needs the document to transfer the money. What
		// is paid on a page at once gets its receipt instead.
		return s.write(tx, letter{key: "invoice:" + inv.Id, kind: mail.Invoice, user: user, invoice: inv.Id, attach: true, data: data})
	case after == "paid" && total.Sign() > 0:
		data.At = collections.Time(inv, "paid_at")
		if data.Method, err = paidBy(tx, inv.Id); err != nil {
			return err
		}
		return s.write(tx, letter{key: "receipt:" + inv.Id, kind: mail.Receipt, user: user, invoice: inv.Id, attach: true, data: data})
	}
	return nil
}

// paidBy names the way the last payment of an invoice came.
func paidBy(tx core.App, invoice string) (string, error) {
	gateways := []string{}
	err := tx.DB().NewQuery("SELECT `gateway` FROM `payment_transactions` WHERE `invoice` = {:invoice} AND `status` = 'succeeded' ORDER BY `settled_at` DESC LIMIT 1").
		Bind(dbx.Params{"invoice": invoice}).Column(&gateways)
	if err != nil || len(gateways) == 0 {
		return "", err
	}
	return map[string]string{"stripe": "Card", "paypal": "PayPal", "manual": "Bank transfer"}[gateways[0]], nil
}

func (s *Subject) serviceMail(tx core.App, svc *core.Record, before string) error {
	after := svc.GetString("status")
	if before == after {
		return nil
	}
	change := before + " > " + after
	kinds := map[string]mail.Kind{
		"provisioning > active": mail.ServiceReady, "active > suspended": mail.ServiceSuspended, "suspended > active": mail.ServiceUnsuspended,
	}
	kind, tell := kinds[change]
	if !tell {
		return nil
	}
	user, err := tx.FindRecordById(collections.Users, svc.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about service %s: %w", svc.Id, err)
	}
	link, err := portal(tx, "/services/"+svc.Id)
	if err != nil {
		return err
	}
	data := mail.Data{Link: link, Service: svc.GetString("label"), Hostname: svc.GetString("hostname"), User: svc.GetString("username"), Amount: money.Amount{}}
	if kind == mail.ServiceSuspended {
		data.Reason = svc.GetString("status_reason")
		if data.Reason == "" {
			data.Reason = "Suspended by our staff. Please contact support."
		}
	}
	key := fmt.Sprintf("service:%s:%s:%d", svc.Id, after, s.Now().UnixMilli())
	if kind == mail.ServiceReady {
		key = "service:" + svc.Id + ":ready"
		if data.IPs, err = builtAddresses(svc); err != nil {
			return err
		}
	}
	return s.write(tx, letter{key: key, kind: kind, user: user, data: data})
}
