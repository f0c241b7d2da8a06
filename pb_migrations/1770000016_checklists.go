package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

func init() { m.Register(checklistsUp, checklistsDown) }

// checklists gives a job that waits for people what they have to do for it, with who
// has ticked what and when.
var checklists = []change{
	{name: "jobs", fields: []core.Field{&core.JSONField{Name: "checklist", MaxSize: 64 << 10, Help: "what people do for it, ticked by staff.tasks.tick"}}},
}

func checklistsUp(app core.App) error { return alter(app, checklists...) }

func checklistsDown(app core.App) error { return undo(app, checklists...) }
