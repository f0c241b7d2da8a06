package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// mostKept bounds the statements that a connection keeps; the one that was used
// longest ago makes room. The product has some hundreds of texts in all, and a
// statement takes a few KiB.
const mostKept = 256

// longestKept is the length of a text, in bytes, beyond which it is not kept:
// such are bulk inserts of as many rows as there happened to be.
const longestKept = 8 << 10

// fullConn is what the driver's connections can do and database/sql uses.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
	driver.Pinger
}

// Conn is a connection that keeps the statements it has prepared: parsing and
// planning a statement takes SQLite longer than most of ours take to run. The
// schema may change meanwhile; SQLite prepares such a statement anew by itself.
// Like every driver's connection it is used by one goroutine at a time.
type Conn struct {
	fullConn
	kept map[string]*list.Element // of *stmt, by text
	used *list.List               // the same, the last used first
}

// Connect opens a connection with SQLite's driver. Errors: those of the driver.
func Connect(ctx context.Context, with driver.Connector) (*Conn, error) {
	opened, err := with.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := opened.(fullConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("open a database: the driver's %T lacks a method", opened), opened.Close())
	}
	return &Conn{fullConn: full, kept: map[string]*list.Element{}, used: list.New()}, nil
}

// AtRest reports whether the connection is usable and no rows of a kept
// statement are being read.
func (c *Conn) AtRest() bool {
	for e := c.used.Front(); e != nil; e = e.Next() {
		if e.Value.(*stmt).reading {
			return false
		}
	}
	return c.IsValid()
}

// Close ends the connection and its statements.
func (c *Conn) Close() error {
	failed := []error{}
	for e := c.used.Front(); e != nil; e = e.Next() {
		failed = append(failed, e.Value.(*stmt).Close())
	}
	clear(c.kept)
	c.used.Init()
	if err := c.fullConn.Close(); err != nil {
		return errors.Join(append(failed, err)...)
	}
	return nil
}

// keep is the kept statement of a text, ready to run. It is nil if the text is
// too long to keep or the statement is being read already, by a loop that runs
// the same query inside.
func (c *Conn) keep(ctx context.Context, query string) (*stmt, error) {
	if known, ok := c.kept[query]; ok {
		c.used.MoveToFront(known)
		if s := known.Value.(*stmt); !s.reading {
			return s, nil
		}
		return nil, nil
	}
	if len(query) > longestKept {
		return nil, nil
	}
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	c.kept[query] = c.used.PushFront(s)
	return s, c.makeRoom()
}

// makeRoom closes the statement that was used longest ago if there are too many.
// One that is being read is closed by the next call.
func (c *Conn) makeRoom() error {
	for e := c.used.Back(); e != nil && c.used.Len() > mostKept; {
		s, before := e.Value.(*stmt), e.Prev()
		if !s.reading {
			c.used.Remove(e)
			delete(c.kept, s.query)
			if err := s.Close(); err != nil {
				return err
			}
		}
		e = before
	}
	return nil
}

func (c *Conn) prepare(ctx context.Context, query string) (*stmt, error) {
	prepared, err := c.fullConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := prepared.(fullStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("prepare %.60q: the driver's %T lacks a method", query, prepared), prepared.Close())
	}
	return &stmt{fullStmt: full, query: query}, nil
}

// ExecContext is of driver.ExecerContext.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.keep(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext is of driver.QueryerContext.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.keep(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	return s.QueryContext(ctx, args)
}

// PrepareContext is of driver.ConnPrepareContext.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.keep(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.PrepareContext(ctx, query)
	}
	return &borrowed{c, s.query}, nil
}
