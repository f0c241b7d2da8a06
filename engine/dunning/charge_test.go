package dunning

import "testing"

func TestCharges(t *testing.T) {
	p := Default()
	p.RemindDaysBefore = 0
	p.NoticeDays, p.SuspendDays, p.AutoTerminate = nil, 0, false
	lastTry := p
	lastTry.RetryFrom = FromLastTry
	early := p
	early.ChargeDaysBefore = 3
	alone := p
	alone.FallbackMethods = false
	few := p
	few.MaxTries = 2
	off := p
	off.MaxTries = 0
	soft := func(m string, days ...string) func(*Facts) {
		return func(f *Facts) {
			for _, d := range days {
				try(m, Soft, d)(f)
			}
		}
	}
	byCustomer := func(f *Facts) { f.Attempts[len(f.Attempts)-1].ByCustomer = true }
	down := func(since, until string) func(*Facts) {
		return func(f *Facts) {
			f.Gateway.DownSince = at(since)
			if until != "" {
				f.Gateway.RecoveredAt = at(until)
			}
		}
	}
	for _, c := range []struct {
		policy    Policy
		scenarios []moment
	}{
		{p, []moment{
			{"before the due date", invoice(card("c1")), "2026-03-09 23:59", "", "2026-03-10"},
			{"on the due date", invoice(card("c1")), "2026-03-10", "charge(1 c1)", "2026-03-10 01:00"},
			{"nothing saved, nothing asked", invoice(), "2026-03-20", "", ""},
			{"soft decline waits", invoice(card("c1"), soft("c1", "2026-03-10 00:01")), "2026-03-10 12:00", "", "2026-03-11"},
			{"first retry", invoice(card("c1"), soft("c1", "2026-03-10 00:01")), "2026-03-11", "charge(2 c1)", "2026-03-11 01:00"},
			{"second retry", invoice(card("c1"), soft("c1", "2026-03-10 00:01", "2026-03-11 00:01")), "2026-03-12", "", "2026-03-13"},
			{"downtime: one try, not three", invoice(card("c1"), soft("c1", "2026-03-10 00:01")), "2026-03-16 09:00", "charge(2 c1)", "2026-03-16 10:00"},
			{"downtime: the calendar moves along", invoice(card("c1"), soft("c1", "2026-03-10 00:01", "2026-03-16 09:00")), "2026-03-17", "", "2026-03-18"},
			{
				"ran out: the customer is asked",
				invoice(card("c1"), soft("c1", "2026-03-10", "2026-03-11", "2026-03-13", "2026-03-15", "2026-03-17")),
				"2026-03-17 00:01", "ask_new_method(6)", "2026-03-17 01:01",
			},
			{
				"ran out: the fallback follows at once",
				invoice(card("c1"), card("c2"), soft("c1", "2026-03-10", "2026-03-11", "2026-03-13", "2026-03-15", "2026-03-17")),
				"2026-03-17 00:01", "charge(6 c2)", "2026-03-17 01:01",
			},
			{
				"asked, a new card is charged at once",
				invoice(card("c1"), try("c1", Hard, "2026-03-10"), done(AskNewMethod, 2, "2026-03-10"), card("c2")),
				"2026-03-20 15:00", "charge(2 c2)", "2026-03-20 16:00",
			},
			{"hard decline, no other card", invoice(card("c1"), try("c1", Hard, "2026-03-10")), "2026-03-10 00:01", "ask_new_method(2)", "2026-03-10 01:01"},
			{
				"asked once",
				invoice(card("c1"), try("c1", Hard, "2026-03-10"), done(AskNewMethod, 2, "2026-03-10 00:05")), "2026-04-01", "", "",
			},
			{"hard decline, fallback at once", invoice(card("c1"), card("c2"), try("c1", Hard, "2026-03-10 00:01")), "2026-03-10 00:02", "charge(2 c2)", "2026-03-10 01:02"},
			{
				"fallback has its own calendar",
				invoice(card("c1"), card("c2"), try("c1", Hard, "2026-03-12 00:01"), try("c2", Soft, "2026-03-12 00:02")),
				"2026-03-12 12:00", "", "2026-03-13",
			},
			{
				"the same card saved twice is one card",
				invoice(card("c1"), card("c2"), func(f *Facts) { f.Methods[1].Fingerprint = "fp-c1" }, try("c1", Hard, "2026-03-10")),
				"2026-03-11", "ask_new_method(2)", "2026-03-11 01:00",
			},
			{
				"a card refused to the customer is not charged either",
				invoice(card("c1"), try("c1", Hard, "2026-03-08"), byCustomer), "2026-03-10", "ask_new_method(1)", "2026-03-10 01:00",
			},
			{
				"a customer's own soft decline uses up nothing",
				invoice(card("c1"), try("c1", Soft, "2026-03-10"), byCustomer), "2026-03-10 00:05", "charge(1 c1)", "2026-03-10 01:05",
			},
			{
				"expired default card: fallback",
				invoice(card("c1"), card("c2"), func(f *Facts) { f.Methods[0].Expired = true }), "2026-03-10", "charge(1 c2)", "2026-03-10 01:00",
			},
			{
				"only an expired card: asked on the day of the charge",
				invoice(card("c1"), func(f *Facts) { f.Methods[0].Expired = true }), "2026-03-10", "ask_new_method(1)", "2026-03-10 01:00",
			},
			{"authentication: link is mailed", invoice(card("c1"), card("c2"), try("c1", Authenticate, "2026-03-10")), "2026-03-10 00:01", "ask_authentication(1)", "2026-03-10 01:01"},
			{
				"authentication: then it waits",
				invoice(card("c1"), card("c2"), try("c1", Authenticate, "2026-03-10"), done(AskAuthentication, 1, "2026-03-10")),
				"2026-03-20", "", "2026-03-20 01:00",
			},
			{
				"authentication abandoned: the calendar goes on",
				invoice(card("c1"), try("c1", Cancelled, "2026-03-10"), done(AskAuthentication, 1, "2026-03-10")), "2026-03-11", "charge(2 c1)", "2026-03-11 01:00",
			},
			{"pending", invoice(card("c1"), try("c1", Pending, "2026-03-10")), "2026-04-10", "", "2026-04-10 01:00"},
			{"issued after it was due", invoice(card("c1"), func(f *Facts) { f.IssuedAt = at("2026-03-12 07:00") }), "2026-03-12 06:00", "", "2026-03-12 07:00"},
			{"gateway down", invoice(card("c1"), down("2026-03-09", "")), "2026-03-10", "", "2026-03-10 01:00"},
			{"gateway back: the first try comes first", invoice(card("c1"), down("2026-03-09", "2026-03-12 08:00")), "2026-03-12 08:00", "charge(1 c1)", "2026-03-12 09:00"},
			{
				"a try that the outage swallowed does not count",
				invoice(card("c1"), try("c1", Outage, "2026-03-10 00:01"), down("2026-03-10 00:01", "2026-03-10 05:00")),
				"2026-03-10 05:00", "charge(2 c1)", "2026-03-10 06:00",
			},
			{"unknown health: an hour after a lost try", invoice(card("c1"), try("c1", Outage, "2026-03-10 00:30")), "2026-03-10 01:00", "", "2026-03-10 01:30"},
			{"paused", invoice(card("c1"), func(f *Facts) { f.PauseUntil = at("2026-03-20 10:00") }), "2026-03-12", "", "2026-03-20 10:00"},
			{"unmatched money", invoice(card("c1"), func(f *Facts) { f.Unmatched = true }), "2026-03-12", "", "2026-03-12 01:00"},
			{"exempt customers are charged", invoice(card("c1"), func(f *Facts) { f.ExemptUntil = at("2027-01-01") }), "2026-03-12", "charge(1 c1)", "2026-03-12 01:00"},
		}},
		{lastTry, []moment{
			{"counted from the last try", invoice(card("c1"), soft("c1", "2026-03-10 00:01", "2026-03-11 00:01")), "2026-03-13", "", "2026-03-14"},
		}},
		{early, []moment{
			{"charge before the due date", invoice(card("c1")), "2026-03-07", "charge(1 c1)", "2026-03-07 01:00"},
			{"retries count from the due date", invoice(card("c1"), soft("c1", "2026-03-07 00:01")), "2026-03-08", "", "2026-03-11"},
		}},
		{alone, []moment{
			{"no fallback by policy", invoice(card("c1"), card("c2"), try("c1", Hard, "2026-03-10")), "2026-03-11", "ask_new_method(2)", "2026-03-11 01:00"},
		}},
		{few, []moment{
			{"no more than the tries allowed", invoice(card("c1"), soft("c1", "2026-03-10", "2026-03-11")), "2026-03-20", "ask_new_method(3)", "2026-03-20 01:00"},
		}},
		{off, []moment{{"no automatic charges", invoice(card("c1")), "2026-03-20", "", ""}}},
	} {
		checkNext(t, c.policy, c.scenarios)
	}
}
