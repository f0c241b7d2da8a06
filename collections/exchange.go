package collections

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/money"
)

// Why there is no exchange rate to use.
var (
	// ErrNoRate: none of these currencies is known for the day or before.
	ErrNoRate = errors.New("no exchange rate is known")
	// ErrStaleRate: the newest one is older than the setting allows.
	ErrStaleRate = errors.New("the exchange rate is too old")
)

// Exchange says how old an exchange rate may be.
type Exchange struct {
	MaxAgeDays int `json:"max_age_days"`
}

// LoadExchange reads the settings group "exchange".
func LoadExchange(app core.App) (Exchange, error) {
	return load(app, "exchange", Exchange{MaxAgeDays: 7})
}

// Rate is what one unit of Base is in Quote on a day, in millionths, and who said
// so. It is for reports and suggestions alone: what customers pay is never
// converted.
type Rate struct {
	Base   string
	Quote  string
	PPM    int64
	Date   time.Time
	Source string
}

// Convert returns an amount in the rate's other currency.
func (r Rate) Convert(a money.Amount) (money.Amount, error) {
	switch a.Currency() {
	case r.Base:
		return a.Convert(r.PPM, r.Quote)
	case r.Quote:
		return a.ConvertBack(r.PPM, r.Base)
	}
	return money.Amount{}, fmt.Errorf("convert %s by a rate of %s and %s: %w", a, r.Base, r.Quote, money.ErrMismatch)
}

// LoadRate is the rate between two currencies that counts on a day: the newest of
// that day or before, in either direction. One of long ago is refused rather than
// used. Errors, which name the currencies and the day: ErrNoRate, ErrStaleRate.
func LoadRate(app core.App, from, to string, day time.Time) (Rate, error) {
	settings, err := LoadExchange(app)
	if err != nil {
		return Rate{}, err
	}
	if from == to {
		return Rate{Base: from, Quote: to, PPM: money.RatePPM, Date: day}, nil
	}
	day = day.UTC().Truncate(24 * time.Hour)
	found := []*core.Record{}
	err = app.RecordQuery(ExchangeRates).
		AndWhere(dbx.Or(dbx.HashExp{"base": from, "quote": to}, dbx.HashExp{"base": to, "quote": from})).
		AndWhere(dbx.NewExp("`date` <= {:day}", dbx.Params{"day": day.Format(time.DateOnly)})).
		OrderBy("date DESC", "updated DESC").Limit(1).All(&found)
	if err != nil {
		return Rate{}, fmt.Errorf("exchange rate of %s in %s: %w", from, to, err)
	}
	if len(found) == 0 {
		return Rate{}, fmt.Errorf("%w of %s in %s for %s", ErrNoRate, from, to, day.Format(time.DateOnly))
	}
	r := Rate{Base: found[0].GetString("base"), Quote: found[0].GetString("quote"), PPM: found[0].GetInt64("ppm"), Source: found[0].GetString("source")}
	if r.Date, err = time.Parse(time.DateOnly, found[0].GetString("date")); err != nil {
		return Rate{}, fmt.Errorf("exchange rate of %s in %s: %w", from, to, err)
	}
	if age := int(day.Sub(r.Date).Hours() / 24); age > settings.MaxAgeDays {
		return Rate{}, fmt.Errorf("%w: that of %s in %s for %s is of %s, %d days old, and %d are allowed", ErrStaleRate, from, to, day.Format(time.DateOnly), r.Date.Format(time.DateOnly), age, settings.MaxAgeDays)
	}
	return r, nil
}
