package dunning

import "time"

// nextCharge is the automatic try that comes next, if one can. What holds it up
// is in its hold: an attempt whose outcome is open forbids another for as long
// as it is open (A5), however long.
func (v *view) nextCharge() (planned, bool) {
	if !v.collects() || v.tries >= v.p.MaxTries {
		return planned{}, false
	}
	m, ok := v.pick()
	if !ok {
		return planned{}, false
	}
	s := planned{Step: Step{Kind: Charge, N: v.attempts + 1, Method: m.ID}, at: v.chargeAt(m)}
	s.hold = first(v.liveHold(), v.pausedHold(), v.unmatchedHold(), v.outageHold())
	return s, true
}

// liveHold forbids an attempt beside one that can still bring money.
func (v *view) liveHold() hold {
	for _, live := range []struct {
		result Result
		why    Reason
	}{{Unknown, OutcomeUnknown}, {Pending, PaymentPending}, {Authenticate, Authentication}} {
		if _, any := v.attempt(live.result); any {
			return hold{reason: live.why}
		}
	}
	return hold{}
}

// pick chooses the method to charge: the default one as long as it may be tried,
// then the others if the policy says so.
func (v *view) pick() (Method, bool) {
	for _, m := range v.f.Methods {
		if m.Default && v.usable(m) {
			return m, true
		}
	}
	if !v.p.FallbackMethods {
		return Method{}, false
	}
	for _, m := range v.f.Methods {
		if !m.Default && v.usable(m) {
			return m, true
		}
	}
	return Method{}, false
}

// usable says whether the card behind m may be tried again: never after a hard
// decline, whoever made it and under whatever id the card was saved.
func (v *view) usable(m Method) bool {
	card := cardOf(m.ID, m.Fingerprint)
	for _, a := range v.f.Attempts {
		if a.Result == Hard && (a.card() == card || a.Method == m.ID) {
			return false
		}
	}
	tries, _ := v.triesOf(card)
	return !m.Expired && tries <= len(v.p.RetryDays)
}

func (v *view) triesOf(card string) (n int, last time.Time) {
	for _, a := range v.f.Attempts {
		if a.isTry() && a.card() == card {
			n, last = n+1, later(last, a.At)
		}
	}
	return n, last
}

// chargeAt is the moment for the next try of m. Retries are counted in tries
// that reached the gateway, so that an outage moves the calendar and does not
// use it up. A fallback follows the failure of the card before it at once.
func (v *view) chargeAt(m Method) time.Time {
	at := later(addDays(v.due, -v.p.ChargeDaysBefore), v.f.IssuedAt.UTC())
	tries, last := v.triesOf(cardOf(m.ID, m.Fingerprint))
	switch {
	case tries > 0:
		at = v.retryAt(tries, last)
	case v.tries > 0:
		at = later(at, v.lastTry)
	}
	if outage, any := v.attempt(Outage); any {
		at = later(at, outage.Add(Recheck))
	}
	return at
}

// retryAt is the moment of the n-th retry (from 1) of a card last tried at last.
// Counted from the due date, a late try shifts those after it by as much.
func (v *view) retryAt(n int, last time.Time) time.Time {
	offset := v.p.RetryDays[n-1]
	if v.p.RetryFrom == FromLastTry {
		return addDays(last, offset)
	}
	distance := offset
	if n > 1 {
		distance -= v.p.RetryDays[n-2]
	}
	return later(addDays(v.due, offset), addDays(last, max(distance, 1)))
}

// askAuthentication mails the link of an attempt that the customer has to
// confirm. Attempts keep their number, whatever becomes of them.
func (v *view) askAuthentication() (planned, bool) {
	if !v.collects() {
		return planned{}, false
	}
	n := 0
	for _, a := range v.f.Attempts {
		if a.ByCustomer {
			continue
		}
		n++
		if _, done := v.done(AskAuthentication, n); a.Result == Authenticate && !done {
			return planned{Step: Step{Kind: AskAuthentication, N: n}, at: a.At}, true
		}
	}
	return planned{}, false
}

// askNewMethod tells a customer who pays by saved method that none is left to
// try: refused, expired or out of retries.
func (v *view) askNewMethod() (planned, bool) {
	if !v.collects() || v.p.MaxTries == 0 || v.charges || v.liveHold().on() || v.tries == 0 && len(v.f.Methods) == 0 {
		return planned{}, false
	}
	n := v.attempts + 1
	if _, done := v.done(AskNewMethod, n); done {
		return planned{}, false
	}
	at := later(addDays(v.due, -v.p.ChargeDaysBefore), later(v.f.IssuedAt.UTC(), v.lastTry))
	return planned{Step: Step{Kind: AskNewMethod, N: n}, at: at, hold: first(v.pausedHold(), v.unmatchedHold())}, true
}
