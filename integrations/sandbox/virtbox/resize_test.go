package virtbox

import (
	"strings"
	"testing"
)

const allFlags = `{"cpu":true,"memory":true,"primaryDiskSize":true,"primaryNetworkTraffic":true}`

func TestAPackageChangeLeavesWhatDoesNotFit(t *testing.T) {
	b := newBench(t, Options{TaskTime: -1})
	b.built() // of package 2
	b.Must(200, "PUT", "/servers/1/package/3", allFlags)
	got := b.box.Snapshot().Servers[0]
	if got.MemoryMB != 4096 || got.DiskGB != 80 || got.Cores != 2 || got.TrafficGB != 4000 || got.PackageID != 3 {
		t.Errorf("after the change: %+v", got)
	}
	if got.LiveMemoryMB == got.MemoryMB {
		t.Error("the running system has the new memory without a restart")
	}
	b.Must(200, "POST", "/servers/1/power/restart", "")
	if got := b.box.Snapshot().Servers[0]; got.LiveMemoryMB != 4096 || got.LiveCores != 2 {
		t.Errorf("after a restart it runs with %d MB and %d cores", got.LiveMemoryMB, got.LiveCores)
	}
	smaller := b.Must(200, "PUT", "/servers/1/package/2", allFlags)
	if got := b.box.Snapshot().Servers[0]; got.MemoryMB != 2048 || got.DiskGB != 80 || !strings.Contains(smaller.Body, "lower than the current value") {
		t.Errorf("a smaller package: %+v and %s, want the disk as it was and said so", got, smaller.Body)
	}
	b.Must(200, "PUT", "/servers/1/package/4", `{"cpu":true}`)
	if got := b.box.Snapshot().Servers[0]; got.MemoryMB != 2048 || got.Cores != 4 {
		t.Errorf("only the processor was asked for: %+v", got)
	}
	b.Must(404, "PUT", "/servers/1/package/99", allFlags)
	b.Must(404, "PUT", "/servers/9/package/1", allFlags)
	b.Must(422, "PUT", "/servers/1/package/1", `{"disk":true}`)
	b.box.SetRoom(0)
	b.Must(422, "PUT", "/servers/1/package/3", allFlags)
}

func TestAPackageChangeIsATask(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(200, "PUT", "/servers/1/package/3", allFlags)
	b.Must(423, "PUT", "/servers/1/package/4", allFlags)
}

func TestMoreAddresses(t *testing.T) {
	b := newBench(t, Options{})
	b.built()
	b.Must(200, "POST", "/servers/1/ipv4Qty", `{"interface":"primary","quantity":2}`)
	if got := b.box.Snapshot().Servers[0].Addresses; len(got) != 4 {
		t.Errorf("it has %v, want three addresses and a subnet", got)
	}
	b.Must(422, "POST", "/servers/1/ipv4Qty", `{"interface":"primary","quantity":0}`)
	b.Must(422, "POST", "/servers/1/ipv4Qty", `{"interface":"tertiary","quantity":1}`)
	b.Must(422, "POST", "/servers/1/ipv4Qty", `{"quantity":1}`)
	b.Must(404, "POST", "/servers/9/ipv4Qty", `{"interface":"primary","quantity":1}`)
}
