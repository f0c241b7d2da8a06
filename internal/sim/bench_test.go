package sim

import "testing"

// BenchmarkAYear is a year of twenty-five customers in bad weather, on one core.
func BenchmarkAYear(b *testing.B) {
	for b.Loop() {
		o := Options{Seed: 1, Days: 365, Customers: 25, Faults: true, Dir: b.TempDir(), Public: public}
		got, err := Run(o)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(got.Points), "writes/op")
	}
}
