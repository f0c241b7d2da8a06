package virtbox

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/panelbox"
)

// packageFlags say what follows the new package.
var packageFlags = panelbox.Schema{
	"backupPlan": panelbox.YesNo, "cpu": panelbox.YesNo, "memory": panelbox.YesNo, "primaryDiskReadIOPS": panelbox.YesNo, "primaryDiskReadThroughput": panelbox.YesNo, "primaryDiskSize": panelbox.YesNo,
	"primaryDiskWriteIOPS": panelbox.YesNo, "primaryDiskWriteThroughput": panelbox.YesNo, "primaryNetworkInboundSpeed": panelbox.YesNo, "primaryNetworkOutboundSpeed": panelbox.YesNo,
	"primaryNetworkTraffic": panelbox.YesNo,
}

// changePackage makes a server what another package says, in what the body names.
// 200 does not mean that all of it was done: the answer lists what was left, a
// smaller disk among it. The running system keeps memory and processor until it is
// switched on again.
func (b *Box) changePackage(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, p := b.servers[c.ID("id")], findPackage(c.ID("packageId"))
	switch {
	case s == nil:
		return 0, nil, serverGone
	case p == nil || !p.Enabled:
		return 0, nil, told(http.StatusNotFound, "package not found")
	case b.busy(s):
		return 0, nil, locked
	}
	size, info := s.pkg, []string{}
	size.ID, size.Name = p.ID, p.Name
	take := func(flag, what string, dst *int64, value int64, only bool) {
		if c.Body.Is(flag) && only && *dst != value {
			*dst = value
		} else {
			info = append(info, what)
		}
	}
	take("cpu", "CPU cores not updated. It matches the current value", &size.Cores, p.Cores, true)
	take("memory", "memory not updated. It matches the current value", &size.MemoryMB, p.MemoryMB, true)
	take("primaryDiskSize", "primary disk not updated. It either matches or is lower than the current value", &size.DiskGB, p.DiskGB, p.DiskGB > size.DiskGB)
	take("primaryNetworkTraffic", "traffic not updated. It matches the current value", &size.TrafficGB, p.TrafficGB, true)
	if !b.grows(s, size) {
		return 0, nil, refused("The hypervisor has not enough resources available")
	}
	if size != s.pkg {
		s.pkg, s.updated = size, b.opts.Now()
		b.enqueue(s, "modify_server", `App\Jobs\Server\KVM\Modify`, b.opts.TaskTime, false)
	}
	return http.StatusOK, map[string]any{"info": info}, nil
}

// grows says whether a server's host has room for its new size.
func (b *Box) grows(s *server, size packageSpec) bool {
	_, memory, cores, disk := b.used(s.group)
	return b.room != 0 && memory-s.pkg.MemoryMB+size.MemoryMB <= s.group.MemoryMB && cores-s.pkg.Cores+size.Cores <= s.group.Cores && disk-s.pkg.DiskGB+size.DiskGB <= s.group.DiskGB
}

// addIPv4 gives a server more addresses; each call gives as many again.
func (b *Box) addIPv4(c panelbox.Call) (int, any, *panelbox.Failure) {
	s, n := b.servers[c.ID("id")], c.Body.Whole("quantity")
	switch {
	case s == nil:
		return 0, nil, serverGone
	case b.busy(s):
		return 0, nil, locked
	case !strings.EqualFold(c.Body.Text("interface"), "primary"):
		return 0, nil, refused("The selected interface is invalid.")
	case n < 1 || n > 64:
		return 0, nil, refused("The quantity must be 1 to 64, it is %s.", strconv.FormatInt(n, 10))
	}
	more, ok := b.takeIPv4(n)
	if !ok {
		return 0, nil, refused("Not enough IPv4 addresses are available")
	}
	s.v4, s.updated = append(s.v4, more...), b.opts.Now()
	list := []string{}
	for _, a := range more {
		list = append(list, a.String())
	}
	return http.StatusOK, data(list), nil
}
