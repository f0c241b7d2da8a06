package provisioning

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestClassify(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("virtfusion: create: %w", fmt.Errorf("deeper: %w", err)) }
	scenarios := []struct {
		name string
		err  error
		want ErrorClass
	}{
		{"no error", nil, ClassNone},
		{"temporary", ErrTemporary, ClassTemporary},
		{"temporary, wrapped", wrap(ErrTemporary), ClassTemporary},
		{"permanent, wrapped", wrap(ErrPermanent), ClassPermanent},
		{"capacity, wrapped", wrap(ErrCapacity), ClassCapacity},
		{"credentials, wrapped", wrap(ErrCredentials), ClassCredentials},
		{"staff, wrapped", wrap(ErrStaff), ClassStaff},
		{"unknown outcome, wrapped", wrap(ErrOutcomeUnknown), ClassUnknown},
		{"not found counts as permanent", wrap(ErrNotFound), ClassPermanent},
		{"no class", errors.New("oops"), ClassUnknown},
		{"a canceled call has no class", wrap(context.Canceled), ClassUnknown},
		{"unknown outcome beats temporary", errors.Join(ErrTemporary, ErrOutcomeUnknown), ClassUnknown},
		{"unknown outcome beats permanent", fmt.Errorf("%w: %w", ErrPermanent, ErrOutcomeUnknown), ClassUnknown},
		{"temporary beats permanent", errors.Join(ErrPermanent, ErrTemporary), ClassTemporary},
		{"temporary beats capacity", errors.Join(ErrCapacity, ErrTemporary), ClassTemporary},
		{"capacity beats permanent", errors.Join(ErrPermanent, ErrCapacity), ClassCapacity},
		{"credentials beat permanent", errors.Join(ErrPermanent, ErrCredentials), ClassCredentials},
		{"joined with a foreign error", errors.Join(errors.New("oops"), ErrCapacity), ClassCapacity},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := Classify(s.err); got != s.want {
				t.Errorf("Classify(%v): got %q, want %q", s.err, got, s.want)
			}
		})
	}
}

func TestRetry(t *testing.T) {
	scenarios := []struct {
		name    string
		class   ErrorClass
		attempt int
		jitter  float64
		want    time.Duration
		again   bool
	}{
		{"first failure, least jitter", ClassTemporary, 1, 0, time.Second, true},
		{"first failure, half jitter", ClassTemporary, 1, 0.5, 1500 * time.Millisecond, true},
		{"third failure", ClassTemporary, 3, 0, 4 * time.Second, true},
		{"the longest pause", ClassTemporary, 39, 0, 5 * time.Minute, true},
		{"given up", ClassTemporary, 40, 0, 0, false},
		{"long given up", ClassTemporary, 1 << 40, 0, 0, false},
		{"unknown outcome", ClassUnknown, 1, 0, time.Second, true},
		{"capacity is patient", ClassCapacity, 199, 0, 30 * time.Minute, true},
		{"capacity given up", ClassCapacity, 200, 0, 0, false},
		{"credentials", ClassCredentials, 1, 0, 150 * time.Second, true},
		{"permanent never", ClassPermanent, 1, 0, 0, false},
		{"success never", ClassNone, 1, 0, 0, false},
		{"unknown class never", "lost", 1, 0, 0, false},
		{"an attempt of zero counts as the first", ClassTemporary, 0, 0, time.Second, true},
		{"a negative attempt of an unknown class", "lost", -5, 0, 0, false},
		{"jitter out of range is cut", ClassTemporary, 1, 7, 2 * time.Second, true},
		{"negative jitter is cut", ClassTemporary, 1, -7, time.Second, true},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got, again := Retry(s.class, s.attempt, s.jitter)
			if got != s.want || again != s.again {
				t.Errorf("got %v, %v, want %v, %v", got, again, s.want, s.again)
			}
		})
	}
}

// TestRetryIsBoundedAndMonotone: with one jitter the pauses never shrink, they
// stay between a second and the longest pause of an hour, and once given up
// stays given up.
func TestRetryIsBoundedAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom([]ErrorClass{ClassTemporary, ClassUnknown, ClassCapacity, ClassCredentials}).Draw(t, "class")
		jitter := rapid.Float64Range(0, 0.999).Draw(t, "jitter")
		attempt := rapid.IntRange(1, 250).Draw(t, "attempt")
		wait, again := Retry(class, attempt, jitter)
		later, laterAgain := Retry(class, attempt+1, jitter)
		if !again && (laterAgain || wait != 0) {
			t.Fatalf("%s: attempt %d gives up with %v, the next is tried: %v", class, attempt, wait, laterAgain)
		}
		if again && (wait < time.Second || wait > time.Hour) {
			t.Fatalf("%s: attempt %d waits %v", class, attempt, wait)
		}
		if laterAgain && later < wait {
			t.Fatalf("%s: attempt %d waits %v, the next only %v", class, attempt, wait, later)
		}
		least, _ := Retry(class, attempt, 0)
		if again && (wait < least || wait >= 2*least) {
			t.Fatalf("%s: attempt %d waits %v, want it in [%v, %v)", class, attempt, wait, least, 2*least)
		}
	})
}
