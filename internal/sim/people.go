package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// person is a customer.
type person struct {
	number int
	email  string
	id     string
	token  string
	orders int // placed so far, which names the next client key
}

// pays reports whether this is one of those who pay each invoice at once, by a
// card that works.
func (p *person) pays() bool { return p.number%4 == 0 }

// card is what they pay with this time.
func (w *world) card(p *person) string {
	if p.pays() {
		return cards[0]
	}
	return cards[w.draw.IntN(len(cards))]
}

// reply is an answer of the product, read.
type reply struct {
	status int
	value  any
	text   string
}

// ok reports success.
func (r reply) ok() bool { return r.status/100 == 2 }

// at returns a member of the JSON by its path, such as "order.services.0.id".
func (r reply) at(path string) any {
	v := r.value
	for part := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// str is at as text; "" when there is none.
func (r reply) str(path string) string {
	s, _ := r.at(path).(string)
	return s
}

// call sends a JSON request as somebody. Errors: errDead when the process died
// over it. A 5xx that no fault explains ends the simulation: it is a defect.
func (w *world) call(method, path, token string, body any) (reply, error) {
	raw := []byte{}
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return reply{}, err
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), method, path, bytes.NewReader(raw))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	a, err := w.serve(r)
	if err != nil {
		return reply{}, err
	}
	got := reply{status: a.status, text: a.body.String()}
	_ = json.Unmarshal(a.body.Bytes(), &got.value) // not everything is JSON
	if got.status >= 500 && !w.weather.bad() {
		return got, fmt.Errorf("%s %s: %d %.300s", method, path, got.status, got.text)
	}
	return got, nil
}

// insist calls until the process survives it, as people press the button again.
func (w *world) insist(method, path, token string, body any) (reply, error) {
	for {
		r, err := w.call(method, path, token, body)
		if !errors.Is(err, errDead) {
			return r, err
		}
	}
}

// staff is the token of a member of staff.
func (w *world) staff() (string, error) {
	r, err := w.app.FindAuthRecordByEmail(core.CollectionNameSuperusers, staffAddress)
	if err != nil {
		return "", fmt.Errorf("staff: %w", err)
	}
	return r.NewAuthToken()
}

// signUp brings a new customer.
func (w *world) signUp() error {
	if len(w.people) >= w.Customers {
		return nil
	}
	p := &person{number: len(w.people) + 1}
	p.email = fmt.Sprintf("customer-%d@customer.test", p.number)
	r, err := w.insist(http.MethodPost, "/api/v1/account/sign-up", "", map[string]any{
		"email": p.email, "password": password, "name": fmt.Sprintf("Customer %d", p.number), "locale": pick(w.draw, "en", "de"), "time_zone": "UTC", "terms": true,
	})
	if err != nil {
		return err
	}
	if !r.ok() {
		return fmt.Errorf("sign up %s: %d %.300s", p.email, r.status, r.text)
	}
	user, err := w.app.FindAuthRecordByEmail(collections.Users, p.email)
	if err != nil {
		return fmt.Errorf("sign up %s: %w", p.email, err)
	}
	p.id = user.Id
	if p.token, err = user.NewAuthToken(); err != nil {
		return fmt.Errorf("sign up %s: %w", p.email, err)
	}
	w.people = append(w.people, p)
	w.counts.Customers++
	if w.draw.IntN(10) > 0 {
		w.agenda.add(w.soon(aDay), func() error { return w.orderFor(p) })
	}
	r, err = w.insist(http.MethodPatch, "/api/v1/me", p.token, map[string]any{
		"profile": map[string]string{"street": "2 Test Road", "postcode": "10115", "city": "Berlin", "country": pick(w.draw, "DE", "DE", "AT", "FR", "US")},
	})
	if err == nil && !r.ok() {
		err = fmt.Errorf("address of %s: %d %.300s", p.email, r.status, r.text)
	}
	return err
}

// anybody picks a customer; nil while there is none.
func (w *world) anybody() *person {
	if len(w.people) == 0 {
		return nil
	}
	return w.people[w.draw.IntN(len(w.people))]
}

// soon is a moment within a span from now.
func (w *world) soon(span time.Duration) time.Time {
	return w.clock.world().Add(time.Second + time.Duration(w.draw.Int64N(int64(span))))
}
