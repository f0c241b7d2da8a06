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
	return open(t, dir)
}

// Beside opens the database of an app once more, as a second process on the same
// directory would.
func Beside(t *testing.T, app core.App) core.App {
	t.Helper()
	return open(t, app.DataDir())
}

func open(t *testing.T, dir string) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	return app
}
