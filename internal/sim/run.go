package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ezscale/ezscale/collections"
)

const (
	aDay = 24 * time.Hour
	// calm is how long nobody does anything and nothing goes wrong before the
	// books are closed: everything that is on its way arrives.
	calm = 4
	// grain is the shortest step of the clock: a machine is never idle for less.
	grain = 10 * time.Second
)

// Summary says what a simulation lived through.
type Summary struct {
	Seed                                                  uint64
	Days, Customers, Orders, SoldOut, Declines, Transfers int
	Crashes, Storms, Outages, Mails, Points               int
	Deeds, Refused, Changes, Cancellations, Pauses        int // deeds are all that was asked for and done
	Corrections, Refunds                                  int
	Invoices, Payments, Charges, Servers                  int
	WebhooksLost, WebhooksTwice, WebhooksLate             int
	Books                                                 string // SHA-256 of the books, in hex
}

// String is a few lines for people; the last one names the books.
func (s Summary) String() string {
	return fmt.Sprintf("seed %d: %d days, %d customers, %d orders (%d more were sold out), %d invoices, %d payments, %d declines, %d transfers\n"+
		"besides: %d changes, %d cancellations, %d pauses, %d corrections, %d refunds; %d requests done, %d refused\n"+
		"vendors: %d charges, %d servers built, %d mails\n"+
		"trouble: %d crashes of %d places to die at, %d storms, %d outages, webhooks %d lost, %d twice, %d late\n"+
		"books %s",
		s.Seed, s.Days, s.Customers, s.Orders, s.SoldOut, s.Invoices, s.Payments, s.Declines, s.Transfers,
		s.Changes, s.Cancellations, s.Pauses, s.Corrections, s.Refunds, s.Deeds, s.Refused,
		s.Charges, s.Servers, s.Mails, s.Crashes, s.Points, s.Storms, s.Outages, s.WebhooksLost, s.WebhooksTwice, s.WebhooksLate, s.Books)
}

// Failure is a simulation that found something wrong.
type Failure struct {
	Seed  uint64
	Day   int
	At    time.Time
	Diary []string // what happened last
	Err   error
}

// Error names seed and day, so that it can be repeated.
func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d, day %d (%s): %v\nbefore that:\n  %s", f.Seed, f.Day, f.At.Format("2006-01-02 15:04"), f.Err, strings.Join(f.Diary, "\n  "))
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Run simulates and proves the books after each day. Without a directory it
// works in one of its own. Errors: *Failure when something is wrong.
func Run(o Options) (Summary, error) {
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "ezscale-simulation-")
		if err != nil {
			return Summary{}, fmt.Errorf("directory of the simulation: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.Dir = dir
	}
	w, err := newWorld(o)
	if err != nil {
		return Summary{}, err
	}
	day, err := w.live()
	if err == nil {
		err = w.sum()
	}
	if err != nil {
		err = &Failure{Seed: o.Seed, Day: day, At: w.clock.world(), Diary: w.diary, Err: err}
	}
	return w.counts, errors.Join(err, w.close())
}

// live goes through all days and returns the last one.
func (w *world) live() (day int, err error) {
	w.agenda.addTrouble(start.Add(tick), w.timed)
	for day = 1; day <= w.Days+calm; day++ {
		w.counts.Days = day
		quiet := day > w.Days
		if err := w.day(quiet); err != nil {
			return day, err
		}
		if err := w.prove(day == w.Days+calm); err != nil {
			return day, err
		}
	}
	return day - 1, nil
}

// tick is how often the product's timed tasks run. Really they run more often;
// what they do must not depend on it.
const tick = 8 * time.Hour

// timed runs what is due by time, and arranges the next round.
func (w *world) timed() error {
	w.agenda.addTrouble(w.clock.world().Add(tick), w.timed)
	if w.weather.off {
		return nil
	}
	err := w.driver.Tasks(context.Background())
	if died, restart := w.alive(); died {
		return restart
	}
	if err != nil {
		return fmt.Errorf("timed tasks: %w", err)
	}
	w.ran = w.clock.product()
	return nil
}

// day lets one day pass. On a quiet one nobody does anything new.
func (w *world) day(quiet bool) error {
	end := w.clock.world().Add(aDay)
	if quiet {
		if err := w.clearUp(); err != nil {
			return err
		}
	} else {
		w.forecast()
		w.plan()
	}
	if err := w.morning(); err != nil {
		return err
	}
	for {
		next, err := w.next(end)
		if err != nil {
			return err
		}
		w.clock.to(next)
		if err := w.moment(); err != nil {
			return err
		}
		if !next.Before(end) {
			return nil
		}
	}
}

// plan draws what people will do within a day. Customers come over the first
// half of the time.
func (w *world) plan() {
	missing := w.Customers - len(w.people)
	span := max(w.Days/2, 1)
	due := min(w.Customers, 1+w.counts.Days*w.Customers/span) - len(w.people)
	for range min(due, missing) {
		w.agenda.add(w.soon(aDay), w.signUp)
	}
	for _, p := range w.people {
		if p.pays() {
			w.agenda.add(w.soon(aDay), func() error { return w.payUp(p) })
		}
	}
	for range len(w.people) {
		if w.draw.IntN(30) == 0 {
			w.agenda.add(w.soon(aDay), w.anything)
		}
	}
}

// moment lets happen what is due now: people act, webhooks arrive, the product
// works.
func (w *world) moment() error {
	for {
		a, there := w.agenda.take(w.clock.world())
		if !there {
			break
		}
		if w.weather.off && !a.trouble {
			w.agenda.add(w.soon(aDay), a.do) // people find the shop closed
			continue
		}
		if err := a.do(); err != nil {
			return err
		}
	}
	if err := w.deliver(); err != nil {
		return err
	}
	if w.weather.off {
		return nil
	}
	if err := w.work(); err != nil {
		return err
	}
	w.courier.collect(w.clock.world())
	return nil
}

// next is the next moment at which anything happens, but not after end.
func (w *world) next(end time.Time) (time.Time, error) {
	next := end
	earlier := func(at time.Time, there bool) {
		if there && at.Before(next) {
			next = at
		}
	}
	earlier(w.agenda.next())
	earlier(w.courier.next())
	if !w.weather.off {
		at, there, err := w.nextJob()
		if err != nil {
			return next, err
		}
		earlier(at, there)
	}
	if soonest := w.clock.world().Add(grain); next.Before(soonest) {
		next = soonest
	}
	return next, nil
}

// nextJob is when the next queued job is due, in the world's time.
func (w *world) nextJob() (at time.Time, there bool, err error) {
	stamps := []string{}
	err = w.app.DB().NewQuery("SELECT `next_at` FROM `jobs` WHERE `state` = 'queued' ORDER BY `next_at` LIMIT 1").Column(&stamps)
	if err != nil || len(stamps) == 0 {
		return at, false, err
	}
	at, err = time.Parse("2006-01-02 15:04:05.000Z", stamps[0])
	if err != nil {
		return at, false, fmt.Errorf("moment of a job: %w", err)
	}
	return at.Add(-w.clock.skew), true, nil
}

// morning is what happens every day: banks settle their debits now and then, and
// staff gives jobs that were given up another try.
func (w *world) morning() error {
	if w.draw.IntN(3) == 0 || w.counts.Days >= w.Days {
		w.vendors.stripe.Settle()
	}
	if w.weather.bad() {
		return nil
	}
	left := []struct {
		ID    string `db:"id"`
		Kind  string `db:"kind"`
		State string `db:"state"`
	}{}
	err := w.app.DB().Select("id", "kind", "state").From(collections.Jobs).Where(given).OrderBy("rowid").All(&left)
	if err != nil || len(left) == 0 {
		return err
	}
	token, err := w.staff()
	if err != nil {
		return err
	}
	for _, job := range left {
		body := map[string]string{"action": "retry", "reason": "the vendor is back"}
		if job.Kind == "service.change_plan" && job.State == "parked" { // what no panel can do, people have done by now
			body = map[string]string{"action": "close", "reason": "done by hand"}
		}
		r, err := w.call("POST", "/api/v1/staff/jobs/"+job.ID, token, body)
		if err != nil && !errors.Is(err, errDead) {
			return err
		}
		if err == nil && !r.ok() {
			return fmt.Errorf("retry a job: %d %.300s", r.status, r.text)
		}
	}
	return nil
}
