package enhance

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

func TestNewChecksTheConfiguration(t *testing.T) {
	scenarios := []struct {
		name, url, token, org, prefix string
		settle                        time.Duration
		want                          string // part of the error; "" is none
	}{
		{name: "a panel", url: "https://panel.example.com", token: "t", org: enhancebox.SellerID},
		{name: "with the API's path", url: "https://panel.example.com/api/", token: "t", org: strings.ToUpper(enhancebox.SellerID)},
		{name: "both in one", url: "https://panel.example.com", token: enhancebox.SellerID + " t"},
		{name: "plain http", url: "http://panel.example.com", token: "t", org: enhancebox.SellerID, want: "https is required"},
		{name: "no token", url: "https://panel.example.com", org: enhancebox.SellerID, want: "token is missing"},
		{name: "no organization", url: "https://panel.example.com", token: "t", want: "organization's id is missing"},
		{name: "an organization by name", url: "https://panel.example.com", token: "t", org: "Hosting", want: "more than two parts"},
		{name: "an odd token", url: "https://panel.example.com", token: "tö", org: enhancebox.SellerID, want: "unprintable"},
		{name: "an odd prefix", url: "https://panel.example.com", token: "t", org: enhancebox.SellerID, prefix: "a/b", want: "prefix"},
		{name: "a negative settle time", url: "https://panel.example.com", token: "t", org: enhancebox.SellerID, settle: -1, want: "settle"},
	}
	for _, s := range scenarios {
		c, err := New(Config{BaseURL: s.url, Token: s.token, OrgID: s.org, RelationPrefix: s.prefix, Settle: s.settle}, nil)
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Errorf("%s: New = %v, want %q", s.name, err, s.want)
		}
		if err == nil && (c.base.String() != "https://panel.example.com" || c.seller != enhancebox.SellerID) {
			t.Errorf("%s: base %s, seller %s", s.name, c.base, c.seller)
		}
	}
}

func TestTokenIsNeverPrinted(t *testing.T) {
	cfg := Config{BaseURL: "https://panel.example.com", Token: testToken, OrgID: enhancebox.SellerID}
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	slog.New(slog.NewTextHandler(&lines, nil)).Info("made", "client", c, "config", cfg)
	gone := answering(t, 500, "").Test(t.Context()).Err()
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s", c, c, c), fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), lines.String(), gone.Error()} {
		if strings.Contains(s, testToken) {
			t.Errorf("%q holds the token", s)
		}
	}
}

// answering is a client of a panel that gives one answer to everything.
func answering(t *testing.T, status int, body string, header ...string) *Client {
	t.Helper()
	url, client := paneltest.Answering(t, status, body, append([]string{"Content-Type", "application/json"}, header...)...)
	c, err := New(Config{BaseURL: url, Token: testToken, OrgID: enhancebox.SellerID, Now: paneltest.NewClock().Now}, client)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryAnswerHasItsClass(t *testing.T) {
	temporary, permanent, unknown, credentials, notFound := provisioning.ErrTemporary, provisioning.ErrPermanent, provisioning.ErrOutcomeUnknown, provisioning.ErrCredentials, provisioning.ErrNotFound
	const html, plain = "text/html", "text/plain"
	scenarios := []struct {
		name        string
		status      int
		body, mime  string
		read, write error
		message     string
	}{
		{"token wrong", 401, failure("invalid_session_token", ""), "", credentials, credentials, "invalid_session_token"},
		{"right missing", 403, failure("unauthorized", ""), "", credentials, credentials, "unauthorized"},
		{"for the master alone", 403, failure("only_mo_allowed", ""), "", credentials, credentials, "only_mo_allowed"},
		{"a limit of the plan", 403, failure("resource_limit", "websites"), "", permanent, permanent, "resource_limit websites"},
		{"gone", 404, failure("not_found", "org"), "", notFound, notFound, "not_found org"},
		{"an id that is none", 404, "UUID parsing failed", plain, permanent, permanent, "not found"},
		{"404 of a web server", 404, "<html>", html, permanent, permanent, "not found"},
		{"a 404 that was cut off", 404, `{"code":"not_fo`, "", temporary, unknown, "cut off"},
		{"there already", 409, failure("already_exists", "login"), "", permanent, permanent, "already_exists login"},
		{"another conflict", 409, failure("busy", ""), "", temporary, temporary, "busy"},
		{"invalid", 400, `{"code":"invalid_input","detail":"x","message":"expected i32"}`, "", permanent, permanent, "expected i32"},
		{"locked", 423, "", "", temporary, temporary, "locked"},
		{"too many calls", 429, "", "", temporary, temporary, "too many"},
		{"server error", 500, failure("internal", ""), "", temporary, unknown, "internal"},
		{"proxy error", 502, "<html>", html, temporary, unknown, "bad gateway"},
		{"a page", 200, "<html>", html, temporary, unknown, "proxy"},
		{"half of the JSON", 200, `{"id":"`, "", temporary, unknown, "JSON"},
		{"no body", 201, "", "", temporary, unknown, "JSON"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			for effect, want := range map[panel.Effect]error{panel.Reads: s.read, panel.Writes: s.write, panel.Grows: s.write} {
				header := []string{}
				if s.mime != "" {
					header = []string{"Content-Type", s.mime}
				}
				err := answering(t, s.status, s.body, header...).do(t.Context(), panel.Call{Op: "try", Effect: effect, Method: http.MethodPost, Path: "/x"}, &created{})
				if !errors.Is(err, want) || provisioning.Classify(err) != provisioning.Classify(want) {
					t.Errorf("effect %d: %v, want %v", effect, err, want)
				}
				if err == nil || !strings.Contains(err.Error(), s.message) || !strings.HasPrefix(err.Error(), "enhance: try: ") {
					t.Errorf("effect %d: %v, want it to say %q", effect, err, s.message)
				}
			}
		})
	}
}

// The test of the connection says what is wrong with token and organization.
func TestTestSaysWhatIsWrong(t *testing.T) {
	g := newRig(t)
	if err := g.client().Test(t.Context()).Err(); err != nil {
		t.Errorf("Test = %v", err)
	}
	if err := g.clientWith("wrong").Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), "refuses the access token") {
		t.Errorf("a wrong token = %v", err)
	}
	g.box.Answer("GET /api/v2/", 403, failure("unauthorized", ""), 1)
	if err := g.client().Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrCredentials) || !strings.Contains(err.Error(), "SuperAdmin") {
		t.Errorf("a right that is missing = %v", err)
	}
	g.box.Answer("GET "+orgs, 404, failure("not_found", "org"), 1)
	if err := g.client().Test(t.Context()).Err(); provisioning.Classify(err) != provisioning.ClassCredentials || !strings.Contains(err.Error(), enhancebox.SellerID) {
		t.Errorf("another organization = %v", err)
	}
	g.box.Answer("GET /api/status", 200, `"updating"`, 1)
	if err := g.client().Test(t.Context()).Err(); !errors.Is(err, provisioning.ErrTemporary) || !strings.Contains(err.Error(), "updating") {
		t.Errorf("a panel at its update = %v", err)
	}
}

func TestListsAreWhole(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	list, err := c.Subscriptions(t.Context())
	if want := (Held{b.RemoteID, "svc1", b.RemoteUser, "11", false}); err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("Subscriptions = %+v, %v; want %+v", list, err, want)
	}
	plans, err := c.Plans(t.Context())
	if err != nil || len(plans) != 4 || plans[3] != (Choice{"21", "MySQL S"}) {
		t.Errorf("Plans = %v, %v", plans, err)
	}
	for _, body := range []string{`{}`, `{"items":null}`, `{"items":[null],"total":1}`, `{"items":[7],"total":1}`, `{"items":[],"total":3}`, `[]`, `"x"`} {
		if list, err := answering(t, 200, body).Plans(t.Context()); !errors.Is(err, provisioning.ErrTemporary) {
			t.Errorf("%s = %v, %v; want no list", body, list, err)
		}
	}
}
