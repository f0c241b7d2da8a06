package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(driftUp, driftDown) }

// driftUp adds the comparison of platforms with our services: its runs, one at a
// time for each platform, and what differs.
func driftUp(app core.App) error {
	return create(app,
		table{
			name: "drift_runs",
			fields: []core.Field{
				need("platform", 60), choice("status", "running", "done", "failed"), count("seen", 1e9), count("known", 1e9), text("error", 1000),
				date("started_at"), date("ended_at"), text("actor", 80),
			},
			indexes: []index{uniqueWhere("idx_drift_runs_one", "`platform`", "`status` = 'running'"), lookup("idx_drift_runs_last", "`platform`, `started_at`")},
		},
		table{
			name: "drift_findings",
			fields: []core.Field{
				need("platform", 60), text("service", 60), title("remote_id", 120),
				choice("kind", "missing", "extra", "wrong_state", "wrong_plan", "wrong_owner", "address_changed"), text("ours", 1000), text("theirs", 1000),
				choice("status", "open", "gone", "ignored"), text("note", 1000), text("actor", 80), date("first_seen_at"), date("last_seen_at"), date("closed_at"),
			},
			indexes: []index{unique("idx_drift_findings_once", "`platform`, `kind`, `service`, `remote_id`"), lookup("idx_drift_findings_open", "`status`, `first_seen_at`")},
		},
	)
}

func driftDown(app core.App) error { return drop(app, "drift_findings", "drift_runs") }
