package renewals

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

// The states of an announcement. The second and the fourth are final, the others are worked by a job.
const (
	announceRunning    = "running"
	announceDone       = "announced"
	announceCancelling = "cancelling"
	announceCancelled  = "cancelled"
)

// Whom a new price is announced to: the customers who pay one price, or all who
// pay a price of its plan in the same currency and cycle.
const (
	scopePrice = "price"
	scopePlan  = "plan"
)

// longestNotice bounds how far ahead a price is announced: beyond it lies a typing
// mistake.
const longestNotice = 3 * 366 * 24 * time.Hour

// maxExcluded bounds the customers and subscriptions that are left out.
const maxExcluded = 10_000

// announcing is what staff asks for. Exactly one of Amount and Catalog is given.
type announcing struct {
	ID      string   `json:"-" path:"id"` // of the price
	Scope   string   `json:"scope,omitzero"`
	Amount  *int64   `json:"amount_minor,omitzero"`
	Cap     int64    `json:"cap_minor,omitzero"` // of an hourly price; absent: as it is
	Catalog bool     `json:"catalog,omitzero"`   // what the catalog asks today for the same plan, currency and cycle
	From    string   `json:"effective_from"`     // a day, "2027-02-01"
	Exclude []string `json:"exclude,omitzero"`   // ids of customers or subscriptions
	Note    string   `json:"note,omitzero"`      // for staff
}

func (in announcing) check(f *op.Fields) {
	f.Check(in.Scope == "" || in.Scope == scopePrice || in.Scope == scopePlan, "scope", "unknown", "scope must be price or plan.")
	f.Check((in.Amount != nil) != in.Catalog, "amount_minor", "one_of", "Give either amount_minor or catalog: true.")
	f.Check(in.Amount == nil || *in.Amount >= 0 && *in.Amount <= money.Limit, "amount_minor", "out_of_range", "The amount must be whole minor units, 0 or more.")
	f.Check(in.Cap >= 0 && in.Cap <= money.Limit, "cap_minor", "out_of_range", "The cap must be whole minor units, 0 or more.")
	_, err := time.Parse(time.DateOnly, in.From)
	f.Check(err == nil, "effective_from", "invalid", "effective_from must be a day such as 2027-02-01.")
	f.Check(len(in.Exclude) <= maxExcluded, "exclude", "too_many", fmt.Sprintf("At most %d can be left out.", maxExcluded))
	f.Check(len(in.Note) <= 500, "note", "too_long", "A note has at most 500 characters.")
}

type announcePreview struct{ announcing }

// Check refuses what no catalog could make right.
func (in announcePreview) Check(f *op.Fields) { in.check(f) }

type announceRequest struct {
	announcing
	ClientKey string `json:"client_key"`
}

// Check refuses what no catalog could make right.
func (in announceRequest) Check(f *op.Fields) {
	in.check(f)
	checkKey(f, in.ClientKey)
}

// terms of an announcement, worked out.
type announced struct {
	ID         string // "" before it is made
	Price      string
	Scope      string
	Plan       string
	Currency   string
	Cycle      billing.Cycle
	Amount     int64
	Cap        int64
	ToPrice    string // where customers move to the catalog's price
	From       time.Time
	NoticeDays int
	At         time.Time // when it was made
	Exclude    []string
}

// resolve works out an announcement and refuses one that comes too late or is of
// a price that nothing recurs at.
func resolve(app core.App, in announcing, now time.Time) (announced, error) {
	price, err := collections.First(app, collections.PlanPrices, dbx.HashExp{"id": in.ID})
	if err == nil && price == nil {
		err = op.NotFound()
	}
	if err != nil {
		return announced{}, err
	}
	settings, err := collections.LoadInvoicing(app)
	if err != nil {
		return announced{}, err
	}
	a := announced{
		Price: price.Id, Scope: in.Scope, Plan: price.GetString("plan"), Currency: price.GetString("currency"), Cycle: billing.Cycle(price.GetString("cycle")),
		Cap: in.Cap, NoticeDays: settings.NoticeDays, At: now.UTC(), Exclude: cleaned(in.Exclude),
	}
	if a.Scope == "" {
		a.Scope = scopePrice
	}
	if a.Cycle == billing.OneTime {
		return a, op.NewProblem(http.StatusConflict, "one_time", "This price is paid once, so there is nothing to announce.")
	}
	if in.Cap > 0 && a.Cycle != billing.Hourly {
		return a, op.Fields{{Field: "cap_minor", Code: "not_hourly", Message: "Only prices by the hour have a cap."}}.Problem()
	}
	if a.From, err = time.Parse(time.DateOnly, in.From); err != nil {
		return a, fmt.Errorf("effective_from: %w", err)
	}
	if err := a.inTime(now); err != nil {
		return a, err
	}
	if in.Catalog {
		return a.toCatalog(app)
	}
	a.Amount = *in.Amount
	return a, nil
}

func cleaned(ids []string) []string {
	out := []string{}
	for _, id := range ids {
		if id = strings.TrimSpace(id); id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// earliest is the first day on which a price that is announced now may count.
func earliest(now time.Time, noticeDays int) time.Time {
	at := now.UTC().AddDate(0, 0, noticeDays)
	day := at.Truncate(24 * time.Hour)
	if day.Before(at) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// inTime refuses a day before the notice is over, or one in the far future.
func (a announced) inTime(now time.Time) error {
	first := earliest(now, a.NoticeDays)
	switch {
	case a.From.Before(first):
		return op.Fields{{Field: "effective_from", Code: "too_early", Message: fmt.Sprintf("New prices are announced %d days ahead (setting invoicing, notice_days): the first possible day is %s.", a.NoticeDays, first.Format(time.DateOnly))}}.Problem()
	case a.From.After(now.Add(longestNotice)):
		return op.Fields{{Field: "effective_from", Code: "too_late", Message: "The day lies more than three years ahead."}}.Problem()
	}
	return nil
}

// toCatalog moves customers to what the catalog asks for the same today.
func (a announced) toCatalog(app core.App) (announced, error) {
	current, err := collections.First(app, collections.PlanPrices, dbx.HashExp{"plan": a.Plan, "currency": a.Currency, "cycle": string(a.Cycle), "active": true})
	if err != nil {
		return a, err
	}
	if current == nil {
		return a, op.Fields{{Field: "catalog", Code: "not_for_sale", Message: fmt.Sprintf("The catalog has no price of this plan in %s for %s.", a.Currency, a.Cycle)}}.Problem()
	}
	a.ToPrice, a.Amount = current.Id, current.GetInt64("amount_minor")
	return a, nil
}

// readAnnounced reads a stored announcement.
func readAnnounced(r *core.Record) (announced, error) {
	a := announced{
		ID: r.Id, Price: r.GetString("price"), Scope: r.GetString("scope"), Currency: r.GetString("currency"), Cycle: billing.Cycle(r.GetString("cycle")), Amount: r.GetInt64("amount_minor"), Cap: r.GetInt64("cap_minor"),
		ToPrice: r.GetString("to_price"), From: collections.Time(r, "effective_from"), NoticeDays: r.GetInt("notice_days"), At: collections.Time(r, "at"), Exclude: []string{},
	}
	return a, collections.ReadJSON(r, "exclude", &a.Exclude)
}

// slack is how long announcing may take before the notice of those who are told
// late counts from then.
const slack = 24 * time.Hour

// from is the first day for customers who are told at now: as announced, unless
// announcing was held up so long that their notice would be too short.
func (a announced) from(now time.Time) time.Time {
	if first := earliest(now, a.NoticeDays); now.Sub(a.At) > slack && first.After(a.From) {
		return first
	}
	return a.From
}
