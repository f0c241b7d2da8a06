package pterodactyl

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/pterobox"
)

func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness { return harness(t, pterobox.Options{CacheTime: -1}) })
}

// calls names the changing call of each step by method and start of the path.
var calls = map[string]string{
	StepAccount: "POST /api/application/users", StepCreate: "POST /api/application/servers", StepPassword: "PATCH /api/application/users/",
	"suspend": "POST /api/application/servers/", "unsuspend": "POST /api/application/servers/", "terminate": "DELETE /api/application/servers/",
	"build": "PATCH /api/application/servers/1/build", "startup": "PATCH /api/application/servers/1/startup",
	"look": "GET /api/application/servers/", "egg": "GET /api/application/nests/", "node": "GET /api/application/nodes/",
	"list": "GET /api/application/servers", StepReinstall: "POST /api/application/servers/",
}

// larger are settings of testOrder with more of everything.
func larger(n int) map[string]string {
	s := maps.Clone(testOrder("").Settings)
	for name, value := range map[string]int{
		SettingMemory: 2048 + 1024*n, SettingDisk: 10240 + 1024*n, SettingCPU: 100 + 50*n, SettingSwap: 256 * n, SettingIO: 500 + n,
		SettingDatabases: n, SettingBackups: 1 + n, SettingAllocations: n,
	} {
		s[name] = strconv.Itoa(value)
	}
	s[VariablePrefix+"MINECRAFT_VERSION"] = "1.20." + strconv.Itoa(1+n)
	if n > 0 {
		s[SettingThreads], s[SettingImage] = "0-"+strconv.Itoa(n), "Java 17"
	}
	return s
}

func harness(t *testing.T, opts pterobox.Options) adaptertest.Harness {
	g := newRig(t, opts)
	return adaptertest.Harness{
		Adapter:       g.client(),
		Restart:       func() provisioning.Creator { return g.client() },
		BadKey:        func() provisioning.Creator { return g.clientWith("ptla_wrong", "ptlc_wrong") },
		Order:         func(n int) provisioning.Order { return testOrder("svc" + strconv.Itoa(n)) },
		Now:           g.Clock.Now,
		Sleep:         g.Sleep,
		SharedAccount: true,
		OffAlways:     true,
		Deadline:      paneltest.Deadline,
		Effects:       []string{StepAccount, StepCreate, StepPassword},
		Create:        StepCreate,
		Break:         func(step string, m adaptertest.Mishap) { g.breakCall(calls[step], m) },
		Servers:       g.remotes,
		Made:          func() int { return g.box.Snapshot().Created },
		Destroy: func(id string) {
			n, _ := strconv.ParseInt(id, 10, 64)
			g.box.Destroy(n)
		},
		Exhaust:    func(on bool) { g.box.SetRoom(map[bool]int{true: 0, false: -1}[on]) },
		FailBuilds: g.box.BreakBuilds,
		Larger:     larger,
		Impossible: func() map[string]string { s := larger(1); s[SettingDisk] = "1024"; return s },
		Changes:    []string{"build", "startup", "look", "egg", "node"},
		Size:       g.size,
		Image:      func() string { return "3" },
		Wipe:       StepReinstall,
		Installed:  func(id string) int { return g.server(id).Installs },
		Crowd: func(n int) {
			for range n {
				g.box.Make(1, "", 0)
			}
		},
		CrowdSize: 130,
		Listed:    func(do func(n int)) { paneltest.Answered(g.box.Faults(), calls["list"], do) },
	}
}

func (g *rig) remotes() []adaptertest.Remote {
	list := []adaptertest.Remote{}
	for _, s := range g.box.Snapshot().Servers {
		list = append(list, adaptertest.Remote{ID: strconv.FormatInt(s.ID, 10), Tag: strings.TrimPrefix(s.ExternalID, "ezs-"), Suspended: s.Suspended})
	}
	return list
}

// size is what a server has of everything that a plan says.
func (g *rig) size(id string) string {
	s := g.server(id)
	return fmt.Sprint(s.Limits, s.Features, s.Image, s.Startup, s.Variables)
}

func (g *rig) breakCall(match string, m adaptertest.Mishap) {
	if g.Break(g.box.Faults(), match, m) {
		return
	}
	answer := func(status int, code string) {
		g.box.Answer(match, status, fmt.Sprintf(`{"errors":[{"code":%q,"status":"%d","detail":"No."}]}`, code, status), 1)
	}
	switch m {
	case adaptertest.Locked: // the panel's word for it
		answer(http.StatusConflict, "ServerStateConflictException")
	case adaptertest.Unauthorized:
		answer(http.StatusUnauthorized, "AuthenticationException")
	case adaptertest.Forbidden:
		answer(http.StatusForbidden, "AccessDeniedHttpException")
	default:
		panic("no way to break a call by " + string(m))
	}
}
