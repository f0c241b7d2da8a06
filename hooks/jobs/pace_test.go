package jobs_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/hooks/jobs"
)

// TestTenThousandPacedJobsBlockNobody: with 10,000 jobs of a class due at once, at
// a vendor that takes a second for each, those of the class begin at their pace, and
// all others are done as fast as without them, measured in the same run.
func TestTenThousandPacedJobsBlockNobody(t *testing.T) {
	const crowd, others, rate = 10_000, 300, 20
	b := newBench(t)
	mu, begun := sync.Mutex{}, []time.Time{}
	finished := atomic.Int32{}
	w := jobs.NewWorker(b.app, time.Now)
	w.Handle("charge", func(r *jobs.Run) error {
		mu.Lock()
		begun = append(begun, time.Now())
		mu.Unlock()
		select { // the gateway's answer
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
		return nil
	})
	w.Handle("other", func(*jobs.Run) error { finished.Add(1); return nil })
	w.Pace("charge:stripe", func() float64 { return rate })
	b.start(w)
	add := func(n int, of func(i int) jobs.Job) {
		b.Helper()
		err := b.app.RunInTransaction(func(tx core.App) error {
			for i := range n {
				if _, err := jobs.Enqueue(tx, time.Now(), of(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	round := 0
	work := func() time.Duration { // how long the other jobs take
		round++
		before, start := finished.Load(), time.Now()
		add(others, func(i int) jobs.Job { return jobs.Job{Kind: "other", Key: fmt.Sprintf("other:%d:%d", round, i)} })
		b.eventually("the others are done", func() bool { return finished.Load() == before+others })
		return time.Since(start)
	}
	alone := []time.Duration{work(), work(), work()}
	add(crowd, func(i int) jobs.Job {
		return jobs.Job{Kind: "charge", Key: fmt.Sprint("charge:", i), Serial: fmt.Sprint("invoice:", i), Class: "charge:stripe"}
	})
	b.eventually("the crowd is under way", func() bool { mu.Lock(); defer mu.Unlock(); return len(begun) > rate })
	beside := []time.Duration{work(), work(), work()}
	slices.Sort(alone)
	slices.Sort(beside)
	t.Logf("%d other jobs took %s alone and %s beside %d that are due: %.2f times as long", others, alone[1], beside[1], crowd, float64(beside[1])/float64(alone[1]))
	// Behind the crowd they would take minutes; a busy machine alone takes a few times.
	if beside[1] > 20*alone[1]+time.Second {
		t.Errorf("the others took %s beside the crowd, %s alone", beside[1], alone[1])
	}
	time.Sleep(2 * time.Second)
	mu.Lock()
	defer mu.Unlock()
	took := begun[len(begun)-1].Sub(begun[0])
	if got := float64(len(begun)-1) / took.Seconds(); got > 1.25*rate || got < rate/4 {
		t.Errorf("%d began within %s, %.1f a second, want %d", len(begun), took, got, rate)
	}
	for i := range begun {
		if n := i + rate*5/4 + 1; n < len(begun) && begun[n].Sub(begun[i]) < 900*time.Millisecond {
			t.Errorf("%d began within %s", n-i, begun[n].Sub(begun[i]))
		}
	}
}

// TestSlowJobsApartHoldNobodyUp: however many wait, those of a class that is apart run
// in its lanes alone, each serial one after the other without a pause, and all others
// go on.
func TestSlowJobsApartHoldNobodyUp(t *testing.T) {
	b := newBench(t)
	now, most, done, release := atomic.Int32{}, atomic.Int32{}, atomic.Int32{}, make(chan struct{})
	w := b.worker(map[string]jobs.Handler{
		"slow": func(*jobs.Run) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			<-release
			now.Add(-1)
			done.Add(1)
			return nil
		},
		"other": func(*jobs.Run) error { return nil },
	})
	w.Apart("platforms", 5)
	b.start(w)
	for i := range 40 {
		b.enqueue(jobs.Job{Kind: "slow", Key: fmt.Sprint("slow:", i), Serial: fmt.Sprint("user:", i%10), Class: "platforms"})
	}
	b.eventually("its lanes are full", func() bool { return now.Load() == 5 })
	b.enqueue(jobs.Job{Kind: "other", Key: "other"})
	b.eventually("another job is done", func() bool { return b.job("other").GetString("state") == jobs.Done })
	if done.Load() != 0 || most.Load() != 5 {
		t.Errorf("%d slow ones are done and %d ran at once, want none and 5", done.Load(), most.Load())
	}
	began := time.Now()
	close(release)
	b.eventually("all are done", func() bool { return done.Load() == 40 })
	if took := time.Since(began); took > 10*time.Second { // four in a row for each of ten serials
		t.Errorf("it took %s: who waited for another's serial was not looked for", took)
	}
}

// TestAClassThatNobodyPacesIsWorkedLikeAnyOther: its gateway was taken away between
// two starts.
func TestAClassThatNobodyPacesIsWorkedLikeAnyOther(t *testing.T) {
	b := newBench(t)
	b.enqueue(jobs.Job{Kind: "charge", Key: "a", Class: "charge:gone"})
	b.start(b.worker(map[string]jobs.Handler{"charge": func(*jobs.Run) error { return nil }}))
	b.eventually("it is done", func() bool { return b.job("a").GetString("state") == jobs.Done })
}

// TestAPaceFollowsItsSettingAndTheClock: at a rate of nothing jobs wait, a rate that
// is set begins them, and a clock that is put back holds nobody up.
func TestAPaceFollowsItsSettingAndTheClock(t *testing.T) {
	b := newBench(t)
	rate, done := atomic.Int32{}, atomic.Int32{}
	w := b.worker(map[string]jobs.Handler{"charge": func(*jobs.Run) error { done.Add(1); return nil }})
	w.Pace("charge:stripe", func() float64 { return float64(rate.Load()) })
	b.start(w)
	for i := range 3 {
		b.enqueue(jobs.Job{Kind: "charge", Key: fmt.Sprint(i), Class: "charge:stripe"})
	}
	time.Sleep(50 * time.Millisecond)
	if done.Load() != 0 {
		t.Error("jobs began though the class is held")
	}
	rate.Store(100)
	b.advance(0)
	b.eventually("all are done", func() bool { return done.Load() == 3 })
	b.enqueue(jobs.Job{Kind: "charge", Key: "later", Class: "charge:stripe", At: b.Now().Add(-2 * time.Hour)})
	b.eventually("another one is done", func() bool { return done.Load() == 4 })
	b.advance(-time.Hour)
	b.enqueue(jobs.Job{Kind: "charge", Key: "back", Class: "charge:stripe"})
	b.eventually("it is done by a clock that was put back", func() bool { return done.Load() == 5 })
}
