package bench

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
	platform "github.com/ezscale/ezscale/hooks/provisioning"
)

// slowPanel takes two seconds for each of the two calls that a server needs.
type slowPanel struct{ calls atomic.Int64 }

func (*slowPanel) Steps() []string { return []string{"create", "build"} }

func (p *slowPanel) Advance(ctx context.Context, o provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	p.calls.Add(1)
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return b, ctx.Err()
	}
	if b.Step == "create" {
		b.Step, b.RemoteID = "build", o.ServiceID
		return b, nil
	}
	b.Done = true
	return b, nil
}

func (*slowPanel) Recover(_ context.Context, _ provisioning.Order, b provisioning.Build) (provisioning.Build, error) {
	return b, nil
}

// BenchmarkSlowPanel reads a customer's service in the portal with nothing else to
// do, and while 1,000 services are queued at a panel that takes two seconds a call;
// turn by turn, so that both see the same machine. ratio is p99 with them / without.
func BenchmarkSlowPanel(b *testing.B) {
	panel, d := &slowPanel{}, deps(b)
	d.Platforms = map[string]platform.Factory{"virtfusion": func(platform.Settings) (any, error) { return panel, nil }}
	quiet, busy := start(b, false), startWith(b, &d)
	urls, tokens := [2]string{}, [2]string{}
	shops := [2]shop{}
	for i, s := range []*server{quiet, busy} {
		in := openShop(b, s)
		shops[i] = in
		urls[i], tokens[i] = s.url+"/api/v1/services/"+in.sell(b, s, 1)[0].service, in.token
	}
	queueThousand(b, busy, shops[1])
	for end := time.Now().Add(20 * time.Second); panel.calls.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("the panel is not called")
		}
	}
	took := [2][]time.Duration{}
	const turn = 50
	b.ResetTimer()
	for done := 0; done < b.N; done += turn {
		for i := range took {
			for range turn {
				began := time.Now()
				get(b, urls[i], tokens[i])
				took[i] = append(took[i], time.Since(began))
			}
		}
	}
	b.StopTimer()
	p99 := [2]time.Duration{}
	for i := range took {
		slices.Sort(took[i])
		p99[i] = took[i][len(took[i])*99/100]
	}
	b.ReportMetric(float64(p99[1])/float64(p99[0]), "ratio")
	b.ReportMetric(float64(p99[0].Microseconds())/1000, "ms/p99quiet")
	b.ReportMetric(float64(p99[1].Microseconds())/1000, "ms/p99busy")
	b.ReportMetric(float64(panel.calls.Load()), "calls")
}

// queueThousand pays for services of a thousand customers at the panel.
func queueThousand(b *testing.B, s *server, in shop) {
	b.Helper()
	panel, err := collections.Insert(s, collections.Platforms, map[string]any{"kind": "virtfusion", "name": "Slow", "enabled": true, "url": "http://127.0.0.1:1"})
	must(b, err)
	people := crowd(b, s, in, 1000)
	must(b, s.RunInTransaction(func(tx core.App) error {
		for _, p := range people {
			_, err := tx.DB().Update(collections.Services, dbx.Params{"platform": panel.Id, "status": "provisioning"}, dbx.HashExp{"id": p.service}).Execute()
			if err != nil {
				return err
			}
			job := jobs.Job{
				Kind: string(provisioning.JobProvision), Key: string(provisioning.JobProvision) + ":" + p.service, Serial: "user:" + p.user, Class: platform.JobClass,
				User: p.user, Service: p.service, Actor: "system", Payload: struct{}{},
			}
			if _, err := jobs.Enqueue(tx, time.Now(), job); err != nil {
				return err
			}
		}
		return nil
	}))
}
