package gatewaytest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

var disputeTests = map[string]func(t *testing.T, h Harness){
	"through its life":     testDisputeLife,
	"listed since a time":  testDisputeList,
	"nobody knows it, 500": testDisputeFaults,
}

func testDisputeLife(t *testing.T, h Harness) {
	g, payment := as[billing.DisputeReader](t, h), h.paid(t, "a1")
	id := h.More.Dispute(payment)
	for _, status := range []billing.DisputeStatus{billing.DisputeWarning, billing.DisputeNeedsResponse, billing.DisputeUnderReview, billing.DisputeWon, billing.DisputeLost} {
		h.Advance(time.Hour)
		h.More.MoveDispute(id, status)
		d, err := g.ReadDispute(t.Context(), id)
		if err != nil || d.ID != id || d.Status != status || !slices.Equal(d.Payments, []string{payment}) || d.Amount != money.Must(3000, "EUR") || d.Reason == "" || d.At.IsZero() {
			t.Errorf("%s: got %+v, %v", status, d, err)
		}
		if due := !d.RespondBy.IsZero(); status == billing.DisputeNeedsResponse && !due {
			t.Errorf("%s: the deadline is missing", status)
		}
	}
}

func testDisputeList(t *testing.T, h Harness) {
	g := as[billing.DisputeReader](t, h)
	ids := []string{}
	for i := range 12 {
		ids = append(ids, h.More.Dispute(h.paid(t, "a"+string(rune('a'+i)))))
		h.Advance(time.Minute)
	}
	list := func(from time.Time) []string {
		t.Helper()
		found := []string{}
		if err := g.Disputes(t.Context(), from, func(d billing.Dispute) error { found = append(found, d.ID); return nil }); err != nil {
			t.Fatalf("Disputes: %v", err)
		}
		slices.Sort(found)
		return found
	}
	slices.Sort(ids)
	if got := list(h.Now().Add(-time.Hour)); !slices.Equal(got, ids) {
		t.Errorf("got %v, want %v", got, ids)
	}
	if got := list(h.Now()); len(got) != 0 {
		t.Errorf("since now: got %v, want none", got)
	}
	h.More.MoveDispute(ids[3], billing.DisputeWon)
	if got := list(h.Now()); !slices.Equal(got, ids[3:4]) {
		t.Errorf("changed now: got %v, want %s", got, ids[3])
	}
}

func testDisputeFaults(t *testing.T, h Harness) {
	g := as[billing.DisputeReader](t, h)
	id := h.More.Dispute(h.paid(t, "a1"))
	for _, unknown := range []string{"", "../x", id + "9"} {
		if d, err := g.ReadDispute(t.Context(), unknown); !errors.Is(err, billing.ErrGatewayRefused) {
			t.Errorf("ReadDispute(%q): got %+v, %v, want ErrGatewayRefused", unknown, d, err)
		}
	}
	for _, f := range everyFault {
		h.Fault(CallReadDispute, f, 2)
		if _, err := g.ReadDispute(t.Context(), id); !errors.Is(err, billing.ErrGatewayTemporary) {
			t.Errorf("%s: got %v, want ErrGatewayTemporary", f, err)
		}
	}
}
