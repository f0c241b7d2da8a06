package bench

import (
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// BenchmarkRawSQLite writes, with raw prepared statements in commits of 25
// events, as many rows as settling an event writes, into the same file format
// and durability: what the disk and SQLite alone can do. Compare rows/s with
// twelve rows for each settled webhook.
func BenchmarkRawSQLite(b *testing.B) {
	const rowsPerEvent, perCommit = 12, 25
	db, err := connect(b.TempDir() + "/data.db")
	must(b, err)
	defer func() { _ = db.Close() }()
	raw := db.DB()
	raw.SetMaxOpenConns(1)
	_, err = raw.ExecContext(b.Context(), "CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT, b TEXT, c TEXT, d INTEGER, e TEXT, f TEXT, g TEXT, h TEXT, i TEXT); CREATE INDEX ta ON t (a, b); CREATE INDEX tc ON t (c)")
	must(b, err)
	b.ResetTimer()
	began, rows := time.Now(), 0
	for done := 0; done < b.N; done += perCommit {
		tx, err := raw.BeginTx(b.Context(), nil)
		must(b, err)
		stmt, err := tx.PrepareContext(b.Context(), "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
		must(b, err)
		for range perCommit * rowsPerEvent {
			id := core.GenerateDefaultRandomId()
			_, err := stmt.ExecContext(b.Context(), id, id, "user", id, rows, "2026-01-01 00:00:00.000Z", "EUR", "", "", "")
			must(b, err)
			rows++
		}
		must(b, tx.Commit())
	}
	b.ReportMetric(float64(rows)/rowsPerEvent/time.Since(began).Seconds(), "events/s")
	b.ReportMetric(float64(rows)/time.Since(began).Seconds(), "rows/s")
}
