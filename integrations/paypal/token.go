package paypal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

// tokenMargin is how long before its end an access token is replaced.
const tokenMargin = time.Minute

// tokens keeps the access token. The library's own cache holds its lock during
// the call for a new token, so that one slow call stops all others whatever
// their deadlines, and it cannot drop a token that PayPal no longer knows.
type tokens struct {
	fetch func(ctx context.Context) (token string, life time.Duration, err error)
	now   func() time.Time
	turn  chan struct{} // whoever put the one element in may fetch

	mu    sync.Mutex
	value string
	until time.Time
}

func newTokens(now func() time.Time, fetch func(ctx context.Context) (string, time.Duration, error)) *tokens {
	return &tokens{fetch: fetch, now: now, turn: make(chan struct{}, 1)}
}

// get returns a token that is good for a minute at least. Of many callers one
// asks PayPal, the others wait for it no longer than their contexts allow.
func (t *tokens) get(ctx context.Context) (string, error) {
	if token, ok := t.current(); ok {
		return token, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("paypal: wait for an access token: %w: %w", billing.ErrGatewayTemporary, ctx.Err())
	}
	if token, ok := t.current(); ok {
		return token, nil
	}
	token, life, err := t.fetch(ctx)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = token, t.now().Add(life-tokenMargin)
	return token, nil
}

func (t *tokens) current() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.value, t.value != "" && t.now().Before(t.until)
}

// drop forgets a token, unless another has replaced it.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == token {
		t.value = ""
	}
}

// fetchToken asks for an access token (POST /v1/oauth2/token) by a client of the
// library of its own, which keeps the token nowhere else.
func (c *Client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	lib, err := c.library()
	if err != nil {
		return "", 0, err
	}
	x := c.begin("get an access token", false)
	answer, err := lib.GetAccessToken(x.watch(ctx))
	failed := x.failure(err)
	var said *callError
	switch {
	case errors.As(failed, &said) && said.status == http.StatusBadRequest && said.name == "invalid_client":
		return "", 0, x.fail(billing.ErrGatewayCredentials, said.detail, nil)
	case failed != nil:
		return "", 0, failed
	case answer.Token == "" || answer.ExpiresIn <= 0:
		return "", 0, x.lost("the answer has no token", ErrPayload)
	}
	return answer.Token, time.Duration(answer.ExpiresIn) * time.Second, nil
}
