package provisioning

import (
	"errors"
	"time"
)

// ErrorClass says what a failure means for the next try.
type ErrorClass string

// The classes, one per error of adapters.
const (
	ClassNone        ErrorClass = ""
	ClassTemporary   ErrorClass = "temporary"
	ClassPermanent   ErrorClass = "permanent"
	ClassCapacity    ErrorClass = "capacity"
	ClassCredentials ErrorClass = "credentials"
	ClassStaff       ErrorClass = "staff"
	ClassUnknown     ErrorClass = "unknown_outcome"
)

// Classify reads the class an adapter wrapped into err. An error without a
// class counts as an unknown outcome: the careful reading.
func Classify(err error) ErrorClass {
	switch {
	case err == nil:
		return ClassNone
	case errors.Is(err, ErrOutcomeUnknown):
		return ClassUnknown
	case errors.Is(err, ErrTemporary):
		return ClassTemporary
	case errors.Is(err, ErrCapacity):
		return ClassCapacity
	case errors.Is(err, ErrCredentials):
		return ClassCredentials
	case errors.Is(err, ErrStaff):
		return ClassStaff
	case errors.Is(err, ErrPermanent), errors.Is(err, ErrNotFound):
		return ClassPermanent
	}
	return ClassUnknown
}

// Held says whether a failed try was none at all, since nothing was sent: a panel that
// does not answer, or that must not be called so often, is left alone by ourselves.
// The time is how long that still lasts.
func Held(err error) (time.Duration, bool) {
	var h interface{ Held() (time.Duration, bool) }
	if !errors.As(err, &h) {
		return 0, false
	}
	return h.Held()
}

// Retry says when to try again after the attempt-th failure (from 1) of a
// class, or false to give up and alert staff. The pause doubles up to the
// class's longest one; jitter in [0, 1) draws from its upper half and so spreads
// the tries of many jobs. The caller draws it.
func Retry(class ErrorClass, attempt int, jitter float64) (time.Duration, bool) {
	var base, most time.Duration
	tries := 0
	switch class {
	case ClassTemporary, ClassUnknown:
		base, most, tries = 2*time.Second, 10*time.Minute, 40
	case ClassCapacity:
		base, most, tries = time.Minute, time.Hour, 200
	case ClassCredentials:
		base, most, tries = 5*time.Minute, time.Hour, 50
	case ClassPermanent, ClassStaff, ClassNone:
		return 0, false
	}
	attempt = max(attempt, 1)
	if attempt >= tries {
		return 0, false
	}
	wait := base
	for i := 1; i < attempt && wait < most; i++ {
		wait *= 2
	}
	wait = min(wait, most)
	jitter = min(max(jitter, 0), 1)
	return wait/2 + time.Duration(jitter*float64(wait/2)), true
}
