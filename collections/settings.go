package collections

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/risk"
	"github.com/ezscale/ezscale/engine/tax"
)

// Brand is who sells: names and addresses that customers read.
type Brand struct {
	Name    string `json:"name"`
	Accent  string `json:"accent"` // "#0a5fd0"; "" keeps the product's own
	URL     string `json:"url"`    // public address of portal and site, no trailing slash
	Support string `json:"support_email"`
	Terms   string `json:"terms_url"`
	// StaffLocale is the language of mails to staff: "de", or "" for English.
	StaffLocale string `json:"staff_locale"`
}

// Seller is printed on invoices and frozen on each.
type Seller struct {
	Name         string   `json:"name"`
	Address      []string `json:"address"`
	Country      string   `json:"country"`
	VATID        string   `json:"vat_id"`
	Registration string   `json:"registration"`
	Email        string   `json:"email"`
	Bank         []string `json:"bank"`
}

// Invoicing says how invoices are numbered and when they are due.
type Invoicing struct {
	Series  string `json:"series"`
	Format  string `json:"format"`   // "INV-{year}-{seq:6}"
	DueDays int    `json:"due_days"` // for bank transfer
	// CreditSeries and CreditFormat number credit notes.
	CreditSeries string `json:"credit_series"`
	CreditFormat string `json:"credit_format"`
	// DaysAhead is how many days before a period begins its invoice is made.
	DaysAhead int `json:"days_ahead"`
	// MinTermDays is the least time between issue and due date of a renewal that
	// is invoiced late.
	MinTermDays int `json:"min_term_days"`
	// ContinueUnpaid keeps invoicing a subscription whose last invoice is overdue.
	ContinueUnpaid bool `json:"continue_unpaid"`
	// KeepCredit leaves the customer's credit alone; otherwise it pays new invoices.
	KeepCredit bool `json:"keep_credit"`
	// ChangeDays is how long an unpaid change of a subscription stays on offer.
	ChangeDays int `json:"change_days"`
	// RefundOnCancel gives what is unused of a paid period back as credit when a
	// subscription is cancelled at once.
	RefundOnCancel bool `json:"refund_on_cancel"`
	// NoticeDays is how long before its first day a new price is announced.
	NoticeDays int `json:"notice_days"`
}

// Ordering says how long an unpaid order holds its stock.
type Ordering struct {
	HoldMinutes         int `json:"hold_minutes"`          // hosted payment pages, at least 30
	TransferHoldMinutes int `json:"transfer_hold_minutes"` // bank transfer
}

// Hold is how long an order by this gateway holds its stock.
func (o Ordering) Hold(gateway string) time.Duration {
	if gateway == "manual" {
		return time.Duration(o.TransferHoldMinutes) * time.Minute
	}
	return time.Duration(o.HoldMinutes) * time.Minute
}

// LoadBrand reads the settings group "brand".
func LoadBrand(app core.App) (Brand, error) {
	b, err := load(app, "brand", Brand{Name: "EZSCALE"})
	if b.URL == "" {
		b.URL = strings.TrimSuffix(app.Settings().Meta.AppURL, "/")
	}
	return b, err
}

// LoadSeller reads the settings group "seller"; without one the brand sells.
func LoadSeller(app core.App) (Seller, error) {
	brand, err := LoadBrand(app)
	if err != nil {
		return Seller{}, err
	}
	return load(app, "seller", Seller{Name: brand.Name, Address: []string{}, Bank: []string{}})
}

// DefaultInvoicing is what holds until staff sets the group "invoicing".
func DefaultInvoicing() Invoicing {
	return Invoicing{
		Series: "INV", Format: "INV-{year}-{seq:6}", DueDays: 14, CreditSeries: "CN", CreditFormat: "CN-{year}-{seq:6}",
		DaysAhead: 14, MinTermDays: 7, ChangeDays: 3, NoticeDays: 30,
	}
}

// LoadInvoicing reads the settings group "invoicing".
func LoadInvoicing(app core.App) (Invoicing, error) {
	return load(app, "invoicing", DefaultInvoicing())
}

// LoadTaxing reads the settings group "tax". The seller's country is home
// unless the group names another.
func LoadTaxing(app core.App) (tax.Policy, error) {
	policy, err := load(app, "tax", tax.Policy{Rounding: tax.PerLine})
	if err != nil || policy.HomeCountry != "" {
		return policy, err
	}
	seller, err := LoadSeller(app)
	policy.HomeCountry = seller.Country
	return policy, err
}

// LoadReview reads the settings group "review": what makes an order wait.
func LoadReview(app core.App) (risk.Policy, error) {
	return load(app, "review", risk.Default())
}

// Inbox says how long worked-off deliveries of gateways, and jobs that are done, are
// kept.
type Inbox struct {
	KeepDays int `json:"keep_days"`
}

// LoadInbox reads the settings group "inbox".
func LoadInbox(app core.App) (Inbox, error) { return load(app, "inbox", Inbox{KeepDays: 90}) }

// LoadOrdering reads the settings group "ordering".
func LoadOrdering(app core.App) (Ordering, error) {
	return load(app, "ordering", Ordering{HoldMinutes: 30, TransferHoldMinutes: 14 * 24 * 60})
}

// SaveSetting writes a settings group whole.
func SaveSetting(app core.App, key string, value any) error {
	r, err := First(app, Settings, dbx.HashExp{"key": key})
	if err != nil {
		return err
	}
	if r == nil {
		if r, err = New(app, Settings); err != nil {
			return err
		}
		r.Set("key", key)
	}
	r.Set("value", value)
	if err := Save(app, r); err != nil {
		return fmt.Errorf("save setting %s: %w", key, err)
	}
	return nil
}

// load reads one settings group over its defaults.
func load[T any](app core.App, key string, defaults T) (T, error) {
	r, err := First(app, Settings, dbx.HashExp{"key": key})
	if err != nil || r == nil {
		return defaults, err
	}
	raw := r.GetString("value")
	if raw == "" || raw == "null" {
		return defaults, nil
	}
	if err := json.Unmarshal([]byte(raw), &defaults); err != nil {
		return defaults, fmt.Errorf("setting %s is not valid: %w", key, err)
	}
	return defaults, nil
}
