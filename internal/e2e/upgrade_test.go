package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// forget begins to count calls anew.
func (t *tap) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count, t.seen = nil, nil
}

// TestKilledAnywhereInAChangeOfPlan kills the process at every call that follows a
// paid upgrade, before and after its effect. Whatever the moment, the one server has
// what was paid for, and the customer is asked once to restart it.
func TestKilledAnywhereInAChangeOfPlan(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	s := newShop(t)
	price := s.addLarger(t)
	moments := []point{}
	t.Run("undisturbed", func(t *testing.T) { moments = upgrade(t, s, price, nil) })
	if len(moments) < 12 {
		t.Fatalf("got %d moments from the undisturbed run, want at least 12: %v", len(moments), moments)
	}
	lane := make(chan struct{}, lanes)
	runs := sync.WaitGroup{}
	for _, p := range moments {
		runs.Go(func() {
			lane <- struct{}{}
			defer func() { <-lane }()
			t.Run(p.String(), func(t *testing.T) { upgrade(t, s, price, []point{p}) })
		})
	}
	runs.Wait()
	t.Logf("%d moments", len(moments))
}

// addLarger puts a larger plan into the shop, to which its first can be changed, and
// returns its price.
func (s shop) addLarger(t *testing.T) string {
	t.Helper()
	w := newWorld(t, s.dir)
	staff, ctx := client{w.site, s.staff}, t.Context()
	save := func(method, path string, in map[string]any) row {
		made := row{}
		if err := staff.call(ctx, method, "/api/collections/"+path, in, &made); err != nil {
			t.Fatal(err)
		}
		return made
	}
	plans, err := staff.rows(ctx, "plans", "slug = 'vps-m'")
	if err != nil || len(plans) != 1 {
		t.Fatalf("plans: got %v, %v", plans, err)
	}
	save(http.MethodPatch, "plans/records/"+plans[0].text("id"), map[string]any{"upgrade_group": "vps"})
	larger := save(http.MethodPost, "plans/records", map[string]any{
		"name": "VPS L", "slug": "vps-l", "service_type": "vps", "platform": plans[0].text("platform"), "status": "active", "upgrade_group": "vps",
		"platform_settings": map[string]string{"package_id": "3", "group_id": "1", "ipv6": "true"}, "choices": plans[0]["choices"],
	})
	price := save(http.MethodPost, "plan_prices/records", map[string]any{"plan": larger.text("id"), "currency": "EUR", "cycle": "monthly", "amount_minor": 1990, "setup_minor": 0, "active": true})
	if err := w.current().terminate(10 * time.Second); err != nil {
		t.Fatalf("stop after seeding: %v\n%s", err, w.current().out)
	}
	return price.text("id")
}

// upgrade buys a server and changes its plan, with deaths at some moments after the
// change was agreed, and returns the moments seen.
func upgrade(t *testing.T, s shop, price string, deaths []point) []point {
	t.Helper()
	w := newWorld(t, copyDir(t, s.dir))
	b := newBuyer(w, s)
	b.buy()
	b.settled()
	invoice, total := b.agree(t, price)
	w.tap.forget()
	w.tap.arm(deaths, w.die)
	w.until("the change is paid", patience, func(ctx context.Context) error {
		body := map[string]any{"amount_minor": total, "currency": "EUR", "reference": "transfer of the change"}
		err := b.staff.call(ctx, http.MethodPost, "/api/v1/staff/invoices/"+invoice+"/payments", body, nil)
		refused := &refusal{}
		if errors.As(err, &refused) && refused.status == http.StatusConflict {
			return nil // it is paid: its answer was lost
		}
		return err
	})
	w.until("the server is changed", patience, func(ctx context.Context) error {
		svc := row{}
		if err := b.staff.call(ctx, http.MethodGet, "/api/collections/services/records/"+b.service, nil, &svc); err != nil {
			return err
		}
		if svc["change_since"] != "" || svc["restart_needed"] != true {
			return fmt.Errorf("it is %v", svc)
		}
		return nil
	})
	b.settled()
	if missed := w.tap.missed(); len(missed) > 0 && missed[0].Nth == 1 {
		t.Errorf("not reached: %v", missed)
	}
	seen := w.tap.points()
	b.checkServer(t)
	b.checkChange(t)
	return seen
}

// agree asks for the larger plan at the price its preview shows.
func (b *buyer) agree(t *testing.T, price string) (invoice string, total int64) {
	t.Helper()
	subscription := b.one(t, "subscriptions").text("id")
	path, ctx := "/api/v1/subscriptions/"+subscription+"/changes", t.Context()
	shown := struct {
		Total struct {
			Minor int64 `json:"minor"`
		} `json:"total"`
	}{}
	if err := b.customer.call(ctx, http.MethodPost, path+"/preview", map[string]any{"price": price, "timing": "now"}, &shown); err != nil {
		t.Fatal(err)
	}
	change := row{}
	body := map[string]any{"price": price, "timing": "now", "client_key": "the-one-change-of-this-test", "total_minor": shown.Total.Minor}
	if err := b.customer.call(ctx, http.MethodPost, path, body, &change); err != nil {
		t.Fatal(err)
	}
	if shown.Total.Minor <= 0 || change["status"] != "pending" {
		t.Fatalf("got %v over %d, want a change that is to be paid", change, shown.Total.Minor)
	}
	return change.text("invoice_id"), shown.Total.Minor
}

func (b *buyer) checkChange(t *testing.T) {
	t.Helper()
	if got := b.w.panel.Snapshot().Servers[0]; got.PackageID != 3 || got.MemoryMB != 4096 || got.DiskGB != 80 {
		t.Errorf("server: got %+v, want package 3", got)
	}
	shown := row{}
	if err := b.customer.call(t.Context(), http.MethodGet, "/api/v1/services/"+b.service, nil, &shown); err != nil {
		t.Fatal(err)
	}
	if plan, _ := shown["plan"].(map[string]any); plan["name"] != "VPS L" || shown["plan_change"] != nil {
		t.Errorf("the customer sees %v, want VPS L and nothing under way", shown)
	}
	for collection, filter := range map[string]string{
		"provisioning_logs": "action = 'change_plan' && status = 'done'", "mails": "kind = 'restart_needed' && status = 'sent'", "subscription_changes": "status = 'applied'",
	} {
		if rows := b.rows(t, collection, filter); len(rows) != 1 {
			t.Errorf("%s with %s: got %d rows, want 1", collection, filter, len(rows))
		}
	}
	for _, i := range b.rows(t, "invoices", "") {
		if i["status"] != "paid" {
			t.Errorf("invoice %v, want it paid", i)
		}
	}
	if failed := b.rows(t, "jobs", "state = 'failed' || state = 'parked'"); len(failed) > 0 {
		t.Errorf("jobs given up: got %v, want none", failed)
	}
}
