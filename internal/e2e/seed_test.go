package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

const (
	staffEmail       = "staff@example.com"
	customerEmail    = "ada@example.com"
	accountsPassword = "correct horse battery"
)

// shop is a stopped installation with a catalog and a customer, to be copied.
type shop struct {
	dir             string
	staff, customer string // tokens
	price           string
	total           int64
}

// newShop seeds through the doors that staff and customers use.
func newShop(tb testing.TB) shop {
	tb.Helper()
	dir := tb.TempDir()
	ctx := tb.Context()
	out, err := exec.CommandContext(ctx, binary(tb), "superuser", "upsert", staffEmail, accountsPassword, "--dir", dir).CombinedOutput()
	if err != nil {
		tb.Fatalf("superuser upsert: %v\n%s", err, out)
	}
	w := newWorld(tb, dir)
	s := shop{dir: dir, total: 990}
	nobody := client{site: w.site}
	staff, err := nobody.signIn(ctx, "_superusers", staffEmail, accountsPassword)
	if err != nil {
		tb.Fatal(err)
	}
	s.staff, s.price = staff.token, seedCatalog(ctx, tb, staff, s.total)
	err = nobody.call(ctx, http.MethodPost, "/api/v1/account/sign-up", map[string]any{
		"email": customerEmail, "password": accountsPassword, "name": "Ada Lovelace", "locale": "en", "time_zone": "Europe/London", "terms": true,
	}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	customer, err := nobody.signIn(ctx, "users", customerEmail, accountsPassword)
	if err != nil {
		tb.Fatal(err)
	}
	s.customer = customer.token
	w.until("the verification mail is sent", 10*time.Second, func(ctx context.Context) error {
		return staff.none(ctx, "jobs", "state != 'done'")
	})
	if err := w.current().terminate(10 * time.Second); err != nil {
		tb.Fatalf("stop after seeding: %v\n%s", err, w.current().out)
	}
	return s
}

// seedCatalog makes one plan on the panel and returns its monthly price.
func seedCatalog(ctx context.Context, tb testing.TB, staff client, amount int64) string {
	tb.Helper()
	platforms, err := staff.rows(ctx, "platforms", "kind = 'virtfusion'")
	if err != nil || len(platforms) != 1 {
		tb.Fatalf("platforms: got %v, want the one of the environment (%v)", platforms, err)
	}
	platform := platforms[0].text("id")
	create := func(method, path string, in map[string]any) string {
		made := row{}
		if err := staff.call(ctx, method, path, in, &made); err != nil {
			tb.Fatal(err)
		}
		return made.text("id")
	}
	create(http.MethodPatch, "/api/collections/platforms/records/"+platform, map[string]any{"settings": map[string]any{"settle_seconds": 1}})
	plan := create(http.MethodPost, "/api/collections/plans/records", map[string]any{
		"name": "VPS M", "slug": "vps-m", "service_type": "vps", "platform": platform, "status": "active",
		"platform_settings": map[string]string{"package_id": "2", "group_id": "1", "ipv6": "true"},
		"features":          map[string]int64{"cpu_cores": 2, "ram_mb": 4096, "disk_gb": 80},
		"choices":           []map[string]any{{"name": "template_id", "label": "Operating system", "required": true, "options": []map[string]string{{"value": "8", "label": "Debian 12"}}}},
	})
	return create(http.MethodPost, "/api/collections/plan_prices/records", map[string]any{
		"plan": plan, "currency": "EUR", "cycle": "monthly", "amount_minor": amount, "setup_minor": 0, "active": true,
	})
}
