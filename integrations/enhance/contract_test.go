package enhance

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/engine/provisioning/adaptertest"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness { return harness(t, testOrder) })
}

// TestContractOfManagedMySQL runs it all for the other kind of plan.
func TestContractOfManagedMySQL(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T) adaptertest.Harness {
		h := harness(t, testDatabase)
		h.Effects = append(h.Effects, StepDatabase, StepDBUser, StepGrant)
		h.SharedAccount = false // each database has a password of its own
		h.Impossible = nil
		h.Listed = nil // the list does not show what is a database, see TestADatabaseIsListed
		return h
	})
}

const orgs = "/api/orgs/"

// calls names the changing call of each step by method and start of the path.
func calls(step string, k kind) string {
	customer := "POST " + orgs + "00030"
	return map[string]string{
		StepOrg: "POST " + orgs + "6f1c0000-0000-4000-8000-000000000001/customers", StepLogin: "POST /api/logins", StepMember: customer, StepWebsite: customer,
		StepSubscription: "POST " + orgs + "6f1c0000-0000-4000-8000-000000000001/customers/", StepDatabase: customer, StepDBUser: customer, StepGrant: "PUT " + orgs,
		StepPassword: map[kind]string{kindWebsite: "PUT /api/v2/logins/", kindMySQL: "PUT " + orgs}[k],
		"suspend":    "PATCH " + orgs, "unsuspend": "PATCH " + orgs, "terminate": "DELETE " + orgs, "plan": "PATCH " + orgs, "look": "GET " + orgs,
		"list": "GET " + orgs + "6f1c0000-0000-4000-8000-000000000001/customers/", // of one customer, which has several pages
	}[step]
}

func harness(t *testing.T, order func(service string) provisioning.Order) adaptertest.Harness {
	g := newRig(t)
	k := kindWebsite
	if order("").Settings[SettingKind] == "mysql" {
		k = kindMySQL
	}
	larger := func(n int) map[string]string { return with(order(""), SettingPlan, strconv.Itoa(11+n)).Settings }
	return adaptertest.Harness{
		Adapter:       g.client(),
		Restart:       func() provisioning.Creator { return g.client() },
		BadKey:        func() provisioning.Creator { return g.clientWith("wrong") },
		Order:         func(n int) provisioning.Order { o := order("svc" + strconv.Itoa(n)); o.Settings = larger(0); return o },
		Now:           g.Clock.Now,
		Sleep:         g.Sleep,
		SharedAccount: true,
		NoPowerState:  true,
		Deadline:      paneltest.Deadline,
		Effects:       []string{StepOrg, StepLogin, StepMember, StepSubscription, StepWebsite, StepPassword},
		Create:        StepSubscription,
		Break:         func(step string, m adaptertest.Mishap) { g.breakCall(calls(step, k), m) },
		Servers:       func() []adaptertest.Remote { return g.remotes(k) },
		Made:          func() int { return g.box.Snapshot().Made },
		Destroy:       func(id string) { g.box.Destroy(number(id)) },
		Larger:        larger,
		Changes:       []string{"plan", "look"},
		Size:          func(id string) string { return fmt.Sprint(g.subscription(id).Plan) },
		Crowd:         func(n int) { g.box.Crowd(g.box.Snapshot().Customers[0].ID, n) },
		CrowdSize:     perPage + 10,
		Listed:        func(do func(n int)) { paneltest.Answered(g.box.Faults(), calls("list", k), do) },
	}
}

func (g *rig) remotes(k kind) []adaptertest.Remote {
	list := []adaptertest.Remote{}
	for _, s := range g.box.Snapshot().Subscriptions {
		list = append(list, adaptertest.Remote{ID: remoteID(s.Org, strconv.FormatInt(s.ID, 10), k), Tag: strings.TrimPrefix(s.Name, "ezs-"), Suspended: s.Suspended})
	}
	return list
}

func (g *rig) breakCall(match string, m adaptertest.Mishap) {
	if g.Break(g.box.Faults(), match, m) {
		return
	}
	a, ok := map[adaptertest.Mishap]struct {
		status int
		code   string
	}{
		adaptertest.Locked: {http.StatusLocked, "locked"}, adaptertest.Unauthorized: {http.StatusUnauthorized, "invalid_session_token"}, adaptertest.Forbidden: {http.StatusForbidden, "unauthorized"},
	}[m]
	if !ok {
		panic("no way to break a call by " + string(m))
	}
	g.box.Answer(match, a.status, failure(a.code, ""), 1)
}

// failure is the panel's error.
func failure(code, detail string) string {
	return fmt.Sprintf(`{"code":%q,"detail":%q}`, code, detail)
}
