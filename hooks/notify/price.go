package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// What begins the keys of mails about an announced price; the announcement and
// the customer follow.
const (
	ofPrice    = "price_change:"
	ofPriceOff = "price_change_off:"
)

// errNothingToTell says that a mail about an announced price is not sent: it fell
// away before the mail's turn came, or the customer was never told of it.
var errNothingToTell = errors.New("not sent: there is nothing to tell any more")

// PriceMail queues the one mail that tells a customer of an announced price, or
// that it was called off, in the transaction that decides it. It is composed when
// it is sent, of what holds then. The same again changes nothing.
func (s *Subject) PriceMail(tx core.App, announcement, user string, off bool) error {
	key, kind := ofPrice, mail.PriceChange
	if off {
		key, kind = ofPriceOff, mail.PriceChangeOff
	}
	_, err := s.announce(tx, key+announcement+":"+user, kind, user, "", false)
	return err
}

// pricing is an announced price of one subscription, as its mail tells it.
type pricing struct {
	Subscription string `db:"subscription"`
	Currency     string `db:"currency"`
	From         string `db:"from"`
	To           string `db:"to"`
	At           string `db:"effective_at"`
	Status       string `db:"status"`
	Service      string `db:"service"`
	Label        string `db:"label"`
}

// composePrice writes the text of a mail about an announced price into its row.
// Errors: errNothingToTell; LaterError while it is not known whether the customer
// was told of the price that is off.
func (s *Subject) composePrice(app core.App, row *core.Record) error {
	key, off := strings.CutPrefix(row.GetString("key"), ofPriceOff)
	if !off {
		key = strings.TrimPrefix(key, ofPrice)
	}
	announcement, _, _ := strings.Cut(key, ":")
	user, err := app.FindRecordById(collections.Users, row.GetString("user"))
	if err != nil {
		return fmt.Errorf("mail %s: customer: %w", row.Id, err)
	}
	prices, err := pricesOf(app, announcement, user.Id)
	if err != nil {
		return err
	}
	l := letter{kind: mail.PriceChange, user: user}
	if off {
		l.kind = mail.PriceChangeOff
		if err := wasTold(app, ofPrice+key); err != nil {
			return err
		}
	} else {
		prices = inForce(prices)
	}
	if len(prices) == 0 {
		return errNothingToTell
	}
	if l.data, err = priceData(app, prices); err != nil {
		return fmt.Errorf("mail %s: %w", row.Id, err)
	}
	if !off && len(l.data.Changes) > 1 {
		l.kind = mail.PriceChanges
	}
	m, err := s.text(app, l)
	if err != nil {
		return err
	}
	row.Load(map[string]any{"kind": string(l.kind), "recipient": user.Email(), "subject": m.Subject, "body_text": m.Text, "body_html": m.HTML})
	if err := collections.Update(app, row); err != nil {
		return fmt.Errorf("mail %s: %w", row.Id, err)
	}
	return nil
}

// wasTold reports whether the mail that announced a price was sent.
func wasTold(app core.App, key string) error {
	first, err := collections.First(app, collections.Mails, dbx.HashExp{"key": key})
	switch {
	case err != nil:
		return err
	case first == nil || first.GetString("status") == "failed":
		return errNothingToTell
	case first.GetString("status") != "sent":
		return jobs.Later(time.Minute)
	}
	return nil
}

// pricesOf lists what was announced to a customer.
func pricesOf(app core.App, announcement, user string) ([]pricing, error) {
	rows := []pricing{}
	err := app.DB().NewQuery("SELECT `c`.`subscription`, `c`.`currency`, `c`.`from`, `c`.`to`, `c`.`effective_at`, `c`.`status`, IFNULL(`s`.`id`, '') AS `service`, IFNULL(NULLIF(`s`.`label`, ''), `p`.`name`) AS `label`" +
		" FROM `subscription_changes` `c` JOIN `subscriptions` `b` ON `b`.`id` = `c`.`subscription` JOIN `plans` `p` ON `p`.`id` = `b`.`plan` LEFT JOIN `services` `s` ON `s`.`subscription` = `c`.`subscription`" +
		" WHERE `c`.`announcement` = {:announcement} AND `c`.`user` = {:user} GROUP BY `c`.`id` ORDER BY `c`.`effective_at`, `label`, `c`.`id`").Bind(dbx.Params{"announcement": announcement, "user": user}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("prices announced to customer %s: %w", user, err)
	}
	return rows, nil
}

// inForce leaves out what fell away.
func inForce(prices []pricing) []pricing {
	out := []pricing{}
	for _, p := range prices {
		if p.Status != "cancelled" {
			out = append(out, p)
		}
	}
	return out
}

// priceData is what a mail says of announced prices. Services whose old price and
// day are the same are named together.
func priceData(app core.App, prices []pricing) (mail.Data, error) {
	data := mail.Data{}
	path := "/services"
	if len(prices) == 1 && prices[0].Service != "" {
		path += "/" + prices[0].Service
	}
	var err error
	if data.Link, err = portal(app, path); err != nil {
		return data, err
	}
	names := []string{}
	for _, p := range prices {
		c, now, err := p.change()
		if err != nil {
			return data, fmt.Errorf("subscription %s: %w", p.Subscription, err)
		}
		names = append(names, p.Label)
		data.Amount = now
		if n := len(data.Changes) - 1; n >= 0 && data.Changes[n].Was == c.Was && data.Changes[n].On.Equal(c.On) {
			data.Changes[n].Service += ", " + c.Service
			continue
		}
		data.Changes = append(data.Changes, c)
	}
	data.Service, data.Was, data.On = strings.Join(names, ", "), data.Changes[0].Was, data.Changes[0].On
	return data, nil
}

func (p pricing) change() (mail.Change, money.Amount, error) {
	c := mail.Change{Service: p.Label}
	amounts := [2]money.Amount{}
	for i, raw := range []string{p.From, p.To} {
		t := struct {
			Amount int64 `json:"amount_minor"`
		}{}
		if err := json.Unmarshal([]byte(raw), &t); err != nil {
			return c, amounts[1], fmt.Errorf("announced price: %w", err)
		}
		var err error
		if amounts[i], err = money.New(t.Amount, p.Currency); err != nil {
			return c, amounts[1], fmt.Errorf("announced price: %w", err)
		}
	}
	at, err := collections.ParseStamp(p.At)
	c.Was, c.On = amounts[0], at
	return c, amounts[1], err
}
