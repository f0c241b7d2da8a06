package stripebox

import (
	"net/http"
	"sync"
	"time"
)

// keyLife is how long an idempotency key is remembered. Stripe promises at least
// 24 hours (docs.stripe.com/api/idempotent_requests).
const keyLife = 24 * time.Hour

// keyring remembers the answers of writes by idempotency key.
type keyring struct {
	now     func() time.Time
	mu      sync.Mutex
	entries map[string]*keyEntry
}

type keyEntry struct {
	request string // method, path and parameters
	busy    bool
	at      time.Time
	answer  answer
}

// answer is what a request was answered with.
type answer struct {
	status int
	body   []byte
}

// claim reserves a key for a request. It returns the stored answer of a repeat,
// or the refusal of a key that is busy or belongs to another request; both are
// nil for the caller that must now execute and then settle.
func (k *keyring) claim(key, request string) (*answer, *apiError) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, e := range k.entries {
		if !e.busy && k.now().Sub(e.at) > keyLife {
			delete(k.entries, name)
		}
	}
	e, known := k.entries[key]
	switch {
	case !known:
		k.entries[key] = &keyEntry{request: request, busy: true, at: k.now()}
		return nil, nil
	case e.request != request:
		return nil, &apiError{status: http.StatusBadRequest, fields: object{
			"type":    "idempotency_error",
			"message": "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request.",
		}}
	case e.busy:
		return nil, &apiError{status: http.StatusConflict, fields: object{
			"type": "idempotency_error", "code": "idempotency_key_in_use",
			"message": "There is currently another in-progress request using this Idempotent Key. Please try again later.",
		}}
	}
	stored := e.answer
	return &stored, nil
}

// settle stores the answer, or frees the key when nothing was executed.
func (k *keyring) settle(key string, a answer, executed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !executed {
		delete(k.entries, key)
		return
	}
	e := k.entries[key]
	e.answer, e.busy = a, false
}
