package invoices

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

type payRequest struct {
	ID      string `json:"-" path:"id"`
	Gateway string `json:"gateway"`
	Method  string `json:"method,omitzero"` // a saved method's id; "" opens a page
}

type payAnswer struct {
	Payment billing.Payment `json:"payment"`
}

func (s *subject) payOps(t *op.Table) {
	op.Add(t, op.Spec{ID: "invoices.pay", Method: http.MethodPost, Path: "/api/v1/invoices/{id}/pay", Access: op.Customer, Summary: "Open the payment of an open invoice"}, s.payInvoice)
	op.Add(t, op.Spec{ID: "invoices.pay_many", Method: http.MethodPost, Path: "/api/v1/invoices/pay", Access: op.Customer, Summary: "Pay several open invoices: from credit first if wanted, then by one page or a saved method"}, s.payMany)
}

func (s *subject) payInvoice(r *op.Request, in payRequest) (payAnswer, error) {
	inv, err := collections.Owned(r.App, collections.Invoices, in.ID, r.Auth.Id)
	if err != nil {
		return payAnswer{}, err
	}
	if err := issued(inv); err != nil {
		return payAnswer{}, err
	}
	if collections.InvoiceStatus(inv) == billing.InvoiceVoid {
		return payAnswer{}, op.NewProblem(http.StatusConflict, "void", "This invoice is void; nothing is owed on it. Please place a new order.")
	}
	return s.payOne(r, inv, in.Gateway, in.Method)
}

// payOne opens the page of an invoice or charges a saved method of the
// customer's own, whose outcome arrives live.
func (s *subject) payOne(r *op.Request, inv *core.Record, gateway, methodID string) (payAnswer, error) {
	if methodID != "" {
		method, err := s.ownMethod(r, methodID)
		if err != nil {
			return payAnswer{}, err
		}
		if err := s.ChargeSaved(r.Request.Context(), r.App, inv, method, "customer:"+r.Auth.Id); err != nil {
			return payAnswer{}, err
		}
		p, err := s.PaymentOf(r.App, inv)
		return payAnswer{p}, err
	}
	if err := s.checkGateway(r.App, gateway); err != nil {
		return payAnswer{}, err
	}
	if collections.InvoiceStatus(inv) != billing.InvoiceOpen {
		p, err := s.PaymentOf(r.App, inv)
		return payAnswer{p}, err
	}
	p, err := s.Pay(r.Request.Context(), r.App, inv, gateway)
	return payAnswer{p}, err
}

func (s *subject) checkGateway(app core.App, gateway string) error {
	choices, err := s.Gateways(app)
	if err != nil {
		return err
	}
	if billing.Offered(choices, gateway) {
		return nil
	}
	return op.Fields{{Field: "gateway", Message: "This way to pay is not offered. Please choose another.", Code: "unknown_gateway"}}.Problem()
}

// ownMethod is a saved method of the caller's that still works.
func (s *subject) ownMethod(r *op.Request, id string) (*core.Record, error) {
	method, err := collections.Owned(r.App, collections.PaymentMethods, id, r.Auth.Id)
	if err != nil {
		return nil, err
	}
	if !method.GetBool("active") {
		return nil, op.NewProblem(http.StatusConflict, "method_gone", "This payment method was removed. Please choose another.")
	}
	return method, nil
}
