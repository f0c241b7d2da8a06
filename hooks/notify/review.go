package notify

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/hooks/books"
)

// inReview tells a customer that staff looks at an order first.
func (s *Subject) inReview(tx core.App, d books.Document) error {
	order, err := collections.First(tx, collections.Orders, dbx.HashExp{"invoice": d.ID, "review": "waiting"})
	if err != nil || order == nil {
		return err
	}
	return s.orderMail(tx, order, mail.OrderInReview, d.Number)
}

// reviewMail tells a customer what staff decided about an order.
func (s *Subject) reviewMail(tx core.App, order *core.Record, before string) error {
	kinds := map[string]mail.Kind{"waiting > approved": mail.OrderApproved, "waiting > rejected": mail.OrderRejected}
	kind, tell := kinds[before+" > "+order.GetString("review")]
	if !tell {
		return nil
	}
	invoice, err := tx.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("mail about order %s: %w", order.Id, err)
	}
	return s.orderMail(tx, order, kind, invoice.GetString("number"))
}

func (s *Subject) orderMail(tx core.App, order *core.Record, kind mail.Kind, number string) error {
	user, err := tx.FindRecordById(collections.Users, order.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about order %s: %w", order.Id, err)
	}
	link, err := portal(tx, "/orders/"+order.Id)
	if err != nil {
		return err
	}
	amount, err := collections.Amount(order, "total_minor")
	if err != nil {
		return err
	}
	data := mail.Data{Link: link, Number: number, Amount: amount}
	if kind == mail.OrderRejected {
		data.Reason = order.GetString("review_note")
	}
	return s.write(tx, letter{key: string(kind) + ":" + order.Id, kind: kind, user: user, data: data})
}

// quoteMail tells a customer of a quote that staff sent.
func (s *Subject) quoteMail(tx core.App, quote *core.Record, before string) error {
	if quote.GetString("status") != "sent" || before == "sent" {
		return nil
	}
	user, err := tx.FindRecordById(collections.Users, quote.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail about quote %s: %w", quote.Id, err)
	}
	link, err := portal(tx, "/quotes/"+quote.Id)
	if err != nil {
		return err
	}
	amount, err := collections.Amount(quote, "total_minor")
	if err != nil {
		return err
	}
	data := mail.Data{Link: link, Title: quote.GetString("title"), Amount: amount, On: collections.Time(quote, "valid_until")}
	key := fmt.Sprintf("%s:%s:%d", mail.QuoteSent, quote.Id, collections.Time(quote, "sent_at").UnixMilli())
	return s.write(tx, letter{key: key, kind: mail.QuoteSent, user: user, data: data})
}
