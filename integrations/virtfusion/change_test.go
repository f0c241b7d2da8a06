package virtfusion

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

// wishFor changes some settings of testOrder's server.
func wishFor(b provisioning.Build, to map[string]string) provisioning.PlanWish {
	w := provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, FromPlan: "A", ToPlan: "B", From: testOrder("svc1").Settings}
	w.To = maps.Clone(w.From)
	maps.Copy(w.To, to)
	return w
}

func TestAChangeOfPlanAsksForARestartWhenItIsNeeded(t *testing.T) {
	scenarios := []struct {
		name    string
		to      map[string]string
		power   provisioning.PowerAction
		unsure  bool
		restart bool
	}{
		{"memory and processor", map[string]string{SettingPackage: "4"}, "", false, true},
		{"the processor alone", map[string]string{SettingPackage: "6"}, "", false, true},
		{"it is switched off", map[string]string{SettingPackage: "4"}, provisioning.PowerOff, false, false},
		{"addresses", map[string]string{SettingIPv4: "2"}, "", false, false},
		{"the same again after a cut", map[string]string{}, "", true, true},
		{"the next installation", map[string]string{SettingTemplate: "9", SettingSwap: "1"}, "", false, false},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, virtbox.Options{TaskTime: -1})
			c := g.client()
			b := g.built(c, testOrder("svc1"))
			if s.power != "" {
				if err := c.Power(t.Context(), b.RemoteID, s.power); err != nil {
					t.Fatal(err)
				}
			}
			w := wishFor(b, s.to)
			w.Unsure = s.unsure
			for range 2 { // a repeat says the same
				if got, err := c.ChangePlan(t.Context(), w); err != nil || got.Restart != s.restart {
					t.Errorf("got %+v, %v; want restart %t", got, err, s.restart)
				}
			}
		})
	}
}

func TestWhatThePanelCannotDoIsLeftToPeople(t *testing.T) {
	scenarios := []struct {
		name string
		to   map[string]string
		word string
	}{
		{"another group", map[string]string{SettingGroup: "2"}, "hypervisor group 2"},
		{"a subnet", map[string]string{SettingIPv6: "true"}, "IPv6"},
		{"fewer addresses", map[string]string{SettingIPv4: "0"}, "take 1 of its IPv4"},
		{"an option that it does not know", map[string]string{"backups": "daily"}, "backups: none → daily"},
		{"some of it", map[string]string{SettingPackage: "3", SettingIPv6: "1"}, "IPv6"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, virtbox.Options{TaskTime: -1})
			c := g.client()
			w := wishFor(g.built(c, testOrder("svc1")), s.to)
			_, err := c.ChangePlan(t.Context(), w)
			for name, err := range map[string]error{"change": err, "check": c.CheckPlan(t.Context(), w)} {
				if provisioning.Classify(err) != provisioning.ClassStaff || !strings.Contains(err.Error(), s.word) {
					t.Errorf("%s = %v, want a task for staff that says %q", name, err, s.word)
				}
			}
			if want := w.To[SettingPackage]; !strings.HasPrefix(g.size(w.RemoteID), want) {
				t.Errorf("it is %s, want package %s all the same", g.size(w.RemoteID), want)
			}
		})
	}
}

// TestAnUnsureChangeGoesBack returns to the plan the service had, although the
// settings are the same on both sides: a cut-off change had taken effect.
func TestAnUnsureChangeGoesBack(t *testing.T) {
	g := newRig(t, virtbox.Options{TaskTime: -1})
	c := g.client()
	o := testOrder("svc1")
	o.Settings[SettingPackage] = "6"
	b := g.built(c, o)
	before := g.size(b.RemoteID)
	away := wishFor(b, map[string]string{SettingPackage: "3"})
	if _, err := c.ChangePlan(t.Context(), away); err != nil || g.size(b.RemoteID) == before {
		t.Fatalf("the change: %v, it is %s", err, g.size(b.RemoteID))
	}
	back := wishFor(b, map[string]string{SettingPackage: "6"})
	back.From, back.Unsure = back.To, true
	if _, err := c.ChangePlan(t.Context(), back); err != nil || g.size(b.RemoteID) != before {
		t.Errorf("back: %v, it is %s, want %s", err, g.size(b.RemoteID), before)
	}
}

func TestRefusalsOfAChangeOfPlan(t *testing.T) {
	scenarios := []struct {
		name   string
		to     map[string]string
		before func(g *rig)
		class  error
	}{
		{"a package that does not exist", map[string]string{SettingPackage: "99"}, nil, provisioning.ErrPermanent},
		{"no package", map[string]string{SettingPackage: ""}, nil, provisioning.ErrPermanent},
		{"a disabled package", map[string]string{SettingPackage: "3"}, func(g *rig) {
			g.box.Answer("PUT /api/v1/servers/", http.StatusUnprocessableEntity, `{"errors":["Invalid or disabled package"]}`, 1)
		}, provisioning.ErrPermanent},
		{"too many addresses", map[string]string{SettingIPv4: "65"}, nil, provisioning.ErrPermanent},
		{"a full host", map[string]string{SettingPackage: "3"}, func(g *rig) { g.box.SetRoom(0) }, provisioning.ErrCapacity},
		{"a smaller disk", map[string]string{SettingPackage: "1"}, nil, provisioning.ErrPermanent},
		{"locked", map[string]string{SettingPackage: "3"}, func(g *rig) { g.box.Answer("PUT /api/v1/servers/", http.StatusLocked, `{"msg":"locked"}`, 1) }, provisioning.ErrTemporary},
		{"busy", map[string]string{SettingPackage: "3"}, func(g *rig) {
			if err := g.client().Power(g.t.Context(), "1", provisioning.PowerRestart); err != nil {
				g.t.Fatal(err)
			}
		}, provisioning.ErrTemporary},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, virtbox.Options{})
			c := g.client()
			w := wishFor(g.built(c, testOrder("svc1")), s.to)
			before := g.size(w.RemoteID)
			if s.before != nil {
				s.before(g)
			}
			if _, err := c.ChangePlan(t.Context(), w); !errors.Is(err, s.class) {
				t.Errorf("got %v, want %v", err, s.class)
			}
			if got := g.size(w.RemoteID); got != before {
				t.Errorf("it was %s and is %s", before, got)
			}
		})
	}
}
