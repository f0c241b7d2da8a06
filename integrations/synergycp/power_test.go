package synergycp

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/fault"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

// Power acts as the client, so that the panel checks the client's rights, and
// leaves no key behind.
func TestPowerActsAsTheClient(t *testing.T) {
	g := newRig(t, synergybox.Options{TaskTime: -1})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	for action, word := range commands {
		if err := c.Power(t.Context(), b.RemoteID, action); err != nil || g.server(b.RemoteID).LastCommand != word {
			t.Errorf("%s = %v, the last command %q", action, err, g.server(b.RemoteID).LastCommand)
		}
	}
	if n := g.box.Snapshot().Keys; n != 0 {
		t.Errorf("%d keys are left", n)
	}
	// A key that cannot be taken back does not undo what was done.
	g.box.Faults().Add(fault.Fault{Match: "DELETE /auth/key/", Kind: fault.Error500, Times: 1})
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerRestart); err != nil {
		t.Errorf("without taking the key back = %v", err)
	}
	bare, _ := g.built(c, with(testOrder("svc2"), SettingIPMI, "false"))
	if err := c.Power(t.Context(), bare.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), SettingIPMI) {
		t.Errorf("without the right = %v, want the setting named", err)
	}
	g.box.Answer("GET /server/301/control", http.StatusOK, `{"error":false,"data":{"data":[],"current_page":1,"last_page":1},"messages":[]}`, 1)
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrPermanent) || !strings.Contains(err.Error(), "no power control") {
		t.Errorf("without IPMI = %v, want it explained", err)
	}
	g.box.Answer("POST /server/301/control", http.StatusForbidden, refusal("No."), 1)
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerBoot); !errors.Is(err, provisioning.ErrCredentials) {
		t.Errorf("a client that may not = %v", err)
	}
	g.box.Faults().Add(fault.Fault{Match: "POST /server/301/control", Kind: fault.LostAnswer, Times: 1})
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerRestart); !errors.Is(err, provisioning.ErrOutcomeUnknown) {
		t.Errorf("a lost answer = %v, want ErrOutcomeUnknown", err)
	}
	g.box.Faults().Add(fault.Fault{Match: "POST /key", Kind: fault.LostAnswer, Times: 1})
	if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerRestart); provisioning.Classify(err) != provisioning.ClassTemporary {
		t.Errorf("a lost key = %v, want ErrTemporary: nothing was switched", err)
	}
}

// A link signs its customer in at the server; those whose time is over are taken
// back when the next is made.
func TestSignInLinkLeadsToTheOwnServer(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	link, err := c.SignInLink(t.Context(), "cus1", b.RemoteID)
	u, parsed := url.Parse(link)
	if err != nil || parsed != nil || u.Path != "/auth/sso" || u.Query().Get("view_id") != "301" {
		t.Fatalf("SignInLink = %q, %v", link, err)
	}
	if page := g.get(link); !strings.Contains(page, "ada@example.com") || !strings.Contains(page, "SRV-301") {
		t.Errorf("the link shows %s", page)
	}
	if _, err := c.SignInLink(t.Context(), "cus2", b.RemoteID); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("a stranger's = %v, want ErrPermanent", err)
	}
	g.Clock.Add(linkLife)
	second, err := c.SignInLink(t.Context(), "cus1", b.RemoteID)
	if err != nil || g.box.Snapshot().Keys != 1 || strings.Contains(g.get(link), "ada@") || !strings.Contains(g.get(second), "ada@") {
		t.Errorf("the next link = %q, %v with %d keys; want the old one void", second, err, g.box.Snapshot().Keys)
	}
}

func TestTraffic(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.Clock.Add(40 * 24 * time.Hour)
	got, err := c.Traffic(t.Context(), b.RemoteID)
	if err != nil || got.BytesIn <= 0 || got.BytesOut != 3*got.BytesIn || got.Limit != 10e12 || got.Start.After(g.Clock.Now()) || !got.End.After(g.Clock.Now()) {
		t.Errorf("Traffic = %+v, %v", got, err)
	}
	g.box.Answer("GET /server/301/port", http.StatusOK, `{"error":false,"data":[],"messages":[]}`, 1)
	if _, err := c.Traffic(t.Context(), b.RemoteID); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("no port = %v, want ErrTemporary", err)
	}
}

func TestAddressesAreRead(t *testing.T) {
	scenarios := []struct {
		full, address string
		want          string
	}{
		{"203.0.113.4 - 6", "203.0.113.4", "203.0.113.4 203.0.113.5 203.0.113.6"},
		{"203.0.113.4", "", "203.0.113.4"},
		{"", "203.0.113.9", "203.0.113.9"},
		{"203.0.113.4 - x", "", "203.0.113.4"},
		{"203.0.113.6 - 4", "", ""},
		{"203.0.113.6 - 999", "", "203.0.113.6"},
		{"nonsense", "", ""},
		{"2001:db8::1", "", ""},
	}
	for _, s := range scenarios {
		var got []string
		for _, ip := range (entity{FullIP: "", Address: ""}).with(s.full, s.address).v4() {
			got = append(got, ip.String())
		}
		if strings.Join(got, " ") != s.want {
			t.Errorf("%q and %q = %v, want %s", s.full, s.address, got, s.want)
		}
	}
	for in, want := range map[string]string{"2001:db8:1::/64": "2001:db8:1::/64", "2001:db8:1::5/64": "2001:db8:1::/64", "2001:db8::7": "2001:db8::7", "": "", "203.0.113.7": "", "fe80::1%eth0": ""} {
		if got, _ := parseV6(in); got != want {
			t.Errorf("parseV6(%q) = %q, want %q", in, got, want)
		}
	}
}
