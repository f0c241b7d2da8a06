package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// start serves a Box on loopback until the test ends.
func start(t *testing.T) (*Box, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := New(Options{Now: func() time.Time { return noon }})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- box.ServeSMTP(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ServeSMTP: %v", err)
		}
	})
	return box, l.Addr().String()
}

func letter(subject string) []byte {
	return []byte("From: a@example.com\r\nTo: b@example.com\r\nSubject: " + subject + "\r\n\r\nHello.\r\n.dot\r\n")
}

func send(addr, subject string, to ...string) error {
	return smtp.SendMail(addr, nil, "a@example.com", to, letter(subject))
}

func code(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}

func TestReceive(t *testing.T) {
	box, addr := start(t)
	auth := smtp.PlainAuth("", "anyone", "any password", "127.0.0.1")
	if err := smtp.SendMail(addr, auth, "a@example.com", []string{"b@example.com", "hidden@example.com"}, letter("=?utf-8?q?Gr=C3=BC=C3=9Fe?=")); err != nil {
		t.Fatal(err)
	}
	if err := send(addr, "second", "c@example.com"); err != nil {
		t.Fatal(err)
	}
	messages := box.Messages()
	if len(messages) != 2 {
		t.Fatalf("got %d messages, want 2", len(messages))
	}
	m := messages[0]
	if m.ID != "1" || m.From != "a@example.com" || strings.Join(m.To, " ") != "b@example.com hidden@example.com" ||
		m.Subject != "Grüße" || m.Text != "Hello.\n.dot\n" || !m.At.Equal(noon) || m.Problem != "" {
		t.Errorf("got %+v", m)
	}
	box.Clear()
	if err := send(addr, "third", "c@example.com"); err != nil {
		t.Fatal(err)
	}
	if got := box.Messages(); len(got) != 1 || got[0].ID != "3" {
		t.Errorf("after Clear: got %+v, want one message with id 3", got)
	}
}

func TestFaults(t *testing.T) {
	scenarios := []struct {
		name    string
		fault   Fault
		code    int  // of the error; 0 is a lost answer or none
		failing bool // the first attempt fails
		kept    int  // after the first attempt
	}{
		{"temporary refusal", Fault{Kind: RefuseTemporary, Times: 1}, 451, true, 0},
		{"permanent refusal", Fault{Kind: RefusePermanent, Times: 1}, 550, true, 0},
		{"cut after data", Fault{Kind: CutAfterData, Times: 1}, 0, true, 1},
		{"slow", Fault{Kind: Slow, Times: 1, Delay: 50 * time.Millisecond}, 0, false, 1},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			box, addr := start(t)
			if err := box.AddFault(s.fault); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err := send(addr, "first", "b@example.com")
			if (err != nil) != s.failing || code(err) != s.code {
				t.Errorf("first attempt: got %v, want failing %v with code %d", err, s.failing, s.code)
			}
			if took := time.Since(began); took < s.fault.Delay {
				t.Errorf("answered after %s, want %s at least", took, s.fault.Delay)
			}
			if got := len(box.Messages()); got != s.kept {
				t.Errorf("after the first attempt: got %d messages, want %d", got, s.kept)
			}
			if err := send(addr, "second", "b@example.com"); err != nil {
				t.Errorf("the fault is not used up: %v", err)
			}
			if got := len(box.Messages()); got != s.kept+1 {
				t.Errorf("after the second attempt: got %d messages, want %d", got, s.kept+1)
			}
		})
	}
}

func TestFaultsInOrder(t *testing.T) {
	box, addr := start(t)
	for _, f := range []Fault{{Kind: RefuseTemporary, Times: 2}, {Kind: RefusePermanent}} {
		if err := box.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{451, 451, 550, 550, 550} {
		if got := code(send(addr, "x", "b@example.com")); got != want {
			t.Errorf("attempt %d: got code %d, want %d", i+1, got, want)
		}
	}
	box.ClearFaults()
	if err := send(addr, "x", "b@example.com"); err != nil {
		t.Errorf("after ClearFaults: %v", err)
	}
	for _, bad := range []Fault{{}, {Kind: "explode"}, {Kind: Slow, Times: -1}, {Kind: Slow, Delay: -1}} {
		if err := box.AddFault(bad); err == nil {
			t.Errorf("AddFault(%+v): got no error", bad)
		}
	}
}

func TestSlowEndsWithTheServer(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := New(Options{})
	if err := box.AddFault(Fault{Kind: Slow, Delay: time.Hour}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served, sent := make(chan error, 1), make(chan error, 1)
	go func() { served <- box.ServeSMTP(ctx, l) }()
	go func() { sent <- send(l.Addr().String(), "x", "b@example.com") }()
	time.Sleep(50 * time.Millisecond)
	cancel()
	if err := <-served; err != nil {
		t.Errorf("ServeSMTP: %v", err)
	}
	if err := <-sent; err == nil || len(box.Messages()) != 0 {
		t.Errorf("the sender was told %v, want an error, and nothing kept", err)
	}
}

func TestTooLarge(t *testing.T) {
	box, addr := start(t)
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := errors.Join(c.Mail("a@example.com"), c.Rcpt("b@example.com")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 998) + "\r\n"
	for range MaxMessageBytes/len(line) + 10 {
		if _, err := io.WriteString(w, line); err != nil {
			t.Fatal(err)
		}
	}
	if got := code(w.Close()); got != 552 {
		t.Errorf("got code %d, want 552", got)
	}
	if got := len(box.Messages()); got != 0 {
		t.Errorf("got %d messages, want none", got)
	}
}

func TestCapacity(t *testing.T) {
	box := New(Options{Now: func() time.Time { return noon }})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 300 {
				box.keep("a@example.com", []string{"b@example.com"}, letter(fmt.Sprint(i)))
				box.Messages()
			}
		})
	}
	wg.Wait()
	messages := box.Messages()
	if len(messages) != MaxMessages || messages[0].ID != "201" || messages[MaxMessages-1].ID != "1200" {
		t.Errorf("got %d messages from %s to %s, want the last 1000 of 1200", len(messages), messages[0].ID, messages[len(messages)-1].ID)
	}
	big := make([]byte, MaxMessageBytes)
	for range 12 {
		box.keep("a@example.com", nil, big)
	}
	if got := len(box.Messages()); got != maxTotalBytes/MaxMessageBytes {
		t.Errorf("got %d large messages, want %d", got, maxTotalBytes/MaxMessageBytes)
	}
}
