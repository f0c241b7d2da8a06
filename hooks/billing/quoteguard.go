package billing

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const (
	jobQuote = "quote.expire"
	// quoteLife is how long a quote is valid unless staff says otherwise.
	quoteLife = 30 * 24 * time.Hour
)

type quotePayload struct {
	Quote string `json:"quote"`
}

// guardQuotes keeps quotes true, whoever saves them: a draft is priced at each
// save, sending freezes its prices, and after that it only ends.
func (s *subject) guardQuotes(app core.App) {
	checked := &hook.Handler[*core.RecordEvent]{Id: "billingQuote", Func: func(e *core.RecordEvent) error {
		if err := s.checkQuote(e.App, e.Record); err != nil {
			return apis.NewBadRequestError(err.Error(), nil)
		}
		return e.Next()
	}}
	app.OnRecordCreate(collections.Quotes).Bind(checked)
	app.OnRecordUpdate(collections.Quotes).Bind(checked)
	app.OnRecordUpdateExecute(collections.Quotes).Bind(&hook.Handler[*core.RecordEvent]{Id: "billingQuoteEnds", Func: func(e *core.RecordEvent) error {
		before := e.Record.Original().GetString("status")
		if err := e.Next(); err != nil || before == string(billing.QuoteSent) || e.Record.GetString("status") != string(billing.QuoteSent) {
			return err
		}
		_, err := jobs.Enqueue(e.App, s.Now(), jobs.Job{
			Kind: jobQuote, Key: jobQuote + ":" + e.Record.Id, User: e.Record.GetString("user"), Actor: audit.System,
			At: collections.Time(e.Record, "valid_until"), Payload: quotePayload{e.Record.Id},
		})
		return err
	}})
	app.OnRecordUpdateRequest(collections.Quotes).Bind(&hook.Handler[*core.RecordRequestEvent]{Id: "billingQuoteEdit", Func: func(e *core.RecordRequestEvent) error {
		from, to := e.Record.Original().GetString("status"), e.Record.GetString("status")
		if from != to && (to == string(billing.QuoteAccepted) || to == string(billing.QuoteExpired)) {
			return apis.NewBadRequestError("status: a quote is accepted by its customer and expires by itself; set it to sent or declined.", nil)
		}
		for _, f := range []string{"order", "sent_at", "answered_at", "total_minor"} { // written with the status alone
			e.Record.SetRaw(f, e.Record.Original().GetRaw(f))
		}
		return e.Next()
	}})
	app.OnRecordDelete(collections.Quotes).Bind(&hook.Handler[*core.RecordEvent]{Id: "billingQuoteKeep", Func: func(e *core.RecordEvent) error {
		if e.Record.GetString("status") != string(billing.QuoteDraft) {
			return apis.NewBadRequestError("A quote that was sent is never deleted; set it to declined.", nil)
		}
		return e.Next()
	}})
}

// checkQuote refuses what could not be ordered, and prices what can.
func (s *subject) checkQuote(app core.App, quote *core.Record) error {
	from, to := billing.QuoteStatus(quote.Original().GetString("status")), billing.QuoteStatus(quote.GetString("status"))
	if quote.IsNew() {
		if to != billing.QuoteDraft {
			return errors.New("status: a quote begins as a draft; save it, then send it")
		}
		from = to
	}
	if err := billing.CheckQuoteTransition(from, to); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	if from == billing.QuoteDraft || to == billing.QuoteSent && from != to {
		return s.priceQuote(app, quote, to == billing.QuoteSent)
	}
	for _, f := range []string{"user", "title", "currency", "items", "note", "valid_until", "total_minor", "sent_at"} {
		if quote.Original().GetString(f) != quote.GetString(f) {
			return fmt.Errorf("%s: a quote that was sent stays as it is; make another", f)
		}
	}
	return nil
}

// priceQuote computes a draft's total, and freezes its prices when it is sent.
func (s *subject) priceQuote(app core.App, quote *core.Record, send bool) error {
	user, err := collections.First(app, collections.Users, dbx.HashExp{"id": quote.GetString("user")})
	if err != nil {
		return err
	}
	if user == nil {
		return errors.New("user: choose the customer")
	}
	if fixed := user.GetString("currency"); fixed != "" && fixed != quote.GetString("currency") {
		return fmt.Errorf("currency: the customer is billed in %s", fixed)
	}
	w, err := wishOf(quote)
	if err != nil {
		return err
	}
	who, err := buyerOfQuote(app, quote)
	if err != nil {
		return err
	}
	cart, err := priceCart(app, who, w, s.Now())
	if err != nil {
		return inWords(err)
	}
	quote.Set("total_minor", cart.Priced.Totals.Total.Minor())
	if !send {
		return nil
	}
	until := collections.Time(quote, "valid_until")
	switch {
	case until.IsZero():
		quote.Set("valid_until", collections.Stamp(s.Now().Add(quoteLife)))
	case !until.After(s.Now()):
		return errors.New("valid_until: must be in the future")
	}
	quote.Set("sent_at", collections.Stamp(s.Now()))
	return freeze(quote, cart)
}

// expireQuote ends a quote that nobody answered in time.
func (s *subject) expireQuote(r *jobs.Run) error {
	p := quotePayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	return r.App.RunInTransaction(func(tx core.App) error {
		quote, err := collections.First(tx, collections.Quotes, dbx.HashExp{"id": p.Quote})
		if err != nil || quote == nil || quote.GetString("status") != string(billing.QuoteSent) || collections.Time(quote, "valid_until").After(r.Now()) {
			return err
		}
		quote.Set("status", string(billing.QuoteExpired))
		if err := collections.Save(tx, quote); err != nil {
			return fmt.Errorf("expire quote %s: %w", quote.Id, err)
		}
		return audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.System, Action: "quote.expire", Resource: collections.Quotes, ResourceID: quote.Id})
	})
}
