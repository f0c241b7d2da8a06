package testapp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/internal/sqlite"
	_ "github.com/ezscale/ezscale/pb_migrations" // the schema
)

// databases are the files of a data directory that is closed, so that their
// journals are in them.
var databases = []string{"data.db", "auxiliary.db"}

// template holds the files of a migrated and seeded data directory. It is made once
// for all test binaries of a day, and kept beside the module: migrating takes
// seconds, and a minute under the race detector.
var template = sync.OnceValues(func() (map[string][]byte, error) {
	kept, err := keptAt()
	if err != nil {
		return nil, err
	}
	if files, err := read(kept); err == nil {
		return files, nil
	}
	dir, err := os.MkdirTemp("", "ezscale-template-")
	if err != nil {
		return nil, fmt.Errorf("template directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := migrate(dir); err != nil {
		return nil, err
	}
	files, err := read(dir)
	if err == nil {
		keep(kept, files)
	}
	return files, err
})

// migrate makes the databases in an empty directory.
func migrate(dir string) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: connect})
	err := app.Bootstrap()
	if err == nil {
		err = app.RunAllMigrations()
	}
	if err == nil {
		err = seed(app)
	}
	return errors.Join(err, app.ClearBootstrap())
}

func read(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range databases {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
		files[name] = content
	}
	return files, nil
}

// keep stores the files under their name for the next test binary. It appears
// whole or not at all; one that cannot be stored is made anew each time.
func keep(kept string, files map[string][]byte) {
	parent := filepath.Dir(kept)
	if os.MkdirAll(parent, 0o755) != nil {
		return
	}
	dir, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, content := range files {
		if os.WriteFile(filepath.Join(dir, name), content, 0o600) != nil {
			return
		}
	}
	_ = os.Rename(dir, kept) // another binary may have been first
}

// keptAt is the directory for what these sources make on this day.
func keptAt() (string, error) {
	top, err := root()
	if err != nil {
		return "", err
	}
	sources := []string{filepath.Join(top, "go.mod")}
	for _, dir := range []string{"pb_migrations", "collections", filepath.Join("internal", "testapp"), filepath.Join("internal", "sqlite")} {
		found, err := filepath.Glob(filepath.Join(top, dir, "*.go"))
		if err != nil {
			return "", fmt.Errorf("template: %w", err)
		}
		sources = append(sources, found...)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, time.Now().Format(time.DateOnly))
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return "", fmt.Errorf("template: %w", err)
		}
		fmt.Fprintln(sum, filepath.Base(source), len(content))
		sum.Write(content)
	}
	return filepath.Join(top, ".cache", "testapp", hex.EncodeToString(sum.Sum(nil)[:12])), nil
}

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
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("module's directory: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/ezscale/ezscale\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("go.mod of the product is not above the test")
		}
		dir = filepath.Dir(dir)
	}
}
