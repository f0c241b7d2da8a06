package bench

import (
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
)

// BenchmarkDunning looks at b.N invoices that came due and were not paid: the
// first reminder of each is due and its service is past due. s/100k does not grow
// with b.N; ms/p99wait is how long another writer waits meanwhile.
func BenchmarkDunning(b *testing.B) {
	t := build(b, size(b))
	must(b, t.Task(b.Context(), "renewals"))
	t.shift(45 * 24 * time.Hour)
	waits := t.watch()
	b.ResetTimer()
	product := startWatch(b)
	must(b, t.Task(b.Context(), "dunning"))
	product.stop(b)
	b.StopTimer()
	waited := waits()
	late := 0
	must(b, t.DB().NewQuery("SELECT COUNT(*) FROM `"+collections.Subscriptions+"` WHERE `status` = 'past_due'").Row(&late))
	if late != t.size {
		b.Fatalf("%d subscriptions are past due, want %d", late, t.size)
	}
	b.ReportMetric(product.wall.Seconds()/float64(t.size)*100_000, "s/100k")
	b.ReportMetric(product.cpu.Seconds()/float64(t.size)*100_000, "cpu-s/100k")
	b.ReportMetric(float64(waited.Microseconds())/1000, "ms/p99wait")
}
