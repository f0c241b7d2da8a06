package collections

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
)

type taxRateRow struct {
	Name          string `db:"name"`
	Country       string `db:"country"`
	Region        string `db:"region"`
	Level         int    `db:"level"`
	PPM           int64  `db:"ppm"`
	Compound      bool   `db:"compound"`
	ConsumersOnly bool   `db:"consumers_only"`
	ValidFrom     string `db:"valid_from"`
}

// LoadTaxRates reads the whole table of rates.
func LoadTaxRates(app core.App) ([]tax.Rate, error) {
	rows := []taxRateRow{}
	err := Statement(app, "SELECT `name`, `country`, `region`, `level`, `ppm`, `compound`, `consumers_only`, `valid_from` FROM `tax_rates` ORDER BY `country`, `region`, `level`, `valid_from`").All(&rows)
	if err != nil {
		return nil, fmt.Errorf("tax rates: %w", err)
	}
	rates := make([]tax.Rate, 0, len(rows))
	for _, r := range rows {
		from, err := ParseStamp(r.ValidFrom)
		if err != nil {
			return nil, fmt.Errorf("tax rate of %s: %w", r.Country, err)
		}
		rates = append(rates, tax.Rate{
			Name: r.Name, Country: r.Country, Region: r.Region, Level: r.Level, PPM: r.PPM, Compound: r.Compound, ConsumersOnly: r.ConsumersOnly,
			ValidFrom: from.Truncate(24 * time.Hour),
		})
	}
	return rates, nil
}

// TaxAnswer is what a tax service said of a question, or that it could not be asked.
type TaxAnswer struct {
	tax.Answer
	Known  bool // there is an answer
	Failed bool // it was asked a moment ago and gave none
}

// LoadTaxAnswer reads what is kept of a question.
func LoadTaxAnswer(app core.App, service string, q tax.Question) (TaxAnswer, error) {
	rows := []string{}
	err := Statement(app, "SELECT IFNULL(`answer`, '') FROM `tax_answers` WHERE `service` = {:service} AND `question` = {:question}").
		Bind(dbx.Params{"service": service, "question": q.Key()}).Column(&rows)
	if err != nil || len(rows) == 0 {
		return TaxAnswer{}, err
	}
	if rows[0] == "" || rows[0] == "null" {
		return TaxAnswer{Failed: true}, nil
	}
	a := TaxAnswer{Known: true}
	if err := json.Unmarshal([]byte(rows[0]), &a.Answer); err != nil {
		return a, fmt.Errorf("answer of the tax service about %s: %w", q.Key(), err)
	}
	return a, nil
}

// KeepTaxAnswer keeps what a service said of a question; nil is that it gave no
// answer, which never replaces one.
func KeepTaxAnswer(app core.App, service string, q tax.Question, a *tax.Answer, now time.Time) error {
	raw := "null"
	if a != nil {
		text, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("answer about %s: %w", q.Key(), err)
		}
		raw = string(text)
	}
	at := Stamp(now).String()
	id, added, err := Row(app, TaxAnswers, now, dbx.Params{"service": service, "question": q.Key(), "answer": raw, "asked_at": at})
	if err == nil && !added && a != nil {
		_, err = Statement(app, "UPDATE `tax_answers` SET `answer` = {:answer}, `asked_at` = {:at} WHERE `service` = {:service} AND `question` = {:question}").
			Bind(dbx.Params{"answer": raw, "at": at, "service": service, "question": q.Key()}).Execute()
	}
	if err != nil {
		return fmt.Errorf("keep answer %s about %s: %w", id, q.Key(), err)
	}
	return nil
}

// TaxBuyer is a customer as taxes see them.
func (c Customer) TaxBuyer() tax.Buyer {
	id := ""
	if parsed, err := vatid.Parse(c.Buyer.TaxID, c.Buyer.Country); err == nil {
		id = parsed.String() // other countries' tax numbers decide nothing
	}
	return tax.Buyer{
		Country: c.Buyer.Country, Region: c.Buyer.Region, Postcode: c.Buyer.Postcode, Business: c.Buyer.Company != "" || c.Buyer.TaxID != "",
		VATID: id, VAT: c.Profile.VAT, Exempt: c.Profile.TaxExempt, ExemptReason: c.Profile.ExemptReason, IPCountry: c.Profile.IPCountry,
	}
}
