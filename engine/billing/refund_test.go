package billing

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ezscale/ezscale/engine/money"
)

// TestC5AllocateRefund: credit that paid goes back to credit first, then cash to
// its gateways, the newest first.
func TestC5AllocateRefund(t *testing.T) {
	payments := []PaidPart{
		{"card old", "stripe", date("2027-03-01"), eur(500), eur(0), eur(0)},
		{"credit", GatewayCredit, date("2027-03-02"), eur(300), eur(0), eur(0)},
		{"paypal new", "paypal", date("2027-03-03"), eur(200), eur(0), eur(0)},
	}
	scenarios := []struct {
		name   string
		change func([]PaidPart)
		amount money.Amount
		want   []RefundPart
		err    error
	}{
		{"less than the credit", nil, eur(250), []RefundPart{{"credit", GatewayCredit, eur(250)}}, nil},
		{"credit, then the newest", nil, eur(400), []RefundPart{{"credit", GatewayCredit, eur(300)}, {"paypal new", "paypal", eur(100)}}, nil},
		{"all", nil, eur(1000), []RefundPart{{"credit", GatewayCredit, eur(300)}, {"paypal new", "paypal", eur(200)}, {"card old", "stripe", eur(500)}}, nil},
		{
			"what was returned is gone", func(p []PaidPart) { p[1].Returned, p[2].Returned = eur(300), eur(150) },
			eur(100),
			[]RefundPart{{"paypal new", "paypal", eur(50)}, {"card old", "stripe", eur(50)}},
			nil,
		},
		{"what a dispute holds is not ours to pay", func(p []PaidPart) { p[0].Held = eur(500) }, eur(501), nil, ErrRefundTooMuch},
		{"a cent too much", nil, eur(1001), nil, ErrRefundTooMuch},
		{"another currency", nil, money.Must(1, "USD"), nil, money.ErrMismatch},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			rows := slices.Clone(payments)
			if s.change != nil {
				s.change(rows)
			}
			got, err := AllocateRefund(rows, s.amount)
			if !errors.Is(err, s.err) || !slices.Equal(got, s.want) {
				t.Errorf("got %+v, error %v, want %+v, error %v", got, err, s.want, s.err)
			}
		})
	}
	for _, amount := range []money.Amount{eur(0), eur(-1)} {
		if got, err := AllocateRefund(payments, amount); err == nil {
			t.Errorf("refund of %s: got %+v, want an error", amount, got)
		}
	}
	if got, err := AllocateRefund(nil, eur(1)); !errors.Is(err, ErrRefundTooMuch) {
		t.Errorf("nothing was paid: got %+v, error %v", got, err)
	}
}

// TestRefundsNeverExceedPayments refunds in random parts until it is refused:
// what went back to each payment is at most what it brought, and all of it in
// the end.
func TestRefundsNeverExceedPayments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payments, paid := []PaidPart{}, int64(0)
		for i, minor := range rapid.SliceOfN(rapid.Int64Range(1, 1000), 1, 5).Draw(t, "payments") {
			gateway := rapid.SampledFrom([]string{"stripe", "paypal", "manual", GatewayCredit}).Draw(t, "gateway")
			payments = append(payments, PaidPart{string(rune('a' + i)), gateway, drawInstant(t, "at"), eur(minor), eur(0), eur(0)})
			paid += minor
		}
		for paid > 0 {
			amount := rapid.Int64Range(1, paid).Draw(t, "amount")
			parts, err := AllocateRefund(payments, eur(amount))
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range parts {
				i := slices.IndexFunc(payments, func(p PaidPart) bool { return p.ID == part.Payment })
				payments[i].Returned = eur(payments[i].Returned.Minor() + part.Amount.Minor())
				if payments[i].Returned.Minor() > payments[i].Amount.Minor() || part.Amount.Sign() <= 0 || part.Gateway != payments[i].Gateway {
					t.Fatalf("payment %+v after %+v", payments[i], part)
				}
				amount -= part.Amount.Minor()
				paid -= part.Amount.Minor()
			}
			if amount != 0 {
				t.Fatalf("%d is missing in %+v", amount, parts)
			}
		}
		if parts, err := AllocateRefund(payments, eur(1)); !errors.Is(err, ErrRefundTooMuch) {
			t.Fatalf("more than was paid: %+v, error %v", parts, err)
		}
	})
}
