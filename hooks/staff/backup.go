package staff

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// apart are files of the data directory that belong to this machine: the
// sealing key, which must not lie beside what it seals, and the process lock.
var apart = []string{"ezscale.key", ".lock", "demo.json"}

// keepKeyApart leaves the sealing key out of backups, and in place when one is
// restored.
func (s *subject) keepKeyApart(app core.App) {
	h := &hook.Handler[*core.BackupEvent]{Id: "staffKeyApart", Func: func(e *core.BackupEvent) error {
		e.Exclude = append(e.Exclude, apart...)
		return e.Next()
	}}
	app.OnBackupCreate().Bind(h)
	app.OnBackupRestore().Bind(h)
}
