package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(staffWorkUp, staffWorkDown) }

var staffWork = change{name: "services", fields: []core.Field{
	&core.BoolField{Name: "by_hand", Help: "staff took it over from its platform: nothing is asked of the platform until it is handed back"},
}}

// staffWorkUp lets staff take a service over.
func staffWorkUp(app core.App) error { return alter(app, staffWork) }

func staffWorkDown(app core.App) error { return undo(app, staffWork) }
