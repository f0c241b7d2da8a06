package synergycp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

// with is an entity with other texts.
func (e entity) with(full, address string) entity {
	e.FullIP, e.Address = panel.Text(full), panel.Text(address)
	return e
}

func TestNewChecksTheConfiguration(t *testing.T) {
	scenarios := []struct {
		name, url, key, prefix string
		settle                 time.Duration
		want                   string // part of the error; "" is none
	}{
		{name: "a panel", url: "https://api.panel.example.com/", key: "k"},
		{name: "below a path", url: "https://panel.example.com/api", key: "k"},
		{name: "a sandbox", url: "http://127.0.0.1:8080", key: "k"},
		{name: "plain http", url: "http://api.panel.example.com", key: "k", want: "https is required"},
		{name: "the key in the address", url: "https://api.panel.example.com?key=x", key: "k", want: "no user, query"},
		{name: "no key", url: "https://api.panel.example.com", want: "key"},
		{name: "a blank in the key", url: "https://api.panel.example.com", key: "a b", want: "key"},
		{name: "an odd prefix", url: "https://api.panel.example.com", key: "k", prefix: "a/b", want: "prefix"},
		{name: "a negative settle time", url: "https://api.panel.example.com", key: "k", settle: -1, want: "settle"},
	}
	for _, s := range scenarios {
		_, err := New(Config{BaseURL: s.url, Key: s.key, RelationPrefix: s.prefix, Settle: s.settle}, nil)
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Errorf("%s: New = %v, want %q", s.name, err, s.want)
		}
	}
}

// The key travels in the address, which appears nowhere.
func TestKeysAreNeverPrinted(t *testing.T) {
	cfg := Config{BaseURL: "https://api.panel.invalid", Key: testKey}
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	slog.New(slog.NewTextHandler(&lines, nil)).Info("made", "client", c, "config", cfg)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	unreachable := c.Test(ctx).Err()
	gone := answering(t, 500, "").Test(t.Context()).Err()
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c), fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), lines.String(), fmt.Sprintf("%v %+v", unreachable, gone)} {
		if strings.Contains(s, testKey) || strings.Contains(s, "key=") {
			t.Errorf("%q holds the key", s)
		}
	}
	if !errors.Is(unreachable, provisioning.ErrTemporary) {
		t.Errorf("no such host = %v, want ErrTemporary", unreachable)
	}
}

// answering is a client of a panel that gives one answer to everything.
func answering(t *testing.T, status int, body string, header ...string) *Client {
	t.Helper()
	mime := "application/json"
	if strings.HasPrefix(body, "<") {
		mime = "text/html"
	}
	url, client := paneltest.Answering(t, status, body, append([]string{"Content-Type", mime}, header...)...)
	c, err := New(Config{BaseURL: url, Key: testKey, Now: paneltest.NewClock().Now}, client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	temporary, permanent, unknown, credentials := provisioning.ErrTemporary, provisioning.ErrPermanent, provisioning.ErrOutcomeUnknown, provisioning.ErrCredentials
	scenarios := []struct {
		name        string
		status      int
		body        string
		read, write error
		message     string
	}{
		{"key wrong", 401, refusal("Invalid API key."), credentials, credentials, "Invalid API key."},
		{"right missing", 403, refusal("You do not have permission."), credentials, credentials, "lacks a permission"},
		{"refused", 400, refusal("The server is not available."), permanent, permanent, "not available"},
		{"refused with 200", 200, refusal("The server is not available."), permanent, permanent, "not available"},
		{"refused with a word", 200, `{"error":"invalid","data":null,"messages":[]}`, permanent, permanent, "no more than"},
		{"refused with null", 200, `{"error":null,"data":null}`, permanent, permanent, "failed"},
		{"invalid", 422, `{"message":"The given data was invalid.","errors":{"email":["The email is taken."]}}`, permanent, permanent, "The email is taken."},
		{"missing", 404, refusal("Not found."), permanent, permanent, "Not found."},
		{"404 of a web server", 404, "<html>Not Found</html>", permanent, permanent, "not found"},
		{"a 404 that was cut off", 404, `{"error":true,"mess`, temporary, unknown, "cut off"},
		{"conflict", 409, refusal("Busy."), temporary, temporary, "Busy."},
		{"locked", 423, refusal("Locked."), temporary, temporary, "Locked."},
		{"too many calls", 429, "", temporary, temporary, "too many"},
		{"server error", 500, refusal("Whoops."), temporary, unknown, "Whoops."},
		{"proxy error", 502, "<html>", temporary, unknown, "bad gateway"},
		{"maintenance", 503, "", temporary, unknown, "service unavailable"},
		{"redirect", 302, "<html>", permanent, permanent, "https://api."},
		{"no envelope", 200, `[{"id":1}]`, temporary, unknown, "JSON"},
		{"another envelope", 200, `{"data":{"id":1}}`, temporary, unknown, "https://api."},
		{"a page", 200, "<html>Please wait</html>", temporary, unknown, "proxy"},
		{"half of the JSON", 200, `{"error":false,"data":{"id`, temporary, unknown, "JSON"},
		{"other data", 200, `{"error":false,"data":"x"}`, temporary, unknown, "documented"},
		{"no data", 200, `{"error":false}`, temporary, unknown, "documented"},
		{"no body", 200, "", temporary, unknown, "JSON"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			for effect, want := range map[panel.Effect]error{panel.Reads: s.read, panel.Writes: s.write, panel.Grows: s.write} {
				var out struct {
					ID panel.Number `json:"id"`
				}
				err := answering(t, s.status, s.body).do(t.Context(), panel.Call{Op: "try", Effect: effect, Method: http.MethodPost, Path: "/x"}, &out)
				if !errors.Is(err, want) || provisioning.Classify(err) != provisioning.Classify(want) {
					t.Errorf("effect %d: %v, want %v", effect, err, want)
				}
				if err == nil || !strings.Contains(err.Error(), s.message) || !strings.HasPrefix(err.Error(), "synergycp: try: ") {
					t.Errorf("effect %d: %v, want it to say %q", effect, err, s.message)
				}
			}
		})
	}
}

// The test of the connection says what the integration may not view.
func TestTestNamesWhatIsMissing(t *testing.T) {
	for path, want := range map[string]string{"/server": "Servers In Use", "/client": "Clients", "/entity": "IP Entities", "/group": "IP Groups"} {
		g := newRig(t, synergybox.Options{})
		if err := g.client().Test(t.Context()).Err(); err != nil {
			t.Fatalf("Test = %v", err)
		}
		g.box.Answer("GET "+path, http.StatusForbidden, refusal("No."), 1)
		if err := g.client().Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Test = %v, want %q named", path, err, want)
		}
	}
	g := newRig(t, synergybox.Options{})
	if err := g.clientWith("wrong", true).Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), "System → Integrations") || strings.Contains(err.Error(), "wrong:") {
		t.Errorf("a wrong key = %v, want it explained", err)
	}
	if err := answering(t, 502, "").Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("a panel that is down = %v, want ErrTemporary", err)
	}
}

func TestCatalogReads(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	for name, call := range map[string]func() ([]Choice, error){
		"SSD-960 960 GB SATA SSD":          func() ([]Choice, error) { return c.Parts(t.Context(), Disks) },
		"LOC-ASH Ashburn":                  func() ([]Choice, error) { return c.Groups(t.Context()) },
		"speed-1000 1 Gbit/s":              func() ([]Choice, error) { return c.PortSpeeds(t.Context()) },
		"os-ubuntu2404 Ubuntu 24.04":       func() ([]Choice, error) { return c.Profiles(t.Context()) },
		"HW-RAID Hardware RAID controller": func() ([]Choice, error) { return c.Parts(t.Context(), Addons) },
	} {
		list, err := call()
		if err != nil || !slices.ContainsFunc(list, func(x Choice) bool { return x.BillingID+" "+x.Name == name }) {
			t.Errorf("%v, %v; want %s among them", list, err, name)
		}
	}
	if n, err := c.Free(t.Context(), testOrder("").Settings); n != 4 || err != nil {
		t.Errorf("Free = %d, %v; want 4", n, err)
	}
}

// The list for a comparison with our records has every page, and all servers; a
// part of one is none.
func TestAllServersAreListed(t *testing.T) {
	g := newRig(t, synergybox.Options{Spare: 50})
	owner := g.box.Register("ezs-cus1", "ada@example.com")
	for id := range int64(230) {
		g.box.Occupy(301+id, owner, 1000+id)
	}
	list, err := listAll(t, g.client())
	if err != nil || len(list) != 230 || list[229].RemoteID != "530:1229" {
		t.Errorf("%d servers, %v; want 230", len(list), err)
	}
	for _, data := range []string{`{}`, `{"data":null}`, `{"data":[null]}`, `[7]`, `"x"`, `null`, `{"data":[],"current_page":1,"last_page":3}`, `{"data":[{"id":7}],"current_page":1,"last_page":1}`, `{"data":[{"id":7}],"current_page":1,"last_page":1,"total":2}`} {
		if list, err := listAll(t, answering(t, 200, `{"error":false,"data":`+data+`}`)); !errors.Is(err, provisioning.ErrTemporary) {
			t.Errorf("%s = %v, %v; want no list", data, list, err)
		}
	}
}

func listAll(t *testing.T, c *Client) ([]provisioning.Seen, error) {
	t.Helper()
	var list []provisioning.Seen
	err := c.List(t.Context(), func(s provisioning.Seen) error {
		list = append(list, s)
		return nil
	})
	return list, err
}

// The billing id is what lasts: a service that staff moved to other hardware is
// still the same.
func TestAMovedServiceIsStillListedAsItself(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.box.Replace(number(b.RemoteID), 308)
	list, err := listAll(t, c)
	key, plan := c.Terms(b.RemoteID, testOrder("svc1").Settings)
	if err != nil || len(list) != 1 || list[0].Key != key || list[0].Plan != plan || list[0].RemoteID == b.RemoteID {
		t.Errorf("List = %+v, %v; want key %s with %q on another server", list, err, key, plan)
	}
	if key, plan := c.Terms("7", nil); key != "" || plan != "" {
		t.Errorf("Terms of no remote id = %q, %q; want nothing", key, plan)
	}
}

// Absence is not believed of a panel that answers about others.
func TestOnlyAnEmptyListProvesAbsence(t *testing.T) {
	for data, want := range map[string]error{`[]`: provisioning.ErrNotFound, `[{"id":9,"billing":{"id":8}}]`: provisioning.ErrTemporary, `[{"id":9,"billing":null}]`: provisioning.ErrTemporary} {
		c := answering(t, 200, `{"error":false,"data":`+data+`}`)
		if _, err := c.Status(t.Context(), "301:7"); !errors.Is(err, want) {
			t.Errorf("%s: Status = %v, want %v", data, err, want)
		}
		if gone, _ := c.Terminate(t.Context(), "301:7"); gone != (want == provisioning.ErrNotFound) { //nolint:errorlint // the class itself
			t.Errorf("%s: gone = %t", data, gone)
		}
	}
	c := answering(t, 200, `{"error":false,"data":[{"id":9,"billing_id":"other"}]}`)
	if _, _, err := c.findClient(t.Context(), "cus1"); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("another client = %v, want ErrTemporary", err)
	}
}
