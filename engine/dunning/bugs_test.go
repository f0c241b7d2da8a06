package dunning

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// verdict is one scenario of Suspended.
type verdict struct {
	name string
	f    Facts
	now  string
	want bool
	why  Reason
}

func checkSuspended(t *testing.T, p Policy, scenarios []verdict) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Helper()
			got, why := Suspended(p, s.f, at(s.now))
			if got != s.want || why != s.why {
				t.Errorf("at %s: %v because %q, want %v because %q", s.now, got, why, s.want, s.why)
			}
		})
	}
}

func outage(since, until string) func(*Facts) {
	return func(f *Facts) {
		f.Gateway.DownSince = at(since)
		if until != "" {
			f.Gateway.RecoveredAt = at(until)
		}
	}
}

func TestG1SuspensionNeedsAnIssuedDeliveredOverdueInvoice(t *testing.T) {
	checkSuspended(t, Default(), []verdict{
		{"overdue past grace and announced", invoice(noticed), "2026-03-15 00:05", true, Overdue},
		{"draft", invoice(noticed, func(f *Facts) { f.Status = billing.InvoiceDraft }), "2026-04-15", false, Settled},
		{"paid", invoice(noticed, func(f *Facts) { f.Status = billing.InvoicePaid }), "2026-04-15", false, Settled},
		{"void", invoice(noticed, func(f *Facts) { f.Status = billing.InvoiceVoid }), "2026-04-15", false, Settled},
		{"nothing owed", invoice(noticed, func(f *Facts) { f.Open = money.Must(0, "EUR") }), "2026-04-15", false, Settled},
		{"no due date", invoice(noticed, func(f *Facts) { f.DueAt = time.Time{} }), "2026-04-15", false, Settled},
		{"never delivered", invoice(noticed, func(f *Facts) { f.DeliveredAt = time.Time{} }), "2026-04-15", false, NotDelivered},
		{"no period of a service", invoice(noticed, func(f *Facts) { f.Services = nil }), "2026-04-15", false, NoService},
		{"not due yet", invoice(noticed), "2026-03-09", false, NotOverdue},
		{"in grace", invoice(noticed), "2026-03-14 23:59", false, InGrace},
		{"no notice sent", invoice(), "2026-04-15", false, NoticeMissing},
		{"last notice queued, not sent", invoice(done(Notice, 1, "2026-03-11"), done(Notice, 2, "2026-03-13"), done(Notice, 3, "")), "2026-04-15", false, NoticeMissing},
		{"notice too fresh", invoice(done(Notice, 3, "2026-04-14 12:00")), "2026-04-15", false, NoticeGap},
		{"gateway down", invoice(noticed, outage("2026-03-14", "")), "2026-04-15", false, GatewayDown},
		{"gateway just back", invoice(noticed, outage("2026-03-14", "2026-03-16 12:00")), "2026-03-17 11:59", false, GatewayRecovers},
		{"grace after the outage over", invoice(noticed, outage("2026-03-14", "2026-03-16 12:00")), "2026-03-17 12:00", true, Overdue},
		{
			"grace over, and the charge still has to be tried",
			invoice(noticed, card("c1"), outage("2026-03-09", "2026-03-16 12:00")), "2026-03-17 12:00", false, ChargeDue,
		},
		{
			"tried since, and declined",
			invoice(noticed, card("c1"), outage("2026-03-09", "2026-03-16 12:00"), try("c1", Soft, "2026-03-17 08:00")), "2026-03-17 12:00", true, Overdue,
		},
	})
	p := Default()
	p.SuspendDays = 0
	checkSuspended(t, p, []verdict{{"off by policy", invoice(noticed), "2027-01-01", false, SuspensionOff}})
	checkNext(t, Default(), []moment{
		{"a bill that never came has no notices", invoice(func(f *Facts) { f.DeliveredAt = time.Time{} }), "2026-03-20", "", "2026-03-20 01:00"},
	})
}

func TestG2OnePredicateSuspendsAndRestores(t *testing.T) {
	p := Default()
	p.AutoTerminate = false
	gone := outage("2026-03-20", "")
	checkSuspended(t, p, []verdict{
		{"stays suspended", invoice(suspended), "2026-03-20", true, Overdue},
		{"an outage restores nobody", invoice(suspended, gone), "2026-03-20 12:00", true, Overdue},
		{"a charge under way restores nobody", invoice(suspended, try("c1", Unknown, "2026-03-20")), "2026-03-20 12:00", true, Overdue},
		{"a debit on its way does", invoice(suspended, try("c1", Pending, "2026-03-20")), "2026-03-20 12:00", false, PaymentPending},
		{"money that is not matched does", invoice(suspended, func(f *Facts) { f.Unmatched = true }), "2026-03-20", false, UnmatchedMoney},
	})
	again := invoice(suspended, done(Unsuspend, 1, "2026-03-21"), access(AccessOpen))
	second := invoice(suspended, done(Unsuspend, 1, "2026-03-21"), done(Suspend, 2, "2026-03-25"))
	checkNext(t, p, []moment{
		{"suspended once, not every day", invoice(suspended), "2026-03-21", "", ""},
		{"restored, then demanded again", again, "2026-03-25", "suspend(2 s1)", "2026-03-25 01:00"},
		{"suspended a second time", second, "2026-03-26", "", ""},
		{
			"restored a second time",
			invoice(suspended, done(Unsuspend, 1, "2026-03-21"), done(Suspend, 2, "2026-03-25"), func(f *Facts) { f.Status = billing.InvoicePaid }),
			"2026-03-26", "unsuspend(2 s1)", "2026-03-26 01:00",
		},
		{
			"paid, but another invoice keeps the service off",
			invoice(suspended, func(f *Facts) { f.Status, f.Services[0].Elsewhere = billing.InvoicePaid, true }),
			"2026-03-26", "unsuspend(1)", "2026-03-26 01:00",
		},
		{
			"suspended by another invoice before: recorded, nothing to do",
			invoice(noticed, access(AccessSuspended), func(f *Facts) { f.Services[0].Elsewhere = true }), "2026-03-16", "suspend(1)", "2026-03-16 01:00",
		},
		{
			"found suspended with nothing owed: restored",
			invoice(access(AccessSuspended), func(f *Facts) { f.Status = billing.InvoicePaid }), "2026-03-16", "unsuspend(1 s1)", "2026-03-16 01:00",
		},
		{"staff opened it, the debt stands", invoice(suspended, access(AccessOpen)), "2026-03-21", "suspend(2 s1)", "2026-03-21 01:00"},
	})
}

func TestG5NoStepTwice(t *testing.T) {
	p := Default()
	p.AutoTerminate = false
	checkNext(t, p, []moment{
		{"a reminder that is claimed is not claimed again", invoice(done(Reminder, 1, "")), "2026-03-04", "", "2026-03-11"},
		{"nor a notice that is still queued", invoice(done(Notice, 1, "")), "2026-03-11 08:00", "", "2026-03-13"},
		{"and the next one waits for it", invoice(done(Notice, 1, "")), "2026-03-13 08:00", "", "2026-03-14 08:00"},
		{"a link to confirm is mailed once", invoice(noticed, card("c1"), try("c1", Authenticate, "2026-03-10"), done(AskAuthentication, 1, "")), "2026-03-14 12:00", "", "2026-03-14 13:00"},
		{"suspension once", invoice(suspended), "2026-05-01", "", ""},
	})
}

func TestG6EachInvoiceHasItsOwnConsequences(t *testing.T) {
	p := Default()
	p.AutoTerminate = false
	old := invoice(noticed)
	young := invoice(func(f *Facts) {
		f.IssuedAt, f.DeliveredAt, f.DueAt = at("2026-03-06"), at("2026-03-06"), at("2026-03-13")
		f.Services = []Service{{ID: "s2", Access: AccessOpen}}
	})
	paidYear := invoice(func(f *Facts) {
		f.Status, f.Open = billing.InvoicePaid, money.Must(0, "EUR")
		f.Services = []Service{{ID: "s3", Access: AccessOpen}}
	})
	checkNext(t, p, []moment{
		{"the old debt suspends its own service", old, "2026-03-15 01:00", "suspend(1 s1)", "2026-03-15 02:00"},
		{"the younger one has only begun", young, "2026-03-15 01:00", "notice(1)", "2026-03-15 02:00"},
		{"what is paid for a year stays", paidYear, "2026-03-15 01:00", "", ""},
	})
	// The old invoice is settled: the younger one goes its whole way, with every
	// notice, from its own due date.
	checkSuspended(t, p, []verdict{
		{"no jump to the end", young, "2026-04-30", false, NoticeMissing},
	})
	checkNext(t, p, []moment{{"but the next notice", young, "2026-04-30", "notice(1)", "2026-04-30 01:00"}})
}

func TestG7TerminationIsWarnedOfAndFinal(t *testing.T) {
	p := Default()
	warned := done(FinalWarning, 1, "2026-04-07 00:03")
	end := invoice(suspended, warned)
	checkNext(t, p, []moment{
		{"never without the warning", invoice(suspended), "2026-06-01", "final_warning(1)", "2026-06-01 01:00"},
		{"nor while the warning is queued", invoice(suspended, done(FinalWarning, 1, "")), "2026-06-01", "", "2026-06-08"},
		{"warned late: the promised days pass first", invoice(suspended, done(FinalWarning, 1, "2026-06-01")), "2026-06-07 23:59", "", "2026-06-08"},
		{"then it ends", invoice(suspended, done(FinalWarning, 1, "2026-06-01")), "2026-06-08", "terminate(1 s1)", "2026-06-08 01:00"},
		{"called once", invoice(suspended, warned, done(Terminate, 1, "2026-04-14")), "2026-04-15", "", ""},
		{
			"paid at the last moment",
			invoice(suspended, warned, func(f *Facts) { f.Status = billing.InvoicePaid }), "2026-04-14", "unsuspend(1 s1)", "2026-04-14 01:00",
		},
		{"a debit on its way", invoice(suspended, warned, try("c1", Pending, "2026-04-13")), "2026-04-14", "unsuspend(1 s1)", "2026-04-14 01:00"},
		{"an attempt without an answer", invoice(suspended, warned, try("c1", Unknown, "2026-04-13")), "2026-04-14", "", "2026-04-27"},
		{"gateway down", invoice(suspended, warned, outage("2026-04-13", "")), "2026-04-14", "", "2026-04-14 01:00"},
		{"a charge is due first", invoice(suspended, warned, card("c1")), "2026-04-14", "charge(1 c1)", "2026-04-14 01:00"},
		{"paused", invoice(suspended, warned, func(f *Facts) { f.PauseUntil = at("2026-05-01") }), "2026-04-14", "unsuspend(1 s1)", "2026-04-14 01:00"},
		{
			"a warning from an earlier suspension does not count",
			invoice(suspended, warned, done(Unsuspend, 1, "2026-04-08"), done(Suspend, 2, "2026-05-01 09:00")), "2026-06-30", "final_warning(2)", "2026-06-30 01:00",
		},
		{
			"only what is still there is ended",
			invoice(suspended, warned, func(f *Facts) { f.Services = append(f.Services, Service{ID: "s0", Access: AccessEnded}) }),
			"2026-04-14", "terminate(1 s1)", "2026-04-14 01:00",
		},
	})
	p.AutoTerminate = false
	checkNext(t, p, []moment{{"never by itself if the policy says so", end, "2027-04-14", "", ""}})
}

func TestE4DueTodayIsNotOverdue(t *testing.T) {
	checkNext(t, Default(), []moment{
		{"morning of the due day", invoice(), "2026-03-10 06:30", "", "2026-03-11"},
		{"last second of the due day", invoice(), "2026-03-10T23:59:59Z", "", "2026-03-11"},
		{"the day after", invoice(), "2026-03-11", "notice(1)", "2026-03-11 01:00"},
		{"a due time in the afternoon is the same day", invoice(func(f *Facts) { f.DueAt = at("2026-03-10 17:00") }), "2026-03-11", "notice(1)", "2026-03-11 01:00"},
	})
}

func TestE6AnExemptionEnds(t *testing.T) {
	p := Default()
	p.AutoTerminate = false
	until := func(f *Facts) { f.ExemptUntil = at("2026-04-01") }
	checkSuspended(t, p, []verdict{
		{"exempt", invoice(noticed, until), "2026-03-31 23:59", false, Exempt},
		{"lapsed by itself", invoice(noticed, until), "2026-04-01", true, Overdue},
		{"a date in the past is no exemption", invoice(noticed, func(f *Facts) { f.ExemptUntil = at("2025-01-01") }), "2026-03-16", true, Overdue},
		{"pause ends, too", invoice(noticed, func(f *Facts) { f.PauseUntil = at("2026-04-01") }), "2026-04-01", true, Overdue},
	})
	checkNext(t, p, []moment{
		{"looked at again when it ends", invoice(noticed, until), "2026-03-16", "", "2026-04-01"},
		{"suspended when it ends", invoice(noticed, until), "2026-04-01", "suspend(1 s1)", "2026-04-01 01:00"},
		{"granted while suspended: restored", invoice(suspended, until), "2026-03-20", "unsuspend(1 s1)", "2026-03-20 01:00"},
		{"notices go on meanwhile", invoice(until), "2026-03-11", "notice(1)", "2026-03-11 01:00"},
		{"pause holds notices", invoice(func(f *Facts) { f.PauseUntil = at("2026-03-20 10:00") }), "2026-03-12", "", "2026-03-20 10:00"},
	})
}

func TestA5NoAttemptBesideAnUnknownOne(t *testing.T) {
	p := Default()
	for _, r := range []Result{Unknown, Pending, Authenticate} {
		f := invoice(noticed, card("c1"), card("c2"), try("c1", Soft, "2026-03-10"), try("c1", r, "2026-03-11"), try("c2", Hard, "2026-03-12"))
		f.Methods = append(f.Methods, Method{ID: "c3", Fingerprint: "fp-c3"})
		for now := at("2026-03-11"); now.Before(at("2026-09-01")); now = now.Add(7 * time.Hour) {
			steps, _ := Next(p, f, now)
			for _, s := range steps {
				if s.Kind == Charge || s.Kind == AskNewMethod {
					t.Fatalf("%s: with an attempt that is %s, %s was due", now, r, says(steps))
				}
			}
		}
	}
	checkNext(t, p, []moment{
		{"answered: the calendar goes on", invoice(noticed, card("c1"), try("c1", Soft, "2026-03-10"), try("c1", Soft, "2026-03-11")), "2026-03-13", "charge(3 c1)", "2026-03-13 01:00"},
	})
}

func TestB6APendingDebitHoldsForAWhile(t *testing.T) {
	p := Default()
	p.PendingHoldDays = 10
	f := invoice(noticed, try("c1", Pending, "2026-03-14 18:00"))
	checkSuspended(t, p, []verdict{
		{"on its way", f, "2026-03-23 23:59", false, PaymentPending},
		{"too long on its way", f, "2026-03-24", true, Overdue},
		{"no answer at all holds as long", invoice(noticed, try("c1", Unknown, "2026-03-14")), "2026-03-16", false, OutcomeUnknown},
		{"and not for ever", invoice(noticed, try("c1", Unknown, "2026-03-14")), "2026-03-24", true, Overdue},
	})
	checkNext(t, p, []moment{
		{"no notice meanwhile", invoice(try("c1", Pending, "2026-03-10")), "2026-03-12", "", "2026-03-20"},
		{"no reminder meanwhile", invoice(try("c1", Pending, "2026-03-03")), "2026-03-04", "", "2026-03-11"},
		{"failed in the end: goes on where it was", invoice(try("c1", Soft, "2026-03-10")), "2026-03-11", "ask_new_method(2) notice(1)", "2026-03-11 01:00"},
	})
}

func TestB3UnmatchedMoneyHoldsEverything(t *testing.T) {
	waiting := func(f *Facts) { f.Unmatched = true }
	p := Default()
	p.LateFee = Fee{Days: 2, Kind: FeePercent, BasisPoints: 500}
	for _, f := range []Facts{invoice(waiting), invoice(waiting, noticed, card("c1"))} {
		for now := at("2026-02-24"); now.Before(at("2026-09-01")); now = now.Add(5 * time.Hour) {
			if steps, _ := Next(p, f, now); len(steps) > 0 {
				t.Fatalf("%s: %s with unmatched money", now, says(steps))
			}
			if on, why := Suspended(p, f, now); on {
				t.Fatalf("%s: suspended because %s with unmatched money", now, why)
			}
		}
	}
}
