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

func (s *subject) payInvoice(r *op.Request, in payRequest) (payAnswer, error) {
	inv, err := collections.Owned(r.App, collections.Invoices, in.ID, r.Auth.Id)
	if err != nil {
		return payAnswer{}, err
	}
	status := collections.InvoiceStatus(inv)
	if status == billing.InvoiceDraft {
		return payAnswer{}, op.NotFound()
	}
	if status == billing.InvoiceVoid {
		return payAnswer{}, op.NewProblem(http.StatusConflict, "void", "This invoice is void; nothing is owed on it. Please place a new order.")
	}
	if in.Method != "" {
		return s.payWithSaved(r, inv, in.Method)
	}
	choices, err := s.Gateways(r.App)
	if err != nil {
		return payAnswer{}, err
	}
	if !billing.Offered(choices, in.Gateway) {
		return payAnswer{}, op.Fields{{Field: "gateway", Message: "This way to pay is not offered. Please choose another.", Code: "unknown_gateway"}}.Problem()
	}
	if status != billing.InvoiceOpen {
		p, err := s.PaymentOf(r.App, inv)
		return payAnswer{p}, err
	}
	p, err := s.Pay(r.Request.Context(), r.App, inv, in.Gateway)
	return payAnswer{p}, err
}

// payWithSaved charges a saved method of the customer's own. The outcome
// arrives live.
func (s *subject) payWithSaved(r *op.Request, inv *core.Record, methodID string) (payAnswer, error) {
	method, err := collections.Owned(r.App, collections.PaymentMethods, methodID, r.Auth.Id)
	if err != nil {
		return payAnswer{}, err
	}
	if !method.GetBool("active") {
		return payAnswer{}, op.NewProblem(http.StatusConflict, "method_gone", "This payment method was removed. Please choose another.")
	}
	if err := s.ChargeSaved(r.Request.Context(), r.App, inv, method, "customer:"+r.Auth.Id); err != nil {
		return payAnswer{}, err
	}
	p, err := s.PaymentOf(r.App, inv)
	return payAnswer{p}, err
}
