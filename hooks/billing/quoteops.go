package billing

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// offerView is a quote by staff as its customer sees it.
type offerView struct {
	ID         string       `json:"id"`
	Title      string       `json:"title"`
	Note       string       `json:"note"`
	Status     string       `json:"status"`
	ValidUntil *time.Time   `json:"valid_until"`
	SentAt     *time.Time   `json:"sent_at"`
	AnsweredAt *time.Time   `json:"answered_at"`
	Total      money.Amount `json:"total"`
	Order      string       `json:"order"` // id, once accepted
	Price      *quoteView   `json:"price"` // of one that can be accepted: its lines, as they would be invoiced now
}

type offerList struct {
	Items []offerView `json:"items"`
}

type acceptRequest struct {
	ID      string `json:"-" path:"id"`
	Gateway string `json:"gateway"`
	Total   int64  `json:"total_minor"`
	Terms   bool   `json:"terms"`
	// Where the customer is, kept as the billing address if none is known yet.
	Country  string `json:"country,omitzero"`
	Region   string `json:"region,omitzero"`
	Postcode string `json:"postcode,omitzero"`
	VATID    string `json:"vat_id,omitzero"`
}

// Check refuses what no quote could make right.
func (in acceptRequest) Check(f *op.Fields) {
	f.Check(in.Terms, "terms", "required", "Please accept the terms.")
}

func (s *subject) quoteOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "quotes.list", Method: http.MethodGet, Path: "/api/v1/quotes", Access: op.Customer, Summary: "Quotes that staff made for the customer, newest first"}, s.listOffers)
	op.Add(t, op.Spec{ID: "quotes.show", Method: http.MethodGet, Path: "/api/v1/quotes/{id}", Access: op.Customer, Summary: "One quote with its lines"}, s.showOffer)
	op.Add(t, op.Spec{ID: "quotes.accept", Method: http.MethodPost, Path: "/api/v1/quotes/{id}/accept", Access: op.Customer, Status: http.StatusCreated, Summary: "Order what a quote offers; repeatable"}, s.acceptOffer)
	op.Add(t, op.Spec{ID: "quotes.decline", Method: http.MethodPost, Path: "/api/v1/quotes/{id}/decline", Access: op.Customer, Summary: "Turn a quote down"}, s.declineOffer)
	op.Add(t, op.Spec{ID: "staff.quotes.send", Method: http.MethodPost, Path: "/api/v1/staff/quotes/{id}/send", Access: op.Staff, Summary: "Freeze a quote's prices and mail it"}, s.sendOffer)
}

// theirs finds a customer's own quote; drafts are staff's alone.
func theirs(app core.App, id, user string) (*core.Record, error) {
	quote, err := collections.Owned(app, collections.Quotes, id, user)
	if err == nil && quote.GetString("status") == string(billing.QuoteDraft) {
		err = op.NotFound()
	}
	return quote, err
}

func (s *subject) listOffers(r *op.Request, _ op.None) (offerList, error) {
	list, found := offerList{Items: []offerView{}}, []*core.Record{}
	where := dbx.And(dbx.HashExp{"user": r.Auth.Id}, dbx.Not(dbx.HashExp{"status": string(billing.QuoteDraft)}))
	if err := r.App.RecordQuery(collections.Quotes).AndWhere(where).OrderBy("sent_at DESC").Limit(100).All(&found); err != nil {
		return list, fmt.Errorf("list quotes: %w", err)
	}
	for _, q := range found {
		v, err := viewOffer(q, r.Now())
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *subject) showOffer(r *op.Request, in byID) (offerView, error) {
	quote, err := theirs(r.App, in.ID, r.Auth.Id)
	if err != nil {
		return offerView{}, err
	}
	v, err := viewOffer(quote, r.Now())
	if err != nil || v.Status != string(billing.QuoteSent) {
		return v, err
	}
	w, err := wishOf(quote)
	if err != nil {
		return v, err
	}
	who, err := buyerOfQuote(r.App, quote)
	if err != nil {
		return v, err
	}
	cart, err := priceCart(r.App, who, w, r.Now())
	if err != nil {
		return v, err
	}
	price, err := viewQuote(cart)
	v.Price = &price
	return v, err
}

func viewOffer(quote *core.Record, now time.Time) (offerView, error) {
	total, err := collections.Amount(quote, "total_minor")
	v := offerView{
		ID: quote.Id, Title: quote.GetString("title"), Note: quote.GetString("note"), Status: quote.GetString("status"), Total: total, Order: quote.GetString("order"),
		ValidUntil: optional(collections.Time(quote, "valid_until")), SentAt: optional(collections.Time(quote, "sent_at")), AnsweredAt: optional(collections.Time(quote, "answered_at")),
	}
	if v.Status == string(billing.QuoteSent) && v.ValidUntil != nil && !v.ValidUntil.After(now) {
		v.Status = string(billing.QuoteExpired)
	}
	return v, err
}

// acceptOffer makes a quote an order. Accepting again returns the same order.
func (s *subject) acceptOffer(r *op.Request, in acceptRequest) (orderAnswer, error) {
	quote, err := theirs(r.App, in.ID, r.Auth.Id)
	if err != nil {
		return orderAnswer{}, err
	}
	if quote.GetString("order") == "" {
		if err := s.answerable(quote, r.Now()); err != nil {
			return orderAnswer{}, err
		}
	}
	faults := op.Fields{}
	where := readWhereabouts(whereabouts{in.Country, in.Region, in.Postcode, in.VATID}, &faults)
	if err := faults.Problem(); err != nil {
		return orderAnswer{}, err
	}
	w, err := wishOf(quote)
	if err != nil {
		return orderAnswer{}, err
	}
	return s.buy(r, purchase{key: quoteKey + quote.Id, gateway: in.Gateway, total: in.Total, wish: w, where: where, quote: quote.Id})
}

// quoteKey begins the client keys of orders that were quotes.
const quoteKey = "quote:"

// answerable says why a quote cannot be answered any more, if so.
func (s *subject) answerable(quote *core.Record, now time.Time) error {
	v, err := viewOffer(quote, now)
	switch {
	case err != nil:
		return err
	case v.Status == string(billing.QuoteExpired):
		return op.NewProblem(http.StatusConflict, "quote_expired", "This quote has expired. Please ask us for a new one.")
	case v.Status != string(billing.QuoteSent):
		return op.NewProblem(http.StatusConflict, "quote_closed", "This quote was "+v.Status+" already.")
	}
	return nil
}

// accepted marks the quote of an order, in the order's transaction: two answers
// to one quote cannot both count.
func (s *subject) accepted(tx core.App, id string, order *core.Record, now time.Time) error {
	quote, err := tx.FindRecordById(collections.Quotes, id)
	if err != nil {
		return fmt.Errorf("accept quote %s: %w", id, err)
	}
	if err := s.answerable(quote, now); err != nil {
		return err
	}
	quote.Load(map[string]any{"status": string(billing.QuoteAccepted), "order": order.Id, "answered_at": collections.Stamp(now)})
	if err := collections.Save(tx, quote); err != nil {
		return fmt.Errorf("accept quote %s: %w", id, err)
	}
	return nil
}

func (s *subject) declineOffer(r *op.Request, in byID) (offerView, error) {
	var view offerView
	err := r.App.RunInTransaction(func(tx core.App) error {
		quote, err := theirs(tx, in.ID, r.Auth.Id)
		if err != nil {
			return err
		}
		if quote.GetString("status") != string(billing.QuoteDeclined) {
			if err := s.answerable(quote, r.Now()); err != nil {
				return err
			}
			quote.Load(map[string]any{"status": string(billing.QuoteDeclined), "answered_at": collections.Stamp(r.Now())})
			if err := collections.Save(tx, quote); err != nil {
				return fmt.Errorf("decline quote %s: %w", quote.Id, err)
			}
			err := audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.Customer, Actor: r.Auth.Id, Action: "quote.decline", Resource: collections.Quotes, ResourceID: quote.Id, IP: r.RealIP(), UserAgent: r.Agent()})
			if err != nil {
				return err
			}
		}
		view, err = viewOffer(quote, r.Now())
		return err
	})
	return view, err
}

func (s *subject) sendOffer(r *op.Request, in byID) (offerView, error) {
	var view offerView
	err := r.App.RunInTransaction(func(tx core.App) error {
		quote, err := collections.First(tx, collections.Quotes, dbx.HashExp{"id": in.ID})
		if err != nil {
			return err
		}
		if quote == nil {
			return op.NotFound()
		}
		if quote.GetString("status") != string(billing.QuoteSent) {
			quote.Set("status", string(billing.QuoteSent))
			if err := collections.Save(tx, quote); err != nil {
				return fmt.Errorf("send quote %s: %w", quote.Id, err)
			}
			err := audit.Write(tx, r.Now(), audit.Entry{ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "quote.send", Resource: collections.Quotes, ResourceID: quote.Id, IP: r.RealIP(), UserAgent: r.Agent(), Changes: map[string]any{"total_minor": quote.GetInt64("total_minor")}})
			if err != nil {
				return err
			}
		}
		view, err = viewOffer(quote, r.Now())
		return err
	})
	return view, err
}
