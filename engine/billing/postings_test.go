package billing

import (
	"testing"

	"pgregory.net/rapid"
)

// TestEveryPostingSumsToZero draws amounts for each kind of posting, negative
// ones where the posting allows them.
func TestEveryPostingSumsToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := eur(rapid.Int64Range(1, 1_000_000).Draw(t, "amount"))
		net, tax := eur(rapid.Int64Range(1, 1_000_000).Draw(t, "net")), eur(rapid.Int64Range(0, 200_000).Draw(t, "tax"))
		total, err := net.Add(tax)
		if err != nil {
			t.Fatal(err)
		}
		toDue := eur(rapid.Int64Range(0, total.Minor()).Draw(t, "due"))
		toCredit, err := total.Sub(toDue)
		if err != nil {
			t.Fatal(err)
		}
		for name, posting := range map[string][]Entry{
			"credit note": PostCreditNote(Totals{net, tax, total}, toDue, toCredit), "credit applied": PostCreditApplied(a),
			"refund": PostRefund("stripe", a), "refund failed": PostRefundFailed("stripe", a), "write-off": PostWriteOff(a), "recovered": PostRecovered(a),
			"goodwill": PostGoodwill(a), "goodwill taken back": PostGoodwill(a.Neg()), "top-up issued": PostTopUpIssued(a), "top-up paid": PostTopUpPaid(a),
			"fee": PostFee("stripe", a), "dispute opened": PostDisputeOpened("stripe", a), "dispute won": PostDisputeWon("stripe", a), "dispute lost": PostDisputeLost(a),
		} {
			if err := CheckPosting(posting); err != nil {
				t.Fatalf("%s of %v: %v", name, a, err)
			}
		}
	})
}
