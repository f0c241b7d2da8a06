package dunning

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// at reads "2026-03-10" or "2026-03-10 08:00" in UTC.
func at(s string) time.Time {
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	panic("no time: " + s)
}

// invoice is an open one of 20 euros for one service, due on 10 March 2026 and
// delivered two weeks before, changed by with.
func invoice(with ...func(*Facts)) Facts {
	f := Facts{
		Status: billing.InvoiceOpen, Open: money.Must(2000, "EUR"),
		IssuedAt: at("2026-02-24 00:05"), DeliveredAt: at("2026-02-24 00:06"), DueAt: at("2026-03-10"),
		Services: []Service{{ID: "s1", Access: AccessOpen}},
	}
	for _, change := range with {
		change(&f)
	}
	return f
}

func done(kind Kind, n int, when string) func(*Facts) {
	return func(f *Facts) {
		d := Done{Kind: kind, N: n}
		if when != "" {
			d.At = at(when)
		}
		f.Done = append(f.Done, d)
	}
}

func try(method string, r Result, when string) func(*Facts) {
	return func(f *Facts) {
		f.Attempts = append(f.Attempts, Attempt{Method: method, Fingerprint: "fp-" + method, Result: r, At: at(when)})
	}
}

func card(id string) func(*Facts) {
	return func(f *Facts) {
		f.Methods = append(f.Methods, Method{ID: id, Fingerprint: "fp-" + id, Default: len(f.Methods) == 0})
	}
}

func access(a Access) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Services {
			f.Services[i].Access = a
		}
	}
}

// noticed has all three notices of the default policy sent in time.
func noticed(f *Facts) {
	for n, when := range []string{"2026-03-11 00:05", "2026-03-13 00:05", "2026-03-14 00:05"} {
		done(Notice, n+1, when)(f)
	}
}

// suspended is noticed, and suspended on 15 March.
func suspended(f *Facts) {
	noticed(f)
	done(Suspend, 1, "2026-03-15 00:10")(f)
	access(AccessSuspended)(f)
}

// says writes steps as "charge(3 card1) suspend(1 s1,s2)".
func says(steps []Step) string {
	var all []string
	for _, s := range steps {
		what := fmt.Sprintf("%s(%d", s.Kind, s.N)
		if s.Method != "" {
			what += " " + s.Method
		}
		if len(s.Services) > 0 {
			what += " " + strings.Join(s.Services, ",")
		}
		all = append(all, what+")")
	}
	return strings.Join(all, " ")
}

// moment is one scenario of Next; next is "" for never.
type moment struct {
	name string
	f    Facts
	now  string
	want string
	next string
}

func checkNext(t *testing.T, p Policy, scenarios []moment) {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatalf("policy: %v", err)
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Helper()
			steps, next := Next(p, s.f, at(s.now))
			if got := says(steps); got != s.want {
				t.Errorf("at %s: steps %q, want %q", s.now, got, s.want)
			}
			var want time.Time
			if s.next != "" {
				want = at(s.next)
			}
			if !next.Equal(want) {
				t.Errorf("at %s: next look %s, want %q", s.now, next, s.next)
			}
		})
	}
}

func TestWholeCourse(t *testing.T) {
	p := Default()
	checkNext(t, p, []moment{
		{"issued, nothing to do", invoice(), "2026-02-24 01:00", "", "2026-03-03"},
		{"reminder a week before", invoice(), "2026-03-03", "reminder(1)", "2026-03-03 01:00"},
		{"reminded", invoice(done(Reminder, 1, "2026-03-03 00:01")), "2026-03-03 00:02", "", "2026-03-11"},
		{"first notice", invoice(), "2026-03-11", "notice(1)", "2026-03-11 01:00"},
		{"second notice waits for its day", invoice(done(Notice, 1, "2026-03-11 00:05")), "2026-03-12 23:59", "", "2026-03-13"},
		{"second notice", invoice(done(Notice, 1, "2026-03-11 00:05")), "2026-03-13", "notice(2)", "2026-03-13 01:00"},
		{"suspension waits a day after the last notice", invoice(noticed), "2026-03-15 00:04", "", "2026-03-15 00:05"},
		{"suspension", invoice(noticed), "2026-03-15 00:05", "suspend(1 s1)", "2026-03-15 01:05"},
		{"suspended, warning to come", invoice(suspended), "2026-03-20", "", "2026-04-07"},
		{"final warning", invoice(suspended), "2026-04-07", "final_warning(1)", "2026-04-07 01:00"},
		{"warned", invoice(suspended, done(FinalWarning, 1, "2026-04-07 00:03")), "2026-04-13", "", "2026-04-14"},
		{"termination", invoice(suspended, done(FinalWarning, 1, "2026-04-07 00:03")), "2026-04-14", "terminate(1 s1)", "2026-04-14 01:00"},
		{
			"terminated, all is over",
			invoice(suspended, done(FinalWarning, 1, "2026-04-07 00:03"), done(Terminate, 1, "2026-04-14"), access(AccessEnded)),
			"2026-04-15", "", "",
		},
		{
			"paid while suspended",
			invoice(suspended, func(f *Facts) { f.Status, f.Open = billing.InvoicePaid, money.Must(0, "EUR") }),
			"2026-03-20", "unsuspend(1 s1)", "2026-03-20 01:00",
		},
		{"draft", invoice(func(f *Facts) { f.Status = billing.InvoiceDraft }), "2026-05-01", "", ""},
		{"void", invoice(func(f *Facts) { f.Status = billing.InvoiceVoid }), "2026-05-01", "", ""},
		{
			"written off: nobody is written to, services stay off",
			invoice(suspended, func(f *Facts) { f.Status = billing.InvoiceUncollectible }, card("c1")),
			"2026-03-20", "", "2026-04-07",
		},
		{
			"written off before any notice: no consequence",
			invoice(func(f *Facts) { f.Status = billing.InvoiceUncollectible }), "2026-05-20", "", "",
		},
		{"no services: notices, no suspension", invoice(noticed, func(f *Facts) { f.Services = nil }), "2026-05-20", "", ""},
	})
}

func TestSettingsMoveTheCourse(t *testing.T) {
	set := func(change func(*Policy)) Policy {
		p := Default()
		p.AutoTerminate = false
		change(&p)
		return p
	}
	feed := func(p *Policy) { p.LateFee = Fee{Days: 3, Kind: FeeFixed, Fixed: map[string]int64{"EUR": 500}} }
	sent := func(n int, when string) func(*Facts) { return done(Notice, n, when) }
	two := invoice(sent(1, "2026-03-11"), sent(2, "2026-03-13 00:05"))
	for _, c := range []struct {
		policy    Policy
		scenarios []moment
	}{
		{set(func(p *Policy) { p.RemindDaysBefore = 0 }), []moment{{"no reminder", invoice(), "2026-03-04", "", "2026-03-11"}}},
		{set(func(p *Policy) { p.RemindDaysBefore = 14 }), []moment{{"reminder on the day of issue is none", invoice(), "2026-02-24 10:00", "", "2026-03-11"}}},
		{set(func(p *Policy) { p.NoticeDays = []int{2} }), []moment{
			{"one notice, later", invoice(), "2026-03-12", "notice(1)", "2026-03-12 01:00"},
			{"suspension after one notice", invoice(sent(1, "2026-03-12")), "2026-03-15", "suspend(1 s1)", "2026-03-15 01:00"},
		}},
		{set(func(p *Policy) { p.NoticeDays = []int{1, 20} }), []moment{
			{"a notice after the suspension does not hold it up", invoice(sent(1, "2026-03-11")), "2026-03-15", "suspend(1 s1)", "2026-03-15 01:00"},
		}},
		{set(func(p *Policy) { p.SuspendDays = 0 }), []moment{{"never suspended", invoice(noticed), "2027-03-15", "", ""}}},
		{set(func(p *Policy) { p.SuspendDays = 10 }), []moment{{"suspended later", invoice(noticed), "2026-03-19 12:00", "", "2026-03-20"}}},
		{set(func(p *Policy) { p.NoticeGapHours = 72 }), []moment{{"longer gap", invoice(noticed), "2026-03-15 12:00", "", "2026-03-17 00:05"}}},
		{set(func(p *Policy) { p.AutoTerminate = false }), []moment{{"suspended for good", invoice(suspended), "2027-03-15", "", ""}}},
		{set(func(p *Policy) { p.AutoTerminate, p.TerminateDays, p.FinalWarningDays = true, 10, 3 }), []moment{
			{"warning by setting", invoice(suspended), "2026-03-22", "final_warning(1)", "2026-03-22 01:00"},
			{"warned late: the full days count", invoice(suspended, done(FinalWarning, 1, "2026-03-24 09:00")), "2026-03-25", "", "2026-03-27"},
			{"termination by setting", invoice(suspended, done(FinalWarning, 1, "2026-03-22 09:00")), "2026-03-24 23:59", "", "2026-03-25"},
		}},
		{set(feed), []moment{
			{"fee on its day, after the notice", two, "2026-03-13 01:00", "late_fee(1)", "2026-03-13 02:00"},
			{"notice first", invoice(sent(1, "2026-03-11")), "2026-03-13", "notice(2)", "2026-03-13 01:00"},
			{"fee once", invoice(sent(1, "2026-03-11"), sent(2, "2026-03-13"), done(LateFee, 1, "2026-03-13")), "2026-03-13", "", "2026-03-14"},
			{"no fee on a fee", invoice(sent(1, "2026-03-11"), sent(2, "2026-03-13"), func(f *Facts) { f.FeeOnly = true }), "2026-03-13", "", "2026-03-14"},
			{
				"no fee in a currency that has none",
				invoice(sent(1, "2026-03-11"), sent(2, "2026-03-13"), func(f *Facts) { f.Open = money.Must(2000, "USD") }), "2026-03-13", "", "2026-03-14",
			},
			{
				"no fee while exempt",
				invoice(noticed, func(f *Facts) { f.ExemptUntil = at("2026-06-01") }), "2026-03-20", "", "2026-06-01",
			},
		}},
		{Default().With(Overrides{SuspendDays: new(20)}), []moment{{"override: longer grace", invoice(noticed), "2026-03-16", "", "2026-03-30"}}},
		{Default().With(Overrides{RemindDaysBefore: new(3), ChargeDaysBefore: new(2)}), []moment{
			{"override: reminder", invoice(), "2026-03-07", "reminder(1)", "2026-03-07 01:00"},
			{"override: charge", invoice(card("c1"), done(Reminder, 1, "2026-03-07")), "2026-03-08", "charge(1 c1)", "2026-03-08 01:00"},
		}},
		{Default().With(Overrides{TerminateDays: new(60)}), []moment{{"override: termination", invoice(suspended), "2026-04-07", "", "2026-05-07"}}},
	} {
		checkNext(t, c.policy, c.scenarios)
	}
}

func TestDaysAtTheEdges(t *testing.T) {
	p := Default()
	p.AutoTerminate = false
	due := func(when string) func(*Facts) {
		return func(f *Facts) {
			f.DueAt = at(when)
			f.IssuedAt = f.DueAt.AddDate(0, 0, -14)
			f.DeliveredAt = f.IssuedAt
		}
	}
	checkNext(t, p, []moment{
		{"31 days: reminder", invoice(due("2026-03-31")), "2026-03-24", "reminder(1)", "2026-03-24 01:00"},
		{"31 days: notice in the next month", invoice(due("2026-01-31")), "2026-02-01", "notice(1)", "2026-02-01 01:00"},
		{"leap day is due, not overdue", invoice(due("2028-02-29")), "2028-02-29 23:59", "", "2028-03-01"},
		{"day after the leap day", invoice(due("2028-02-29")), "2028-03-01", "notice(1)", "2028-03-01 01:00"},
		{"leap year: notice on the leap day", invoice(due("2028-02-28")), "2028-02-29", "notice(1)", "2028-02-29 01:00"},
		{"common year: notice on 1 March", invoice(due("2026-02-28")), "2026-02-28 23:59", "", "2026-03-01"},
		{"turn of the year", invoice(due("2026-12-31")), "2027-01-01", "notice(1)", "2027-01-01 01:00"},
		{"due date given east of UTC is the UTC day", invoice(due("2026-03-11T00:30:00+02:00")), "2026-03-11", "notice(1)", "2026-03-11 01:00"},
		{"due date given west of UTC is the UTC day", invoice(due("2026-03-09T20:00:00-05:00")), "2026-03-10 23:59", "", "2026-03-11"},
		{"now given west of UTC", invoice(), "2026-03-10T19:00:00-05:00", "notice(1)", "2026-03-11 01:00"},
		{"clock change in Europe changes nothing", invoice(due("2026-03-28")), "2026-03-28 23:30", "", "2026-03-29"},
	})
	late := invoice(func(f *Facts) { f.DeliveredAt = at("2026-03-20 17:00") })
	checkNext(t, p, []moment{
		{"delivered late: counted from then", late, "2026-03-20 18:00", "", "2026-03-21"},
		{"delivered late: first notice", late, "2026-03-21", "notice(1)", "2026-03-21 01:00"},
	})
}

func TestRepeatedAskingChangesNothing(t *testing.T) {
	f := invoice(noticed, card("c1"), try("c1", Soft, "2026-03-10"))
	before := fmt.Sprint(f)
	first, next := Next(Default(), f, at("2026-03-15"))
	for range 3 {
		again, then := Next(Default(), f, at("2026-03-15"))
		if !slices.EqualFunc(first, again, func(a, b Step) bool { return says([]Step{a}) == says([]Step{b}) }) || !next.Equal(then) {
			t.Errorf("asked again: %q until %s, first %q until %s", says(again), then, says(first), next)
		}
	}
	if after := fmt.Sprint(f); after != before {
		t.Errorf("facts changed:\n%s\n%s", before, after)
	}
}
