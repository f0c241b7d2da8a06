// Package exchange keeps exchange rates: staff enters them with their day and
// source, and what is reckoned with them says which rate it used. They serve
// reports and suggestions. What customers are charged has a price of its own in
// their currency and is never converted.
package exchange

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// Register binds the operations.
func Register(t *op.Table) {
	const base = "/api/v1/staff/exchange-rates"
	op.Add(t, op.Spec{ID: "staff.exchange_rates.list", Method: http.MethodGet, Path: base, Access: op.Staff, Summary: "The newest exchange rates of each pair of currencies first"}, list)
	op.Add(t, op.Spec{ID: "staff.exchange_rates.set", Method: http.MethodPost, Path: base, Access: op.Staff, Summary: "Enter the exchange rate of a day, or correct it"}, set)
	op.Add(t, op.Spec{ID: "staff.exchange_rates.convert", Method: http.MethodGet, Path: base + "/convert", Access: op.Staff, Summary: "An amount in another currency, for reports; refused where the rate is missing or too old"}, convert)
	op.Add(t, op.Spec{ID: "staff.prices.suggest", Method: http.MethodGet, Path: "/api/v1/staff/prices/{id}/suggestion", Access: op.Staff, Summary: "What a price would be in another currency by today's rate; nothing is changed"}, suggest)
}

// rateView is a rate as staff sees it.
type rateView struct {
	Base   string `json:"base"`
	Quote  string `json:"quote"`
	PPM    int64  `json:"ppm"`
	Date   string `json:"date"`
	Source string `json:"source"`
	Stale  bool   `json:"stale"` // too old to be used today
}

type rateList struct {
	MaxAgeDays int        `json:"max_age_days"`
	Items      []rateView `json:"items"`
}

func list(r *op.Request, _ op.None) (rateList, error) {
	settings, err := collections.LoadExchange(r.App)
	if err != nil {
		return rateList{}, err
	}
	out := rateList{MaxAgeDays: settings.MaxAgeDays, Items: []rateView{}}
	found := []*core.Record{}
	if err := r.App.RecordQuery(collections.ExchangeRates).OrderBy("date DESC", "base ASC", "quote ASC").Limit(500).All(&found); err != nil {
		return out, fmt.Errorf("list exchange rates: %w", err)
	}
	oldest := r.Now().UTC().AddDate(0, 0, -settings.MaxAgeDays).Format(time.DateOnly)
	for _, rate := range found {
		date := rate.GetString("date")
		out.Items = append(out.Items, rateView{rate.GetString("base"), rate.GetString("quote"), rate.GetInt64("ppm"), date, rate.GetString("source"), date < oldest})
	}
	return out, nil
}

type setRequest struct {
	Base   string `json:"base"`
	Quote  string `json:"quote"`
	PPM    int64  `json:"ppm"` // one base in quote, in millionths
	Date   string `json:"date"`
	Source string `json:"source"`
}

// Check wants two currencies, a rate, its day and who said so.
func (in setRequest) Check(f *op.Fields) {
	checkCurrency(f, "base", in.Base)
	checkCurrency(f, "quote", in.Quote)
	f.Check(in.Base != in.Quote, "quote", "same", "quote must be another currency than base.")
	f.Check(in.PPM >= 1 && in.PPM <= 1e14, "ppm", "out_of_range", "The rate is one unit of base in millionths of quote: 1085000 is 1.085.")
	_, err := time.Parse(time.DateOnly, in.Date)
	f.Check(err == nil, "date", "invalid", "date must be a day such as 2026-01-31.")
	source := strings.TrimSpace(in.Source)
	f.Check(source != "" && len(source) <= 120, "source", "required", "Say where the rate is from, in up to 120 characters.")
}

func checkCurrency(f *op.Fields, field, code string) {
	_, known := money.Exponent(code)
	f.Check(known, field, "unknown", fmt.Sprintf("%s: %q is not an ISO 4217 code we know.", field, code))
}

// set stores the rate of a day. The same again changes nothing; another one
// corrects it, and the audit log has both.
func set(r *op.Request, in setRequest) (rateView, error) {
	if in.Date > r.Now().UTC().Format(time.DateOnly) {
		return rateView{}, op.Fields{{Field: "date", Code: "in_future", Message: "A rate is of today or before."}}.Problem()
	}
	v := rateView{Base: in.Base, Quote: in.Quote, PPM: in.PPM, Date: in.Date, Source: strings.TrimSpace(in.Source)}
	err := r.App.RunInTransaction(func(tx core.App) error {
		row, err := collections.First(tx, collections.ExchangeRates, dbx.HashExp{"base": in.Base, "quote": in.Quote, "date": in.Date})
		if err != nil {
			return err
		}
		before := map[string]any{}
		if row == nil {
			if row, err = collections.New(tx, collections.ExchangeRates); err != nil {
				return err
			}
		} else {
			before["ppm"], before["source"] = row.GetInt64("ppm"), row.GetString("source")
		}
		if row.GetInt64("ppm") == v.PPM && row.GetString("source") == v.Source {
			return nil
		}
		row.Load(map[string]any{"base": v.Base, "quote": v.Quote, "ppm": v.PPM, "date": v.Date, "source": v.Source})
		if err := collections.Update(tx, row); err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "exchange_rate.set", Resource: collections.ExchangeRates, ResourceID: row.Id, IP: r.RealIP(), UserAgent: r.Agent(),
			Changes: map[string]any{"base": v.Base, "quote": v.Quote, "date": v.Date, "before": before, "ppm": v.PPM, "source": v.Source},
		})
	})
	if err != nil {
		return v, fmt.Errorf("exchange rate of %s in %s: %w", in.Base, in.Quote, err)
	}
	settings, err := collections.LoadExchange(r.App)
	v.Stale = v.Date < r.Now().UTC().AddDate(0, 0, -settings.MaxAgeDays).Format(time.DateOnly)
	return v, err
}

type convertRequest struct {
	From   string `json:"-" query:"from"`
	To     string `json:"-" query:"to"`
	Amount int    `json:"-" query:"amount_minor"`
	Date   string `json:"-" query:"date"` // today unless given
}

// converted is an amount in another currency with the rate that was used.
type converted struct {
	From money.Amount `json:"from"`
	To   money.Amount `json:"to"`
	Rate rateView     `json:"rate"`
}

func convert(r *op.Request, in convertRequest) (converted, error) {
	faults := op.Fields{}
	checkCurrency(&faults, "from", in.From)
	checkCurrency(&faults, "to", in.To)
	day := r.Now()
	if in.Date != "" {
		var err error
		day, err = time.Parse(time.DateOnly, in.Date)
		faults.Check(err == nil, "date", "invalid", "date must be a day such as 2026-01-31.")
	}
	a, err := money.New(int64(in.Amount), in.From)
	faults.Check(err == nil || len(faults) > 0, "amount_minor", "out_of_range", "The amount is beyond what is counted.")
	if err := faults.Problem(); err != nil {
		return converted{}, err
	}
	return inCurrency(r, a, in.To, day)
}

type suggestRequest struct {
	ID       string `json:"-" path:"id"`
	Currency string `json:"-" query:"currency"`
}

func suggest(r *op.Request, in suggestRequest) (converted, error) {
	faults := op.Fields{}
	checkCurrency(&faults, "currency", in.Currency)
	if err := faults.Problem(); err != nil {
		return converted{}, err
	}
	price, err := collections.First(r.App, collections.PlanPrices, dbx.HashExp{"id": in.ID})
	if err == nil && price == nil {
		err = op.NotFound()
	}
	if err != nil {
		return converted{}, err
	}
	a, err := collections.Amount(price, "amount_minor")
	if err != nil {
		return converted{}, err
	}
	return inCurrency(r, a, in.Currency, r.Now())
}

// inCurrency is an amount in another currency by the rate of a day. A rate that is
// missing or too old is a problem for staff to mend, and nothing is reckoned.
func inCurrency(r *op.Request, a money.Amount, currency string, day time.Time) (converted, error) {
	rate, err := collections.LoadRate(r.App, a.Currency(), currency, day)
	switch {
	case errors.Is(err, collections.ErrNoRate):
		return converted{}, op.NewProblem(http.StatusConflict, "no_rate", sentence(err))
	case errors.Is(err, collections.ErrStaleRate):
		return converted{}, op.NewProblem(http.StatusConflict, "stale_rate", sentence(err))
	case err != nil:
		return converted{}, err
	}
	c := converted{From: a, Rate: rateView{Base: rate.Base, Quote: rate.Quote, PPM: rate.PPM, Date: rate.Date.Format(time.DateOnly), Source: rate.Source}}
	if c.To, err = rate.Convert(a); err != nil {
		return converted{}, op.Fields{{Field: "amount_minor", Code: "out_of_range", Message: "The amount is beyond what is counted in " + currency + "."}}.Problem()
	}
	return c, nil
}

// sentence is an error as a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + ". Enter a rate first."
}
