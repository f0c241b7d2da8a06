package provisioning

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
)

func kept(change func(*Known)) Known {
	k := Known{ServiceID: "svc1", Key: "7", RemoteID: "7", Status: ServiceActive, Owner: "57", Plan: "memory 2048", Addresses: []string{"203.0.113.7"}}
	change(&k)
	return k
}

func listed(change func(*Seen)) Seen {
	s := Seen{Key: "7", RemoteID: "7", ServiceID: "svc1", Ours: true, Name: "ezs-svc1", Owner: "57", Plan: "memory 2048", Addresses: []string{"203.0.113.7"}}
	change(&s)
	return s
}

func TestDrift(t *testing.T) {
	same := func(*Known) {}
	as := func(*Seen) {}
	for _, sc := range []struct {
		name   string
		ours   func(*Known)
		theirs func(*Seen)
		want   []Drift
	}{
		{"all fits", same, as, nil},
		{"suspended there", same, func(s *Seen) { s.Suspended = true }, []Drift{{DriftState, "svc1", "7", "active", "suspended"}}},
		{"suspended there for a reason", same, func(s *Seen) { s.Suspended, s.Why = true, "limit reached" }, []Drift{{DriftState, "svc1", "7", "active", "suspended (limit reached)"}}},
		{"suspended here", func(k *Known) { k.Status = ServiceSuspended }, as, []Drift{{DriftState, "svc1", "7", "suspended", "active"}}},
		{"suspended on both sides", func(k *Known) { k.Status = ServiceSuspended }, func(s *Seen) { s.Suspended = true }, nil},
		{"terminated here and still there, of whatever plan", func(k *Known) { k.Status = ServiceTerminated }, func(s *Seen) { s.Plan, s.Owner = "other", "9" }, []Drift{{DriftState, "svc1", "7", "terminated", "active"}}},
		{"another plan", same, func(s *Seen) { s.Plan = "memory 4096" }, []Drift{{DriftPlan, "svc1", "7", "memory 2048", "memory 4096"}}},
		{"another owner", same, func(s *Seen) { s.Owner = "9" }, []Drift{{DriftOwner, "svc1", "7", "57", "9"}}},
		{"another address", same, func(s *Seen) { s.Addresses = []string{"203.0.113.9", "203.0.113.7"} }, []Drift{{DriftAddress, "svc1", "7", "203.0.113.7", "203.0.113.7, 203.0.113.9"}}},
		{"an address that we did not know", func(k *Known) { k.Addresses = nil }, as, []Drift{{DriftAddress, "svc1", "7", "", "203.0.113.7"}}},
		{"addresses in another order", func(k *Known) { k.Addresses = []string{"b", "a"} }, func(s *Seen) { s.Addresses = []string{"a", "b", "a"} }, nil},
		{"the list says nothing of plan, owner and addresses", same, func(s *Seen) { s.Plan, s.Owner, s.Addresses = "", "", nil }, nil},
		{"we know neither plan nor owner", func(k *Known) { k.Plan, k.Owner = "", "" }, as, nil},
		{"a job is open", func(k *Known) { k.Busy = true }, func(s *Seen) { s.Suspended, s.Plan, s.Owner = true, "x", "x" }, nil},
		{"it is being built", func(k *Known) { k.Status = ServiceProvisioning }, func(s *Seen) { s.Suspended = true }, nil},
		{"everything at once", same, func(s *Seen) { s.Suspended, s.Plan, s.Owner = true, "x", "y" }, []Drift{{DriftState, "svc1", "7", "active", "suspended"}, {DriftPlan, "svc1", "7", "memory 2048", "x"}, {DriftOwner, "svc1", "7", "57", "y"}}},
		{"a second server of the service", same, func(s *Seen) { s.Key, s.RemoteID = "8", "8" }, []Drift{{DriftExtra, "svc1", "8", "7", "ezs-svc1"}, {DriftMissing, "svc1", "7", "active", ""}}},
		{"one of a service that we never had", same, func(s *Seen) { s.Key, s.RemoteID, s.ServiceID = "8", "8", "old" }, []Drift{{DriftExtra, "", "8", "", "ezs-svc1"}, {DriftMissing, "svc1", "7", "active", ""}}},
		{"one of others", func(k *Known) { k.Status = ServiceTerminated }, func(s *Seen) { s.Key, s.Ours = "8", false }, nil},
		{"one that a job of its service is about to note", func(k *Known) { k.Busy = true }, func(s *Seen) { s.Key = "8" }, nil},
		{"one of a customer for whom something is built", func(k *Known) { k.Key, k.RemoteID, k.Status = "", "", ServiceProvisioning }, func(s *Seen) { s.ServiceID = "" }, nil},
	} {
		t.Run(sc.name, func(t *testing.T) {
			c := NewComparison()
			c.Add(kept(sc.ours))
			got := append(c.See(listed(sc.theirs)), c.Missing()...)
			if !slices.Equal(got, sc.want) {
				t.Errorf("got %+v, want %+v", got, sc.want)
			}
		})
	}
}

func TestWhatIsMissing(t *testing.T) {
	c := NewComparison()
	for n, k := range []Known{
		{Status: ServiceActive}, {Status: ServiceSuspended}, {Status: ServiceTerminated}, {Status: ServicePending}, {Status: ServiceProvisioning}, {Status: ServiceActive, Busy: true},
	} {
		k.ServiceID, k.Key = "svc"+strconv.Itoa(n), strconv.Itoa(n)
		c.Add(k)
	}
	c.Add(Known{ServiceID: "none", Status: ServiceActive}) // nothing stands behind it
	got := c.Missing()
	if len(got) != 2 || got[0].ServiceID != "svc0" || got[1].ServiceID != "svc1" || c.Running() != 4 {
		t.Errorf("missing: %+v of %d, want svc0 and svc1 of 4", got, c.Running())
	}
}

func TestRepairsNeverDestroy(t *testing.T) {
	for _, sc := range []struct {
		d    Drift
		want JobKind
	}{
		{Drift{Kind: DriftState, ServiceID: "s", Ours: "active", Theirs: "suspended"}, JobUnsuspend},
		{Drift{Kind: DriftState, ServiceID: "s", Ours: "suspended", Theirs: "active"}, JobSuspend},
		{Drift{Kind: DriftState, ServiceID: "s", Ours: "terminated", Theirs: "active"}, ""},
		{Drift{Kind: DriftState, ServiceID: "s", Ours: "active", Theirs: "suspended (limit reached)"}, ""},
		{Drift{Kind: DriftPlan, ServiceID: "s"}, JobChangePlan},
		{Drift{Kind: DriftAddress, ServiceID: "s"}, JobRefresh},
		{Drift{Kind: DriftOwner, ServiceID: "s"}, ""},
		{Drift{Kind: DriftMissing, ServiceID: "s"}, ""},
		{Drift{Kind: DriftExtra, ServiceID: "s"}, ""},
		{Drift{Kind: DriftPlan}, ""},
	} {
		if got, ok := sc.d.RepairOf(); got != sc.want || ok != (sc.want != "") {
			t.Errorf("%+v: repaired by %q, %t; want %q", sc.d, got, ok, sc.want)
		}
	}
}

// fleet is n services, each another at the platform in one of four ways.
func fleet(n int) (*Comparison, func(i int) Seen) {
	c := NewComparison()
	for i := range n {
		id := strconv.Itoa(i)
		c.Add(Known{ServiceID: "service" + id, Key: id, RemoteID: id, Status: ServiceActive, Owner: "user" + id, Plan: "memory " + id, Addresses: []string{fmt.Sprintf("10.0.%d.%d", i/256, i%256), "2001:db8::" + id}})
	}
	return c, func(i int) Seen {
		id := strconv.Itoa(i)
		return Seen{Key: id, RemoteID: id, ServiceID: "service" + id, Ours: true, Owner: "user" + strconv.Itoa(i-i%2), Suspended: i%4 == 1, Plan: "memory " + strconv.Itoa(i-i%3), Addresses: []string{"10.9.9.9"}}
	}
}

const servers = 20_000

// TestDriftMemory bounds what a comparison of a large fleet keeps, with a finding or
// more for each server.
func TestDriftMemory(t *testing.T) {
	live := func() uint64 {
		runtime.GC()
		m := runtime.MemStats{}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := live()
	c, entry := fleet(servers)
	var found []Drift
	for i := range servers {
		found = append(found, c.See(entry(i))...)
	}
	if mb := float64(live()-before) / 1e6; mb > 50 {
		t.Errorf("%d servers take %.1f MB, want less than 50 of the 100 MB that a check may take", servers, mb)
	}
	if len(found) < servers || len(c.Missing()) != 0 {
		t.Errorf("%d differences, %d missing; want one for each server and none missing", len(found), len(c.Missing()))
	}
	runtime.KeepAlive(c)
}

func BenchmarkDrift(b *testing.B) {
	for b.Loop() {
		c, entry := fleet(servers)
		for i := range servers {
			c.See(entry(i))
		}
		if len(c.Missing()) != 0 {
			b.Fatal("a server is missing")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/servers, "µs/server")
}
