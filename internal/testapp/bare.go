package testapp

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// Bare opens the migrated and seeded database alone: no hooks, no server.
func Bare(t *testing.T) core.App {
	t.Helper()
	dir := t.TempDir()
	copyTemplate(t, dir)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	return app
}
