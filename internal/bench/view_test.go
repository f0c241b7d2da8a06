package bench

import (
	"testing"
	"time"
)

// BenchmarkOwnRecordView reads a customer's own service through the record API,
// from the product and from bare PocketBase with the same schema and row, turn
// by turn in one run. ratio is product / bare in reads per second.
func BenchmarkOwnRecordView(b *testing.B) {
	product, bare := start(b, false), start(b, true)
	urls := [2]string{}
	tokens := [2]string{}
	for i, s := range []*server{product, bare} {
		shop := openShop(b, s)
		urls[i] = s.url + "/api/collections/services/records/" + shop.sell(b, s, 1)[0].service
		tokens[i] = shop.token
	}
	const turn = 200
	var took [2]time.Duration
	for i := range took { // warm
		for range turn {
			get(b, urls[i], tokens[i])
		}
	}
	b.ResetTimer()
	for done := 0; done < b.N; done += turn {
		for i := range took {
			began := time.Now()
			for range turn {
				get(b, urls[i], tokens[i])
			}
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
	b.ReportMetric(took[0].Seconds()*1e6/float64(rounds(b.N, turn)), "µs/view")
	b.ReportMetric(took[1].Seconds()*1e6/float64(rounds(b.N, turn)), "µs/bare")
}

func rounds(n, turn int) int { return (n + turn - 1) / turn * turn }
