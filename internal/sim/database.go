package sim

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/sqlite"
)

// files open a database as main does, except that it does not wait for the
// disk: here processes die, machines do not.
var files = sqlite.Options{Synchronous: "OFF", CacheKiB: 32000, Checkpoint: 200, MapBytes: 256 << 20}

// plain opens a database that nothing disturbs.
func plain(path string) (*dbx.DB, error) { return sqlite.Open(path, files) }

// connect opens the product's database behind the fuse. The log of requests is
// no part of the books and stays plain.
func (f *fuse) connect(path string) (*dbx.DB, error) {
	if filepath.Base(path) != "data.db" {
		return plain(path)
	}
	inner, err := sqlite.NewConnector(files.Name(path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return dbx.NewFromDB(sql.OpenDB(&connector{inner, path, f}), "sqlite"), nil
}

// connector opens connections that end with the process. What a connection knows
// of the schema and the statements it has prepared outlive it, for the next one
// to the same file: reading them anew after each crash would cost a tenth of a
// simulation, and a process that has just started has no advantage from them but
// time.
type connector struct {
	driver.Connector
	name string
	fuse *fuse
}

// Connect is of driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	if kept := c.fuse.spare.take(c.name); kept != nil {
		return kept, nil
	}
	opened, err := sqlite.Connect(ctx, c.Connector)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: opened, name: c.name, fuse: c.fuse}, nil
}

// conn is a connection whose statements pass the fuse.
type conn struct {
	*sqlite.Conn
	name string
	fuse *fuse
	open *tx // the transaction that has not ended
}

// Close ends the connection: what was open is rolled back. One that is at rest
// then is kept for the next process.
func (c *conn) Close() error {
	rest := c.AtRest()
	if c.open != nil {
		rest = c.open.Rollback() == nil && rest
	}
	if rest && c.fuse.spare.keep(c) {
		return nil
	}
	return c.Conn.Close()
}

// writes reports whether a statement changes something.
func writes(query string) bool {
	query = strings.TrimSpace(query)
	return len(query) < 6 || !strings.EqualFold(query[:6], "SELECT") && !strings.EqualFold(query[:6], "PRAGMA")
}

// before is the point ahead of a statement; reading passes while there is life.
func (f *fuse) before(query string) error {
	if writes(query) {
		return f.pass("before %.60s", query)
	}
	if f.dead {
		return errDead
	}
	return nil
}

// ExecContext is of driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.fuse.before(query); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, query, args)
}

// QueryContext is of driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.fuse.before(query); err != nil {
		return nil, err
	}
	return c.Conn.QueryContext(ctx, query, args)
}

// PrepareContext is of driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	inner, err := c.Conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullStmt)
	if !ok {
		return nil, fmt.Errorf("prepare %.60s: the driver lacks a method", query)
	}
	return &stmt{full, c.fuse, query}, nil
}

// BeginTx is of driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	t, err := c.Conn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.open = &tx{t, c}
	return c.open, nil
}

// fullStmt is what the driver's statements can do.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a statement prepared by hand, whose uses pass the fuse.
type stmt struct {
	fullStmt
	fuse  *fuse
	query string
}

// ExecContext is of driver.StmtExecContext.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.fuse.before(s.query); err != nil {
		return nil, err
	}
	return s.fullStmt.ExecContext(ctx, args)
}

// QueryContext is of driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.fuse.before(s.query); err != nil {
		return nil, err
	}
	return s.fullStmt.QueryContext(ctx, args)
}

type tx struct {
	inner driver.Tx
	of    *conn
}

// Commit can be cut off on both sides: a process that dies after it does not
// know that its work is stored.
func (t *tx) Commit() error {
	if err := t.of.fuse.pass("before a commit"); err != nil {
		if rollback := t.Rollback(); rollback != nil {
			return rollback
		}
		return err
	}
	t.of.open = nil
	if err := t.inner.Commit(); err != nil {
		return err
	}
	return t.of.fuse.pass("after a commit")
}

// Rollback is of driver.Tx.
func (t *tx) Rollback() error {
	t.of.open = nil
	return t.inner.Rollback()
}
