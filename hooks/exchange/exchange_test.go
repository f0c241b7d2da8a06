package exchange_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/internal/testapp"
)

type object = map[string]any

const base = "/api/v1/staff/exchange-rates"

func day(app *testapp.App, n int) string {
	return app.Clock().Now().UTC().AddDate(0, 0, n).Format(time.DateOnly)
}

func set(app *testapp.App, more object) *testapp.Answer {
	app.Helper()
	body := object{"base": "EUR", "quote": "USD", "ppm": 1_085_000, "date": day(app, 0), "source": "ECB"}
	for k, v := range more {
		body[k] = v
	}
	return app.Do(http.MethodPost, base, app.Staff(), body)
}

// TestD9AStaleExchangeRateIsRefused: a rate has its day, is used for a week, and
// then is not used silently; nor is one of a later day, or none.
func TestD9AStaleExchangeRateIsRefused(t *testing.T) {
	app := testapp.New(t)
	price := app.Price("vps-s", "EUR", "monthly").Id
	suggestion := func() *testapp.Answer {
		return app.Do(http.MethodGet, "/api/v1/staff/prices/"+price+"/suggestion?currency=USD", app.Staff(), nil)
	}
	if r := suggestion(); r.Status != http.StatusConflict || r.Code() != "no_rate" || !strings.Contains(r.Text("detail"), "EUR in USD for "+day(app, 0)) {
		t.Errorf("without a rate: got %s", r)
	}
	app.Want(http.StatusOK, set(app, object{"date": day(app, -1)}))
	r := app.Want(http.StatusOK, suggestion())
	if r.Int("to.minor") != 532 || r.Text("to.currency") != "USD" || r.Text("rate.date") != day(app, -1) || r.Text("rate.source") != "ECB" {
		t.Errorf("got %s, want 4.90 EUR in dollars and the rate that was used", r)
	}
	used := day(app, -1)
	app.Clock().Advance(7 * 24 * time.Hour)
	before := app.Rows()
	if r := suggestion(); r.Status != http.StatusConflict || r.Code() != "stale_rate" || !strings.Contains(r.Text("detail"), "EUR in USD for "+day(app, 0)) || !strings.Contains(r.Text("detail"), used) {
		t.Errorf("eight days later: got %s, want a refusal that names currencies and days", r)
	}
	app.Unchanged(before)
	if r := app.Want(http.StatusOK, app.Do(http.MethodGet, base, app.Staff(), nil)); r.At("items.0.stale") != true || r.Int("max_age_days") != 7 {
		t.Errorf("list: got %s, want the rate marked", r)
	}
	// A report about that day still uses the rate of that day, in both directions.
	for query, want := range map[string]int64{"from=EUR&to=USD&amount_minor=1000": 1085, "from=USD&to=EUR&amount_minor=1085": 1000, "from=EUR&to=EUR&amount_minor=5": 5} {
		if r := app.Want(http.StatusOK, app.Do(http.MethodGet, base+"/convert?date="+used+"&"+query, app.Staff(), nil)); r.Int("to.minor") != want {
			t.Errorf("%s: got %s, want %d", query, r, want)
		}
	}
	if r := app.Do(http.MethodGet, base+"/convert?from=EUR&to=USD&amount_minor=1000&date="+day(app, -30), app.Staff(), nil); r.Code() != "no_rate" {
		t.Errorf("before there was a rate: got %s", r)
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/collections/settings/records", app.Staff(), object{"key": "exchange", "value": object{"max_age_days": 30}}))
	app.Want(http.StatusOK, suggestion())
}

func TestRatesAreSetOnceAndCorrectedInTheOpen(t *testing.T) {
	app := testapp.New(t)
	app.Want(http.StatusOK, set(app, nil))
	app.Want(http.StatusOK, set(app, nil))
	if n := app.Count("audit_logs", "`action` = 'exchange_rate.set'"); n != 1 || app.Count("exchange_rates", "TRUE") != 1 {
		t.Errorf("%d audit rows after the same rate twice, want one", n)
	}
	app.Want(http.StatusOK, set(app, object{"ppm": 1_090_000}))
	if n := app.Count("audit_logs", "`action` = 'exchange_rate.set' AND `changes` LIKE '%1085000%' AND `changes` LIKE '%1090000%'"); n != 1 || app.Count("exchange_rates", "TRUE") != 1 {
		t.Errorf("%d audit rows with before and after", n)
	}
	scenarios := map[string]object{
		"base": {"base": "XXY"}, "quote": {"quote": "EUR"}, "ppm": {"ppm": 0}, "date": {"date": "2026-02-30"}, "source": {"source": " "},
	}
	scenarios["date of tomorrow"] = object{"date": day(app, 1)}
	before := app.Rows()
	for name, more := range scenarios {
		field, _, _ := strings.Cut(name, " ")
		if r := set(app, more); r.Status != http.StatusUnprocessableEntity || !slices.Contains(r.Fields(), field) {
			t.Errorf("%s: got %s, want 422", name, r)
		}
	}
	app.Unchanged(before)
}

func TestAnExchangeSettingThatMakesNoSense(t *testing.T) {
	app := testapp.New(t)
	for _, days := range []int{0, -1, 400} {
		if r := app.Do(http.MethodPost, "/api/collections/settings/records", app.Staff(), object{"key": "exchange", "value": object{"max_age_days": days}}); r.Status != http.StatusBadRequest {
			t.Errorf("%d days: got %s", days, r)
		}
	}
}
