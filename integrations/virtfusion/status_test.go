package virtfusion

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestStatusReadsTheDocumentedShapes(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	scenarios := []struct {
		file string
		want provisioning.Status
	}{
		{"server.json", provisioning.Status{
			Power: provisioning.PowerRunning, Hostname: "vm1.example.com", OwnerRef: "3", Tag: "svc9001", CPUPercent: 13,
			Addresses:  []provisioning.Address{{IP: "192.0.2.32", Primary: true}, {IP: "192.0.2.35"}, {IP: "2001:db8:abcd:12:2::/80"}},
			MemoryUsed: 512 * mb, MemoryTotal: 1024 * mb, DiskUsed: 3*gb + mb, DiskTotal: 10*gb + 100*mb,
		}},
		{"server_windows.json", provisioning.Status{
			Power: provisioning.PowerStopped, Suspended: true, Busy: true, OwnerRef: "3", Tag: "Elliptical Way", CPUPercent: 0,
			Addresses:  []provisioning.Address{{IP: "192.0.2.40", Primary: true}},
			MemoryUsed: 2096500 << 10, MemoryTotal: 4193000 << 10, DiskUsed: -1, DiskTotal: 80 * gb,
		}},
		{"server_offline.json", provisioning.Status{
			Power: provisioning.PowerUnknown, Busy: true, OwnerRef: "3", CPUPercent: -1,
			MemoryUsed: -1, MemoryTotal: 1024 * mb, DiskUsed: -1, DiskTotal: 11 * gb,
		}},
	}
	for _, s := range scenarios {
		t.Run(s.file, func(t *testing.T) {
			got, err := fixture(t, s.file).Status(t.Context(), "69")
			if err != nil || !reflect.DeepEqual(got, s.want) {
				t.Errorf("Status:\n got %+v, %v\nwant %+v", got, err, s.want)
			}
		})
	}
}

func TestPowerWords(t *testing.T) {
	for word, want := range map[string]provisioning.PowerState{
		"running": provisioning.PowerRunning, "Running": provisioning.PowerRunning, "paused": provisioning.PowerRunning, "shut off": provisioning.PowerStopped,
		"shut_off": provisioning.PowerStopped, "shutoff": provisioning.PowerStopped, "crashed": provisioning.PowerStopped,
		"": provisioning.PowerUnknown, "5": provisioning.PowerUnknown, "no state": provisioning.PowerUnknown,
	} {
		if got := powerState(word); got != want {
			t.Errorf("powerState(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestPhases(t *testing.T) {
	flagged := panel.Number{Value: 1, OK: true}
	scenarios := []struct {
		name string
		s    server
		want phase
	}{
		{"fresh", server{State: "allocated"}, phaseAllocated},
		{"fresh, by number alone", server{CommissionStatus: panel.Number{Value: 0, OK: true}}, phaseAllocated},
		{"queued", server{State: "queued"}, phaseWorking},
		{"building", server{State: "building", CommissionStatus: flagged}, phaseWorking},
		{"building again after a failure", server{State: "queued", BuildFailed: true}, phaseWorking},
		{"failed by the word alone", server{State: "failed"}, phaseFailed},
		{"failed by the mark alone", server{State: "complete", BuildFailed: true}, phaseFailed},
		{"failed by number alone", server{CommissionStatus: panel.Number{Value: 2, OK: true}}, phaseFailed},
		{"complete", server{State: "complete"}, phaseComplete},
		{"complete by number alone", server{CommissionStatus: panel.Number{Value: 3, OK: true}}, phaseComplete},
		{"a word nobody knows", server{State: "migrating"}, phaseWorking},
		{"nothing at all", server{}, phaseWorking},
	}
	for _, s := range scenarios {
		if got := s.s.phase(); got != s.want {
			t.Errorf("%s: phase %d, want %d", s.name, got, s.want)
		}
	}
}

func TestTrafficTakesTheNewestPeriod(t *testing.T) {
	got, err := fixture(t, "traffic.json").Traffic(t.Context(), "69")
	want := provisioning.Traffic{
		Start: time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 2, 6, 0, 0, 0, 0, time.UTC),
		BytesIn: 1847110337, BytesOut: 1270421, Limit: 2100 << 30,
	}
	if err != nil || got != want {
		t.Errorf("Traffic = %+v, %v; want %+v", got, err, want)
	}
}

func TestOddTrafficIsNotGuessed(t *testing.T) {
	for body, want := range map[string]error{
		`{"data":{"monthly":[]}}`: provisioning.ErrTemporary,
		`{"data":{"monthly":[{"month":1,"start":"2025-01-06","end":"x","rx":1,"tx":1}]}}`:                                        provisioning.ErrTemporary,
		`{"data":{"monthly":[{"month":1,"start":"2025-01-06 00:00:00","end":"2025-02-05 23:59:59","rx":-1,"tx":1}]}}`:            provisioning.ErrTemporary,
		`{"data":{"monthly":[{"month":1,"start":"2025-01-06 00:00:00","end":"2025-02-05 23:59:59","rx":1,"tx":1,"limit":"0"}]}}`: nil,
	} {
		got, err := answering(t, http.StatusOK, body).Traffic(t.Context(), "69")
		if !errors.Is(err, want) || got.Limit != 0 {
			t.Errorf("%s: %+v, %v; want %v", body, got, err, want)
		}
	}
}

func TestLiveFiguresOfTheSandbox(t *testing.T) {
	g := newRig(t, virtbox.Options{})
	c := g.client()
	b := g.built(c, testOrder("svc1"))
	g.Clock.Add(time.Hour)
	st, err := c.Status(t.Context(), b.RemoteID)
	if err != nil || st.CPUPercent < 0 || st.MemoryUsed <= 0 || st.MemoryTotal != 2048<<20 || st.DiskUsed <= 0 || st.DiskTotal != 40<<30 {
		t.Errorf("Status = %+v, %v; want all figures", st, err)
	}
	first, err := c.Traffic(t.Context(), b.RemoteID)
	if err != nil || first.BytesIn <= 0 || first.BytesOut <= 0 || first.Limit != 2000<<30 || first.Start.After(g.Clock.Now()) || !first.End.After(g.Clock.Now()) {
		t.Errorf("Traffic = %+v, %v; want a counter of now", first, err)
	}
	g.Clock.Add(40 * 24 * time.Hour)
	second, err := c.Traffic(t.Context(), b.RemoteID)
	if err != nil || !second.Start.Equal(first.End) {
		t.Errorf("Traffic a month later = %+v, %v; want the period from %s", second, err, first.End)
	}
}
