package provisioning

// CheckState is how one check of a connection ended.
type CheckState string

// The ends of a check.
const (
	CheckOK      CheckState = "ok"
	CheckFailed  CheckState = "failed"
	CheckUnknown CheckState = "unknown" // it could not be made, or the platform does not say
)

// Check is one line of a report: what was looked at, what was found and, where it is
// not well, what to do. All of it is for people and holds no secrets.
type Check struct {
	What  string // "API token"
	State CheckState
	Found string // "The token is accepted."
	Do    string // "Make a new token under Configuration → API."
	Err   error  // of a failed check, with its class
}

// Report is what a test of a connection found, line by line.
type Report []Check

// Err is that of the first check that failed.
func (r Report) Err() error {
	for _, c := range r {
		if c.State == CheckFailed {
			return c.Err
		}
	}
	return nil
}

// OK says that no check failed.
func (r Report) OK() bool { return r.Err() == nil }
