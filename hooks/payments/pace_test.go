package payments_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestDueChargesHoldUpNobody: a crowd of charges is due at a gateway that takes two
// seconds for each. Meanwhile somebody orders, pays and gets a server, whose webhook
// and build are jobs like those; the charges begin at the pace that the gateway's
// record names, and each invoice is paid once.
func TestDueChargesHoldUpNobody(t *testing.T) {
	const crowd, rate = 120, 10
	app := testapp.New(t, testapp.Steady(), testapp.BuildTime(100*time.Millisecond))
	ada := card(app, "ada")
	if err := app.Exec(fmt.Sprintf("UPDATE `gateways` SET `charges_per_second` = %d WHERE `kind` = 'stripe'", rate)); err != nil {
		t.Fatal(err)
	}
	for i := range crowd {
		app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/staff/invoices", app.Staff(), map[string]any{
			"key": fmt.Sprintf("invoice-%04d", i), "customer": ada.Id, "currency": "EUR", "issue": true, "lines": []any{map[string]any{"description": "Work", "quantity": 1, "unit_minor": 1500}},
		}))
	}
	app.Quiet()
	if err := app.Exec("UPDATE `invoices` SET `auto_charge` = TRUE WHERE `status` = 'open'"); err != nil {
		t.Fatal(err)
	}
	app.Clock().Advance(15 * 24 * time.Hour) // their day
	app.StripeFaults.Add(fault.Fault{Match: "POST /v1/payment_intents", Kind: fault.Slow, Delay: 2 * time.Second})
	app.RunTasks()
	due := func() int { return app.Count("jobs", "`kind` = 'payment.charge' AND `state` != 'done'") }
	if n := due(); n < crowd/2 {
		t.Fatalf("only %d charges are due", n)
	}
	bob := app.Customer("bob")
	began := time.Now()
	o := app.Buy(bob, testapp.Cart{})
	took, left := time.Since(began), due()
	if s := app.Service(o).GetString("status"); s != "active" || left < crowd/4 {
		t.Errorf("the service is %s after %s, with %d charges left", s, took, left)
	}
	t.Logf("a first order took %s while %d charges were due", took, left)
	app.Eventually("all are paid", func() bool {
		return app.Count("invoices", "`user` = '"+ada.Id+"' AND `kind` = 'manual' AND `status` = 'paid'") == crowd
	})
	if n := app.Count("payment_transactions", "`kind` = 'off_session' AND `invoice` IN (SELECT `invoice` FROM `payment_transactions` WHERE `kind` = 'off_session' GROUP BY `invoice` HAVING COUNT(*) > 1)"); n != 0 {
		t.Errorf("%d charges of invoices that were charged before", n)
	}
	perSecond := map[int64]int{}
	for _, c := range app.Stripe.Charges() {
		if perSecond[c.Created]++; perSecond[c.Created] > 2*rate {
			t.Fatalf("%d charges within a second, want %d", perSecond[c.Created], rate)
		}
	}
}
