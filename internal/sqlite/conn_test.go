package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// open is a database of one connection, and that connection.
func open(t testing.TB) (*sql.DB, func() *Conn) {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "data.db"), Options{Synchronous: "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	db.DB().SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db.DB(), func() *Conn {
		t.Helper()
		c, err := db.DB().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		var inner *Conn
		if err := c.Raw(func(raw any) error { inner = raw.(*Conn); return nil }); err != nil {
			t.Fatal(err)
		}
		return inner
	}
}

func exec(t testing.TB, db interface {
	Exec(query string, args ...any) (sql.Result, error)
}, query string, args ...any,
) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func count(t testing.TB, db *sql.DB, query string, args ...any) int {
	t.Helper()
	n := 0
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestAStatementIsPreparedOnce(t *testing.T) {
	db, inner := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	for i := range 10 {
		exec(t, db, "INSERT INTO t (a) VALUES (?)", i)
	}
	if n := count(t, db, "SELECT count(*) FROM t WHERE a < ?", 5); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}
	if n := count(t, db, "SELECT count(*) FROM t WHERE a < ?", 7); n != 7 {
		t.Errorf("%d rows with another argument, want 7", n)
	}
	c := inner()
	if len(c.kept) != 3 || c.used.Len() != 3 {
		t.Errorf("kept %d statements, want 3: one for each text", len(c.kept))
	}
	if !c.AtRest() {
		t.Error("not at rest after all is read")
	}
}

// A loop over a query may run the same query inside: the rows of the outer one
// must not start anew.
func TestAQueryInsideItself(t *testing.T) {
	db, inner := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	exec(t, db, "INSERT INTO t (a) VALUES (1), (2), (3)")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT a FROM t ORDER BY a"
	prepared, err := tx.PrepareContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	read := func(rows *sql.Rows, err error) (out []int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			n := 0
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	outer, err := tx.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for outer.Next() {
		seen++
		if got := fmt.Sprint(read(tx.QueryContext(t.Context(), query)), read(prepared.QueryContext(t.Context()))); got != "[1 2 3] [1 2 3]" {
			t.Errorf("inside: %s", got)
		}
	}
	if err := errors.Join(outer.Err(), outer.Close()); err != nil || seen != 3 {
		t.Errorf("outside: %d rows, %v", seen, err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if !inner().AtRest() {
		t.Error("not at rest after all is closed")
	}
}

// A migration changes tables of which statements are kept.
func TestTheSchemaChangesUnderAKeptStatement(t *testing.T) {
	db, _ := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	exec(t, db, "INSERT INTO t (a) VALUES (1)")
	columns := func() []string {
		t.Helper()
		rows, err := db.Query("SELECT * FROM t")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
		}
		return names
	}
	before := fmt.Sprint(columns())
	exec(t, db, "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'")
	if after := fmt.Sprint(columns()); before != "[a]" || after != "[a b]" {
		t.Errorf("columns %s, then %s", before, after)
	}
	exec(t, db, "DROP TABLE t")
	if _, err := db.Query("SELECT * FROM t"); err == nil || !strings.Contains(err.Error(), "no such table") { //nolint:rowserrcheck,sqlclosecheck // there are no rows
		t.Errorf("a dropped table: %v", err)
	}
	exec(t, db, "CREATE TABLE t (c INTEGER)")
	if again := fmt.Sprint(columns()); again != "[c]" {
		t.Errorf("columns of the new table: %s", again)
	}
	exec(t, db, "VACUUM")
}

func TestAnErrorLeavesTheStatementUsable(t *testing.T) {
	db, _ := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER UNIQUE)")
	for range 3 {
		if _, err := db.Exec("INSERT INTO t (a) VALUES (?)", 1); err != nil && !strings.Contains(err.Error(), "UNIQUE") {
			t.Fatal(err)
		}
		exec(t, db, "DELETE FROM t WHERE a = ?", 2)
		if _, err := db.Exec("INSERT INTO t (a) VALUES (?)", 1); err == nil {
			t.Fatal("stored twice")
		}
		exec(t, db, "INSERT INTO t (a) VALUES (?)", 2)
	}
	if n := count(t, db, "SELECT count(*) FROM t"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	if _, err := db.Exec("INSERT INTO t (b) VALUES (1)"); err == nil || !strings.Contains(err.Error(), "no column named b") {
		t.Errorf("a wrong statement: %v", err)
	}
}

// Rows that are closed before their end hold no lock.
func TestRowsLeftUnread(t *testing.T) {
	db, _ := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	exec(t, db, "INSERT INTO t (a) VALUES (1), (2), (3)")
	if n := count(t, db, "SELECT a FROM t ORDER BY a"); n != 1 { // reads one row of three
		t.Errorf("first row %d", n)
	}
	exec(t, db, "DROP TABLE t") // refused while a statement is at work
}

func TestOldStatementsMakeRoom(t *testing.T) {
	db, inner := open(t)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	for i := range 3 * mostKept {
		exec(t, db, fmt.Sprintf("INSERT INTO t (a) VALUES (%d)", i))
		exec(t, db, "INSERT INTO t (a) VALUES (?)", -1)
	}
	exec(t, db, "INSERT INTO t (a) VALUES (-1)"+strings.Repeat(",(-1)", longestKept/5))
	c := inner()
	if len(c.kept) != mostKept || c.used.Len() != mostKept {
		t.Errorf("kept %d statements in a list of %d, want %d", len(c.kept), c.used.Len(), mostKept)
	}
	if c.kept["INSERT INTO t (a) VALUES (?)"] == nil {
		t.Error("what is used all the time had to make room")
	}
	for text := range c.kept {
		if len(text) > longestKept {
			t.Errorf("kept a text of %d bytes", len(text))
		}
	}
}

func TestScriptsAndNothing(t *testing.T) {
	db, _ := open(t)
	for range 2 {
		exec(t, db, "CREATE TABLE IF NOT EXISTS t (a INTEGER); INSERT INTO t (a) VALUES (1); INSERT INTO t (a) VALUES (2)")
		exec(t, db, "-- nothing")
	}
	if n := count(t, db, "SELECT count(*) FROM t"); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
}

// A reader that gives up is interrupted; its connection is not used again and the
// next one works.
func TestAnInterruptedQuery(t *testing.T) {
	db, _ := open(t)
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < ?"
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		n := 0
		if err := db.QueryRowContext(ctx, endless, 0).Scan(&n); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
		cancel()
		if n := count(t, db, "SELECT 1"); n != 1 {
			t.Errorf("afterwards: %d", n)
		}
	}
}

// Many goroutines share the connections of a pool.
func TestManyAtOnce(t *testing.T) {
	db, _ := open(t)
	db.SetMaxOpenConns(4)
	exec(t, db, "CREATE TABLE t (a INTEGER)")
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				if _, err := db.Exec("INSERT INTO t (a) VALUES (?)", worker); err != nil {
					t.Errorf("insert: %v", err)
				}
				n := 0
				if err := db.QueryRow("SELECT count(*) FROM t WHERE a = ?", worker).Scan(&n); err != nil || n != i+1 {
					t.Errorf("worker %d sees %d rows of its own, want %d (%v)", worker, n, i+1, err)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkExec compares a statement that is kept with one that is prepared each
// time, as the driver itself does.
func BenchmarkExec(b *testing.B) {
	const query = "UPDATE t SET b = b + 1, c = coalesce(nullif(?, ''), c) WHERE a = ? AND b >= 0 AND EXISTS (SELECT 1 FROM t AS other WHERE other.a = t.a)"
	run := func(b *testing.B, db *sql.DB) {
		b.Helper()
		exec(b, db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER, c TEXT)")
		exec(b, db, "INSERT INTO t (a, b, c) VALUES (1, 0, '')")
		for b.Loop() {
			exec(b, db, query, "x", 1)
		}
	}
	b.Run("kept", func(b *testing.B) {
		db, _ := open(b)
		run(b, db)
	})
	b.Run("each", func(b *testing.B) {
		db, err := sql.Open("sqlite", Options{Synchronous: "OFF"}.Name(filepath.Join(b.TempDir(), "data.db")))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		run(b, db)
	})
}
