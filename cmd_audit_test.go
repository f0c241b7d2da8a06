package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/testapp"
)

// TestAuditOfARunningServer breaks the books and the log of a server that runs,
// and looks at what the command says.
func TestAuditOfARunningServer(t *testing.T) {
	scenarios := []struct {
		name, drop, change string
		chain              bool
		found              int
		says               []string
	}{
		{name: "all is well", says: []string{" rules hold, differences found: 0 ("}},
		{name: "the log is well", chain: true, says: []string{"1 of 1 rules hold, differences found: 0 ("}},
		{
			name: "an invoice was altered", drop: "guard_invoice_items_UPDATE", change: "UPDATE `invoice_items` SET `net_minor` = `net_minor` + 7, `amount_minor` = `amount_minor` + 7 WHERE `rowid` = 1",
			found: 1, says: []string{"an invoice is the sum of its lines: INV-", " (-7)\n", "differences found: 1 ("},
		},
		{name: "an invoice was altered, the log alone is asked for", drop: "guard_invoice_items_UPDATE", change: "UPDATE `invoice_items` SET `amount_minor` = 7", chain: true, says: []string{"1 of 1 rules hold, differences found: 0 ("}},
		{
			name: "the log was altered", drop: "guard_audit_logs_UPDATE", change: "UPDATE `audit_logs` SET `actor` = 'nobody' WHERE `seq` = 2", chain: true,
			found: 1, says: []string{"the audit log is an unbroken chain: row 2 is missing or altered (0)\n"},
		},
		{
			name: "more than can be named", drop: "guard_invoices_UPDATE", change: "WITH RECURSIVE `n` (`i`) AS (SELECT 1 UNION ALL SELECT `i` + 1 FROM `n` WHERE `i` < 150)" +
				" INSERT INTO `plans` (`id`, `name`, `slug`, `stock`) SELECT 'plan' || `i`, 'Plan', 'plan-' || `i`, -1 FROM `n`",
			found: books.Most, says: []string{"no stock is below zero: there may be more, the first 100 are named\n"},
		},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t, testapp.Unchecked())
			ada := app.Customer("ada")
			for range 3 {
				app.Order(ada, testapp.Cart{Gateway: "manual"})
			}
			if s.drop != "" {
				mustExec(t, app, "DROP TRIGGER `"+s.drop+"`", s.change)
			}
			out := strings.Builder{}
			found, err := auditDir(app.DataDir(), s.chain, &out)
			if err != nil || found != s.found {
				t.Errorf("got %d findings, error %v, want %d:\n%s", found, err, s.found, out.String())
			}
			for _, words := range s.says {
				if !strings.Contains(out.String(), words) {
					t.Errorf("it says\n%s, want %q in it", out.String(), words)
				}
			}
		})
	}
}

func mustExec(t *testing.T, app *testapp.App, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := app.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAuditRefusesWhatItCannotRead gives the command data that its rules are not
// about.
func TestAuditRefusesWhatItCannotRead(t *testing.T) {
	scenarios := []struct {
		name    string
		prepare func(t *testing.T) (dir string)
		says    string
	}{
		{"an empty directory", func(t *testing.T) string { return t.TempDir() }, "is no data directory: there is no data.db in it"},
		{"a missing directory", func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, "is no data directory: there is no data.db in it"},
		{"a file of another kind", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "data.db"), []byte("not a database, but long enough to be taken for one"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, "is no data directory of ezscale"},
		{"an older schema", migrated("DELETE FROM `_migrations` WHERE `file` = '1770000003_books.go'"), "of an older version, which lacks 1770000003_books.go"},
		{"a newer schema", migrated("INSERT INTO `_migrations` (`file`, `applied`) VALUES ('9990000001_moon.go', 1)"), "of a newer version, which brought 9990000001_moon.go"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			out := strings.Builder{}
			found, err := auditDir(s.prepare(t), false, &out)
			if err == nil || !strings.Contains(err.Error(), s.says) || found != 0 || out.Len() > 0 {
				t.Errorf("got %d findings, output %q, error %v, want an error that says %q", found, out.String(), err, s.says)
			}
		})
	}
}

// migrated is the directory of a running server after a statement.
func migrated(sql string) func(t *testing.T) string {
	return func(t *testing.T) string {
		app := testapp.New(t, testapp.Unchecked())
		mustExec(t, app, sql)
		return app.DataDir()
	}
}

func TestAuditCannotWrite(t *testing.T) {
	app := testapp.New(t)
	db, err := openReadOnly(app.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.NewQuery("UPDATE `plans` SET `name` = 'X'").Execute(); err == nil {
		t.Error("the audit's connection wrote to the database")
	}
}
