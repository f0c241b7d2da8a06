package notify

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/hooks/books"
)

// refunded tells a customer of money on its way back, and of a refund that the
// bank returned afterwards. One that the gateway refused at once they never heard
// of.
func (s *Subject) refunded(tx core.App, r books.Refund, before billing.RefundStatus) error {
	kind := mail.RefundMade
	switch {
	case r.Status == billing.RefundPending, r.Status == billing.RefundSucceeded:
	case r.Status == billing.RefundFailed && (before == billing.RefundPending || before == billing.RefundSucceeded):
		kind = mail.RefundReturned
	default:
		return nil
	}
	user, err := tx.FindRecordById(collections.Users, r.User)
	if err != nil {
		return fmt.Errorf("mail about refund %s: %w", r.ID, err)
	}
	data := mail.Data{Amount: r.Amount, Method: collections.GatewayName(r.Gateway)}
	path := "/invoices"
	if r.Payment != "" {
		payment, err := tx.FindRecordById(collections.PaymentTransactions, r.Payment)
		if err != nil {
			return fmt.Errorf("mail about refund %s: %w", r.ID, err)
		}
		if err := paidWith(tx, r, payment, &data); err != nil {
			return err
		}
		if inv := payment.GetString("invoice"); inv != "" {
			path += "/" + inv
		}
	}
	if data.Link, err = portal(tx, path); err != nil {
		return err
	}
	return s.write(tx, letter{key: string(kind) + ":" + r.ID, kind: kind, user: user, data: data})
}

// paidWith names the invoice and the method of the payment that goes back.
func paidWith(tx core.App, r books.Refund, payment *core.Record, data *mail.Data) error {
	if r.Gateway == payment.GetString("gateway") {
		name, err := collections.MethodName(tx, payment.GetString("gateway_method_id"))
		if err != nil {
			return err
		}
		if name != "" {
			data.Method = name
		}
	}
	inv, err := collections.First(tx, collections.Invoices, dbx.HashExp{"id": payment.GetString("invoice")})
	if err == nil && inv != nil {
		data.Number = inv.GetString("number")
	}
	return err
}

// Disputed writes to staff that a dispute has news.
func (s *Subject) Disputed(tx core.App, dispute *core.Record) error {
	return s.disputeMail(tx, dispute, "", "dispute."+dispute.GetString("status"))
}

// DisputeDue writes to staff that the evidence for a dispute is due in so many
// days, once for each number.
func (s *Subject) DisputeDue(tx core.App, dispute *core.Record, days int) error {
	title := "dispute.due.many"
	if days == 1 {
		title = "dispute.due.one"
	}
	return s.disputeMail(tx, dispute, fmt.Sprintf(":due%d", days), title, "n", strconv.Itoa(days))
}

// disputeMail goes to the address of support; without one the log of audits and
// the list of disputes tell.
func (s *Subject) disputeMail(tx core.App, dispute *core.Record, suffix, title string, of ...string) error {
	brand, err := collections.LoadBrand(tx)
	if err != nil || brand.Support == "" {
		return err
	}
	customer, err := tx.FindRecordById(collections.Users, dispute.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about dispute %s: %w", dispute.Id, err)
	}
	data := mail.Data{
		Number: dispute.GetString("gateway_dispute_id"), Method: collections.VendorName(dispute.GetString("gateway")), Title: staffLocale(brand).Text(title, of...),
		Reason: dispute.GetString("reason"), On: collections.Time(dispute, "evidence_due_at"), User: customer.Email(), Link: admin(brand),
	}
	if data.Amount, err = collections.Amount(dispute, "amount_minor"); err != nil {
		return err
	}
	return s.write(tx, letter{key: "dispute:" + dispute.Id + ":" + dispute.GetString("status") + suffix, kind: mail.StaffDispute, to: brand.Support, data: data})
}

// expiring are saved cards that customers are told of at once, at most.
const expiring = 200

// CardsExpiring writes to customers whose card ends within a month, once for each
// card and end, where it pays for something: the default one, and those that a
// subscription is paid by. It is a task of the schedule.
func (s *Subject) CardsExpiring(ctx context.Context, app core.App, now time.Time) error {
	for ctx.Err() == nil {
		cards := []struct {
			ID    string `db:"id"`
			User  string `db:"user"`
			Ref   string `db:"gateway_method_id"`
			Month int    `db:"exp_month"`
			Year  int    `db:"exp_year"`
		}{}
		soon := now.UTC().AddDate(0, 0, 30)
		err := app.DB().NewQuery("SELECT `m`.`id`, `m`.`user`, `m`.`gateway_method_id`, `m`.`exp_month`, `m`.`exp_year` FROM `payment_methods` `m` JOIN `users` `u` ON `u`.`id` = `m`.`user`" +
			" WHERE `m`.`active` AND `m`.`exp_year` > 0 AND `m`.`exp_year` * 12 + `m`.`exp_month` BETWEEN {:now} AND {:soon} AND `u`.`status` = 'active'" +
			" AND (`m`.`is_default` OR EXISTS (SELECT 1 FROM `subscriptions` WHERE `payment_method` = `m`.`id` AND `status` IN ('active', 'trialing', 'past_due', 'paused')))" +
			" AND NOT EXISTS (SELECT 1 FROM `mails` WHERE `key` = 'card_expiring:' || `m`.`id` || ':' || `m`.`exp_year` || '-' || `m`.`exp_month`) ORDER BY `m`.`id` LIMIT {:limit}").
			Bind(dbx.Params{"now": ordinal(now.UTC()), "soon": lastEnded(soon), "limit": expiring}).All(&cards)
		if err != nil {
			return fmt.Errorf("expiring cards: %w", err)
		}
		for _, c := range cards {
			last := time.Date(c.Year, time.Month(c.Month)+1, 0, 0, 0, 0, 0, time.UTC)
			if err := app.RunInTransaction(func(tx core.App) error { return s.cardExpiring(tx, c.ID, c.User, c.Ref, last) }); err != nil {
				return err
			}
		}
		if len(cards) < expiring {
			return nil
		}
	}
	return nil
}

// ordinal numbers months.
func ordinal(t time.Time) int { return t.Year()*12 + int(t.Month()) }

// lastEnded is the last month that is over on the day of t, or ends with it.
func lastEnded(t time.Time) int {
	if t.AddDate(0, 0, 1).Month() != t.Month() {
		return ordinal(t)
	}
	return ordinal(t) - 1
}

func (s *Subject) cardExpiring(tx core.App, id, owner, reference string, last time.Time) error {
	user, err := tx.FindRecordById(collections.Users, owner)
	if err != nil {
		return fmt.Errorf("mail about card %s: %w", id, err)
	}
	data := mail.Data{On: last}
	if data.Method, err = collections.MethodName(tx, reference); err != nil {
		return err
	}
	if data.Link, err = portal(tx, "/account"); err != nil {
		return err
	}
	key := fmt.Sprintf("card_expiring:%s:%d-%d", id, last.Year(), int(last.Month()))
	return s.write(tx, letter{key: key, kind: mail.CardExpiring, user: user, data: data})
}
