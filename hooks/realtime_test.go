package hooks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

// stream is an open realtime connection.
type stream struct {
	app    *testapp.App
	id     string
	mu     sync.Mutex
	events []string // names and data
}

func connectStream(app *testapp.App) *stream {
	app.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	app.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, app.URL+"/api/realtime", nil)
	if err != nil {
		app.Fatal(err)
	}
	resp, err := (&http.Client{}).Do(req) //nolint:bodyclose // closed by its reader below
	if err != nil {
		app.Fatal(err)
	}
	s := &stream{app: app}
	go func() {
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewScanner(resp.Body)
		name := ""
		for lines.Scan() {
			text := lines.Text()
			if v, ok := strings.CutPrefix(text, "event:"); ok {
				name = v
			}
			if v, ok := strings.CutPrefix(text, "data:"); ok {
				s.take(name, v)
			}
		}
	}()
	app.Eventually("the stream is open", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.id != "" })
	app.Cleanup(cancel)
	return s
}

func (s *stream) take(name, data string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "PB_CONNECT" {
		hello := struct {
			ID string `json:"clientId"`
		}{}
		_ = json.Unmarshal([]byte(data), &hello)
		s.id = hello.ID
		return
	}
	s.events = append(s.events, name+" "+data)
}

func (s *stream) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.events, "\n")
}

func (s *stream) subscribe(token string, topics ...string) *testapp.Answer {
	s.app.Helper()
	return s.app.Do(http.MethodPost, "/api/realtime", token, map[string]any{"clientId": s.id, "subscriptions": topics})
}

func TestRealtimeTellsOwnersAlone(t *testing.T) {
	app := testapp.New(t)
	ada, eve := settle(app, "ada"), settle(app, "eve")
	guest, other, own := connectStream(app), connectStream(app), connectStream(app)

	topics := []string{}
	for name, ids := range ada.ids {
		topics = append(topics, name+"/*", name+"/"+ids[0])
	}
	for who, s := range map[string]*stream{"": guest, eve.of.Token: other} {
		for _, topic := range []string{"customer/" + ada.of.Id, "customer/" + ada.of.Id + "?options=%7B%7D", "customer/*", "customer/"} {
			if r := s.subscribe(who, topic); r.Status != http.StatusNotFound {
				t.Errorf("subscribing to %s: got %s, want 404", topic, r)
			}
		}
		s.subscribe(who, topics...) // each is checked when something happens
	}
	app.Want(http.StatusNoContent, other.subscribe(eve.of.Token, append(topics, "customer/"+eve.of.Id)...))
	app.Want(http.StatusNoContent, own.subscribe(ada.of.Token, "customer/"+ada.of.Id))

	rename := func(e *estate) {
		app.Want(http.StatusOK, app.Do(http.MethodPatch, "/api/v1/services/"+e.ids["services"][0], e.of.Token, map[string]string{"label": "new name"}))
	}
	rename(ada)
	rename(eve)
	app.Eventually("the owner hears of it", func() bool { return strings.Contains(own.all(), ada.ids["services"][0]) })
	app.Eventually("the other hears of hers", func() bool { return strings.Contains(other.all(), eve.ids["services"][0]) })
	app.Quiet()
	for who, s := range map[string]*stream{"nobody": guest, "another customer": other} {
		if found := ada.mentions(s.all()); found != "" {
			t.Errorf("%s heard of %s:\n%s", who, found, s.all())
		}
	}
	if strings.Contains(own.all(), "new name") {
		t.Errorf("the topic carries contents, want ids alone:\n%s", own.all())
	}
}

func TestRealtimeEndsWithTheAccount(t *testing.T) {
	app := testapp.New(t)
	ada := settle(app, "ada")
	own := connectStream(app)
	app.Want(http.StatusNoContent, own.subscribe(ada.of.Token, "customer/"+ada.of.Id))
	user := app.Record("users", ada.of.Id)
	user.SetPassword("another-password-1") // ends every session
	if err := app.Save(user); err != nil {
		t.Fatal(err)
	}
	if r := app.Do(http.MethodGet, "/api/v1/me", ada.of.Token, nil); r.Status != http.StatusUnauthorized {
		t.Errorf("the old token: got %s, want 401", r)
	}
	svc := app.Record("services", ada.ids["services"][0])
	svc.Set("label", "after")
	if err := app.Save(svc); err != nil {
		t.Fatal(err)
	}
	app.Quiet()
	if strings.Contains(own.all(), svc.Id) {
		t.Errorf("a stream of an ended session heard: %s", own.all())
	}
}
