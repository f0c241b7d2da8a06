package dunning

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/billing"
)

// tells writes a timeline, one entry a line: "+" is planned.
func tells(entries []Entry) string {
	var out strings.Builder
	for _, e := range entries {
		when := "????-??-?? ??:??"
		if !e.At.IsZero() {
			when = e.At.Format("2006-01-02 15:04")
		}
		mark := " "
		if e.Planned {
			mark = "+"
		}
		line := fmt.Sprintf("%s%s %s %d %s%s %s", mark, when, e.Code, e.N, e.Method, strings.Join(e.Services, ","), e.Result)
		if e.Hold != "" {
			line += " held: " + string(e.Hold)
			if !e.Until.IsZero() {
				line += " until " + e.Until.Format("2006-01-02")
			}
		}
		out.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return out.String()
}

func TestTimeline(t *testing.T) {
	p := Default()
	p.LateFee = Fee{Days: 10, Kind: FeePercent, BasisPoints: 500}
	scenarios := []struct {
		name string
		f    Facts
		now  string
		want string
	}{
		{"freshly issued", invoice(card("c1")), "2026-02-24 01:00", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			+2026-03-03 00:00 reminder 1
			+2026-03-10 00:00 charge 1 c1
			+2026-03-10 00:00 due 0
			+2026-03-11 00:00 notice 1
			+2026-03-13 00:00 notice 2
			+2026-03-14 00:00 notice 3
			+2026-03-15 00:00 suspend 1 s1
			+2026-03-20 00:00 late_fee 1
			+2026-04-07 00:00 final_warning 1
			+2026-04-14 00:00 terminate 1`},
		{"found after two weeks of downtime: one step a day", invoice(), "2026-03-24 09:00", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-10 00:00 due 0
			+2026-03-24 09:00 notice 1
			+2026-03-25 09:00 notice 2
			+2026-03-26 09:00 notice 3
			+2026-03-26 09:00 late_fee 1
			+2026-03-27 09:00 suspend 1 s1
			+2026-04-19 00:00 final_warning 1
			+2026-04-26 00:00 terminate 1`},
		{
			"suspended, a try without an answer",
			invoice(suspended, done(Reminder, 1, "2026-03-03"), done(LateFee, 1, "2026-03-20"), card("c1"), try("c1", Soft, "2026-03-10"), try("c1", Unknown, "2026-03-23")),
			"2026-03-23 01:00", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-03 00:00 reminder 1
			2026-03-10 00:00 charge 1 c1 soft
			2026-03-10 00:00 due 0
			2026-03-11 00:05 notice 1
			2026-03-13 00:05 notice 2
			2026-03-14 00:05 notice 3
			2026-03-15 00:10 suspend 1
			2026-03-20 00:00 late_fee 1
			2026-03-23 00:00 charge 2 c1 unknown
			+2026-04-07 00:00 final_warning 1 held: outcome_unknown until 2026-04-06
			+2026-04-14 00:00 terminate 1 s1 held: outcome_unknown until 2026-04-06
			+????-??-?? ??:?? charge 3 c1 held: outcome_unknown`,
		},
		{"gateway down, no end in sight", invoice(done(Notice, 1, "2026-03-11"), done(Notice, 2, ""), outage("2026-03-12", "")), "2026-03-16", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-10 00:00 due 0
			2026-03-11 00:00 notice 1
			+2026-03-17 00:00 notice 3 held: gateway_down
			+2026-03-18 00:00 suspend 1 s1 held: gateway_down
			+2026-03-20 00:00 late_fee 1 held: gateway_down
			+2026-04-10 00:00 final_warning 1 held: gateway_down
			+2026-04-17 00:00 terminate 1 held: gateway_down
			+????-??-?? ??:?? notice 2 held: mail_queued`},
		{"exempt for a month", invoice(noticed, func(f *Facts) { f.ExemptUntil = at("2026-04-15") }), "2026-03-20", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-10 00:00 due 0
			2026-03-11 00:05 notice 1
			2026-03-13 00:05 notice 2
			2026-03-14 00:05 notice 3
			+2026-04-15 00:00 late_fee 1 held: exempt until 2026-04-15
			+2026-04-15 00:00 suspend 1 s1 held: exempt until 2026-04-15
			+2026-05-08 00:00 final_warning 1 held: exempt until 2026-04-15
			+2026-05-15 00:00 terminate 1 held: exempt until 2026-04-15`},
		{"paid", invoice(noticed, func(f *Facts) { f.Status = billing.InvoicePaid }), "2026-03-20", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-11 00:05 notice 1
			2026-03-13 00:05 notice 2
			2026-03-14 00:05 notice 3`},
		{
			"the customer's own attempt",
			invoice(try("c9", Hard, "2026-03-01"), func(f *Facts) { f.Attempts[0].ByCustomer, f.Services = true, nil }), "2026-03-05", `
			2026-02-24 00:05 issued 0
			2026-02-24 00:06 delivered 0
			2026-03-01 00:00 attempt 0 c9 hard
			+2026-03-05 00:00 reminder 1
			+2026-03-10 00:00 due 0
			+2026-03-11 00:00 notice 1
			+2026-03-13 00:00 notice 2
			+2026-03-14 00:00 notice 3
			+2026-03-20 00:00 late_fee 1`,
		},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var want strings.Builder
			for line := range strings.Lines(strings.TrimPrefix(s.want, "\n")) {
				want.WriteString(strings.TrimSpace(line) + "\n")
			}
			got := tells(Timeline(p, s.f, at(s.now)))
			if got != want.String() {
				t.Errorf("got\n%s\nwant\n%s", got, want.String())
			}
		})
	}
}

func TestWhenAnnouncesDates(t *testing.T) {
	p := Default()
	scenarios := []struct {
		name string
		f    Facts
		now  string
		kind Kind
		want string // "" for none
	}{
		{"reminder names the charge", invoice(card("c1")), "2026-03-03", Charge, "2026-03-10 00:00"},
		{"no charge without a method", invoice(), "2026-03-03", Charge, ""},
		{"first notice names the suspension", invoice(), "2026-03-11 00:05", Suspend, "2026-03-15 00:00"},
		{"so does the last one", invoice(done(Notice, 1, "2026-03-11"), done(Notice, 2, "2026-03-13")), "2026-03-14 00:05", Suspend, "2026-03-15 00:05"},
		{"a late notice names a later day", invoice(done(Notice, 1, "2026-03-11"), done(Notice, 2, "2026-03-13")), "2026-03-20 09:00", Suspend, "2026-03-21 09:00"},
		{"exempt until then", invoice(func(f *Facts) { f.ExemptUntil = at("2026-04-01") }), "2026-03-11", Suspend, "2026-04-01 00:00"},
		{"unmatched money: nothing is announced", invoice(noticed, func(f *Facts) { f.Unmatched = true }), "2026-03-14", Suspend, ""},
		{"no service, no suspension", invoice(func(f *Facts) { f.Services = nil }), "2026-03-11", Suspend, ""},
		{"suspension names the termination", invoice(noticed), "2026-03-15 00:05", Terminate, "2026-04-14 00:00"},
		{"late final warning still gives its days", invoice(suspended), "2026-05-01 10:00", Terminate, "2026-05-08 00:00"},
		{"declined: next try", invoice(card("c1"), try("c1", Soft, "2026-03-10")), "2026-03-10 00:01", Charge, "2026-03-11 00:00"},
		{"suspended already", invoice(suspended), "2026-03-20", Suspend, ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, ok := When(p, s.f, at(s.now), s.kind)
			if ok != (s.want != "") || ok && !got.Equal(at(s.want)) {
				t.Errorf("%s at %s (%v), want %q", s.kind, got, ok, s.want)
			}
		})
	}
}

func TestEntryAsJSON(t *testing.T) {
	raw, err := json.Marshal(Entry{At: at("2026-03-10"), Code: "charge", N: 1, Planned: true, Method: "m1"})
	want := `{"at":"2026-03-10T00:00:00Z","code":"charge","n":1,"planned":true,"method":"m1"}`
	if err != nil || string(raw) != want {
		t.Errorf("%s (%v), want %s", raw, err, want)
	}
}
