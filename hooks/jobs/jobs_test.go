package jobs_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
)

func nothing(*jobs.Run) error { return nil }

func TestTheSameKeyIsOneJobWhileItIsOpen(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"k": nothing})
	if !b.enqueue(jobs.Job{Kind: "k", Key: "a"}) || b.enqueue(jobs.Job{Kind: "k", Key: "a"}) {
		t.Error("want the first added and the second not")
	}
	if !b.once(w) || b.once(w) {
		t.Error("want exactly one run")
	}
	if !b.enqueue(jobs.Job{Kind: "k", Key: "a"}) || !b.once(w) {
		t.Error("a job whose earlier one is done was not taken")
	}
}

func TestAJobIsSavedWithItsCauseOrNotAtAll(t *testing.T) {
	b := newBench(t)
	fail := errors.New("the cause failed")
	err := b.app.RunInTransaction(func(tx core.App) error {
		if _, err := jobs.Enqueue(tx, b.Now(), jobs.Job{Kind: "k", Key: "a"}); err != nil {
			return err
		}
		return fail
	})
	if !errors.Is(err, fail) {
		t.Fatal(err)
	}
	if n, _ := b.app.CountRecords("jobs"); n != 0 {
		t.Errorf("%d jobs are left of a cause that failed", n)
	}
}

func TestAJobWaitsForItsTime(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"k": nothing})
	b.enqueue(jobs.Job{Kind: "k", Key: "a", At: b.Now().Add(time.Hour)})
	if b.once(w) {
		t.Error("it ran an hour early")
	}
	b.advance(time.Hour)
	if !b.once(w) {
		t.Error("it did not run when it was due")
	}
}

func TestErrorsDecideWhatFollows(t *testing.T) {
	scenarios := []struct {
		name    string
		err     error
		state   string
		class   string
		givenUp bool
	}{
		{"success", nil, jobs.Done, "", false},
		{"later", jobs.Later(time.Minute), jobs.Queued, "", false},
		{"temporary", fmt.Errorf("busy: %w", provisioning.ErrTemporary), jobs.Queued, "temporary", false},
		{"unknown outcome", provisioning.ErrOutcomeUnknown, jobs.Queued, "unknown_outcome", false},
		{"no room", provisioning.ErrCapacity, jobs.Queued, "capacity", false},
		{"permanent", provisioning.ErrPermanent, jobs.Failed, "permanent", true},
		{"parked", fmt.Errorf("staff: %w", provisioning.ErrStaff), jobs.Parked, "", true},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			b := newBench(t)
			given := 0
			w := b.worker(map[string]jobs.Handler{"k": func(*jobs.Run) error { return s.err }})
			w.OnGivenUp(func(_ core.App, r *jobs.Run, cause error) error {
				given++
				if r.Key != "a" || !errors.Is(cause, s.err) {
					t.Errorf("told of %s: %v", r.Key, cause)
				}
				return nil
			})
			b.enqueue(jobs.Job{Kind: "k", Key: "a"})
			b.once(w)
			j := b.want("a", s.state)
			if s.class != "" && j.GetString("error_class") != s.class {
				t.Errorf("class: got %q, want %q", j.GetString("error_class"), s.class)
			}
			if (given == 1) != s.givenUp || given > 1 {
				t.Errorf("told %d times that it was given up, want %t", given, s.givenUp)
			}
			if s.state == jobs.Queued && b.once(w) {
				t.Error("it ran again without a pause")
			}
			if j.GetString("lease_owner") != "" {
				t.Error("the lease is still held")
			}
		})
	}
}

func TestPausesDoNotCountAsFailures(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if r.Attempt != 1 {
			t.Errorf("attempt %d, want 1 each time", r.Attempt)
		}
		return jobs.Later(time.Minute)
	}})
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	for range 50 {
		if !b.once(w) {
			t.Fatal("it was not due after its pause")
		}
		b.advance(time.Minute)
	}
	b.want("a", jobs.Queued)
}

// held is the failure of a call that was not sent.
type held struct{ wait time.Duration }

func (held) Error() string                 { return "not sent" }
func (held) Unwrap() error                 { return provisioning.ErrTemporary }
func (h held) Held() (time.Duration, bool) { return h.wait, h.wait > 0 }

// A platform that is left alone by ourselves may rest for days: its jobs wait, none
// is given up, and they do not all come at the same moment.
func TestWhatWasNotSentIsNoAttempt(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if r.Attempt != 1 {
			t.Errorf("attempt %d, want 1 each time", r.Attempt)
		}
		return fmt.Errorf("suspend: %w", held{time.Minute})
	}})
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	for range 300 {
		if !b.once(w) {
			t.Fatal("it was not due after its pause")
		}
		if b.advance(time.Minute - time.Second); b.once(w) {
			t.Fatal("it ran before the pause was over")
		}
		b.advance(time.Minute)
	}
	if j := b.want("a", jobs.Queued); j.GetString("error_class") != "temporary" || j.GetString("error") == "" {
		t.Errorf("staff reads %q, class %q", j.GetString("error"), j.GetString("error_class"))
	}
}

func TestAGivenUpJobRunsAgainWhenItIsWanted(t *testing.T) {
	again := map[string]func(b *bench) bool{
		"by its cause": func(b *bench) bool { return b.enqueue(jobs.Job{Kind: "k", Key: "a"}) },
		"by staff": func(b *bench) bool {
			ok, err := jobs.Retry(b.app, b.Now(), "a")
			return ok && err == nil
		},
	}
	for name, wanted := range again {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			broken := true
			w := b.worker(map[string]jobs.Handler{"k": func(*jobs.Run) error {
				if broken {
					return provisioning.ErrPermanent
				}
				return nil
			}})
			b.enqueue(jobs.Job{Kind: "k", Key: "a"})
			b.once(w)
			b.want("a", jobs.Failed)
			broken = false
			if b.once(w) {
				t.Error("it ran again by itself")
			}
			if !wanted(b) || !b.once(w) {
				t.Error("it did not run again")
			}
			b.want("a", jobs.Done)
			if ok, _ := jobs.Retry(b.app, b.Now(), "a"); ok {
				t.Error("a finished job was retried")
			}
		})
	}
}

func TestCancel(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"bad": func(*jobs.Run) error { return provisioning.ErrPermanent }, "park": func(*jobs.Run) error { return provisioning.ErrStaff }})
	b.enqueue(jobs.Job{Kind: "bad", Key: "failed"})
	b.enqueue(jobs.Job{Kind: "park", Key: "parked"})
	for b.once(w) { //nolint:revive // runs what is due
	}
	b.enqueue(jobs.Job{Kind: "bad", Key: "queued"})
	b.enqueue(jobs.Job{Kind: "bad", Key: "other", At: b.Now().Add(time.Hour)})
	for _, key := range []string{"failed", "parked", "queued"} {
		if err := jobs.Cancel(b.app, b.Now(), key); err != nil {
			t.Fatal(err)
		}
		b.want(key, jobs.Done)
	}
	b.want("other", jobs.Queued)
	if b.once(w) {
		t.Error("a cancelled job ran")
	}
}

func TestACrashIsNoticedByTheNextProcess(t *testing.T) {
	b := newBench(t)
	b.enqueue(jobs.Job{Kind: "k", Key: "began"})
	b.enqueue(jobs.Job{Kind: "k", Key: "idle"})
	for key, inFlight := range map[string]bool{"began": true, "idle": false} { // as a killed process leaves them
		_, err := b.app.DB().Update("jobs", dbx.Params{"state": "running", "in_flight": inFlight, "attempts": 1, "lease_owner": "dead", "lease_until": "2099-01-01 00:00:00.000Z"}, dbx.HashExp{"key": key}).Execute()
		if err != nil {
			t.Fatal(err)
		}
	}
	seen, mu := map[string]bool{}, sync.Mutex{}
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		mu.Lock()
		defer mu.Unlock()
		seen[r.Key] = r.InFlight
		return nil
	}})
	if b.once(w) {
		t.Fatal("a leased job was taken")
	}
	b.start(w)
	b.eventually("both ran again", func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) == 2 })
	if !seen["began"] || seen["idle"] {
		t.Errorf("in flight: got %v, want the one that began a call alone", seen)
	}
}

func TestStoppingLeavesTheWorkToTheNextProcess(t *testing.T) {
	b := newBench(t)
	started := make(chan struct{})
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if err := r.Intent(nil); err != nil {
			return err
		}
		close(started)
		<-r.Context().Done()
		return fmt.Errorf("%w: %w", provisioning.ErrOutcomeUnknown, r.Context().Err())
	}})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	<-started
	w.Stop()
	if j := b.job("a"); j.GetString("state") == jobs.Done || !j.GetBool("in_flight") {
		t.Fatalf("after the stop: %s, in flight %t; want open and in flight", j.GetString("state"), j.GetBool("in_flight"))
	}
	looked := false
	next := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		looked = r.InFlight
		return nil
	}})
	b.advance(24 * time.Hour)
	if !b.once(next) || !looked {
		t.Error("the next process did not learn that a call had begun")
	}
}

func TestIntentAndWhatIsSavedWithItStandOrFallTogether(t *testing.T) {
	b := newBench(t)
	fail := errors.New("cannot save")
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if err := r.Intent(func(core.App) error { return fail }); !errors.Is(err, fail) || r.InFlight {
			t.Errorf("intent that cannot be saved: got %v, in flight %t", err, r.InFlight)
		}
		if err := r.Intent(nil); err != nil || !b.job("a").GetBool("in_flight") {
			t.Errorf("intent: %v, stored %t", err, b.job("a").GetBool("in_flight"))
		}
		if err := r.Outcome(nil); err != nil || b.job("a").GetBool("in_flight") {
			t.Errorf("outcome: %v, stored %t", err, b.job("a").GetBool("in_flight"))
		}
		return nil
	}})
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	b.once(w)
	b.want("a", jobs.Done)
}

func TestAPanicIsAnErrorOfUnknownOutcome(t *testing.T) {
	b := newBench(t)
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if r.Attempt == 1 {
			panic("a mistake of ours")
		}
		return nil
	}})
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	b.once(w)
	if j := b.want("a", jobs.Queued); j.GetString("error_class") != "unknown_outcome" {
		t.Errorf("class: got %q, want unknown_outcome", j.GetString("error_class"))
	}
	b.advance(24 * time.Hour)
	b.once(w)
	b.want("a", jobs.Done)
}

func TestAKindWithoutHandlerIsGivenUp(t *testing.T) {
	b := newBench(t)
	w := b.worker(nil)
	b.enqueue(jobs.Job{Kind: "of an older version", Key: "a"})
	b.once(w)
	b.want("a", jobs.Failed)
}

func TestJobsOfOneSerialNeverRunAtTheSameTime(t *testing.T) {
	b := newBench(t)
	type count struct{ now, most, total int }
	counts, mu, all := map[string]*count{"x": {}, "y": {}, "z": {}, "": {}}, sync.Mutex{}, count{}
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		serial := ""
		if err := r.Payload(&serial); err != nil {
			return err
		}
		mu.Lock()
		c := counts[serial]
		for _, c := range []*count{c, &all} {
			c.now++
			c.total++
			c.most = max(c.most, c.now)
		}
		mu.Unlock()
		if err := r.Intent(nil); err != nil {
			return err
		}
		time.Sleep(3 * time.Millisecond)
		if err := r.Outcome(nil); err != nil {
			return err
		}
		mu.Lock()
		c.now--
		all.now--
		mu.Unlock()
		return nil
	}})
	b.start(w)
	for i := range 60 {
		serial := []string{"x", "y", "z", ""}[i%4]
		b.enqueue(jobs.Job{Kind: "k", Key: fmt.Sprint("job ", i), Serial: serial, Payload: serial})
	}
	b.eventually("all ran", func() bool {
		n, err := b.app.CountRecords("jobs", dbx.HashExp{"state": jobs.Done})
		return err == nil && n == 60
	})
	mu.Lock()
	defer mu.Unlock()
	for _, serial := range []string{"x", "y", "z"} {
		if c := counts[serial]; c.most != 1 || c.total != 15 {
			t.Errorf("serial %s: %d at once and %d in all, want 1 and 15", serial, c.most, c.total)
		}
	}
	if all.most < 2 || all.total != 60 {
		t.Errorf("%d at once and %d in all, want several and 60", all.most, all.total)
	}
}

func TestAnOpenOutcomeHoldsItsSerial(t *testing.T) {
	b := newBench(t)
	order := []string{}
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		order = append(order, r.Key)
		if r.Key == "first" && r.Attempt == 1 {
			if err := r.Intent(nil); err != nil {
				return err
			}
			return provisioning.ErrOutcomeUnknown // it may have happened
		}
		return nil
	}})
	b.enqueue(jobs.Job{Kind: "k", Key: "first", Serial: "s"})
	b.once(w)
	b.enqueue(jobs.Job{Kind: "k", Key: "second", Serial: "s"})
	b.enqueue(jobs.Job{Kind: "k", Key: "free"})
	for b.once(w) { //nolint:revive // runs what is due
	}
	b.advance(24 * time.Hour)
	for b.once(w) { //nolint:revive // runs what is due
	}
	if got := fmt.Sprint(order); got != "[first free first second]" {
		t.Errorf("order: got %s, want second to wait until the outcome of first is known", got)
	}
}
