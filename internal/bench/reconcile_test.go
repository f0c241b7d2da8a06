package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/payments"
)

// reconciled is how many movements a comparison reads.
const reconciled = 100_000

// account is a gateway whose book is made up as it is read, so that what a
// comparison keeps in memory is its own.
type account struct {
	billing.Gateway
	began time.Time
}

func (account) Check(context.Context) error { return nil }

func (a account) Transactions(_ context.Context, from, to time.Time, visit func(billing.Transaction) error) (time.Time, error) {
	amount := money.Must(490, "EUR")
	for i := range reconciled {
		at := a.began.Add(time.Duration(i) * time.Second)
		if at.Before(from) || !at.Before(to) {
			continue
		}
		if err := visit(billing.Transaction{ID: fmt.Sprintf("BENCH%012d", i), Kind: billing.TransactionPayment, State: billing.PaymentSucceeded, Amount: amount, Fee: amount.Zero(), At: at}); err != nil {
			return time.Time{}, err
		}
	}
	return to, nil
}

// BenchmarkReconcile compares 100,000 payments with a gateway's book; one operation
// is a whole comparison. peak-MB is the most that the heap held.
func BenchmarkReconcile(b *testing.B) {
	began := time.Now().Add(-30 * time.Hour)
	d := deps(b)
	d.Gateways["paypal"] = func(payments.Settings) (billing.Gateway, error) { return account{began: began}, nil }
	d.GatewayOverride["paypal"] = payments.Settings{ClientID: "x", SecretKey: "x", WebhookSecret: "x"}
	s := startWith(b, &d)
	_, err := collections.Insert(s.App, collections.Gateways, map[string]any{"kind": "paypal", "label": "PayPal", "enabled": true, "position": 20})
	must(b, err)
	must(b, s.RunInTransaction(func(tx core.App) error { return fill(tx, began) }))
	token := staffOf(b, s)
	for b.Loop() {
		stop, peak := watchHeap()
		postAs(b, s.url+"/api/v1/staff/reconcile/runs", token, `{"gateway":"paypal"}`)
		for {
			n := 0
			must(b, s.DB().NewQuery("SELECT COUNT(*) FROM `reconcile_runs` WHERE `status` = 'running'").Row(&n))
			if n == 0 {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		close(stop)
		b.ReportMetric(float64(peak.Load())/(1<<20), "peak-MB")
	}
	seen := struct {
		Seen    int64 `db:"seen"`
		Matched int64 `db:"matched"`
	}{}
	must(b, s.DB().NewQuery("SELECT `seen`, `matched` FROM `reconcile_runs` WHERE `status` = 'done' ORDER BY `rowid` LIMIT 1").One(&seen))
	if seen.Seen != reconciled || seen.Matched != reconciled {
		b.Fatalf("%d were compared and %d fit, want all %d", seen.Seen, seen.Matched, reconciled)
	}
	b.ReportMetric(float64(reconciled)/(b.Elapsed().Seconds()/float64(b.N)), "movements/s")
}

// fill writes the payments that the account's book has.
func fill(tx core.App, began time.Time) error {
	for i := range reconciled {
		at := collections.Stamp(began.Add(time.Duration(i) * time.Second)).String()
		_, _, err := collections.Row(tx, collections.PaymentTransactions, began, dbx.Params{
			"user": "bench", "invoice": "", "gateway": "paypal", "kind": "page", "status": "succeeded", "gateway_transaction_id": fmt.Sprintf("BENCH%012d", i), "idempotency_key": fmt.Sprintf("bench:%d", i),
			"page_reference": "", "page_url": "", "page_expires_at": "", "gateway_method_id": "", "action_url": "", "currency": "EUR", "amount_minor": 490, "applied_minor": 490, "excess_minor": 0, "fee_minor": 0,
			"reason": "", "decline": "", "description": "", "settled_at": at, "automatic": false, "reconciled_at": "",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// watchHeap notes the most that the heap holds until stop is closed.
func watchHeap() (stop chan struct{}, peak *atomic.Uint64) {
	stop, peak = make(chan struct{}), &atomic.Uint64{}
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			m := runtime.MemStats{}
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return stop, peak
}

func staffOf(b *testing.B, s *server) string {
	b.Helper()
	r, err := collections.New(s.App, core.CollectionNameSuperusers)
	must(b, err)
	r.SetEmail("staff@bench.test")
	r.SetPassword("a password for benchmarks")
	must(b, collections.Save(s.App, r))
	token, err := r.NewAuthToken()
	must(b, err)
	return token
}

func postAs(b *testing.B, url, token, body string) {
	b.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	must(b, err)
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	must(b, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		answer := map[string]any{}
		_ = json.NewDecoder(resp.Body).Decode(&answer)
		b.Fatalf("%s: %d %v", url, resp.StatusCode, answer)
	}
}
