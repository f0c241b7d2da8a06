package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/sqlite"
)

// BenchmarkAudit proves the books of a town with b.N invoices, each paid. s/million
// is what a million invoices take at that rate. EZSCALE_BENCH_RULES=1 prints how
// long each rule takes.
func BenchmarkAudit(b *testing.B) {
	t := build(b, size(b))
	db, err := sqlite.OpenReadOnly(filepath.Join(t.DataDir(), "data.db")) // as the audit command does
	must(b, err)
	defer func() { _ = db.Close() }()
	resetPeak(b)
	b.ResetTimer()
	began := time.Now()
	found, err := books.Audit(db)
	took := time.Since(began)
	b.StopTimer()
	must(b, err)
	for _, f := range found {
		b.Errorf("books: %s", f)
	}
	b.ReportMetric(took.Seconds()/float64(t.size)*1_000_000, "s/million")
	b.ReportMetric(float64(peakMemory(b))/1024, "MiB/peak")
	if os.Getenv("EZSCALE_BENCH_RULES") == "" {
		return
	}
	each := strings.Builder{}
	for _, r := range books.Rules() {
		began := processorTime(b)
		_, err := r.Check(db)
		must(b, err)
		fmt.Fprintf(&each, "\n%8.3f s  %s", (processorTime(b) - began).Seconds(), r.Name)
	}
	fmt.Fprintln(os.Stderr, each.String()) // b.Log cuts it off
}
