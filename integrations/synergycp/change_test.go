package synergycp

import (
	"errors"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

// wishFor is a change of a built testOrder to other settings.
func wishFor(b provisioning.Build, pairs ...string) provisioning.PlanWish {
	return provisioning.PlanWish{ServiceID: "svc1", RemoteID: b.RemoteID, FromPlan: "S", ToPlan: "M", From: testOrder("").Settings, To: with(testOrder(""), pairs...).Settings}
}

// Hardware is changed by people, who read what; what the panel can do is done.
func TestHardwareIsForPeople(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	w := wishFor(b, SettingMemory, "MEM-128", SettingBandwidth, "", SettingSwitch, "true", "backup", "daily")
	if err := c.CheckPlan(t.Context(), w); !errors.Is(err, provisioning.ErrStaff) {
		t.Errorf("CheckPlan = %v, want ErrStaff", err)
	}
	_, err := c.ChangePlan(t.Context(), w)
	if !errors.Is(err, provisioning.ErrStaff) || !strings.Contains(err.Error(), "mem_billing: MEM-32 → MEM-128") || !strings.Contains(err.Error(), "backup: none → daily") || strings.Contains(err.Error(), SettingSwitch) {
		t.Errorf("ChangePlan = %v, want the task", err)
	}
	if s := g.server(b.RemoteID); s.MaxBits != 0 || s.Rights != (synergybox.Rights{IPMI: true, Switch: true}) {
		t.Errorf("server = %+v, want no limit and the right", s)
	}
	if _, err := c.ChangePlan(t.Context(), wishFor(b, SettingBandwidth, "lots")); !errors.Is(err, provisioning.ErrPermanent) {
		t.Errorf("an odd limit = %v, want ErrPermanent", err)
	}
}

// What staff set in the panel stays unless the wish is about it.
func TestWhatTheWishLeavesStays(t *testing.T) {
	g := newRig(t, synergybox.Options{})
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if _, err := c.ChangePlan(t.Context(), wishFor(b, SettingBandwidth, "50TB")); err != nil || g.server(b.RemoteID).MaxBits != 400e12 {
		t.Fatalf("ChangePlan = %v at %+v", err, g.server(b.RemoteID))
	}
	if _, err := c.ChangePlan(t.Context(), wishFor(b, SettingPXE, "true")); err != nil || g.server(b.RemoteID).MaxBits != 400e12 {
		t.Errorf("another right = %v and %d bits, want the limit as it was", err, g.server(b.RemoteID).MaxBits)
	}
	unsure := wishFor(b)
	unsure.Unsure = true
	if _, err := c.ChangePlan(t.Context(), unsure); err != nil || g.server(b.RemoteID).MaxBits != 80e12 || g.server(b.RemoteID).Rights.PXE {
		t.Errorf("unsure = %v at %+v, want it as the plan says", err, g.server(b.RemoteID))
	}
}
