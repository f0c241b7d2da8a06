package renewals_test

import (
	"fmt"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestAnOddCentIsPaidByWhatIsGivenBack looks for a downgrade of which tax, being
// rounded, leaves a cent on the invoice while much more is given back. Its preview
// says that nothing is to be paid and what credit remains, and so it comes.
func TestAnOddCentIsPaidByWhatIsGivenBack(t *testing.T) {
	for _, rounding := range []string{"line", "document"} {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, credit kept %t", rounding, keep), func(t *testing.T) {
				s := openGroup(t)
				s.taxed(rounding)
				settings := collections.DefaultInvoicing()
				settings.KeepCredit = keep
				if err := collections.SaveSetting(s.App, "invoicing", settings); err != nil {
					t.Fatal(err)
				}
				ada := s.Customer("ada")
				o := s.Buy(ada, testapp.Cart{Plan: "vps-few", Total: 2211})
				sub := s.subscription(o)
				wish, shown := s.oddCent(ada, sub)
				total, back := shown.Int("total.minor"), shown.Int("credit.minor")
				if shown.Int("due.minor") != 0 || back < 100 || shown.At("expires_at") != nil {
					t.Fatalf("got %s, want nothing to pay of the %d on the invoice", shown, total)
				}
				change := s.agree(ada, sub.Id, wish)
				invoice := s.invoiceOf(change)
				if change.Text("status") != "applied" || invoice.GetString("status") != "paid" || invoice.GetInt64("paid_minor") != total {
					t.Errorf("got %s and the invoice %s, want it applied and paid", change, invoice.GetString("status"))
				}
				if got := s.credit(ada.Id); got != back {
					t.Errorf("the credit is %d, the preview said %d", got, back)
				}
				s.CheckBooks()
			})
		}
	}
}

// oddCent waits for a day on which a downgrade leaves a cent on its invoice.
func (s *shop) oddCent(ada *testapp.Person, sub *core.Record) (wish object, shown *testapp.Answer) {
	s.Helper()
	for day := 1; day < 14; day++ {
		s.at(sub, day)
		for _, slug := range []string{"vps-s", "vps-m"} {
			wish = s.toPlan(slug, "now")
			if shown = s.preview(ada, sub.Id, wish); shown.Int("total.minor") > 0 {
				return wish, shown
			}
		}
	}
	s.Fatal("no day leaves a cent")
	return nil, nil
}

// taxed has prices bear tax, rounded by the line or by the document. At 17 % each
// length of a month has a day that leaves a cent.
func (s *shop) taxed(rounding string) {
	s.Helper()
	if err := collections.SaveSetting(s.App, "tax", object{"enabled": true, "rounding": rounding, "home_country": "DE", "eu_vat": true}); err != nil {
		s.Fatal(err)
	}
	s.insert(collections.TaxRates, object{"name": "VAT", "country": "DE", "level": 1, "ppm": 170_000, "valid_from": "2020-01-01 00:00:00.000Z"})
}
