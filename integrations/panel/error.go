package panel

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// MaxMessage bounds a panel's text in our errors, in runes.
const MaxMessage = 300

// Fault is one error of an answer: the panel's name for it, its sentence and, for
// a broken rule, the field and the rule.
type Fault struct {
	Code, Detail, Field, Rule string
}

// Error is a failed call. It wraps exactly one class of the engine.
type Error struct {
	Vendor  Vendor
	Op      string  // what was being done to which thing
	Status  int     // HTTP status; 0 when none arrived
	Message string  // the panel's sentences, or ours; no secrets
	Faults  []Fault // of the panel, where it lists them
	// RetryAfter is how long the panel asks to wait; 0 when it did not say.
	RetryAfter time.Duration
	// Unsent says that we did not make the call at all, for that long.
	Unsent bool
	Class  error // one of the engine's
	Cause  error
}

// Error says what was done to which thing, how it failed and what that means.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Vendor) + ": " + e.Op + ": ")
	if e.Status != 0 {
		b.WriteString("status " + strconv.Itoa(e.Status) + ": ")
	}
	if e.Message != "" {
		b.WriteString(e.Message + ": ")
	}
	b.WriteString(e.Class.Error())
	return b.String()
}

// Unwrap gives the class and, where there is one, the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Cause}
}

// Held is how long a call that was not made is held back; see provisioning.Held.
func (e *Error) Held() (time.Duration, bool) { return e.RetryAfter, e.Unsent }

// Vendor begins the errors of one vendor's adapter: "virtfusion".
type Vendor string

// Refuse is a failure found by ourselves, not answered by the panel.
func (v Vendor) Refuse(class error, op, format string, args ...any) error {
	return &Error{Vendor: v, Op: op, Message: fmt.Sprintf(format, args...), Class: class}
}

// Unreadable is an answer of success that is not what was asked for.
func (v Vendor) Unreadable(c Call, status int, message string) error {
	return &Error{Vendor: v, Op: c.Op, Status: status, Message: message, Class: c.Effect.Lost()}
}

// Plain keeps the words of an error and drops its class, for the cause of another.
func Plain(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(err.Error())
}

// Clean makes a foreign text fit for one line of a log.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > MaxMessage {
		s = string(runes[:MaxMessage]) + "…"
	}
	return strings.TrimSpace(s)
}
