package jobs_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestH4HoweverOftenItFailsItIsOneJob: its cause asks for it each night for a year,
// by several doors at once, and it is given up each time.
func TestH4HoweverOftenItFailsItIsOneJob(t *testing.T) {
	b := newBench(t)
	tries := 0
	w := b.worker(map[string]jobs.Handler{"k": func(*jobs.Run) error { tries++; return provisioning.ErrPermanent }})
	for range 365 {
		doors := sync.WaitGroup{}
		for range 4 {
			doors.Go(func() {
				if _, err := jobs.Enqueue(b.app, b.Now(), jobs.Job{Kind: "k", Key: "k:service"}); err != nil {
					t.Error(err)
				}
			})
		}
		doors.Wait()
		for b.once(w) { //nolint:revive // runs what is due
		}
		b.want("k:service", jobs.Failed)
		b.advance(24 * time.Hour)
	}
	if n, err := b.app.CountRecords("jobs"); err != nil || n != 1 || tries != 365 {
		t.Errorf("%d jobs (%v) after %d tries, want one job and 365 tries", n, err, tries)
	}
}

// TestH4TheIndexRefusesASecondOpenJob, whoever writes it.
func TestH4TheIndexRefusesASecondOpenJob(t *testing.T) {
	for _, state := range []string{jobs.Queued, jobs.Running, jobs.Parked, jobs.Failed} {
		t.Run(state, func(t *testing.T) {
			b := newBench(t)
			b.enqueue(jobs.Job{Kind: "k", Key: "a"})
			if _, err := b.app.DB().Update("jobs", dbx.Params{"state": state}, nil).Execute(); err != nil {
				t.Fatal(err)
			}
			_, err := b.app.DB().NewQuery("INSERT INTO `jobs` (`id`, `kind`, `key`, `state`) VALUES ('second', 'k', 'a', 'queued')").Execute()
			if err == nil || !strings.Contains(err.Error(), "UNIQUE") {
				t.Errorf("a second job beside one that is %s: got %v, want the index to refuse it", state, err)
			}
		})
	}
}

// TestH4ThePurgeTakesWhatIsDone and nothing else, though all is ten years old.
func TestH4ThePurgeTakesWhatIsDone(t *testing.T) {
	const finished = 1203 // several batches
	b := newBench(t)
	err := b.app.RunInTransaction(func(tx core.App) error {
		for i := range finished {
			if _, err := jobs.Enqueue(tx, b.Now(), jobs.Job{Kind: "k", Key: fmt.Sprint("done:", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.app.DB().Update("jobs", dbx.Params{"state": jobs.Done, "done_at": b.Now()}, nil).Execute(); err != nil {
		t.Fatal(err)
	}
	open := []string{jobs.Queued, jobs.Running, jobs.Parked, jobs.Failed}
	for _, state := range open {
		b.enqueue(jobs.Job{Kind: "k", Key: state})
		if _, err := b.app.DB().Update("jobs", dbx.Params{"state": state, "error": "why"}, dbx.HashExp{"key": state}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	b.advance(10 * 365 * 24 * time.Hour)
	b.enqueue(jobs.Job{Kind: "k", Key: "young"})
	if _, err := b.app.DB().Update("jobs", dbx.Params{"state": jobs.Done, "done_at": b.Now()}, dbx.HashExp{"key": "young"}).Execute(); err != nil {
		t.Fatal(err)
	}
	if err := jobs.Purge(t.Context(), b.app, b.Now().AddDate(0, 0, -90)); err != nil {
		t.Fatal(err)
	}
	for _, state := range open {
		if j := b.want(state, state); j.GetString("error") != "why" {
			t.Errorf("the %s job says %q", state, j.GetString("error"))
		}
	}
	b.want("young", jobs.Done)
	if n, err := b.app.CountRecords("jobs"); err != nil || n != int64(len(open))+1 {
		t.Errorf("%d jobs are left (%v), want those that are open and the young one", n, err)
	}
}

// TestH5OthersWriteWhileAJobWaits for a vendor that takes seconds.
func TestH5OthersWriteWhileAJobWaits(t *testing.T) {
	const answer, most = 6 * time.Second, 3 * time.Second // a busy machine is slow, a lock lasts as long as the call
	b := newBench(t)
	calling, answered := make(chan struct{}), make(chan struct{})
	w := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if err := r.Intent(nil); err != nil {
			return err
		}
		close(calling)
		time.Sleep(answer)
		close(answered)
		return r.Complete(nil)
	}})
	b.start(w)
	b.enqueue(jobs.Job{Kind: "k", Key: "slow"})
	<-calling
	slowest, writes := time.Duration(0), 0
	for waiting := true; waiting; {
		began := time.Now()
		b.enqueue(jobs.Job{Kind: "k", Key: fmt.Sprint("another:", writes), At: b.Now().Add(time.Hour)})
		slowest, writes = max(slowest, time.Since(began)), writes+1
		select {
		case <-answered:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	if slowest > most || writes < 10 {
		t.Errorf("%d writes beside the call, the slowest took %s; want many below %s", writes, slowest, most)
	}
	b.eventually("it is done", func() bool { return b.job("slow").GetString("state") == jobs.Done })
}

// TestH5WhatWasMadeIsNotForgotten when the process ends between a call and the
// storing of its outcome: the intent was committed before the call, and the next
// process is told so.
func TestH5WhatWasMadeIsNotForgotten(t *testing.T) {
	b := newBench(t)
	made, told := 0, false
	b.enqueue(jobs.Job{Kind: "k", Key: "a"})
	crashed := b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		if err := r.Intent(nil); err != nil {
			return err
		}
		made++
		runtime.Goexit() // nothing of this process is heard of any more
		return nil
	}})
	process := sync.WaitGroup{}
	process.Go(func() { _, _ = crashed.Once(context.Background()) })
	process.Wait()
	if j := b.want("a", jobs.Running); made != 1 || !j.GetBool("in_flight") {
		t.Fatalf("after the crash %d are made and in flight is %t, want 1 and true", made, j.GetBool("in_flight"))
	}
	b.start(b.worker(map[string]jobs.Handler{"k": func(r *jobs.Run) error {
		told = r.InFlight
		return r.Complete(nil)
	}}))
	b.eventually("it is done", func() bool { return b.job("a").GetString("state") == jobs.Done })
	if !told {
		t.Error("the next process was not told that the call had begun")
	}
}

// TestH6TwoProcessesClaimEachJobOnce: two workers with databases of their own on one
// directory, four lanes each, and jobs whose serials they share.
func TestH6TwoProcessesClaimEachJobOnce(t *testing.T) {
	const many = 120
	b := newBench(t)
	for i := range many {
		b.enqueue(jobs.Job{Kind: "k", Key: fmt.Sprint("job ", i), Serial: fmt.Sprint("customer ", i%7)})
	}
	mu, ran, inside, by := sync.Mutex{}, map[string]int{}, map[string]int{}, map[string]int{}
	lanes := sync.WaitGroup{}
	for _, node := range []string{"first", "second"} {
		w := jobs.NewWorker(testapp.Beside(t, b.app), b.Now)
		w.Handle("k", func(r *jobs.Run) error {
			serial := ""
			if err := r.App.DB().NewQuery("SELECT `serial` FROM `jobs` WHERE `id` = {:id}").Bind(dbx.Params{"id": r.ID}).Row(&serial); err != nil {
				return err
			}
			mu.Lock()
			ran[r.Key]++
			by[node]++
			if inside[serial]++; inside[serial] > 1 {
				t.Errorf("two jobs of %s run at the same time", serial)
			}
			mu.Unlock()
			time.Sleep(2 * time.Millisecond)
			mu.Lock()
			inside[serial]--
			mu.Unlock()
			return nil
		})
		for range 4 {
			lanes.Go(func() {
				for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
					worked, err := w.Once(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					if left, err := b.app.CountRecords("jobs", dbx.NewExp("`state` != 'done'")); !worked && (err != nil || left == 0) {
						return
					}
				}
			})
		}
	}
	lanes.Wait()
	for i := range many {
		if key := fmt.Sprint("job ", i); ran[key] != 1 {
			t.Errorf("%s ran %d times, want once", key, ran[key])
		}
	}
	if by["first"] == 0 || by["second"] == 0 {
		t.Errorf("the nodes ran %v, want both to work", by)
	}
}
