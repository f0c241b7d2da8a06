package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

func init() { m.Register(paceUp, paceDown) }

// pace lets jobs that come in thousands wait on their own: those of a class begin
// at a bounded rate, beside all others. A gateway's rate of charges is a setting.
var pace = []change{
	{
		name: "jobs", fields: []core.Field{text("class", 40)},
		indexes: []index{{"idx_jobs_class", false, "`class`, `next_at`", "`state` = 'queued'"}},
	},
	{name: "gateways", fields: []core.Field{&core.NumberField{
		Name: "charges_per_second", OnlyInt: true, Min: types.Pointer(0.0), Max: types.Pointer(1000.0), Help: "how many due charges are begun in a second; 0 is 20",
	}}},
}

func paceUp(app core.App) error { return alter(app, pace...) }

func paceDown(app core.App) error { return undo(app, pace...) }
