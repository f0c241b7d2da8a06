package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// fullStmt is what the driver's statements can do and database/sql uses.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// stmt is a statement that its connection keeps.
type stmt struct {
	fullStmt
	query   string
	reading bool // its rows are still being read
}

// QueryContext is of driver.StmtQueryContext.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	found, err := s.fullStmt.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	full, ok := found.(fullRows)
	if !ok {
		return nil, errors.Join(fmt.Errorf("query %.60q: the driver's %T lacks a method", s.query, found), found.Close())
	}
	s.reading = true
	return &rows{full, s}, nil
}

// fullRows is what the driver's rows can do and database/sql uses.
type fullRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows give their statement free when they are closed.
type rows struct {
	fullRows
	of *stmt
}

// Close is of driver.Rows.
func (r *rows) Close() error {
	r.of.reading = false
	return r.fullRows.Close()
}

// borrowed is a statement that somebody prepared by hand: each use takes the one
// that is kept, or another while its rows are being read.
type borrowed struct {
	conn  *Conn
	query string
}

// Close leaves the statement with its connection.
func (*borrowed) Close() error { return nil }

// NumInput leaves the counting of arguments to the driver.
func (*borrowed) NumInput() int { return -1 }

// ExecContext is of driver.StmtExecContext.
func (b *borrowed) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return b.conn.ExecContext(ctx, b.query, args)
}

// QueryContext is of driver.StmtQueryContext.
func (b *borrowed) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return b.conn.QueryContext(ctx, b.query, args)
}

// Exec is of driver.Stmt, for callers older than contexts.
func (b *borrowed) Exec(args []driver.Value) (driver.Result, error) {
	return b.ExecContext(context.Background(), named(args))
}

// Query is of driver.Stmt, for callers older than contexts.
func (b *borrowed) Query(args []driver.Value) (driver.Rows, error) {
	return b.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, value := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return out
}
