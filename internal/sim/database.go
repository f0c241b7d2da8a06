package sim

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pocketbase/dbx"
)

// pragmas open a database as main does, except that it does not wait for the
// disk: here processes die, machines do not.
const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=foreign_keys(ON)" +
	"&_pragma=recursive_triggers(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)&_pragma=mmap_size(268435456)&_pragma=wal_autocheckpoint(200)&_defensive=1"

// plain opens a database that nothing disturbs.
func plain(path string) (*dbx.DB, error) { return dbx.Open("sqlite", path+pragmas) }

// connect opens the product's database behind the fuse. The log of requests is
// no part of the books and stays plain.
func (f *fuse) connect(path string) (*dbx.DB, error) {
	if filepath.Base(path) != "data.db" {
		return plain(path)
	}
	inner, err := sql.Open("sqlite", path+pragmas)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	d := inner.Driver()
	if err := inner.Close(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return dbx.NewFromDB(sql.OpenDB(&connector{d, path + pragmas, f}), "sqlite"), nil
}

// connector opens connections that end with the process. What a connection knows
// of the schema and the statements it has prepared outlive it, for the next one
// to the same file: reading them anew after each crash would cost a tenth of a
// simulation, and a process that has just started has no advantage from them but
// time.
type connector struct {
	driver driver.Driver
	name   string
	fuse   *fuse
}

// Driver is of driver.Connector.
func (c *connector) Driver() driver.Driver { return c.driver }

// Connect is of driver.Connector.
func (c *connector) Connect(context.Context) (driver.Conn, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	if kept := c.fuse.spare.take(c.name); kept != nil {
		return kept, nil
	}
	opened, err := c.driver.Open(c.name)
	if err != nil {
		return nil, err
	}
	full, ok := opened.(fullConn)
	if !ok {
		return nil, fmt.Errorf("open %s: the driver lacks a method", c.name)
	}
	return &conn{fullConn: full, name: c.name, fuse: c.fuse, known: map[string]*stmt{}}, nil
}

// fullConn is what the driver's connections can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// fullStmt is what the driver's statements can do.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// conn also keeps the statements it has prepared: parsing them again and again
// would cost a third of a simulation.
type conn struct {
	fullConn
	name  string
	fuse  *fuse
	open  *tx // the transaction that has not ended
	known map[string]*stmt
}

// mostKnown bounds the statements kept; texts that vary do not come again.
const mostKnown = 1000

// prepared is a kept statement that is free, or nil.
func (c *conn) prepared(ctx context.Context, query string) (*stmt, error) {
	s := c.known[query]
	if s == nil && len(c.known) < mostKnown {
		var err error
		if s, err = c.prepare(ctx, query); err != nil {
			return nil, err
		}
		c.known[query] = s
	}
	if s == nil || s.reading {
		return nil, nil
	}
	return s, nil
}

func (c *conn) prepare(ctx context.Context, query string) (*stmt, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	inner, err := c.fullConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullStmt)
	if !ok {
		return nil, fmt.Errorf("prepare %.60s: the driver lacks a method", query)
	}
	return &stmt{fullStmt: full, fuse: c.fuse, query: query}, nil
}

// Close ends the connection: what was open is rolled back. One that is at rest
// then is kept for the next process.
func (c *conn) Close() error {
	rest := c.IsValid()
	if c.open != nil {
		rest = c.open.Rollback() == nil && rest
	}
	for _, s := range c.known {
		rest = rest && !s.reading
	}
	if rest && c.fuse.spare.keep(c) {
		return nil
	}
	return c.end()
}

// end closes the connection for good, with its statements.
func (c *conn) end() error {
	for _, s := range c.known {
		_ = s.fullStmt.Close() // the connection's own end counts
	}
	return c.fullConn.Close()
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
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if s != nil {
		return s.ExecContext(ctx, args)
	}
	if err := c.fuse.before(query); err != nil {
		return nil, err
	}
	return c.fullConn.ExecContext(ctx, query, args)
}

// QueryContext is of driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if s != nil {
		return s.QueryContext(ctx, args)
	}
	if err := c.fuse.before(query); err != nil {
		return nil, err
	}
	return c.fullConn.QueryContext(ctx, query, args)
}

// PrepareContext is of driver.ConnPrepareContext.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.prepared(ctx, query)
	if err != nil || s != nil {
		return s, err
	}
	inner, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return &once{*inner}, nil
}

// BeginTx is of driver.ConnBeginTx.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.fuse.dead {
		return nil, errDead
	}
	t, err := c.fullConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.open = &tx{t, c}
	return c.open, nil
}

// stmt is a kept statement.
type stmt struct {
	fullStmt
	fuse    *fuse
	query   string
	reading bool // its rows are still being read
}

// Close keeps the statement: it ends with its connection.
func (s *stmt) Close() error { return nil }

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
	found, err := s.fullStmt.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.reading = true
	return &rows{found, s}, nil
}

// once is a statement that is not kept.
type once struct{ stmt }

// Close is of driver.Stmt.
func (s *once) Close() error { return s.fullStmt.Close() }

type rows struct {
	driver.Rows
	of *stmt
}

// Close is of driver.Rows.
func (r *rows) Close() error {
	r.of.reading = false
	return r.Rows.Close()
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
