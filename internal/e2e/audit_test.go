package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	_ "github.com/pocketbase/pocketbase/core" // the database driver
)

// TestAuditCommand runs the audit on the data of a stopped shop, as operators and
// their timers do, and looks at its exit status.
func TestAuditCommand(t *testing.T) {
	s := newShop(t)
	if status, out := audit(t, "--dir", s.dir); status != 0 || !strings.Contains(out, "differences found: 0") {
		t.Errorf("a true shop: got status %d, want 0\n%s", status, out)
	}
	db, err := dbx.Open("sqlite", filepath.Join(s.dir, "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.NewQuery("UPDATE `plans` SET `stock` = -1").Execute(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if status, out := audit(t, "--dir", s.dir); status != 1 || !strings.HasPrefix(out, "no stock is below zero: vps-m (-1)\n") {
		t.Errorf("a broken shop: got status %d, want 1 and the rule\n%s", status, out)
	}
	if status, out := audit(t, "--dir", s.dir, "--log"); status != 0 {
		t.Errorf("its log alone: got status %d, want 0\n%s", status, out)
	}
	for name, args := range map[string][]string{"no data": {"--dir", t.TempDir()}, "an unknown flag": {"--loud"}, "an argument": {s.dir}} {
		if status, out := audit(t, args...); status != 2 || !strings.HasPrefix(out, "ezscale: ") {
			t.Errorf("%s: got status %d, want 2 and a reason\n%s", name, status, out)
		}
	}
}

// audit runs the command to its end.
func audit(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	raw, err := exec.CommandContext(t.Context(), binary(t), append([]string{"audit"}, args...)...).CombinedOutput()
	ended := &exec.ExitError{}
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if err != nil {
		status = ended.ExitCode()
	}
	return status, string(raw)
}
