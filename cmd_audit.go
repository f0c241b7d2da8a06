package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/sqlite"
)

// The exit statuses of the audit.
const (
	auditFound  = 1 // something does not hold
	auditFailed = 2 // it could not be checked
)

// auditCommand proves the books of a data directory, also of a running server.
func auditCommand(app *pocketbase.PocketBase) *cobra.Command {
	chain := false
	c := &cobra.Command{
		Use: "audit", Short: "Proves the books and the audit log of a data directory, without changing anything",
		Long: "Checks every rule of the books and the chain of the audit log, and prints each difference as \"rule: what (off by)\".\n" +
			"It only reads, so that the server may run meanwhile. The exit status is 0 when everything holds, 1 when something\n" +
			"was found and 2 when it could not be checked.",
		SilenceUsage: true, SilenceErrors: true,
		Args: func(c *cobra.Command, args []string) error { return unchecked(cobra.NoArgs(c, args)) },
		RunE: func(c *cobra.Command, _ []string) error {
			found, err := auditDir(app.DataDir(), chain, c.OutOrStdout())
			if err == nil && found > 0 {
				return exit{auditFound, nil}
			}
			return unchecked(err)
		},
	}
	c.Flags().BoolVar(&chain, "log", false, "check the chain of the audit log alone")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return unchecked(err) })
	return c
}

// unchecked is an error for which nothing could be checked.
func unchecked(err error) error {
	if err == nil {
		return nil
	}
	return exit{auditFailed, err}
}

// auditDir checks a data directory, prints what it finds and returns how many
// differences that are.
func auditDir(dir string, chain bool, out io.Writer) (int, error) {
	began := time.Now()
	db, err := openReadOnly(dir)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	if err := checkSchema(db, dir); err != nil {
		return 0, err
	}
	found, rules := []books.Finding{}, 1
	if !chain {
		rules += len(books.Rules())
		if found, err = books.Audit(db); err != nil {
			return 0, err
		}
	}
	broken, err := audit.Verify(db)
	if err != nil {
		return 0, err
	}
	if broken != 0 {
		found = append(found, books.Finding{Rule: "the audit log is an unbroken chain", What: fmt.Sprintf("row %d is missing or altered", broken)})
	}
	return len(found), report(out, found, rules, time.Since(began))
}

// report prints the findings, and how many there are.
func report(out io.Writer, found []books.Finding, rules int, took time.Duration) error {
	text, named := strings.Builder{}, map[string]int{}
	for _, f := range found {
		fmt.Fprintln(&text, f)
		if named[f.Rule]++; named[f.Rule] == books.Most {
			fmt.Fprintf(&text, "%s: there may be more, the first %d are named\n", f.Rule, books.Most)
		}
	}
	fmt.Fprintf(&text, "%d of %d rules hold, differences found: %d (%s)\n", rules-len(named), rules, len(found), took.Round(time.Millisecond))
	_, err := io.WriteString(out, text.String())
	return err
}

// openReadOnly opens the database of a data directory so that nothing can be
// written to it; beside a server that runs it sees what that has committed.
func openReadOnly(dir string) (*dbx.DB, error) {
	path, err := filepath.Abs(filepath.Join(dir, "data.db"))
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no data directory: there is no data.db in it", dir)
	} else if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	db, err := sqlite.OpenReadOnly(path)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	return db, nil
}

// checkSchema refuses a database whose schema is not the one that the rules are
// about.
func checkSchema(db *dbx.DB, dir string) error {
	applied := []string{}
	if err := db.Select("file").From(core.DefaultMigrationsTable).Column(&applied); err != nil {
		return fmt.Errorf("%s is no data directory of ezscale: %w", dir, err)
	}
	ours := core.AppMigrations.Items()
	for _, m := range ours {
		if !slices.Contains(applied, m.File) {
			return fmt.Errorf("the data in %s are of an older version, which lacks %s; start the server once to bring them up to date", dir, m.File)
		}
	}
	theirs := func(file string) bool {
		return slices.ContainsFunc(core.SystemMigrations.Items(), func(m *core.Migration) bool { return m.File == file })
	}
	for _, file := range applied {
		if file > ours[len(ours)-1].File && !theirs(file) {
			return fmt.Errorf("the data in %s are of a newer version, which brought %s; use its own binary", dir, file)
		}
	}
	return nil
}
