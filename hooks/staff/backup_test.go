package staff_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/ezscale/ezscale/internal/testapp"
)

func TestABackupDoesNotHoldTheSealingKey(t *testing.T) {
	app := testapp.New(t)
	key := filepath.Join(app.DataDir(), "ezscale.key")
	if err := os.WriteFile(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := app.CreateBackup(t.Context(), "test.zip"); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(app.DataDir(), "backups", "test.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	names := map[string]bool{}
	for _, f := range z.File {
		names[f.Name] = true
	}
	if !names["data.db"] {
		t.Errorf("the backup holds %v, want the database in it", names)
	}
	if names["ezscale.key"] {
		t.Error("the backup holds the key that opens its secrets")
	}
}
