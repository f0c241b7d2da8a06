package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(changesUp, changesDown) }

var changes = change{name: "services", fields: []core.Field{
	&core.DateField{Name: "change_since", Help: "another plan or other options were agreed and are not at the platform yet"},
	&core.JSONField{Name: "change_tried", MaxSize: 20_000, Hidden: true, Help: "what of it was begun at the platform"},
	&core.BoolField{Name: "change_by_staff", Help: "people have to make the change: see the parked job"},
	&core.BoolField{Name: "restart_needed", Help: "the system gets what was added with its next start"},
}, indexes: []index{{"idx_services_change", false, "`change_since`", "`change_since` != ''"}}}

// changesUp lets a service say that its platform has yet to follow a change of
// its plan, and that the customer has to restart it.
func changesUp(app core.App) error { return alter(app, changes) }

func changesDown(app core.App) error { return undo(app, changes) }
