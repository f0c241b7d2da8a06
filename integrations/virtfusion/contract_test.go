package virtfusion

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/virtbox"
)

func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness { return harness(t, virtbox.Options{}) })
}

// calls names the changing call of each step by method and start of the path.
var calls = map[string]string{
	StepUser: "POST /api/v1/users", StepCreate: "POST /api/v1/servers", StepTag: "PUT /api/v1/servers/", StepBuild: "POST /api/v1/servers/",
	"suspend": "POST /api/v1/servers/", "unsuspend": "POST /api/v1/servers/", "terminate": "DELETE /api/v1/servers/",
	"addresses": "POST /api/v1/servers/", "package": "PUT /api/v1/servers/", "look": "GET /api/v1/servers/",
	"list": "GET /api/v1/servers", StepWipe: "POST /api/v1/servers/",
}

// larger are settings of testOrder with the panel's next packages.
func larger(n int) map[string]string {
	settings := testOrder("").Settings
	settings[SettingPackage] = strconv.Itoa(2 + n)
	if n > 0 {
		settings[SettingIPv4] = strconv.Itoa(1 + n)
	}
	return settings
}

func harness(t *testing.T, opts virtbox.Options) adaptertest.Harness {
	g := newRig(t, opts)
	return adaptertest.Harness{
		Adapter:  g.client(),
		Restart:  func() provisioning.Creator { return g.client() },
		BadKey:   func() provisioning.Creator { return g.clientWith("wrong") },
		Order:    func(n int) provisioning.Order { return testOrder("svc" + strconv.Itoa(n)) },
		Now:      g.Clock.Now,
		Sleep:    g.Sleep,
		Deadline: paneltest.Deadline,
		Effects:  []string{StepUser, StepCreate, StepTag, StepBuild},
		Create:   StepCreate,
		Break:    func(step string, m adaptertest.Mishap) { g.breakCall(calls[step], m) },
		Servers:  g.remotes,
		Made:     func() int { return g.box.Snapshot().Created },
		Destroy: func(id string) {
			n, _ := strconv.ParseInt(id, 10, 64)
			g.box.Destroy(n)
		},
		Exhaust:    func(on bool) { g.box.SetRoom(map[bool]int{true: 0, false: -1}[on]) },
		FailBuilds: g.box.BreakBuilds,
		Larger:     larger,
		Impossible: func() map[string]string { s := larger(1); s[SettingPackage] = "2"; return s },
		Changes:    []string{"addresses", "package", "look"},
		Size:       g.size,
		Image:      func() string { return "9" },
		Wipe:       StepWipe,
		Installed:  func(id string) int { return g.server(id).Builds },
		Crowd: func(n int) {
			u := g.box.Snapshot().Users[0].ID
			for range n {
				g.box.Allocate(u, 2)
			}
		},
		CrowdSize: 220,
		Listed:    func(do func(n int)) { paneltest.Answered(g.box.Faults(), calls["list"], do) },
	}
}

func (g *rig) remotes() []adaptertest.Remote {
	list := []adaptertest.Remote{}
	for _, s := range g.box.Snapshot().Servers {
		list = append(list, adaptertest.Remote{ID: strconv.FormatInt(s.ID, 10), Tag: strings.TrimPrefix(s.Name, "ezs-"), Suspended: s.Suspended})
	}
	return list
}

// size is what a server has of everything that a plan says.
func (g *rig) size(id string) string {
	s := g.server(id)
	return fmt.Sprint(s.PackageID, s.MemoryMB, s.Cores, s.DiskGB, s.TrafficGB, len(s.Addresses))
}

func (g *rig) server(id string) virtbox.Server {
	list := g.box.Snapshot().Servers
	i := slices.IndexFunc(list, func(s virtbox.Server) bool { return strconv.FormatInt(s.ID, 10) == id })
	if i < 0 {
		return virtbox.Server{}
	}
	return list[i]
}

func (g *rig) breakCall(match string, m adaptertest.Mishap) {
	if g.Break(g.box.Faults(), match, m) {
		return
	}
	switch m {
	case adaptertest.Locked:
		g.box.Answer(match, http.StatusLocked, `{"msg":"the server is locked"}`, 1)
	case adaptertest.Unauthorized:
		g.box.Answer(match, http.StatusUnauthorized, "401 Unauthorized", 1)
	case adaptertest.Forbidden:
		g.box.Answer(match, http.StatusForbidden, `{"message":"This action is unauthorized."}`, 1)
	default:
		panic("no way to break a call by " + string(m))
	}
}
