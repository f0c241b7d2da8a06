package dunning

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/hooks/books"
)

// issued looks soon at an invoice whose customer has terms of their own: the
// books set the first look by the policy alone.
func (s *Subject) issued(tx core.App, d books.Document) error {
	_, err := collections.Statement(tx, "UPDATE `invoices` SET `next_step_at` = {:now} WHERE `id` = {:id} AND `status` = 'open'"+
		" AND EXISTS (SELECT 1 FROM `billing_profiles` WHERE `user` = {:user} AND `dunning` NOT IN ('', 'null', '{}'))").
		Bind(dbx.Params{"id": d.ID, "user": d.User, "now": collections.Stamp(s.Now()).String()}).Execute()
	if err != nil {
		return fmt.Errorf("first look at invoice %s: %w", d.Number, err)
	}
	return nil
}

// closed restores, in the transaction that paid or cancelled an invoice, what
// was suspended for it and is owed nothing elsewhere. Most invoices had no
// consequences; they cost one short query.
func (s *Subject) closed(tx core.App, d books.Document) error {
	had := 0
	err := collections.Statement(tx, "SELECT COUNT(*) FROM `invoice_items` `l` CROSS JOIN `subscriptions` `u` ON `u`.`id` = `l`.`subscription`"+
		" WHERE `l`.`invoice` = {:invoice} AND (`u`.`access` = 'suspended' OR `u`.`status` = 'past_due')").Bind(dbx.Params{"invoice": d.ID}).Row(&had)
	if err != nil {
		return fmt.Errorf("services of invoice %s: %w", d.Number, err)
	}
	if had == 0 {
		return nil
	}
	_, err = s.look(tx, d.ID, s.Now())
	return err
}

// credited restores what was suspended for a line that is credited now, though
// other lines of the invoice are still owed.
func (s *Subject) credited(tx core.App, d books.Document) error {
	if err := s.closed(tx, d); err != nil {
		return err
	}
	ids, err := orphans(tx, d.ID, s.Now())
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.restore(tx, id, s.Now()); err != nil {
			return err
		}
	}
	return nil
}

// onFacts looks again at a customer's open invoices as soon as something changes
// that decides about them, and refuses terms that make no sense.
func (s *Subject) onFacts(app core.App) {
	again := &hook.Handler[*core.RecordEvent]{Id: "dunningFacts", Func: func(e *core.RecordEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		if user := e.Record.GetString("user"); user != "" {
			return wake(e.App, s.Now(), user)
		}
		return nil
	}}
	facts := []string{collections.BillingProfiles, collections.PaymentMethods, collections.UnmatchedPayments}
	app.OnRecordCreateExecute(facts...).Bind(again)
	app.OnRecordUpdateExecute(facts...).Bind(again)
	policy := &hook.Handler[*core.RecordEvent]{Id: "dunningPolicy", Func: func(e *core.RecordEvent) error {
		if err := e.Next(); err != nil || e.Record.GetString("key") != "dunning" {
			return err
		}
		return wake(e.App, s.Now(), "")
	}}
	app.OnRecordCreateExecute(collections.Settings).Bind(policy)
	app.OnRecordUpdateExecute(collections.Settings).Bind(policy)
	terms := &hook.Handler[*core.RecordEvent]{Id: "dunningTerms", Func: func(e *core.RecordEvent) error {
		if err := checkTerms(e.App, e.Record.GetString("dunning")); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}}
	app.OnRecordCreate(collections.BillingProfiles).Bind(terms)
	app.OnRecordUpdate(collections.BillingProfiles).Bind(terms)
}

// wake makes the next run look at the open invoices of a customer, or of all.
func wake(tx core.App, now time.Time, user string) error {
	where, params := "", dbx.Params{"now": collections.Stamp(now).String()}
	if user != "" {
		where, params["user"] = " AND `user` = {:user}", user
	}
	_, err := tx.NonconcurrentDB().NewQuery("UPDATE `invoices` SET `next_step_at` = {:now} WHERE `status` IN ('open', 'uncollectible')" + where).Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("invoices of %s are to be looked at: %w", user, err)
	}
	return nil
}

// checkTerms refuses terms of one customer that the policy cannot be changed by.
func checkTerms(app core.App, raw string) error {
	if raw == "" || raw == "null" {
		return nil
	}
	terms := dunning.Overrides{}
	d := json.NewDecoder(strings.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&terms); err != nil {
		return fmt.Errorf("dunning: %w", err)
	}
	policy, err := collections.LoadDunning(app)
	if err != nil {
		return err
	}
	if err := policy.With(terms).Check(); err != nil {
		return fmt.Errorf("dunning: %w", err)
	}
	return nil
}
