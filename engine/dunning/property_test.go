package dunning

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
)

// world is a customer with services, invoices that share them, a gateway, a mail
// server, and a caller who does what Next says and records it. Everything random
// comes from one seed.
type world struct {
	t        *testing.T
	seed     uint64
	r        *rand.Rand
	p        Policy
	now      time.Time
	invoices []*Facts
	access   map[string]Access
	mailDown bool
	gateway  Gateway
	log      []string
	terms    int // terminations seen
	suspends int
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, r: rand.New(rand.NewPCG(seed, 7)), p: Default(), now: at("2027-11-03 09:17"),
		access: map[string]Access{"s1": AccessOpen, "s2": AccessOpen, "s3": AccessOpen},
	}
	w.p.LateFee = Fee{Days: w.r.IntN(8), Kind: FeePercent, BasisPoints: 500}
	w.p.NoticeGapHours = 1 + w.r.IntN(60)
	w.p.ChargeDaysBefore = w.r.IntN(4)
	w.p.TerminateDays = 8 + w.r.IntN(30)
	w.p.RecoveryGraceHours = w.r.IntN(50)
	if w.chance(3) {
		w.p.RetryFrom = FromLastTry
	}
	if w.chance(4) {
		w.p.NoticeDays = []int{2, 9}
	}
	if err := w.p.Check(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for i, ids := range [][]string{{"s1"}, {"s1", "s2"}, {"s2"}, {"s3"}, {}} {
		f := invoice(card("c1"), card("c2"))
		f.IssuedAt = w.now.AddDate(0, 0, i*9)
		f.DueAt, f.DeliveredAt = f.IssuedAt.AddDate(0, 0, w.r.IntN(15)), time.Time{}
		f.Services = nil
		for _, id := range ids {
			f.Services = append(f.Services, Service{ID: id})
		}
		w.invoices = append(w.invoices, &f)
	}
	return w
}

func (w *world) chance(n int) bool { return w.r.IntN(n) == 0 }

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.log[max(0, len(w.log)-60):] {
		w.t.Log(line)
	}
	w.t.Fatalf("seed %d, %s: %s", w.seed, w.now.Format(time.RFC3339), fmt.Sprintf(format, args...))
}

// facts are what the caller reads of an invoice at this moment.
func (w *world) facts(i int) Facts {
	f := *w.invoices[i]
	f.Gateway, f.Services = w.gateway, slices.Clone(f.Services)
	for k, s := range f.Services {
		f.Services[k].Access = w.access[s.ID]
		f.Services[k].Elsewhere = slices.ContainsFunc(w.keeping(s.ID), func(j int) bool { return j != i })
	}
	return f
}

// keeping lists the invoices that demand the service's suspension.
func (w *world) keeping(id string) (demand []int) {
	for j, g := range w.invoices {
		f := *g
		f.Gateway = w.gateway
		on, _ := Suspended(w.p, f, w.now)
		if on && slices.ContainsFunc(f.Services, func(s Service) bool { return s.ID == id }) {
			demand = append(demand, j)
		}
	}
	return demand
}

// happen lets time pass and the outside world act.
func (w *world) happen() {
	jumps := []time.Duration{time.Minute, 40 * time.Minute, 5 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 3 * 24 * time.Hour, 40 * 24 * time.Hour}
	w.now = w.now.Add(jumps[min(w.r.IntN(len(jumps)), w.r.IntN(len(jumps)))]).Add(time.Duration(w.r.IntN(3600)) * time.Second)
	f := w.invoices[w.r.IntN(len(w.invoices))]
	switch w.r.IntN(30) {
	case 0:
		w.gateway.DownSince = w.now
	case 1, 2, 3:
		if w.gateway.down() {
			w.gateway.RecoveredAt = w.now
		}
	case 4:
		w.mailDown = true
	case 5, 6, 7:
		w.mailDown = false
	case 8:
		f.Unmatched = !f.Unmatched
	case 9:
		f.Unmatched = false
	case 10:
		f.PauseUntil = w.now.Add(time.Duration(w.r.IntN(200)) * time.Hour)
	case 11:
		f.ExemptUntil = w.now.Add(time.Duration(w.r.IntN(200)) * time.Hour)
	case 12:
		if w.chance(4) && f.Status == billing.InvoiceOpen {
			w.pay(f)
		}
	case 13:
		if w.chance(6) && f.Status == billing.InvoiceOpen {
			f.Status = billing.InvoiceUncollectible
		}
	case 14:
		if len(f.Methods) < 4 {
			card(fmt.Sprintf("c%d", 3+w.r.IntN(3)))(f)
		}
	}
	for _, f := range w.invoices {
		w.resolve(f)
	}
}

func (w *world) pay(f *Facts) { f.Status, f.Open = billing.InvoicePaid, money.Must(0, "EUR") }

// resolve sends queued mails and answers open attempts.
func (w *world) resolve(f *Facts) {
	if !w.mailDown && f.DeliveredAt.IsZero() && !w.now.Before(f.IssuedAt) {
		f.DeliveredAt = w.now
	}
	for k := range f.Done {
		if !w.mailDown && f.Done[k].At.IsZero() {
			f.Done[k].At = w.now
		}
	}
	for k, a := range f.Attempts {
		open := a.Result == Unknown || a.Result == Pending || a.Result == Authenticate
		if !open || w.chance(2) {
			continue
		}
		f.Attempts[k].Result = []Result{Soft, Soft, Hard, Cancelled, Pending, Outage, Succeeded}[w.r.IntN(7)]
		if f.Attempts[k].Result == Succeeded {
			w.pay(f)
		}
	}
}

// run does all that is due for one invoice until nothing is.
func (w *world) run(i int) time.Time {
	for range 40 {
		f := w.facts(i)
		steps, next := Next(w.p, f, w.now)
		again, then := Next(w.p, w.facts(i), w.now)
		if says(steps) != says(again) || !next.Equal(then) {
			w.fail("invoice %d: asked twice: %s until %s, then %s until %s", i, says(steps), next, says(again), then)
		}
		if !next.IsZero() && !next.After(w.now) {
			w.fail("invoice %d: the next look, %s, is not in the future", i, next)
		}
		if len(steps) == 0 {
			return next
		}
		w.log = append(w.log, fmt.Sprintf("%s invoice %d: %s", w.now.Format(time.RFC3339), i, says(steps)))
		for _, s := range steps {
			if w.chance(20) {
				break // the caller crashed: the rest is asked for again
			}
			w.do(i, f, s)
		}
	}
	w.fail("invoice %d: never done", i)
	return time.Time{}
}

// runAll runs every invoice until none has anything left: one invoice's steps may
// concern another's services.
func (w *world) runAll() []time.Time {
	looks := make([]time.Time, len(w.invoices))
	for acted, rounds := -1, 0; acted != len(w.log); rounds++ {
		if acted = len(w.log); rounds > 20 {
			w.fail("the invoices undo each other's steps for ever")
		}
		for i := range w.invoices {
			looks[i] = w.run(i)
		}
	}
	return looks
}

// do checks a step against what must never happen, carries it out and records it.
func (w *world) do(i int, f Facts, s Step) {
	stored := w.invoices[i]
	if s.Kind == Charge {
		w.mayCharge(f, s)
		result := []Result{Unknown, Soft, Soft, Soft, Hard, Authenticate, Pending, Outage, Succeeded}[w.r.IntN(9)]
		stored.Attempts = append(stored.Attempts, Attempt{Method: s.Method, Fingerprint: "fp-" + s.Method, Result: result, At: w.now})
		if result == Succeeded {
			w.pay(stored)
		}
		return
	}
	for _, d := range stored.Done {
		if d.Kind == s.Kind && d.N == s.N {
			w.fail("invoice %d: %s a second time", i, says([]Step{s}))
		}
	}
	record := Done{Kind: s.Kind, N: s.N, At: w.now}
	switch s.Kind {
	case Reminder, Notice, FinalWarning, AskAuthentication, AskNewMethod:
		if s.Kind == Notice {
			w.mayNotice(i, f, s)
		}
		if w.mailDown || w.chance(5) {
			record.At = time.Time{}
		}
	case Suspend:
		w.maySuspend(i, f)
		w.set(s, AccessSuspended)
		w.suspends++
	case Unsuspend:
		if on, _ := Suspended(w.p, f, w.now); on {
			w.fail("invoice %d: restored against the predicate", i)
		}
		w.set(s, AccessOpen)
	case Terminate:
		w.mayTerminate(i, f)
		w.set(s, AccessEnded)
		w.terms++
	case LateFee:
		if f.DeliveredAt.IsZero() || w.now.Before(addDays(f.DueAt, w.p.LateFee.Days)) {
			w.fail("invoice %d: late fee too early", i)
		}
	default:
	}
	stored.Done = append(stored.Done, record)
}

func (w *world) set(s Step, a Access) {
	for _, id := range s.Services {
		w.access[id] = a
	}
}

func (w *world) mayCharge(f Facts, s Step) {
	tries := 0
	for _, a := range f.Attempts {
		if a.Result == Unknown || a.Result == Pending || a.Result == Authenticate {
			w.fail("%s beside an attempt that is %s", says([]Step{s}), a.Result)
		}
		if a.Result == Hard && a.Method == s.Method {
			w.fail("%s after a hard decline", says([]Step{s}))
		}
		if a.isTry() {
			tries++
		}
	}
	if tries >= w.p.MaxTries || f.Gateway.down() || f.Status != billing.InvoiceOpen || f.Unmatched {
		w.fail("%s after %d tries, gateway %+v, %s, unmatched %v", says([]Step{s}), tries, f.Gateway, f.Status, f.Unmatched)
	}
}

// mayNotice wants each notice after the one before it was sent.
func (w *world) mayNotice(i int, f Facts, s Step) {
	if f.DeliveredAt.IsZero() || w.now.Before(addDays(f.DueAt, w.p.NoticeDays[s.N-1])) {
		w.fail("invoice %d: notice %d too early", i, s.N)
	}
	for _, d := range f.Done {
		if d.Kind == Notice && d.N == s.N-1 && !d.At.IsZero() && !d.At.Equal(w.now) {
			return
		}
	}
	if s.N > 1 {
		w.fail("invoice %d: notice %d without the one before it", i, s.N)
	}
}

func (w *world) maySuspend(i int, f Facts) {
	if on, why := Suspended(w.p, f, w.now); !on {
		w.fail("invoice %d: suspended against the predicate: %s", i, why)
	}
	if w.now.Before(addDays(f.DueAt, w.p.SuspendDays)) || f.DeliveredAt.IsZero() || f.Open.Sign() <= 0 || f.Unmatched {
		w.fail("invoice %d: suspended too early, or without a debt", i)
	}
	open := slices.ContainsFunc(f.Services, func(s Service) bool { return s.Access == AccessOpen })
	if fresh := f.suspensionRecorded(); open && !fresh && f.Gateway.down() {
		w.fail("invoice %d: suspended while the gateway is down", i)
	}
	for _, d := range f.Done {
		if d.Kind == Notice && !d.At.IsZero() && !w.now.Before(d.At.Add(w.p.gap())) {
			return
		}
	}
	w.fail("invoice %d: suspended, and no notice was sent in time", i)
}

func (f Facts) suspensionRecorded() bool {
	return !(&view{f: f}).suspendedSince().IsZero()
}

func (w *world) mayTerminate(i int, f Facts) {
	since := (&view{f: f}).suspendedSince()
	if on, why := Suspended(w.p, f, w.now); !on || since.IsZero() || w.now.Before(addDays(since, w.p.TerminateDays)) {
		w.fail("invoice %d: terminated, suspended since %s (%s)", i, since, why)
	}
	for _, d := range f.Done {
		if d.Kind == FinalWarning && d.At.After(since) && !w.now.Before(addDays(d.At, w.p.FinalWarningDays)) {
			return
		}
	}
	w.fail("invoice %d: terminated without a final warning of this suspension", i)
}

// settled checks that services are as the predicate says, and that until the
// next look nothing becomes due by itself.
func (w *world) settled(looks []time.Time) {
	for id, a := range w.access {
		if demand := w.keeping(id); a != AccessEnded && (a == AccessSuspended) != (len(demand) > 0) {
			w.fail("%s is %s, and the invoices that demand its suspension are %v", id, a, demand)
		}
	}
	before := w.now
	for i, next := range looks {
		wait := 90 * 24 * time.Hour
		if !next.IsZero() {
			wait = next.Sub(before)
		}
		then := before.Add(time.Duration(w.r.Int64N(int64(wait))))
		if steps, _ := Next(w.p, w.facts(i), then); len(steps) > 0 {
			w.fail("invoice %d: next look at %s, but at %s %s was due", i, next, then, says(steps))
		}
	}
}

func TestRandomYears(t *testing.T) {
	const seeds = 50
	terms, suspends := 0, 0
	for seed := range uint64(seeds) {
		w := newWorld(t, seed)
		for range 100 {
			w.happen()
			w.settled(w.runAll())
		}
		terms, suspends = terms+w.terms, suspends+w.suspends
	}
	if terms == 0 || suspends == 0 {
		t.Fatalf("%d suspensions and %d terminations: the worlds are too kind to prove anything", suspends, terms)
	}
	t.Logf("%d suspensions, %d terminations", suspends, terms)
}

func BenchmarkNext(b *testing.B) {
	p, f, now := Default(), invoice(noticed, card("c1"), try("c1", Soft, "2026-03-10")), at("2026-03-15 08:00")
	for b.Loop() {
		Next(p, f, now)
	}
}
