package enhance

import (
	"errors"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/enhancebox"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

// listed reads the whole list, by key.
func listed(t *testing.T, c *Client) (map[string]provisioning.Seen, error) {
	t.Helper()
	all := map[string]provisioning.Seen{}
	err := c.List(t.Context(), func(s provisioning.Seen) error {
		all[s.Key] = s
		return nil
	})
	return all, err
}

func TestADatabaseIsListed(t *testing.T) {
	g := newRig(t)
	c, o := g.client(), testDatabase("svc1")
	b, _ := g.built(c, o)
	key, plan := c.Terms(b.RemoteID, o.Settings)
	all, err := listed(t, c)
	if s := all[key]; err != nil || len(all) != 1 || !s.Ours || s.ServiceID != "svc1" || s.Owner != b.RemoteUser || s.Plan != plan || plan != "plan 21" {
		t.Errorf("listed %+v, %v; want svc1 with key %q and %q", all, err, key, plan)
	}
	if key, plan := c.Terms("nonsense", nil); key != "" || plan != "" {
		t.Errorf("terms of nonsense: %q, %q", key, plan)
	}
}

// TestASuspendedCustomerIsListedWithTheReason: the panel's people suspended all of
// it, which no repair of ours would lift.
func TestASuspendedCustomerIsListedWithTheReason(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.box.SuspendOrg(b.RemoteUser, true)
	all, err := listed(t, c)
	if s := all[b.RemoteID]; err != nil || !s.Suspended || !strings.Contains(s.Why, "as a whole") {
		t.Errorf("listed %+v, %v; want it suspended with the reason", s, err)
	}
}

// TestWhatIsDeletedSoftlyIsNotListed, though the panel shows it.
func TestWhatIsDeletedSoftlyIsNotListed(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	if _, err := c.Terminate(t.Context(), b.RemoteID); err != nil {
		t.Fatal(err)
	}
	if all, err := listed(t, c); err != nil || len(all) != 0 {
		t.Errorf("listed %+v, %v; want nothing", all, err)
	}
}

// TestAListOfCustomersThatLosesOneIsNotWhole: another may have moved up past the
// reader. Customers that are not ours are passed over without a call each.
func TestAListOfCustomersThatLosesOneIsNotWhole(t *testing.T) {
	g := newRig(t)
	c := g.client()
	b, _ := g.built(c, testOrder("svc1"))
	g.box.Populate(perPage + 10)
	customers, calls, leaves := "GET "+orgs+enhancebox.SellerID+"/customers", 0, true
	paneltest.Answered(g.box.Faults(), customers, func(n int) {
		if calls = n; n == 1 && leaves {
			g.box.Leave(g.box.Snapshot().Customers[1].ID)
		}
	})
	if _, err := listed(t, c); !errors.Is(err, provisioning.ErrTemporary) {
		t.Errorf("List = %v, want ErrTemporary", err)
	}
	leaves, calls = false, 0
	paneltest.Answered(g.box.Faults(), customers, func(n int) { calls = n })
	all, err := listed(t, c)
	if err != nil || len(all) != 1 || all[b.RemoteID].ServiceID != "svc1" || calls != 3 {
		t.Errorf("List afterwards = %+v, %v after %d calls; want the one service after 2 pages and 1 customer", all, err, calls)
	}
}
