package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(reinstallUp, reinstallDown) }

var reinstall = change{
	name: "services",
	fields: []core.Field{
		&core.DateField{Name: "reinstalled_at", Help: "its system was last installed anew, which destroyed what was on it"},
	},
	values: map[string][]string{"action": {"reinstall"}},
}

// reinstallUp lets a service be installed anew.
func reinstallUp(app core.App) error { return alter(app, reinstall) }

func reinstallDown(app core.App) error { return undo(app, reinstall) }
