package staff

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/tax"
)

// checkTaxRate refuses rows that no tax could be computed from.
func checkTaxRate(_ core.App, r *core.Record) error {
	r.Set("country", strings.ToUpper(strings.TrimSpace(r.GetString("country"))))
	r.Set("region", strings.TrimSpace(r.GetString("region")))
	from := collections.Time(r, "valid_from")
	if !from.Equal(from.Truncate(24 * time.Hour)) {
		return errors.New("valid_from: rates begin with a day; set the time to midnight UTC")
	}
	rate := tax.Rate{
		Name: r.GetString("name"), Country: r.GetString("country"), Region: r.GetString("region"), Level: r.GetInt("level"), PPM: r.GetInt64("ppm"),
		Compound: r.GetBool("compound"), ConsumersOnly: r.GetBool("consumers_only"), ValidFrom: from,
	}
	if err := rate.Check(); err != nil {
		return fmt.Errorf("%s: %w", rateField(rate), err)
	}
	return nil
}

// rateField is the field by which a rate cannot be used.
func rateField(r tax.Rate) string {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return "name"
	case len(r.Country) != 2:
		return "country"
	case r.Level < 1 || r.Level > tax.Levels:
		return "level"
	case r.PPM < 0 || r.PPM > tax.MaxPPM:
		return "ppm"
	}
	return "compound"
}

// checkExchangeRate wants two currencies and a day of the calendar.
func checkExchangeRate(_ core.App, r *core.Record) error {
	if r.GetString("base") == r.GetString("quote") {
		return errors.New("quote: must be another currency than base")
	}
	if _, err := time.Parse(time.DateOnly, r.GetString("date")); err != nil {
		return fmt.Errorf("date: %q is not a day such as 2026-01-31", r.GetString("date"))
	}
	return nil
}
