package testapp

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/internal/sqlite"
	_ "github.com/ezscale/ezscale/pb_migrations" // the schema
)

// template holds the files of a migrated and seeded data directory, made once
// per test binary.
var template = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "ezscale-template-")
	if err != nil {
		return nil, fmt.Errorf("template directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: connect})
	err = app.Bootstrap()
	if err == nil {
		err = app.RunAllMigrations()
	}
	if err == nil {
		err = seed(app)
	}
	if err := errors.Join(err, app.ClearBootstrap()); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{"data.db", "auxiliary.db"} { // closed, so their journals are in them
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// copyTemplate puts the template's databases into dir.
func copyTemplate(t *testing.T, dir string) {
	t.Helper()
	files, err := template()
	if err != nil {
		t.Fatalf("make template: %v", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatalf("copy template: %v", err)
		}
	}
}

// connect opens a database as main does, except that it does not wait for the
// disk: a test directory need not survive a power cut.
func connect(path string) (*dbx.DB, error) {
	return sqlite.Open(path, sqlite.Options{Synchronous: "OFF", CacheKiB: 4000})
}

// Root is the module's directory.
func Root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/ezscale/ezscale\n") {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("go.mod of the product is not above the test")
		}
		dir = filepath.Dir(dir)
	}
}
