package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/collections"
)

// BenchmarkQuote asks over HTTP for the price of a cart of ten items, each
// another plan with a choice and two options, with a coupon and tax: sixty lines
// today, and those of the next period. ms/quote is wanted below 2.
func BenchmarkQuote(b *testing.B) {
	s := start(b, false)
	body := tenItems(b, s, openShop(b, s))
	ask := func() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.url+"/api/v1/orders/quote", strings.NewReader(body))
		must(b, err)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		must(b, err)
		raw, err := io.ReadAll(resp.Body)
		must(b, err)
		must(b, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			b.Fatalf("quote: %d %s", resp.StatusCode, raw)
		}
	}
	ask() // warm
	b.ResetTimer()
	for range b.N {
		ask()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/quote")
}

// tenItems fills the catalog and writes the request.
func tenItems(b *testing.B, s *server, in shop) string {
	b.Helper()
	insert := func(collection string, values map[string]any) string {
		r, err := collections.Insert(s, collection, values)
		must(b, err)
		return r.Id
	}
	must(b, collections.SaveSetting(s, "tax", map[string]any{"enabled": true, "rounding": "line", "home_country": "DE", "eu_vat": true, "oss": true}))
	for _, c := range []string{"DE", "AT", "FR", "IT", "ES", "NL", "BE", "PL", "SE", "DK"} {
		insert(collections.TaxRates, map[string]any{"name": "VAT", "country": c, "level": 1, "ppm": 200_000, "valid_from": "2020-01-01 00:00:00.000Z"})
	}
	insert(collections.Coupons, map[string]any{"code": "TENTH", "kind": "percent", "basis_points": 1000, "periods": 3, "status": "active"})
	items := []map[string]any{}
	for i := range 10 {
		plan := insert(collections.Plans, map[string]any{
			"name": fmt.Sprintf("VPS %d", i), "slug": fmt.Sprintf("bench-%d", i), "service_type": "vps", "platform": in.plan.GetString("platform"), "status": "active",
			"choices": []map[string]any{{"name": "system", "label": "System", "required": true, "options": []map[string]string{{"value": "8", "label": "Debian"}}}},
		})
		price := insert(collections.PlanPrices, map[string]any{"plan": plan, "currency": "EUR", "cycle": "monthly", "amount_minor": 990 + i, "setup_minor": 500, "active": true})
		options := map[string]any{}
		for _, name := range []string{"ip", "disk"} {
			o := insert(collections.PlanOptions, map[string]any{"plan": plan, "name": name, "label": name, "kind": "quantity", "max_quantity": 8, "active": true})
			for _, cycle := range []string{"monthly", "quarterly", "annual"} {
				insert(collections.OptionPrices, map[string]any{"option": o, "label": name, "currency": "EUR", "cycle": cycle, "amount_minor": 150, "active": true})
			}
			options[name] = map[string]any{"quantity": 2}
		}
		items = append(items, map[string]any{"price": price, "quantity": 1, "hostname": fmt.Sprintf("web-%d.example.com", i), "choices": map[string]string{"system": "8"}, "options": options})
	}
	raw, err := json.Marshal(map[string]any{"currency": "EUR", "country": "AT", "items": items, "coupons": []string{"TENTH"}})
	must(b, err)
	return string(raw)
}
