package payments_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

// TestB8AStaleCopyTakesNoPaymentAway cancels an order, which closes its page, in the
// moment in which the page is paid: whoever comes first, the money is in the books,
// and nothing takes it out again.
func TestB8AStaleCopyTakesNoPaymentAway(t *testing.T) {
	for range 4 {
		app := testapp.New(t)
		ada := app.Customer("ada")
		o := app.Order(ada, testapp.Cart{})
		both := sync.WaitGroup{}
		both.Go(func() { _, _ = app.Stripe.PayPage(o.Session(), testapp.CardWorks) })
		both.Go(func() {
			_, err := app.Try(http.MethodPost, "/api/v1/orders/"+o.ID+"/cancel", ada.Token, map[string]any{})
			if err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		app.Quiet()
		paid := app.Stripe.Paid(o.Invoice)
		if got := app.Count("payment_transactions", "`status` = 'succeeded'"); got != paid {
			t.Errorf("%d payments in the books, the gateway took %d", got, paid)
		}
		order := app.Record("orders", o.ID).GetString("status")
		if credit := app.Balance(ada.Id, "credit", "EUR"); paid == 1 && order == "cancelled" && credit != -490 {
			t.Errorf("the order is cancelled and the credit %d, want the payment", credit)
		}
		if paid == 0 {
			continue
		}
		for _, sql := range []string{"DELETE FROM `payment_transactions`", "UPDATE `payment_transactions` SET `status` = 'cancelled' WHERE `status` = 'succeeded'", "UPDATE `payment_transactions` SET `amount_minor` = 0 WHERE `status` = 'succeeded'"} {
			if app.Exec(sql) == nil {
				t.Errorf("%s was carried out", sql)
			}
		}
	}
}
