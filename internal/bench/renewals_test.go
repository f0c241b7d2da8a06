package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/books"
)

// BenchmarkRenewals invoices b.N subscriptions that are due, by the task that the
// product runs each minute, with everybody who follows invoices. Then the same
// rows go by raw prepared inserts, in commits of about the same size, into a copy
// of the database as it was before, with its indexes and triggers: ratio is
// raw / product in time, cpu-ratio the same in time of the processor, which other
// work on the machine disturbs less. Meanwhile another writer writes a row every
// 20 ms: ms/p99wait is how long it waits for its turn. At the end the books are
// audited.
func BenchmarkRenewals(b *testing.B) {
	t := build(b, size(b))
	before := t.copy(b)
	last := t.lastRows(b)
	waits := t.watch()
	resetPeak(b)
	b.ResetTimer()
	product := startWatch(b)
	must(b, t.Task(b.Context(), "renewals"))
	product.stop(b)
	b.StopTimer()
	peak := peakMemory(b)
	waited := waits()
	t.mustBeRenewed(b)
	rows, raw := t.rawInserts(b, before, last)
	b.ReportMetric(float64(t.size)/product.wall.Seconds(), "subscriptions/s")
	b.ReportMetric(product.wall.Seconds()/float64(t.size)*100_000, "s/100k")
	b.ReportMetric(product.cpu.Seconds()/float64(t.size)*100_000, "cpu-s/100k")
	b.ReportMetric(float64(rows)/product.wall.Seconds(), "rows/s")
	b.ReportMetric(raw.wall.Seconds()/product.wall.Seconds(), "ratio")
	b.ReportMetric(raw.cpu.Seconds()/product.cpu.Seconds(), "cpu-ratio")
	b.ReportMetric(float64(waited.Microseconds())/1000, "ms/p99wait")
	b.ReportMetric(float64(peak)/1024, "MiB/peak")
}

// mustBeRenewed fails unless every subscription was invoiced once and the books
// are true.
func (t *town) mustBeRenewed(b *testing.B) {
	b.Helper()
	count := 0
	must(b, t.DB().NewQuery("SELECT COUNT(*) FROM `invoice_items` WHERE `kind` = 'period' AND `period_start` > {:now}").Bind(dbx.Params{"now": collections.Stamp(renewal).String()}).Row(&count))
	if count != t.size {
		b.Fatalf("%d periods are invoiced, want %d", count, t.size)
	}
	found, err := books.Audit(t.DB())
	must(b, err)
	for _, f := range found {
		b.Errorf("books: %s", f)
	}
}

// watch writes a row every 20 ms until the function it returns is called, which
// returns the 99th percentile of how long that took.
func (t *town) watch() func() time.Duration {
	stop, done, waits := make(chan struct{}), sync.WaitGroup{}, []time.Duration{}
	done.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			began := time.Now()
			_, _, err := collections.Row(t.App, collections.CancellationSurveys, renewal, dbx.Params{"user": "u", "subscription": "s", "reason": strconv.Itoa(i)})
			if err != nil {
				panic(err)
			}
			waits = append(waits, time.Since(began))
		}
	})
	return func() time.Duration {
		close(stop)
		done.Wait()
		if len(waits) == 0 {
			return 0
		}
		slices.Sort(waits)
		return waits[len(waits)*99/100]
	}
}

// renewed are the tables a renewal inserts into, in the order in which a raw
// insert may fill them.
var renewed = []string{collections.InvoiceItems, collections.Invoices, collections.LedgerEntries, collections.Mails, collections.Jobs}

// lastRows are the last rows of those tables.
func (t *town) lastRows(b *testing.B) map[string]int64 {
	b.Helper()
	last := map[string]int64{}
	for _, table := range renewed {
		row := int64(0)
		must(b, t.DB().NewQuery("SELECT IFNULL(MAX(rowid), 0) FROM `"+table+"`").Row(&row))
		last[table] = row
	}
	return last
}

// copy is a copy of the database as it is now.
func (t *town) copy(b *testing.B) string {
	b.Helper()
	_, err := t.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute()
	must(b, err)
	path := filepath.Join(b.TempDir(), "data.db")
	from, err := os.Open(filepath.Join(t.DataDir(), "data.db"))
	must(b, err)
	to, err := os.Create(path)
	must(b, err)
	_, err = io.Copy(to, from)
	must(b, err)
	must(b, from.Close())
	must(b, to.Sync())
	must(b, to.Close())
	return path
}

// rawInserts writes what the renewal wrote since the last rows into a copy, and
// returns how many rows and how long that took.
func (t *town) rawInserts(b *testing.B, path string, last map[string]int64) (rows int, raw watch) {
	b.Helper()
	const perCommit = 200 // invoices
	db, err := connect(path)
	must(b, err)
	defer func() { _ = db.Close() }()
	db.DB().SetMaxOpenConns(1)
	for {
		batches := [][][]any{}
		for _, table := range renewed {
			batches = append(batches, t.next(b, table, last, perCommit))
		}
		if len(batches[1]) == 0 {
			return rows, raw
		}
		one := startWatch(b)
		tx, err := db.DB().BeginTx(b.Context(), nil)
		must(b, err)
		for i, batch := range batches {
			rows += insertRaw(b, tx, renewed[i], batch)
		}
		must(b, tx.Commit())
		one.stop(b)
		raw.wall, raw.cpu = raw.wall+one.wall, raw.cpu+one.cpu
	}
}

// next reads what belongs to the next so many invoices: their lines, and of the
// other tables as many rows as there may be for each.
func (t *town) next(b *testing.B, table string, last map[string]int64, invoices int64) [][]any {
	b.Helper()
	where, params := "`rowid` > {:last} ORDER BY `rowid` LIMIT {:most}", dbx.Params{"last": last[table], "most": invoices}
	switch table {
	case collections.InvoiceItems:
		where, params["last"] = "`invoice` IN (SELECT `id` FROM `invoices` WHERE `rowid` > {:last} ORDER BY `rowid` LIMIT {:most})", last[collections.Invoices]
	case collections.LedgerEntries:
		params["most"] = 3 * invoices
	}
	found, err := t.DB().NewQuery("SELECT `rowid`, * FROM `" + table + "` WHERE " + where).Bind(params).Rows()
	must(b, err)
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	must(b, err)
	rows := [][]any{}
	for found.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		must(b, found.Scan(into...))
		if id, ok := row[0].(int64); ok {
			last[table] = max(last[table], id)
		}
		rows = append(rows, row[1:])
	}
	must(b, found.Err())
	return rows
}

func insertRaw(b *testing.B, tx *sql.Tx, table string, batch [][]any) int {
	b.Helper()
	if len(batch) == 0 {
		return 0
	}
	stmt, err := tx.PrepareContext(context.Background(), fmt.Sprintf("INSERT INTO `%s` VALUES (%s?)", table, strings.Repeat("?, ", len(batch[0])-1)))
	must(b, err)
	for _, row := range batch {
		_, err := stmt.ExecContext(context.Background(), row...)
		must(b, err)
	}
	return len(batch)
}
