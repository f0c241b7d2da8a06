package billing

import "testing"

func TestWhatMayBeDone(t *testing.T) {
	running := Standing{Status: SubscriptionActive, Cycle: Monthly}
	with := func(change func(*Standing)) Standing {
		s := running
		change(&s)
		return s
	}
	scenarios := []struct {
		name string
		is   Standing
		want map[Act]string // code of the refusal; what is absent is possible
	}{
		{"running", running, map[Act]string{ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActResume: "not_paused"}},
		{"cancelled for later", with(func(s *Standing) { s.Ends = true }), map[Act]string{ActChange: "ends", ActUndoChange: "no_change", ActPause: "ends", ActResume: "not_paused"}},
		{"a change is waiting", with(func(s *Standing) { s.Changing = true }), map[Act]string{ActChange: "changing", ActUndoCancel: "not_ending", ActPause: "changing", ActResume: "not_paused"}},
		{"a pause is agreed", with(func(s *Standing) { s.Pauses = true }), map[Act]string{ActChange: "pauses", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "pauses"}},
		{"paused", with(func(s *Standing) { s.Status = SubscriptionPaused }), map[Act]string{ActChange: "paused", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "paused"}},
		{"paused with something overdue", with(func(s *Standing) { s.Status, s.Overdue = SubscriptionPaused, true }), map[Act]string{ActChange: "paused", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "paused", ActResume: "overdue"}},
		{"overdue", with(func(s *Standing) { s.Overdue = true }), map[Act]string{ActChange: "overdue", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "overdue", ActResume: "not_paused"}},
		{"suspended", with(func(s *Standing) { s.Suspended = true }), map[Act]string{ActChange: "suspended", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "suspended", ActResume: "not_paused"}},
		{"on trial", with(func(s *Standing) { s.Status = SubscriptionTrialing }), map[Act]string{ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "trial", ActResume: "not_paused"}},
		{"by the hour", with(func(s *Standing) { s.Cycle = Hourly }), map[Act]string{ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "hourly", ActResume: "not_paused"}},
		{"paid once", with(func(s *Standing) { s.Cycle = OneTime }), map[Act]string{ActChange: "one_time", ActUndoChange: "no_change", ActUndoCancel: "not_ending", ActPause: "one_time", ActResume: "not_paused"}},
	}
	for _, s := range scenarios {
		for _, a := range Acts() {
			if got := s.is.Refuse(a); got.Code != s.want[a] || (got.Code == "") != (got.Text == "") {
				t.Errorf("%s, %s: got %+v, want code %q", s.name, a, got, s.want[a])
			}
		}
	}
	for name, is := range map[string]Standing{
		"cancelled": with(func(s *Standing) { s.Status = SubscriptionCancelled }), "not_paid": with(func(s *Standing) { s.Status = SubscriptionPending }), "gateway_owned": with(func(s *Standing) { s.GatewayOwned = true }),
	} {
		for _, a := range Acts() {
			if name == "gateway_owned" && a == ActCancel {
				continue
			}
			if got := is.Refuse(a); got.Code != name {
				t.Errorf("%s, %s: got %+v, want it refused", name, a, got)
			}
		}
	}
}
