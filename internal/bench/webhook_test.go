package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
)

// BenchmarkWebhookRenewal is BenchmarkWebhookSettled for services that run
// already: nothing is set in motion but the next period.
func BenchmarkWebhookRenewal(b *testing.B) { settleAll(b, true) }

// BenchmarkWebhookSettled delivers b.N signed "payment succeeded" webhooks over
// HTTP by 64 senders, each for an order of its own, and stops when all of them
// are settled: payment, invoice, ledger, order, subscription, service, jobs and
// receipt are in the database, each delivery acknowledged only once it is on
// disk. settled/s is the figure.
func BenchmarkWebhookSettled(b *testing.B) { settleAll(b, false) }

func settleAll(b *testing.B, renewal bool) {
	s := start(b, false)
	sales := openShop(b, s).sell(b, s, b.N)
	if renewal {
		_, err := s.DB().NewQuery("UPDATE `services` SET `status` = 'active'").Execute()
		must(b, err)
		_, err = s.DB().NewQuery("UPDATE `orders` SET `status` = 'paid'").Execute()
		must(b, err)
	}
	bodies := make([][]byte, len(sales))
	for i, sale := range sales {
		bodies[i] = paid(i, sale)
	}
	b.ResetTimer()
	began := time.Now()
	deliver(b, s.url+"/webhooks/stripe", bodies)
	stored := time.Since(began)
	for {
		open := 0
		must(b, s.DB().Select("count(*)").From(collections.Invoices).Where(dbx.HashExp{"status": "open"}).Row(&open))
		if open == 0 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "settled/s")
	b.ReportMetric(float64(b.N)/stored.Seconds(), "stored/s")
}

// BenchmarkWebhookRepeated delivers one and the same webhook again and again.
func BenchmarkWebhookRepeated(b *testing.B) {
	s := start(b, false)
	body := paid(0, openShop(b, s).sell(b, s, 1)[0])
	bodies := make([][]byte, b.N)
	for i := range bodies {
		bodies[i] = body
	}
	b.ResetTimer()
	deliver(b, s.url+"/webhooks/stripe", bodies)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

func paid(i int, s sale) []byte {
	return fmt.Appendf(nil, `{"id":"evt_bench_%d","object":"event","api_version":"2024-06-20","created":%d,"livemode":false,"type":"payment_intent.succeeded","data":{"object":{"id":"pi_bench_%d","object":"payment_intent","amount":990,"amount_received":990,"currency":"eur","status":"succeeded","customer":"cus_bench","payment_method":"pm_bench","latest_charge":"ch_bench_%d","metadata":{"attempt_id":"%s","invoice_id":"%s"},"created":%d}}}`,
		i, time.Now().Unix(), i, i, s.attempt, s.invoice, time.Now().Unix())
}

// deliver posts all bodies by 64 senders and fails on any answer but 200.
func deliver(b *testing.B, url string, bodies [][]byte) {
	b.Helper()
	next := make(chan []byte, len(bodies))
	for _, body := range bodies {
		next <- body
	}
	close(next)
	var senders sync.WaitGroup
	for range 64 {
		senders.Go(func() {
			for body := range next {
				if status := post(url, body); status != http.StatusOK {
					b.Errorf("delivery answered %d", status)
					return
				}
			}
		})
	}
	senders.Wait()
}

func post(url string, body []byte) int {
	at := fmt.Sprint(time.Now().Unix())
	m := hmac.New(sha256.New, []byte(webhookSecret))
	fmt.Fprintf(m, "%s.%s", at, body)
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Stripe-Signature", "t="+at+",v1="+hex.EncodeToString(m.Sum(nil)))
	resp, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
