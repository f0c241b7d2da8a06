package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ezscale/ezscale/internal/browser"
)

// account is a name and password of the demo.
type account struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// demo is the running demo, as its demo.json tells.
type demo struct {
	Site    string `json:"site"`
	Admin   string `json:"admin"`
	Sandbox struct {
		Stripe     string `json:"stripe"`
		VirtFusion string `json:"virtfusion"`
		Mail       string `json:"mail"`
	} `json:"sandbox"`
	Customer account `json:"customer"`
	Staff    account `json:"staff"`

	proc *process
}

// openDemo starts one demo for all browser tests. Each of them orders for a
// customer of its own or looks only, so that they do not disturb each other.
var openDemo = sync.OnceValues(func() (*demo, error) {
	path, err := build()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(builds, "demo")
	d := &demo{}
	if d.proc, err = start(path, nil, "demo", "--dir", dir, "--http", "127.0.0.1:0", "--sandbox-http", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		raw, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		if err == nil {
			return d, json.Unmarshal(raw, d)
		}
		if !errors.Is(err, fs.ErrNotExist) || d.proc.gone() {
			return d, fmt.Errorf("demo: %w\n%s", err, d.proc.out)
		}
	}
	return d, fmt.Errorf("demo: no demo.json after a minute\n%s", d.proc.out)
})

// demoRuns is set once openDemo was asked, so that TestMain knows what to stop.
var demoRuns bool

// browse returns the demo and a browser of its own.
func browse(t *testing.T) (*demo, *browser.Browser) {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a real browser")
	}
	b := browser.New(t) // first: it skips where there is none
	demoRuns = true
	d, err := openDemo()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the demo said:\n%s", d.proc.out)
		}
	})
	return d, b
}

// stopDemo ends the demo as Ctrl-C does.
func stopDemo() error {
	if !demoRuns {
		return nil
	}
	d, err := openDemo()
	if d == nil || d.proc == nil {
		return err
	}
	return d.proc.terminate(10 * time.Second)
}

// staff is the demo's API for staff.
func (d *demo) staff(t *testing.T) client {
	t.Helper()
	c, err := client{site: d.Site}.signIn(t.Context(), "_superusers", d.Staff.Email, d.Staff.Password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newcomers counts the customers that tests make: the demo is shared by all tests
// and by each repetition of them.
var newcomers atomic.Int64

// newcomer is somebody who has no account yet, and a host name for their server.
func newcomer(name string) (who account, host string) {
	n := newcomers.Add(1)
	return account{fmt.Sprintf("%s-%d@example.com", name, n), "correct horse battery"}, fmt.Sprintf("%s-%d.example.com", name, n)
}

// newCustomer makes an account through the API.
func (d *demo) newCustomer(t *testing.T, name string) account {
	t.Helper()
	a, _ := newcomer(name)
	err := client{site: d.Site}.call(t.Context(), http.MethodPost, "/api/v1/account/sign-up", map[string]any{
		"email": a.Email, "password": a.Password, "name": name, "locale": "en", "time_zone": "UTC", "terms": true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// letter is a mail as the sandbox lists it.
type letter struct {
	ID          string   `json:"id"`
	To          []string `json:"to"`
	Subject     string   `json:"subject"`
	Links       []string `json:"links"`
	Attachments []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"attachments"`
}

// link is the first link with a part.
func (l letter) link(part string) string {
	for _, link := range l.Links {
		if strings.Contains(link, part) {
			return link
		}
	}
	return ""
}

// mailTo waits for the newest mail to somebody that fits.
func (d *demo) mailTo(t *testing.T, to string, fits func(letter) bool) letter {
	t.Helper()
	list := []letter{}
	for deadline := time.Now().Add(browser.Patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err := (client{site: d.Sandbox.Mail}).call(t.Context(), http.MethodGet, "/messages.json", nil, &list); err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if len(l.To) == 1 && l.To[0] == to && fits(l) {
				return l
			}
		}
	}
	t.Fatalf("no such mail to %s among %d: %v", to, len(list), list)
	return letter{}
}

// download reads a file.
func download(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = &refusal{"GET " + url, res.StatusCode, string(raw)}
	}
	return string(raw), err
}
