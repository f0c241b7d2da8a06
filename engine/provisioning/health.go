package provisioning

import "time"

// CircuitState says whether calls to a panel are made.
type CircuitState string

// The states of a circuit breaker.
const (
	CircuitClosed   CircuitState = "closed"    // calls are made
	CircuitOpen     CircuitState = "open"      // the panel does not answer, so none are made for a while
	CircuitHalfOpen CircuitState = "half_open" // one call is made, to see whether it answers again
)

// Health is what is known of a panel from the calls to it.
type Health struct {
	State    CircuitState
	Failures int           // calls in a row that were not answered
	Since    time.Time     // when the state began; zero where it never changed
	Rests    time.Duration // how long no calls are made; 0 is not at all
	Problem  string        // the last failure, for people; no secrets
	Answered time.Time     // when it last answered; zero if it never did
}

// HealthReporter knows how its panel is, without a call.
type HealthReporter interface {
	Health() Health
}

// Pacer makes no more calls than this: perSecond on average, and burst at once after
// a rest. 0 is no limit, and a burst of 0 is that of one second.
type Pacer interface {
	Pace(perSecond, burst int)
}
