package synergycp

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
	"github.com/ezscale/ezscale/integrations/sandbox/synergybox"
)

func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness { return harness(t, synergybox.Options{TaskTime: -1, Spare: 50}) })
}

// calls names the changing call of each step by method and start of the path.
var calls = map[string]string{
	StepAccount: "POST /client", StepOrder: "POST /server/provision", StepInstall: "POST /server/", "suspend": "PATCH /server/", "unsuspend": "PATCH /server/",
	"terminate": "PATCH /server/", "change": "PATCH /server/", "look": "GET /server", "list": "GET /server",
}

// larger are settings of testOrder with more of what the panel changes.
func larger(n int) map[string]string {
	s := with(testOrder(""), SettingBandwidth, strconv.Itoa(10+10*n)+"TB").Settings
	if n > 0 {
		s[SettingPXE] = "true"
	}
	if n > 1 {
		s[SettingSwitch] = "true"
	}
	return s
}

func harness(t *testing.T, opts synergybox.Options) adaptertest.Harness {
	g := newRig(t, opts)
	return adaptertest.Harness{
		Adapter:      g.client(),
		Restart:      func() provisioning.Creator { return g.client() },
		BadKey:       func() provisioning.Creator { return g.clientWith("wrong", true) },
		Order:        func(n int) provisioning.Order { return testOrder("svc" + strconv.Itoa(n)) },
		Now:          g.Clock.Now,
		Sleep:        g.Sleep,
		OffAlways:    true,
		NoPowerState: true,
		Tag:          func(b provisioning.Build) string { return b.Data[dataBilling] },
		Deadline:     paneltest.Deadline,
		Effects:      []string{StepAccount, StepOrder, StepInstall},
		Create:       StepOrder,
		Break:        func(step string, m adaptertest.Mishap) { g.breakCall(calls[step], m) },
		Servers:      g.remotes,
		Made:         func() int { return g.box.Snapshot().Made },
		Destroy:      func(id string) { g.box.Destroy(number(id)) },
		Exhaust:      func(on bool) { g.box.SetRoom(map[bool]int{true: 0, false: -1}[on]) },
		Larger:       larger,
		Changes:      []string{"change", "look"},
		Size: func(id string) string {
			s := g.server(id)
			return fmt.Sprint(s.MaxBits, s.Rights, s.Model, s.PortSpeed)
		},
		Crowd:     g.crowd(),
		CrowdSize: 130,
		Listed:    func(do func(n int)) { paneltest.Answered(g.box.Faults(), calls["list"], do) },
	}
}

// crowd gives servers to another client, from the end of the inventory.
func (g *rig) crowd() func(n int) {
	next := int64(0)
	return func(n int) {
		owner := g.box.Register("", "walk-in@elsewhere.example")
		for range n {
			g.box.Occupy(550-next, owner, 5000+next)
			next++
		}
	}
}

func (g *rig) remotes() []adaptertest.Remote {
	list := []adaptertest.Remote{}
	for _, s := range g.box.Snapshot().Servers {
		billing := strconv.FormatInt(s.BillingID, 10)
		list = append(list, adaptertest.Remote{ID: strconv.FormatInt(s.ID, 10) + ":" + billing, Tag: billing, Suspended: s.Suspended})
	}
	return list
}

func (g *rig) breakCall(match string, m adaptertest.Mishap) {
	if g.Break(g.box.Faults(), match, m) {
		return
	}
	status := map[adaptertest.Mishap]int{adaptertest.Locked: http.StatusLocked, adaptertest.Unauthorized: http.StatusUnauthorized, adaptertest.Forbidden: http.StatusForbidden}[m]
	if status == 0 {
		panic("no way to break a call by " + string(m))
	}
	g.box.Answer(match, status, refusal("No."), 1)
}

// refusal is the panel's error envelope.
func refusal(text string) string {
	return fmt.Sprintf(`{"error":true,"data":null,"messages":[{"type":"danger","text":%q}]}`, text)
}
