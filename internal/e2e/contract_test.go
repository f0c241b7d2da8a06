package e2e

import (
	"testing"

	"github.com/ezscale/ezscale/internal/browser"
)

// TestPlanChangedKeptAndEnded changes the plan of a running server for later and takes
// that back, changes it at once and pays for it, cancels and thinks better of it, and
// ends it for good.
func TestPlanChangedKeptAndEnded(t *testing.T) {
	d, b := browse(t)
	chooseAndPay(t, d, b, "growing", "vps-s", "€4.90")
	payWith(b, goodCard)
	b.WaitText("Order paid")
	b.WaitFor("a.btn.primary[href^='/portal/services/']")
	b.WaitText("running")
	b.Click("css=a.btn.primary[href^='/portal/services/']")
	b.WaitText("Plan and renewal")
	service := b.URL()

	planForLater(t, b)
	upgradeNow(t, b, service)
	cancelAndKeep(t, b)
	endNow(t, b)
	b.MustBeClean(t)
}

func planForLater(t *testing.T, b *browser.Browser) {
	t.Helper()
	b.Click("Change plan")
	b.WaitText("Choose another plan or billing period")
	inspect(t, b, "change of plan")
	look(b, "change-plan")
	b.Click("VPS M")
	b.WaitText("Change for €")
	b.WaitText("Unused part of VPS S")
	inspect(t, b, "change of plan, priced")
	look(b, "change-plan-priced")
	b.Click("At the end of the period")
	b.WaitText("It begins on")
	b.Click("css=button.primary.big")
	b.WaitText("Agreed change: VPS M")
	inspect(t, b, "service with a planned change")
	look(b, "service-planned")
	b.Click("Take back")
	b.WaitText("The change is taken back")
	b.WaitGone("Agreed change")
}

func upgradeNow(t *testing.T, b *browser.Browser, service string) {
	t.Helper()
	b.Click("Change plan")
	b.WaitText("Choose another plan")
	b.Click("VPS M")
	b.WaitText("Change for €")
	b.Click("css=button.primary.big")
	b.WaitURL("/portal/invoices/")
	b.WaitText("Pay €")
	b.Click("css=.actions .btn.primary")
	payWith(b, goodCard)
	b.WaitURL("/portal/invoices/")
	b.WaitText("Paid")
	b.Open(service)
	b.WaitText("VPS M")
	b.WaitGone("Being changed to")
}

func cancelAndKeep(t *testing.T, b *browser.Browser) {
	t.Helper()
	b.Click("Cancel service")
	b.WaitText("When should it end?")
	b.MustBeAccessible(t, "dialog to cancel")
	look(b, "service-cancel")
	b.Click("It costs too much")
	b.Click("Cancel at the end")
	b.WaitText("Ends on")
	b.WaitText("Do not cancel")
	inspect(t, b, "service that is cancelled")
	look(b, "service-cancelled")
	b.Click("Do not cancel")
	b.WaitText("The service goes on.")
	b.WaitGone("Ends on")
}

func endNow(t *testing.T, b *browser.Browser) {
	t.Helper()
	b.Click("Cancel service")
	b.WaitText("When should it end?")
	b.Click("css=dialog input[value=now]")
	b.Click("css=dialog .btn.danger")
	b.WaitText("Data will be deleted on")
	b.WaitText("suspended")
	inspect(t, b, "service that has ended")
}
