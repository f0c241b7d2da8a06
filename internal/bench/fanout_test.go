package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// portals is how many customers look on.
const portals = 2000

// BenchmarkFanOut saves the state of services while 2,000 portals are open: in "own"
// each portal is of another customer, and each save concerns one of them; in "shared"
// all are of one customer, and each save concerns all. ms/p99 is how long after the
// commit the last but 1 % were told, and ms/more what the open portals add to a
// saving call.
func BenchmarkFanOut(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(map[bool]string{false: "own", true: "shared"}[shared], func(b *testing.B) { fanOut(b, shared) })
	}
}

func fanOut(b *testing.B, shared bool) {
	s := start(b, false)
	people, expect := crowd(b, s, openShop(b, s), portals), 1
	if shared {
		for i := range people {
			people[i] = people[0]
		}
		expect = portals
	}
	quiet := s.saveEach(b, people[:200], "stopped")
	heard := &hearing{}
	open(b, s, people, heard)
	more := s.saveEach(b, people[:200], "running") - quiet
	heard.wait(b, 200*expect)
	waits := []time.Duration{}
	b.ResetTimer()
	for i := range b.N {
		committed := time.Time{}
		must(b, s.RunInTransaction(func(tx core.App) error {
			tx.TxInfo().OnComplete(func(error) error { committed = time.Now(); return nil })
			return setPower(tx, people[i%portals].service, []string{"stopped", "running"}[i/portals%2])
		}))
		for _, at := range heard.wait(b, expect) {
			waits = append(waits, at.Sub(committed))
		}
	}
	b.StopTimer()
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "ms/p99")
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(quiet.Microseconds())/1000, "ms/save")
	b.ReportMetric(float64(more.Microseconds())/1000, "ms/more")
}

// onlooker is a customer with a service.
type onlooker struct{ user, token, service string }

// crowd makes n customers like that of the shop, whose password takes long to hash.
func crowd(b *testing.B, s *server, in shop, n int) []onlooker {
	b.Helper()
	people := []onlooker{}
	columns := []string{}
	must(b, s.DB().NewQuery("SELECT `name` FROM pragma_table_info('users') WHERE `name` NOT IN ('id', 'email', 'tokenKey')").Column(&columns))
	list := "`" + strings.Join(columns, "`, `") + "`"
	must(b, s.RunInTransaction(func(tx core.App) error {
		for i := range n {
			id := fmt.Sprintf("onlooker%07d", i)
			_, err := tx.DB().NewQuery("INSERT INTO `users` (`id`, `email`, `tokenKey`, " + list + ") SELECT {:id}, {:email}, {:key}, " + list + " FROM `users` WHERE `id` = {:like}").
				Bind(dbx.Params{"id": id, "email": id + "@example.com", "key": strings.Repeat("k", 40) + id, "like": in.user.Id}).Execute()
			if err != nil {
				return err
			}
			one := in
			if one.user, err = tx.FindRecordById(collections.Users, id); err != nil {
				return err
			}
			sold, err := one.sellOne(tx, i+1)
			if err != nil {
				return err
			}
			token, err := one.user.NewAuthToken()
			if err != nil {
				return err
			}
			people = append(people, onlooker{id, token, sold.service})
		}
		return nil
	}))
	return people
}

func setPower(tx core.App, service, state string) error {
	svc, err := tx.FindRecordById(collections.Services, service)
	if err != nil {
		return err
	}
	svc.Set("power", state)
	return collections.Save(tx, svc)
}

// saveEach saves services one by one, and says how long one takes.
func (s *server) saveEach(b *testing.B, people []onlooker, state string) time.Duration {
	b.Helper()
	began := time.Now()
	for _, p := range people {
		must(b, s.RunInTransaction(func(tx core.App) error { return setPower(tx, p.service, state) }))
	}
	return time.Since(began) / time.Duration(len(people))
}

// hearing notes when portals were told.
type hearing struct {
	mu sync.Mutex
	at []time.Time
}

func (h *hearing) note() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = append(h.at, time.Now())
}

// wait waits until so many were told, and says when each was.
func (h *hearing) wait(b *testing.B, n int) []time.Time {
	b.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		h.mu.Lock()
		at := h.at
		if len(at) >= n {
			h.at = nil
			h.mu.Unlock()
			return at
		}
		h.mu.Unlock()
		if time.Now().After(end) {
			b.Fatalf("%d of %d portals were told", len(at), n)
		}
	}
}

// open connects the portal of each of them.
func open(b *testing.B, s *server, people []onlooker, heard *hearing) {
	b.Helper()
	streams := &http.Client{Transport: &http.Transport{MaxIdleConns: 1}}
	ready := make(chan error, len(people))
	for _, p := range people {
		go p.listen(b, streams, s.url, heard, ready)
	}
	for range people {
		must(b, <-ready)
	}
}

// listen keeps a realtime connection until the benchmark ends.
func (p onlooker) listen(b *testing.B, streams *http.Client, url string, heard *hearing, ready chan<- error) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+"/api/realtime", nil)
	if err != nil {
		ready <- err
		return
	}
	resp, err := streams.Do(req)
	if err != nil {
		ready <- err
		return
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		told := struct {
			ClientID string `json:"clientId"`
			ID       string `json:"id"`
		}{}
		if err := json.Unmarshal([]byte(data), &told); err != nil {
			b.Error(err)
			return
		}
		if told.ClientID != "" {
			ready <- p.subscribe(url, told.ClientID)
			continue
		}
		if told.ID == p.service {
			heard.note()
		}
	}
}

func (p onlooker) subscribe(url, stream string) error {
	body := fmt.Sprintf(`{"clientId":%q,"subscriptions":[%q]}`, stream, "customer/"+p.user)
	req, err := http.NewRequest(http.MethodPost, url+"/api/realtime", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", p.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("subscribe: %s", resp.Status)
	}
	return nil
}
