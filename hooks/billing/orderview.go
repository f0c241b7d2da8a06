package billing

import (
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

type invoiceRef struct {
	ID     string `json:"id"`
	Number string `json:"number"`
	Status string `json:"status"`
}

type serviceRef struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

type orderView struct {
	ID        string       `json:"id"`
	Status    string       `json:"status"`
	Review    string       `json:"review"` // "waiting" while staff looks at it
	Created   time.Time    `json:"created"`
	ExpiresAt *time.Time   `json:"expires_at"`
	Total     money.Amount `json:"total"`
	Invoice   invoiceRef   `json:"invoice"`
	Services  []serviceRef `json:"services"`
}

type orderList struct {
	Items []orderView `json:"items"`
}

type byID struct {
	ID string `json:"-" path:"id"`
}

func (s *subject) orderOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "orders.quote", Method: http.MethodPost, Path: "/api/v1/orders/quote", Access: op.Public, Summary: "What a cart costs today and later"}, s.quote)
	op.Add(t, op.Spec{ID: "orders.create", Method: http.MethodPost, Path: "/api/v1/orders", Access: op.Customer, Status: http.StatusCreated, Summary: "Place an order; repeatable by client_key"}, s.create)
	op.Add(t, op.Spec{ID: "orders.list", Method: http.MethodGet, Path: "/api/v1/orders", Access: op.Customer, Summary: "The customer's orders, newest first"}, s.listOrders)
	op.Add(t, op.Spec{ID: "orders.show", Method: http.MethodGet, Path: "/api/v1/orders/{id}", Access: op.Customer, Summary: "One order and how its payment stands"}, s.showOrder)
	op.Add(t, op.Spec{ID: "orders.check", Method: http.MethodPost, Path: "/api/v1/orders/{id}/check", Access: op.Customer, Summary: "Ask the gateway what became of the payment"}, s.checkOrder)
	op.Add(t, op.Spec{ID: "orders.cancel", Method: http.MethodPost, Path: "/api/v1/orders/{id}/cancel", Access: op.Customer, Summary: "Cancel an order that is not paid"}, s.cancelOrder)
}

func (s *subject) listOrders(r *op.Request, _ op.None) (orderList, error) {
	list := orderList{Items: []orderView{}}
	orders := []*core.Record{}
	err := r.App.RecordQuery(collections.Orders).AndWhere(dbx.HashExp{"user": r.Auth.Id}).OrderBy("placed_at DESC").Limit(100).All(&orders)
	if err != nil {
		return list, fmt.Errorf("list orders: %w", err)
	}
	for _, o := range orders {
		v, err := viewOrder(r.App, o.Id)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *subject) showOrder(r *op.Request, in byID) (orderAnswer, error) {
	order, err := collections.Owned(r.App, collections.Orders, in.ID, r.Auth.Id)
	if err != nil {
		return orderAnswer{}, err
	}
	return s.orderAnswer(r.App, order)
}

func (s *subject) checkOrder(r *op.Request, in byID) (orderAnswer, error) {
	order, err := collections.Owned(r.App, collections.Orders, in.ID, r.Auth.Id)
	if err != nil {
		return orderAnswer{}, err
	}
	invoice, err := r.App.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return orderAnswer{}, fmt.Errorf("order %s: %w", order.Id, err)
	}
	if err := s.Check(r.Request.Context(), r.App, invoice); err != nil {
		return orderAnswer{}, err
	}
	return s.orderAnswer(r.App, order)
}

func (s *subject) orderAnswer(app core.App, order *core.Record) (orderAnswer, error) {
	invoice, err := app.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return orderAnswer{}, fmt.Errorf("order %s: %w", order.Id, err)
	}
	payment, err := s.PaymentOf(app, invoice)
	if err != nil {
		return orderAnswer{}, err
	}
	view, err := viewOrder(app, order.Id)
	return orderAnswer{view, payment}, err
}

func viewOrder(app core.App, id string) (orderView, error) {
	order, err := app.FindRecordById(collections.Orders, id)
	if err != nil {
		return orderView{}, fmt.Errorf("order %s: %w", id, err)
	}
	total, err := collections.Amount(order, "total_minor")
	if err != nil {
		return orderView{}, err
	}
	invoice, err := app.FindRecordById(collections.Invoices, order.GetString("invoice"))
	if err != nil {
		return orderView{}, fmt.Errorf("order %s: %w", id, err)
	}
	v := orderView{
		ID: id, Status: order.GetString("status"), Review: order.GetString("review"), Created: collections.Time(order, "placed_at"), Total: total, Services: []serviceRef{},
		Invoice: invoiceRef{invoice.Id, invoice.GetString("number"), invoice.GetString("status")},
	}
	if v.Status == "pending" {
		v.ExpiresAt = optional(collections.Time(order, "expires_at"))
	}
	services := []*core.Record{}
	err = app.RecordQuery(collections.Services).
		InnerJoin(collections.Subscriptions+" s", dbx.NewExp("`s`.`id` = `services`.`subscription`")).
		AndWhere(dbx.NewExp("`s`.`order` = {:order}", dbx.Params{"order": id})).OrderBy("services.created ASC", "services.id ASC").All(&services)
	if err != nil {
		return v, fmt.Errorf("services of order %s: %w", id, err)
	}
	for _, svc := range services {
		v.Services = append(v.Services, serviceRef{svc.Id, svc.GetString("label"), svc.GetString("status")})
	}
	return v, nil
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
