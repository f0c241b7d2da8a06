package pterodactyl

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
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
		off     bool
		unsure  bool
		restart bool
	}{
		{"memory", map[string]string{SettingMemory: "4096"}, false, false, true},
		{"an image", map[string]string{SettingImage: "Java 17"}, false, false, true},
		{"a variable", map[string]string{VariablePrefix + "MINECRAFT_VERSION": "1.21"}, false, false, true},
		{"it is switched off", map[string]string{SettingMemory: "4096"}, true, false, false},
		{"disk and backups", map[string]string{SettingDisk: "20480", SettingBackups: "5"}, false, false, false},
		{"the same again after a cut", map[string]string{}, false, true, true},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{TaskTime: -1, CacheTime: -1})
			c := g.client()
			b, _ := g.built(c, testOrder("svc1"))
			if s.off {
				if err := c.Power(t.Context(), b.RemoteID, provisioning.PowerOff); err != nil {
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
		{"another game", map[string]string{SettingEgg: "1", VariablePrefix + "VANILLA_VERSION": "1.20"}, `egg_id from "3" to "1"`},
		{"another location", map[string]string{SettingLocations: "2"}, "location_ids"},
		{"an address of its own", map[string]string{SettingDedicatedIP: "true"}, "dedicated_ip"},
		{"an option that it does not know", map[string]string{"mods": "forge"}, "mods: none → forge"},
		{"some of it", map[string]string{SettingPorts: "25570"}, "port_range"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			c := g.client()
			b, _ := g.built(c, testOrder("svc1"))
			s.to[SettingMemory] = "3000"
			w := wishFor(b, s.to)
			_, err := c.ChangePlan(t.Context(), w)
			for name, err := range map[string]error{"change": err, "check": c.CheckPlan(t.Context(), w)} {
				if provisioning.Classify(err) != provisioning.ClassStaff || !strings.Contains(err.Error(), s.word) {
					t.Errorf("%s = %v, want a task for staff that says %q", name, err, s.word)
				}
			}
			if got := g.server(b.RemoteID); got.Limits.Memory != 3000 || got.Egg != 3 {
				t.Errorf("it is %+v, want the memory all the same", got)
			}
		})
	}
}

// What the customer set in the panel, and what staff gave, stays unless the wish
// changes it.
func TestAChangeKeepsWhatItDoesNotName(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c, o := g.client(), testOrder("svc1")
	o.Settings[SettingDatabases] = "1"
	b, _ := g.built(c, o)
	own := wishFor(b, map[string]string{SettingDatabases: "7", SettingStartup: "java -jar own.jar", VariablePrefix + "BUILD_NUMBER": " 77 "})
	if _, err := c.ChangePlan(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	// To us the server still has testOrder's plan.
	if _, err := c.ChangePlan(t.Context(), wishFor(b, map[string]string{SettingMemory: "4096", VariablePrefix + "MINECRAFT_VERSION": "1.21"})); err != nil {
		t.Fatal(err)
	}
	s := g.server(b.RemoteID)
	if s.Limits.Memory != 4096 || s.Features.Databases != 7 || s.Startup != "java -jar own.jar" || s.Variables["BUILD_NUMBER"] != "77" || s.Variables["MINECRAFT_VERSION"] != "1.21" {
		t.Errorf("server = %+v", s)
	}
	// A variable that the plan names no more gets the egg's default.
	w := wishFor(b, nil)
	delete(w.To, VariablePrefix+"MINECRAFT_VERSION")
	if _, err := c.ChangePlan(t.Context(), w); err != nil || g.server(b.RemoteID).Variables["MINECRAFT_VERSION"] != "latest" {
		t.Errorf("ChangePlan = %v, the version is %q", err, g.server(b.RemoteID).Variables["MINECRAFT_VERSION"])
	}
}

// TestAnUnsureChangeGoesBack returns to the plan the service had, although the
// settings are the same on both sides: a cut-off change had taken effect.
func TestAnUnsureChangeGoesBack(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	before := g.size(b.RemoteID)
	if _, err := c.ChangePlan(t.Context(), wishFor(b, map[string]string{SettingMemory: "4096", SettingBackups: "9"})); err != nil || g.size(b.RemoteID) == before {
		t.Fatalf("the change: %v, it is %s", err, g.size(b.RemoteID))
	}
	back := wishFor(b, nil)
	back.Unsure = true
	if _, err := c.ChangePlan(t.Context(), back); err != nil || g.size(b.RemoteID) != before {
		t.Errorf("back: %v, it is %s, want %s", err, g.size(b.RemoteID), before)
	}
}

// A disk may shrink to what the files on it leave; that is said before buying.
func TestADiskShrinksAsFarAsItsFilesLet(t *testing.T) {
	g := newRig(t, pterobox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if err := c.CheckPlan(t.Context(), wishFor(b, map[string]string{SettingDisk: "5000"})); err != nil {
		t.Errorf("room for the files = %v, want none", err)
	}
	err := c.CheckPlan(t.Context(), wishFor(b, map[string]string{SettingDisk: "1000"}))
	var no *provisioning.ImpossibleError
	if !errors.As(err, &no) || no.Code != "disk_in_use" || no.Setting != SettingDisk || !strings.Contains(no.Reason, "take 1536 MB and this plan has 1000 MB") {
		t.Errorf("no room for the files = %v", err)
	}
	g.box.SetDaemon(false)
	if _, err := c.ChangePlan(t.Context(), wishFor(b, map[string]string{SettingDisk: "5000"})); !errors.Is(err, provisioning.ErrTemporary) || g.server(b.RemoteID).Limits.Disk != 10240 {
		t.Errorf("unknown = %v, want ErrTemporary and nothing done", err)
	}
}

func TestRefusalsOfAChangeOfPlan(t *testing.T) {
	scenarios := []struct {
		name   string
		to     map[string]string
		before func(g *rig)
		class  error
	}{
		{"no memory", map[string]string{SettingMemory: ""}, nil, provisioning.ErrPermanent},
		{"an image that the egg lacks", map[string]string{SettingImage: "Java 8"}, nil, provisioning.ErrPermanent},
		{"a variable that the egg lacks", map[string]string{VariablePrefix + "MAP": "x"}, nil, provisioning.ErrPermanent},
		{"the panel refuses", map[string]string{SettingMemory: "4096"}, func(g *rig) {
			g.box.Answer("PATCH /api/application/servers/", 422, failure(422, "ValidationException", "No."), 1)
		}, provisioning.ErrPermanent},
		{"a full node", map[string]string{SettingMemory: "66000"}, nil, provisioning.ErrCapacity},
		{"a full node's disk", map[string]string{SettingDisk: "2000000"}, nil, provisioning.ErrCapacity},
		{"busy", map[string]string{SettingMemory: "4096"}, func(g *rig) {
			g.box.Answer("GET /api/application/servers/1", 200, `{"attributes":{"id":1,"uuid":"u","external_id":"ezs-svc1","status":"restoring_backup","node":1,"limits":{"memory":2048,"disk":10240,"cpu":100,"io":500}}}`, 1)
		}, provisioning.ErrTemporary},
		{"it does not show", map[string]string{SettingMemory: "4096"}, func(g *rig) {
			g.box.Answer("PATCH /api/application/servers/", 200, `{"attributes":{}}`, 1)
		}, provisioning.ErrTemporary},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			g := newRig(t, pterobox.Options{})
			c := g.client()
			b, _ := g.built(c, testOrder("svc1"))
			before := g.size(b.RemoteID)
			if s.before != nil {
				s.before(g)
			}
			if _, err := c.ChangePlan(t.Context(), wishFor(b, s.to)); !errors.Is(err, s.class) {
				t.Errorf("got %v, want %v", err, s.class)
			}
			if got := g.size(b.RemoteID); got != before {
				t.Errorf("it was %s and is %s", before, got)
			}
		})
	}
}
