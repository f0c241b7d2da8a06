package testapp

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
)

// Stream is an open realtime connection, as the portal has one.
type Stream struct {
	app    *App
	id     string
	close  context.CancelFunc
	mu     sync.Mutex
	events []string // names and data
}

// Stream connects to the realtime service.
func (a *App) Stream() *Stream {
	a.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/api/realtime", nil)
	if err != nil {
		a.Fatal(err)
	}
	resp, err := (&http.Client{}).Do(req) //nolint:bodyclose // closed by its reader below
	if err != nil {
		a.Fatal(err)
	}
	s := &Stream{app: a, close: cancel}
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
	a.Eventually("the stream is open", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.id != "" })
	a.Cleanup(cancel)
	return s
}

func (s *Stream) take(name, data string) {
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

// All are the messages that came, one a line.
func (s *Stream) All() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.events, "\n")
}

// Subscribe takes the place of what the stream was subscribed to before.
func (s *Stream) Subscribe(token string, topics ...string) *Answer {
	s.app.Helper()
	return s.app.Do(http.MethodPost, "/api/realtime", token, map[string]any{"clientId": s.id, "subscriptions": topics})
}

// Close ends the connection, as a closed browser does.
func (s *Stream) Close() { s.close() }
