package dunning_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

const (
	charges  = "POST /v1/payment_intents"
	balance  = "GET /v1/balance"
	settled3 = "reminder1 notice1 notice2 notice3"
)

func TestG1AMissingInvoiceSuspendsNobody(t *testing.T) {
	t.Parallel()
	app := testapp.New(t, testapp.Unchecked()) // the audit would find the broken renewal
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{})
	// Renewals break for this customer: the next month is never invoiced.
	if err := app.Exec("UPDATE `subscriptions` SET `next_invoice_at` = ''"); err != nil {
		t.Fatal(err)
	}
	app.Pass(60)
	if got := app.Service(o).GetString("status"); got != "active" {
		t.Errorf("the service is %s without any invoice, want active", got)
	}
}

func TestG1AnInvoiceThatNobodyGotSuspendsNobody(t *testing.T) {
	t.Parallel()
	app := testapp.New(t)
	d := &debt{App: app, ada: app.Customer("ada")}
	d.order = app.Buy(d.ada, testapp.Cart{})
	app.Quiet()
	d.keep()
	if err := app.Mail.AddFault(mailbox.Fault{Kind: mailbox.RefusePermanent}); err != nil {
		t.Fatal(err)
	}
	d.bill()
	d.day(20)
	d.want("the service of an invoice that never arrived", d.service(), "active")
	d.want("story", d.story(), "")
	app.Mail.ClearFaults()
	job := d.One(collections.Jobs, dbx.HashExp{"kind": "mail.send", "state": "failed"}).Id
	d.Want(http.StatusNoContent, d.Do(http.MethodPost, "/api/v1/staff/jobs/"+job, d.Staff(), map[string]string{"action": "retry", "reason": "the mail server is back"}))
	d.Settle()
	d.day(24)
	d.want("four days after it arrived", d.service(), "active")
	d.day(26)
	d.want("story", d.story(), "notice1 notice2 notice3 suspend1")
	d.want("after the whole grace", d.service(), "suspended")
}

// TestG1ACreditedLineSuspendsNobody: of two services that are suspended for one
// invoice, the line of one is credited. That it is on the next invoice, which is not
// due yet, keeps neither suspended.
func TestG1ACreditedLineSuspendsNobody(t *testing.T) {
	t.Parallel()
	app := testapp.New(t)
	d := &debt{App: app, ada: app.Customer("ada")}
	settings := collections.DefaultInvoicing()
	settings.ContinueUnpaid = true
	if err := collections.SaveSetting(app.App, "invoicing", settings); err != nil {
		t.Fatal(err)
	}
	d.order = app.Buy(d.ada, testapp.Cart{Quantity: 2})
	app.Quiet()
	d.keep()
	d.bill()
	d.day(20)
	rows := func(where string) int { return d.Count(collections.Subscriptions, where) }
	if n := rows("`access` = 'suspended'"); n != 2 || d.Count(collections.Invoices, "`kind` = 'renewal' AND `status` = 'open'") != 2 {
		t.Fatalf("%d are suspended, want both and the next invoice beside the overdue one\n%s", n, d.story())
	}
	line := d.One(collections.InvoiceItems, dbx.HashExp{"invoice": d.invoice, "position": 1})
	d.Want(http.StatusCreated, d.Do(http.MethodPost, "/api/v1/staff/invoices/"+d.invoice+"/credit-notes", d.Staff(), map[string]any{
		"key": "a-credited-line", "reason": "as agreed", "lines": []any{map[string]any{"position": 1}},
	}))
	if n := rows("`access` = 'open' AND `id` = '" + line.GetString("subscription") + "'"); n != 1 {
		t.Errorf("the service whose line was credited stays suspended\n%s", d.story())
	}
	d.Settle()
	if n := rows("`access` = 'suspended'"); n != 1 {
		t.Errorf("%d services are suspended, want the one that is still owed", n)
	}
	d.day(22)
	if n := rows("`access` = 'suspended'"); n != 1 {
		t.Errorf("two days later %d services are suspended, want one", n)
	}
}

func TestG1AGatewaysOutageSuspendsNobody(t *testing.T) {
	d := owing(t, testapp.CardWorks)
	for _, call := range []string{charges, balance} {
		d.StripeFaults.Add(fault.Fault{Match: call, Kind: fault.Error500})
	}
	d.day(12)
	d.want("service while the gateway is down", d.service(), "active")
	d.want("invoice", d.status(), "open")
	if n := d.Count(collections.AuditLogs, "`action` = 'gateway.down'"); n != 1 {
		t.Errorf("staff was told %d times that the gateway is down, want once", n)
	}
	if n := d.Count(collections.Mails, "`kind` LIKE 'overdue%'"); n != 0 {
		t.Errorf("%d notices during the outage, want none", n)
	}
	d.StripeFaults.Clear()
	d.day(14)
	d.want("invoice once it is back", d.status(), "paid")
	if n := d.Stripe.Paid(d.invoice); n != 1 {
		t.Errorf("%d charges, want 1", n)
	}
	d.want("service", d.service(), "active")
}

func TestG1PaidButThePanelRefuses(t *testing.T) {
	d := owing(t)
	d.day(6)
	d.want("unpaid", d.service(), "suspended")
	id := d.Service(d.order).GetString("platform_service_id")
	d.Panel.Answer("POST /api/v1/servers/"+id+"/unsuspend", http.StatusUnprocessableEntity, `{"msg":"not now"}`, 2)
	d.transfer(490)
	d.want("invoice", d.status(), "paid")
	d.want("access follows the payment in its own transaction", d.access(), "open")
	d.Quiet()
	d.want("the panel refused", d.service(), "suspended")
	if n := d.Count(collections.AuditLogs, "`action` = 'job.given_up'"); n != 1 {
		t.Errorf("staff was alerted %d times, want once", n)
	}
	for day := 7; day <= 9 && d.service() != "active"; day++ {
		d.day(day)
	}
	d.want("once the panel agrees", d.service(), "active")
}

func TestG2OnePredicateSuspendsAndRestores(t *testing.T) {
	d := owing(t)
	other := d.Buy(d.ada, testapp.Cart{Plan: "vps-m"}) // paid, and of the same customer
	d.Quiet()
	d.keep()
	for day := 0; day <= 6; day++ {
		d.day(day)
		for range 4 { // many looks a day
			d.Clock().Advance(time.Hour)
			d.RunTasks()
		}
		d.Quiet()
	}
	d.want("story", d.story(), settled3+" suspend1")
	d.want("the unpaid service", d.service(), "suspended")
	if got := d.Service(other).GetString("status"); got != "active" {
		t.Errorf("the paid service is %s, want active", got)
	}
	if n := d.Count(collections.ProvisioningLogs, "`action` IN ('suspend', 'unsuspend')"); n != 1 {
		t.Errorf("%d times switched off or on, want once", n)
	}
}

func TestG3SuspensionIsWhatThePanelSays(t *testing.T) {
	d := owing(t)
	id := d.Service(d.order).GetString("platform_service_id")
	d.Panel.Answer("POST /api/v1/servers/"+id+"/suspend", http.StatusUnprocessableEntity, `{"msg":"no"}`, 1)
	d.day(5)
	d.want("access", d.access(), "suspended")
	d.want("the panel refused, so it runs", d.service(), "active")
	if d.Panel.Snapshot().Servers[0].Suspended {
		t.Fatal("the panel did suspend it")
	}
	d.day(8) // a refusal is asked about again a day later
	d.want("once the panel agreed", d.service(), "suspended")
	if !d.Panel.Snapshot().Servers[0].Suspended {
		t.Error("the panel does not know of the suspension")
	}
	if n := d.Count(collections.AuditLogs, "`action` = 'service.disagrees'"); n != 1 {
		t.Errorf("the difference was listed %d times, want once", n)
	}
}

func TestG4SomebodyElsesServerStaysUntouched(t *testing.T) {
	d := owing(t)
	svc := d.Service(d.order)
	if err := d.Exec("UPDATE `services` SET `platform_user_id` = '4711' WHERE `id` = '" + svc.Id + "'"); err != nil {
		t.Fatal(err)
	}
	d.day(45)
	d.want("access", d.access(), "ended")
	servers := d.Panel.Snapshot().Servers
	if len(servers) != 1 || servers[0].Suspended {
		t.Fatalf("the panel's servers are %+v, want the one untouched", servers)
	}
	if n := d.Count(collections.AuditLogs, "`action` = 'job.given_up'"); n == 0 {
		t.Error("nobody was told")
	}
}

func TestG5EachStepOnceHoweverOftenItRuns(t *testing.T) {
	d := owing(t, testapp.CardFailsLater)
	for day := -7; day <= 36; day++ {
		d.day(day)
		together := sync.WaitGroup{}
		for range 6 {
			together.Go(func() { d.RunTasks() })
		}
		together.Wait()
	}
	d.Quiet()
	twice := []string{}
	err := d.DB().NewQuery("SELECT `subject` FROM `mails` WHERE `invoice` = {:id} AND `kind` NOT IN ('payment_failed') GROUP BY `kind`, `subject` HAVING COUNT(*) > 1").Bind(dbx.Params{"id": d.invoice}).Column(&twice)
	if err != nil || len(twice) > 0 {
		t.Errorf("sent more than once: %v, %v", twice, err)
	}
	if got := strings.Count(d.story(), "charge:failed"); got != 5 {
		t.Errorf("%d charges, want 5: on the due date and four retries\n%s", got, d.story())
	}
	for _, once := range []string{"reminder1", "notice1", "notice2", "notice3", "ask_new_method", "suspend1", "final_warning1", "terminate1"} {
		if got := strings.Count(d.story(), once); got != 1 {
			t.Errorf("%s %d times, want once\n%s", once, got, d.story())
		}
	}
	if got := strings.Count(d.story(), "payment_failed"); got != 4 { // the fifth says that another method is needed
		t.Errorf("%d failures told, want 4\n%s", got, d.story())
	}
}

func TestG6EachInvoiceHasItsOwnWay(t *testing.T) {
	d := owing(t)
	// Another service, whose month ends a few days later.
	d.Clock().Advance(3 * 24 * time.Hour)
	young := &debt{App: d.App, ada: d.ada, order: d.Buy(d.ada, testapp.Cart{})}
	d.Quiet()
	d.keep()
	d.day(6)
	d.want("the older debt", d.service(), "suspended")
	d.want("the other service", d.Service(young.order).GetString("status"), "active")
	d.transfer(490)
	d.Settle()
	d.want("settled", d.service(), "active")
	line := d.One(collections.InvoiceItems, dbx.HashExp{"subscription": d.One(collections.Subscriptions, dbx.HashExp{"order": young.order.ID}).Id, "kind": "period"})
	for day := 7; ; day++ { // until the younger one is invoiced and overdue
		d.day(day)
		inv := &struct{ ID, Due string }{}
		err := d.DB().NewQuery("SELECT `id`, `due_at` AS `due` FROM `invoices` WHERE `kind` = 'renewal' AND `status` = 'open' AND `id` IN (SELECT `invoice` FROM `invoice_items` WHERE `subscription` = {:sub})").
			Bind(dbx.Params{"sub": line.GetString("subscription")}).One(inv)
		if err == nil {
			young.invoice = inv.ID
			young.due = collections.Time(d.Record(collections.Invoices, inv.ID), "due_at").Truncate(24 * time.Hour)
			break
		}
		if day > 40 {
			t.Fatal("the younger service was never invoiced")
		}
	}
	young.day(1)
	young.want("first notice", young.story(), "reminder1 notice1")
	young.want("not yet", young.service(), "active")
	young.day(6)
	young.want("the whole way", young.story(), settled3+" suspend1")
	young.want("then suspended", young.service(), "suspended")
	d.want("what is paid", d.service(), "active")
}

func TestG7TerminationWaitsForItsWarning(t *testing.T) {
	d := owing(t)
	d.day(6)
	d.want("unpaid", d.service(), "suspended")
	if err := d.Mail.AddFault(mailbox.Fault{Kind: mailbox.RefusePermanent}); err != nil {
		t.Fatal(err)
	}
	d.day(50)
	d.want("the warning could not be sent", d.story(), settled3+" suspend1 final_warning1")
	d.want("access", d.access(), "suspended")
	d.Mail.ClearFaults()
	job := d.One(collections.Jobs, dbx.HashExp{"kind": "mail.send", "state": "failed"}).Id
	d.Want(http.StatusNoContent, d.Do(http.MethodPost, "/api/v1/staff/jobs/"+job, d.Staff(), map[string]string{"action": "retry", "reason": "the mail server is back"}))
	d.Settle()
	d.day(56)
	d.want("within the days the warning gives", d.access(), "suspended")
	d.day(58)
	d.want("after them", d.access(), "ended")
	d.want("the data is kept a while", d.service(), "suspended")
	for range 10 {
		d.Pass(1)
	}
	d.want("then it is deleted", d.service(), "terminated")
	if snap := d.Panel.Snapshot(); snap.Deleted != 1 {
		t.Errorf("%d servers deleted, want 1", snap.Deleted)
	}
	if n := d.Count(collections.ProvisioningLogs, "`action` = 'terminate'"); n != 1 {
		t.Errorf("terminated %d times, want once", n)
	}
}

func TestG7PaidInTimeNothingIsTerminated(t *testing.T) {
	d := owing(t)
	d.day(34)
	d.want("warned", d.story(), settled3+" suspend1 final_warning1")
	d.transfer(490)
	d.day(36)
	d.want("access", d.access(), "open")
	d.want("service", d.service(), "active")
}

func TestStaffsSuspensionAndBillingsAreTwoThings(t *testing.T) {
	d := owing(t)
	id := d.Service(d.order).Id
	edit := func(status int, change map[string]any) {
		d.Helper()
		d.Want(status, d.Do(http.MethodPatch, "/api/collections/services/records/"+id, d.Staff(), change))
	}
	state := func() string { return d.service() + " " + d.Service(d.order).GetString("hold") }
	edit(http.StatusOK, map[string]any{"status": "suspended", "status_reason": "abuse"})
	d.Quiet()
	d.want("by staff", state(), "suspended staff")
	d.day(6)
	d.want("unpaid as well", state()+" "+d.access(), "suspended staff suspended")
	edit(http.StatusBadRequest, map[string]any{"status": "active"}) // a debt is not switched on past billing
	edit(http.StatusBadRequest, map[string]any{"hold": "paused"})
	edit(http.StatusOK, map[string]any{"hold": ""})
	d.want("what staff did is lifted, the debt stays", state(), "suspended overdue")
	edit(http.StatusOK, map[string]any{"hold": "staff"})
	d.transfer(490)
	d.Settle()
	d.want("paid, but staff's suspension stays", state()+" "+d.access(), "suspended staff open")
	edit(http.StatusOK, map[string]any{"status": "active"})
	d.Quiet()
	d.want("lifted by staff", state(), "active ")
}
