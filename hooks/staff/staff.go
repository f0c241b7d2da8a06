// Package staff guards what staff, who pass every API rule as superusers, may
// not do by hand: rows that only the product writes, secrets in clear, settings
// that make no sense, and raw SQL.
package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/accent"
	"github.com/ezscale/ezscale/engine/document/locales"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/engine/risk"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/audit"
)

// Deps is what staff needs from outside.
type Deps struct {
	Now    func() time.Time
	Sealer *collections.Sealer
	// SQLConsole opens PocketBase's SQL console, which passes all hooks.
	SQLConsole bool
}

// written lists the collections that the product alone writes, each with what a
// person does instead.
var written = map[string]string{
	collections.LedgerEntries:       "The ledger is written by the product alone; corrections are postings of their own.",
	collections.AuditLogs:           "The audit log is written by the product alone.",
	collections.WebhookEvents:       "Webhook events are written by the product alone.",
	collections.Agreements:          "Agreements are linked and handed over by their operations.",
	collections.Invoices:            "Invoices are made from orders and are never edited by hand; enter a payment instead, or correct by a credit note.",
	collections.InvoiceItems:        "Lines belong to their invoice and are written with it.",
	collections.InvoiceSeries:       "Number series are kept by the product alone, so that numbers have no gap.",
	collections.Orders:              "Orders are placed by customers and settled by payments.",
	collections.OrderItems:          "Order items are written with their order.",
	collections.Subscriptions:       "Subscriptions follow their invoices.",
	collections.GatewayCustomers:    "The link to a gateway's customer is written by the product alone.",
	collections.PaymentMethods:      "Payment methods mirror what the gateway has saved.",
	collections.ReconcileRuns:       "Comparisons are written by the product alone; begin one by its operation.",
	collections.ReconcileFindings:   "Findings are repaired or dismissed by their operations.",
	collections.MethodSetups:        "Pages on which methods are saved are opened by customers.",
	collections.IPAssignments:       "Addresses mirror what the platform has assigned.",
	collections.ProvisioningLogs:    "The log is written by the product alone.",
	collections.Jobs:                "Jobs are retried or closed by their operation, so that it is audited.",
	collections.Mails:               "Mails are written by the product alone.",
	collections.CouponRedemptions:   "Redemptions are written with their order.",
	collections.SubscriptionItems:   "What a subscription consists of is changed by a change of the subscription, so that it is billed.",
	collections.SubscriptionChanges: "Changes are requested by their operation, so that they are billed.",
	collections.CancellationSurveys: "Surveys are customers' own words.",
	collections.BillableItems:       "What is still to be billed is added by its operation, so that it is audited.",
	collections.CreditNotes:         "Credit notes are issued by their operation and never edited.",
	collections.CreditNoteItems:     "Lines belong to their credit note and are written with it.",
	collections.Refunds:             "Refunds are made by their operation, so that each is booked once.",
	collections.Disputes:            "Disputes are what the gateway reports.",
	collections.GatewayMovements:    "Movements are what the gateway's own book says.",
	collections.CreditBalances:      "The balance follows the ledger; book a credit adjustment.",
	collections.CreditAdjustments:   "Credit is given and taken by its operation, so that it is booked.",
	collections.DunningSteps:        "The steps of dunning are written by the product alone.",
	collections.UnmatchedPayments:   "Unmatched money is assigned by its operation, so that it is booked.",
	collections.PriceAnnouncements:  "New prices are announced and called off by their operations, so that customers are told.",
	collections.BankImports:         "Imports are written with the bank statements that are imported.",
}

type subject struct{ Deps }

// Register binds the guards.
func Register(app core.App, deps Deps) {
	s := &subject{deps}
	s.refuseWrites(app)
	s.keepForever(app)
	s.seal(app)
	s.checkSettings(app)
	s.checkCatalog(app)
	s.record(app)
	s.keepKeyApart(app)
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "staffSQLConsole", Func: func(r *core.RequestEvent) error {
			if !s.SQLConsole && strings.TrimSuffix(r.Request.URL.Path, "/") == "/api/sql" {
				return apis.NewForbiddenError("The SQL console is closed: it would pass every rule that keeps the books true. Start with --sql-console to open it.", nil)
			}
			return r.Next()
		}})
		return e.Next()
	})
}

// refuseWrites closes the record API of written collections to everybody.
func (s *subject) refuseWrites(app core.App) {
	for name, why := range written {
		refuse := &hook.Handler[*core.RecordRequestEvent]{Id: "staffWritten_" + name, Func: func(*core.RecordRequestEvent) error {
			return apis.NewForbiddenError(why, nil)
		}}
		app.OnRecordCreateRequest(name).Bind(refuse)
		app.OnRecordUpdateRequest(name).Bind(refuse)
		app.OnRecordDeleteRequest(name).Bind(refuse)
	}
	payments := &hook.Handler[*core.RecordRequestEvent]{Id: "staffPayments", Func: func(*core.RecordRequestEvent) error {
		return apis.NewForbiddenError("Payments are never edited or deleted; what was received stays received.", nil)
	}}
	app.OnRecordUpdateRequest(collections.PaymentTransactions).Bind(payments)
	app.OnRecordDeleteRequest(collections.PaymentTransactions).Bind(payments)
}

// keepForever refuses changes of append-only rows from our own code, too.
func (s *subject) keepForever(app core.App) {
	keep := &hook.Handler[*core.RecordEvent]{Id: "staffAppendOnly", Func: func(e *core.RecordEvent) error {
		return apis.NewForbiddenError(written[e.Record.Collection().Name], nil)
	}}
	app.OnRecordUpdate(collections.LedgerEntries, collections.AuditLogs).Bind(keep)
	app.OnRecordDelete(collections.LedgerEntries, collections.AuditLogs).Bind(keep)
	app.OnRecordDelete(collections.Users).Bind(&hook.Handler[*core.RecordEvent]{Id: "staffKeepCustomers", Func: func(e *core.RecordEvent) error {
		invoices, err := e.App.CountRecords(collections.Invoices, userIs(e.Record.Id))
		if err != nil {
			return fmt.Errorf("customer %s: %w", e.Record.Id, err)
		}
		if invoices > 0 {
			return apis.NewBadRequestError("A customer with invoices is never deleted, since the books refer to them; set the status instead.", nil)
		}
		return e.Next()
	}})
}

// seal replaces secrets by their sealed form before they reach the database.
func (s *subject) seal(app core.App) {
	h := &hook.Handler[*core.RecordEvent]{Id: "staffSeal", Priority: -100, Func: func(e *core.RecordEvent) error {
		if err := s.Sealer.SealRecord(e.Record); err != nil {
			return err
		}
		return e.Next()
	}}
	// All at once: a handler that is bound a second time replaces the first.
	names := slices.Collect(maps.Keys(collections.SealedFields))
	app.OnRecordCreate(names...).Bind(h)
	app.OnRecordUpdate(names...).Bind(h)
}

// checkSettings refuses a settings group that cannot be read or makes no sense.
func (s *subject) checkSettings(app core.App) {
	h := &hook.Handler[*core.RecordEvent]{Id: "staffSettings", Func: func(e *core.RecordEvent) error {
		if err := checkSetting(e.Record.GetString("key"), e.Record.GetString("value")); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}}
	app.OnRecordCreate(collections.Settings).Bind(h)
	app.OnRecordUpdate(collections.Settings).Bind(h)
}

// checkSetting decodes a group strictly and checks its values.
func checkSetting(key, raw string) error {
	check, known := settings[key]
	if !known {
		return fmt.Errorf("setting %q is not known; known are %s", key, strings.Join(slices.Sorted(maps.Keys(settings)), ", "))
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.DisallowUnknownFields()
	if err := check(d.Decode); err != nil {
		return fmt.Errorf("setting %s: %w", key, err)
	}
	return nil
}

// settings holds the check of each group.
var settings = map[string]func(decode func(into any) error) error{
	"brand": func(decode func(any) error) error {
		b := collections.Brand{}
		if err := decode(&b); err != nil {
			return err
		}
		web := strings.HasPrefix(b.URL, "http://") || strings.HasPrefix(b.URL, "https://")
		if b.URL != "" && (!web || strings.HasSuffix(b.URL, "/")) {
			return errors.New("url must be like https://account.example.com, without a slash at the end")
		}
		if _, err := accent.Parse(b.Accent); err != nil {
			return fmt.Errorf("accent: %w", err)
		}
		if _, ok := locales.Get(b.StaffLocale); b.StaffLocale != "" && !ok {
			return fmt.Errorf("staff_locale must be one of %s", strings.Join(locales.Codes(), ", "))
		}
		return nil
	},
	"seller": func(decode func(any) error) error { return decode(&collections.Seller{}) },
	"invoicing": func(decode func(any) error) error {
		v := collections.DefaultInvoicing()
		if err := decode(&v); err != nil {
			return err
		}
		switch {
		case v.Series == "" || v.CreditSeries == "" || v.Series == v.CreditSeries:
			return errors.New("series and credit_series must be set and differ")
		case v.DueDays < 0 || v.DueDays > 365 || v.DaysAhead < 0 || v.DaysAhead > 60 || v.MinTermDays < 0 || v.MinTermDays > 60:
			return errors.New("due_days must be 0 to 365, days_ahead and min_term_days 0 to 60")
		case v.ChangeDays < 1 || v.ChangeDays > 30:
			return errors.New("change_days must be 1 to 30")
		}
		if v.NoticeDays < 0 || v.NoticeDays > 365 {
			return errors.New("notice_days must be 0 to 365")
		}
		return errors.Join(billing.CheckNumberFormat(v.Format), billing.CheckNumberFormat(v.CreditFormat))
	},
	"tax": func(decode func(any) error) error {
		v := tax.Policy{Rounding: tax.PerLine}
		if err := decode(&v); err != nil {
			return err
		}
		if v.HomeCountry == "" {
			v.HomeCountry = "ZZ" // left to the seller's country
		}
		return v.Check()
	},
	"dunning": func(decode func(any) error) error {
		v := dunning.Default()
		if err := decode(&v); err != nil {
			return err
		}
		return v.Check()
	},
	"services": func(decode func(any) error) error {
		v := collections.Servicing{}
		if err := decode(&v); err != nil {
			return err
		}
		if v.DeleteAfterDays < 0 || v.DeleteAfterDays > 365 {
			return errors.New("delete_after_days must be 0 to 365")
		}
		return nil
	},
	"inbox": func(decode func(any) error) error {
		v := collections.Inbox{KeepDays: 90}
		if err := decode(&v); err != nil {
			return err
		}
		if v.KeepDays < 7 || v.KeepDays > 3650 {
			return errors.New("keep_days must be 7 to 3650: gateways deliver again for days")
		}
		return nil
	},
	"exchange": func(decode func(any) error) error {
		v := collections.Exchange{MaxAgeDays: 7}
		if err := decode(&v); err != nil {
			return err
		}
		if v.MaxAgeDays < 1 || v.MaxAgeDays > 365 {
			return errors.New("max_age_days must be 1 to 365")
		}
		return nil
	},
	"review": func(decode func(any) error) error {
		v := risk.Default()
		if err := decode(&v); err != nil {
			return err
		}
		return v.Check()
	},
	"ordering": func(decode func(any) error) error {
		v := collections.Ordering{}
		if err := decode(&v); err != nil {
			return err
		}
		if v.HoldMinutes < 30 || v.TransferHoldMinutes < 60 {
			return errors.New("hold_minutes must be at least 30 and transfer_hold_minutes at least 60")
		}
		return nil
	},
}

// record writes an audit row for what staff changes in the admin UI.
func (s *subject) record(app core.App) {
	audited := []string{
		collections.Gateways, collections.Platforms, collections.Plans, collections.PlanPrices, collections.PlanOptions, collections.OptionPrices, collections.Bundles, collections.Coupons, collections.TaxRates, collections.ExchangeRates,
		collections.BillingProfiles, collections.Quotes, collections.Settings, collections.Users, collections.UserProfiles, collections.Services,
	}
	bind := func(what string, on *hook.TaggedHook[*core.RecordRequestEvent]) {
		on.Bind(&hook.Handler[*core.RecordRequestEvent]{Id: "staffAudit_" + what, Priority: -50, Func: func(e *core.RecordRequestEvent) error {
			if !e.HasSuperuserAuth() {
				return e.Next()
			}
			return s.audited(e, what)
		}})
	}
	bind("create", app.OnRecordCreateRequest(audited...))
	bind("update", app.OnRecordUpdateRequest(audited...))
	bind("delete", app.OnRecordDeleteRequest(audited...))
}

// audited runs a staff change and its audit row in one transaction.
func (s *subject) audited(e *core.RecordRequestEvent, what string) error {
	outer := e.App
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		defer func() { e.App = outer }()
		if err := e.Next(); err != nil {
			return err
		}
		return audit.Write(tx, s.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: e.Auth.Id, Action: e.Collection.Name + "." + what, Resource: e.Collection.Name, ResourceID: e.Record.Id,
			IP: e.RealIP(), UserAgent: e.Request.UserAgent(), Changes: changed(e.Record), // as it was saved: hooks may have put fields back
		})
	})
}

// changed lists before and after of the changed fields. Hidden and auth fields
// are named but never shown.
func changed(r *core.Record) map[string]any {
	out := map[string]any{}
	for _, f := range r.Collection().Fields {
		name := f.GetName()
		before, after := r.Original().GetString(name), r.GetString(name)
		if before == after || name == "updated" {
			continue
		}
		if f.GetHidden() || f.Type() == core.FieldTypePassword {
			out[name] = "changed"
			continue
		}
		out[name] = map[string]string{"before": before, "after": after}
	}
	return out
}
