package provisioning

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/op"
)

// platformView is a platform as staff sees it: how it shares orders, what it has, and
// whether it answers.
type platformView struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Group    string `json:"group"`
	Location string `json:"location"`
	Weight   int64  `json:"weight"`
	Capacity int64  `json:"capacity"` // 0 is no limit
	Services int64  `json:"services"` // that take room
	// Refuses says why it takes no new services, "" where it does.
	Refuses string      `json:"refuses"`
	Circuit circuitView `json:"circuit"`
	// Problem says why no calls can be made to it at all: its settings, its key.
	Problem string `json:"problem"`
}

// circuitView is how the calls to a panel go.
type circuitView struct {
	State    string     `json:"state"` // closed, open, half_open
	Since    *time.Time `json:"since"`
	Failures int        `json:"failures"` // in a row
	Problem  string     `json:"problem"`  // the last of them
	RetryAt  *time.Time `json:"retry_at"` // when it is asked again
	Answered *time.Time `json:"answered_at"`
}

type platformList struct {
	Items []platformView `json:"items"`
}

func (s *Subject) platformOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.platforms.list", Method: http.MethodGet, Path: "/api/v1/staff/platforms", Access: op.Staff, Summary: "The platforms with their load, and whether they answer"}, s.listPlatforms)
	op.Add(t, op.Spec{ID: "staff.platforms.test", Method: http.MethodPost, Path: "/api/v1/staff/platforms/{id}/test", Access: op.Staff, Summary: "Test the connection to a platform, check by check"}, s.testPlatform)
	op.Add(t, op.Spec{ID: "staff.platforms.options", Method: http.MethodGet, Path: "/api/v1/staff/platforms/{id}/options", Access: op.Staff, Summary: "What the settings of a plan may be at a platform"}, s.listOptions)
}

func (s *Subject) listPlatforms(r *op.Request, _ op.None) (platformList, error) {
	list := platformList{Items: []platformView{}}
	all := []*core.Record{}
	if err := r.App.RecordQuery(collections.Platforms).OrderBy("kind ASC", "name ASC").All(&all); err != nil {
		return list, fmt.Errorf("platforms: %w", err)
	}
	used, err := occupied(r.App)
	if err != nil {
		return list, err
	}
	for _, p := range all {
		list.Items = append(list.Items, s.viewPlatform(r.App, p, used[p.Id], r.Now()))
	}
	return list, nil
}

// viewPlatform makes no call.
func (s *Subject) viewPlatform(app core.App, platform *core.Record, used int64, now time.Time) platformView {
	v := platformView{
		ID: platform.Id, Kind: platform.GetString("kind"), Name: platform.GetString("name"), Group: platform.GetString("group"), Location: platform.GetString("location"),
		Weight: max(platform.GetInt64("weight"), 1), Capacity: platform.GetInt64("capacity"), Services: used,
	}
	adapter, err := s.platform(app, platform)
	if err != nil {
		v.Problem = err.Error()
	}
	h := health(adapter)
	v.Refuses = s.panel(platform, h, used).Takes("")
	v.Circuit = circuitView{State: string(h.State), Since: optional(h.Since), Failures: h.Failures, Problem: h.Problem, Answered: optional(h.Answered)}
	if h.Rests > 0 {
		v.Circuit.RetryAt = optional(now.Add(h.Rests))
	}
	return v
}

// occupied counts the services that take room, by platform.
func occupied(app core.App, where ...dbx.Expression) (map[string]int64, error) {
	rows := []struct {
		Platform string `db:"platform"`
		N        int64  `db:"n"`
	}{}
	err := app.DB().Select("platform", "COUNT(*) AS n").From(collections.Services).Where(dbx.And(append(where, dbx.NewExp(occupies))...)).GroupBy("platform").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("services by platform: %w", err)
	}
	out := make(map[string]int64, len(rows))
	for _, row := range rows {
		out[row.Platform] = row.N
	}
	return out, nil
}

// panel is a platform as the rule of choosing sees it.
func (*Subject) panel(platform *core.Record, h provisioning.Health, used int64) provisioning.Panel {
	return provisioning.Panel{
		ID: platform.Id, Name: platform.GetString("name"), Location: platform.GetString("location"), Enabled: platform.GetBool("enabled"),
		Closed: platform.GetBool("closed_to_new"), Rests: h.Rests, Weight: platform.GetInt64("weight"), Capacity: platform.GetInt64("capacity"), Used: used,
	}
}

// health is what an adapter says of its panel; one that makes no calls always answers.
func health(adapter any) provisioning.Health {
	if reporter, ok := adapter.(provisioning.HealthReporter); ok {
		return reporter.Health()
	}
	return provisioning.Health{State: provisioning.CircuitClosed}
}
