package billing

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/risk"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// reviewed is what staff said of an order that waited.
type reviewed struct {
	status billing.ReviewStatus
	by     string // id of the member of staff
	reason string // the customer's to read, "" for none
}

// note writes it on the order.
func (v reviewed) note(order *core.Record, now time.Time) {
	order.Load(map[string]any{"review": string(v.status), "reviewed_by": v.by, "reviewed_at": collections.Stamp(now), "review_note": collections.Cut(v.reason, 500)})
}

type reviewQuery struct {
	Review string `json:"-" query:"review"`
}

type reviewRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason,omitzero"` // the customer is told it
}

// Check bounds what the customer is told.
func (in reviewRequest) Check(f *op.Fields) {
	f.Check(len(in.Reason) <= 500, "reason", "too_long", "At most 500 characters fit here.")
}

// staffOrder is an order as staff decide on it.
type staffOrder struct {
	orderView
	Customer   string        `json:"customer"`
	Email      string        `json:"email"`
	Signals    []risk.Signal `json:"signals"`
	IP         string        `json:"ip"`
	IPCountry  string        `json:"ip_country"`
	ReviewedBy string        `json:"reviewed_by"`
	ReviewedAt *time.Time    `json:"reviewed_at"`
	Reason     string        `json:"reason"`
}

type staffOrders struct {
	Items []staffOrder `json:"items"`
}

func (s *subject) reviewOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "staff.orders.list", Method: http.MethodGet, Path: "/api/v1/staff/orders", Access: op.Staff, Summary: "Orders that wait for approval, oldest first; others by review"}, s.listReviews)
	op.Add(t, op.Spec{ID: "staff.orders.approve", Method: http.MethodPost, Path: "/api/v1/staff/orders/{id}/approve", Access: op.Staff, Summary: "Let a waiting order be delivered"}, s.approve)
	op.Add(t, op.Spec{ID: "staff.orders.reject", Method: http.MethodPost, Path: "/api/v1/staff/orders/{id}/reject", Access: op.Staff, Summary: "Refuse a waiting order; what was paid becomes credit"}, s.reject)
}

func (s *subject) listReviews(r *op.Request, in reviewQuery) (staffOrders, error) {
	list := staffOrders{Items: []staffOrder{}}
	if in.Review == "" {
		in.Review = string(billing.ReviewWaiting)
	}
	where, order := dbx.HashExp{"review": in.Review}, "placed_at DESC"
	if in.Review == string(billing.ReviewWaiting) { // those that ended unpaid wait for nothing
		where["status"], order = []any{string(billing.OrderPending), string(billing.OrderPaid)}, "placed_at ASC"
	}
	found := []*core.Record{}
	if err := r.App.RecordQuery(collections.Orders).AndWhere(where).OrderBy(order).Limit(200).All(&found); err != nil {
		return list, fmt.Errorf("list orders to review: %w", err)
	}
	for _, o := range found {
		v, err := viewReview(r.App, o)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func viewReview(app core.App, order *core.Record) (staffOrder, error) {
	v := staffOrder{
		Customer: order.GetString("user"), Signals: []risk.Signal{}, IP: order.GetString("ip"), IPCountry: order.GetString("ip_country"),
		ReviewedBy: order.GetString("reviewed_by"), ReviewedAt: optional(collections.Time(order, "reviewed_at")), Reason: order.GetString("review_note"),
	}
	if err := collections.ReadJSON(order, "signals", &v.Signals); err != nil {
		return v, err
	}
	user, err := app.FindRecordById(collections.Users, order.GetString("user"))
	if err != nil {
		return v, fmt.Errorf("customer of order %s: %w", order.Id, err)
	}
	v.Email = user.Email()
	v.orderView, err = viewOrder(app, order.Id)
	return v, err
}

// approve lets a waiting order go on. If it is paid, services and subscriptions
// start as they would have with the payment; else they start with it.
func (s *subject) approve(r *op.Request, in reviewRequest) (staffOrder, error) {
	return s.decide(r, in, billing.ReviewApproved, func(tx core.App, order *core.Record) error {
		if order.GetString("status") != string(billing.OrderPaid) {
			return nil
		}
		if err := s.Books.PaidAgain(tx, order.GetString("invoice")); err != nil {
			return err
		}
		return s.endCredited(tx, order.GetString("invoice"))
	})
}

// reject refuses a waiting order. Unpaid, it is cancelled; paid, all of it is
// credited and becomes the customer's credit, and what it held is returned.
func (s *subject) reject(r *op.Request, in reviewRequest) (staffOrder, error) {
	order, err := waiting(r.App, in.ID)
	if err != nil {
		return staffOrder{}, err
	}
	if order.GetString("status") == string(billing.OrderPending) && order.GetString("review") == string(billing.ReviewWaiting) {
		verdict := reviewed{billing.ReviewRejected, r.Auth.Id, in.Reason}
		end := ending{
			status: billing.OrderCancelled, reason: "The order was not accepted.", review: &verdict,
			entry: audit.Entry{ActorKind: audit.Staff, Actor: r.Auth.Id, Action: "order.reject", IP: r.RealIP(), UserAgent: r.Agent()},
		}
		if err := s.cancel(r, order, end); err != nil {
			return staffOrder{}, err
		}
		return s.shown(r.App, in.ID)
	}
	return s.decide(r, in, billing.ReviewRejected, func(tx core.App, order *core.Record) error { return s.undo(tx, order, in.Reason, r) })
}

// waiting finds an order that staff may decide on.
func waiting(app core.App, id string) (*core.Record, error) {
	order, err := collections.First(app, collections.Orders, dbx.HashExp{"id": id})
	if err == nil && order == nil {
		err = op.NotFound()
	}
	return order, err
}

// decide writes what staff decided, with what follows from it, in one
// transaction. Deciding the same again changes nothing.
func (s *subject) decide(r *op.Request, in reviewRequest, to billing.ReviewStatus, then func(tx core.App, order *core.Record) error) (staffOrder, error) {
	err := r.App.RunInTransaction(func(tx core.App) error {
		order, err := waiting(tx, in.ID)
		if err != nil {
			return err
		}
		from := billing.ReviewStatus(order.GetString("review"))
		switch {
		case from == to:
			return nil
		case from != billing.ReviewWaiting:
			return op.NewProblem(http.StatusConflict, "not_waiting", "This order does not wait for approval; its review is "+string(from)+".")
		case order.GetString("status") != string(billing.OrderPaid) && order.GetString("status") != string(billing.OrderPending):
			return op.NewProblem(http.StatusConflict, "order_closed", "This order is "+order.GetString("status")+" already.")
		}
		reviewed{to, r.Auth.Id, in.Reason}.note(order, r.Now())
		if err := collections.Save(tx, order); err != nil {
			return fmt.Errorf("review order %s: %w", order.Id, err)
		}
		if err := then(tx, order); err != nil {
			return err
		}
		return audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: audit.Staff, Actor: r.Auth.Id, Action: actions[to], Resource: collections.Orders, ResourceID: order.Id, IP: r.RealIP(), UserAgent: r.Agent(),
			Changes: map[string]any{"review": map[string]string{"before": string(from), "after": string(to)}, "reason": in.Reason},
		})
	})
	if err != nil {
		return staffOrder{}, err
	}
	return s.shown(r.App, in.ID)
}

var actions = map[billing.ReviewStatus]string{billing.ReviewApproved: "order.approve", billing.ReviewRejected: "order.reject"}

func (s *subject) shown(app core.App, id string) (staffOrder, error) {
	order, err := waiting(app, id)
	if err != nil {
		return staffOrder{}, err
	}
	return viewReview(app, order)
}

// undo takes back a paid order of which nothing was delivered.
func (s *subject) undo(tx core.App, order *core.Record, reason string, r *op.Request) error {
	invoice, err := books.Read(tx, order.GetString("invoice"))
	if err != nil {
		return fmt.Errorf("reject order %s: %w", order.Id, err)
	}
	if invoice.Total.Sign() > 0 {
		if reason == "" {
			reason = "The order was not accepted."
		}
		_, err := s.Books.CreditNote(tx, r.Now(), books.Correction{Invoice: invoice.ID, Key: "order-reject:" + order.Id, Reason: reason, Actor: "staff:" + r.Auth.Id})
		if err != nil {
			return err
		}
	}
	return endUnits(tx, order.Id, "The order was not accepted.", r.Now())
}
