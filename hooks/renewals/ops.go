package renewals

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

type byID struct {
	ID string `json:"-" path:"id"`
}

func (in byID) subscription() string { return in.ID }

// about is an input that names a subscription.
type about interface{ subscription() string }

// actor is who does something to a subscription.
type actor struct {
	kind, id  string
	ip, agent string
}

// String is the actor as records keep it.
func (a actor) String() string { return a.kind + ":" + a.id }

func (s *Subject) ops(t *op.Table) {
	const base = "/api/v1/subscriptions"
	op.Add(t, op.Spec{ID: "subscriptions.list", Method: http.MethodGet, Path: base, Access: op.Customer, Summary: "The customer's subscriptions with what is due next"}, s.list)
	both(t, op.Spec{ID: "subscriptions.show", Method: http.MethodGet, Path: base + "/{id}", Summary: "One subscription and what can be done with it now"}, s.show)
	both(t, op.Spec{ID: "subscriptions.cancel", Method: http.MethodPost, Path: base + "/{id}/cancel", Summary: "End a subscription at the end of what is paid, or at once; repeatable by client_key"}, s.cancel)
	both(t, op.Spec{ID: "subscriptions.keep", Method: http.MethodPost, Path: base + "/{id}/keep", Summary: "Undo a cancellation that has not taken effect"}, s.keep)
	both(t, op.Spec{ID: "subscriptions.pause", Method: http.MethodPost, Path: base + "/{id}/pause", Summary: "Pause at the end of what is paid"}, s.pause)
	both(t, op.Spec{ID: "subscriptions.resume", Method: http.MethodPost, Path: base + "/{id}/resume", Summary: "End a pause, or take it back before it begins"}, s.resume)
	both(t, op.Spec{ID: "subscriptions.changes.list", Method: http.MethodGet, Path: base + "/{id}/changes", Summary: "The changes of a subscription, newest first"}, s.changes)
	both(t, op.Spec{ID: "subscriptions.changes.preview", Method: http.MethodPost, Path: base + "/{id}/changes/preview", Summary: "What a change of plan, options, quantity or cycle costs; the invoice is made by the same function"}, s.preview)
	both(t, op.Spec{ID: "subscriptions.changes.create", Method: http.MethodPost, Path: base + "/{id}/changes", Status: http.StatusCreated, Summary: "Agree a change at the previewed price; repeatable by client_key"}, s.change)
	both(t, op.Spec{ID: "subscriptions.changes.cancel", Method: http.MethodPost, Path: base + "/{id}/changes/cancel", Summary: "Cancel a change that has not taken effect"}, s.undo)
}

// both adds an operation for customers, about what is theirs, and the same for
// staff about anybody's.
func both[In about, Out any](t *op.Table, spec op.Spec, h func(r *op.Request, by actor, id string, in In) (Out, error)) {
	staff := spec
	spec.Access = op.Customer
	op.Add(t, spec, func(r *op.Request, in In) (Out, error) {
		if _, err := collections.Owned(r.App, collections.Subscriptions, in.subscription(), r.Auth.Id); err != nil {
			var none Out
			return none, err
		}
		return h(r, who(r, audit.Customer), in.subscription(), in)
	})
	staff.ID, staff.Path, staff.Access = "staff."+spec.ID, strings.Replace(spec.Path, "/api/v1/", "/api/v1/staff/", 1), op.Staff
	op.Add(t, staff, func(r *op.Request, in In) (Out, error) {
		found, err := collections.First(r.App, collections.Subscriptions, dbx.HashExp{"id": in.subscription()})
		if err == nil && found == nil {
			err = op.NotFound()
		}
		if err != nil {
			var none Out
			return none, err
		}
		return h(r, who(r, audit.Staff), found.Id, in)
	})
}

func who(r *op.Request, kind string) actor { return actor{kind, r.Auth.Id, r.RealIP(), r.Agent()} }

// closePages makes sure, before what is invoiced from a moment on is taken back,
// that nobody pays it meanwhile; likewise the invoice of a change that is waiting.
// Money that is on its way all the same becomes credit.
func (s *Subject) closePages(r *op.Request, sub *subscription, from time.Time) error {
	change, err := openChange(r.App, sub.ID)
	if err != nil {
		return err
	}
	waiting := ""
	if change != nil {
		waiting = change.GetString("invoice")
	}
	return s.closeFrom(r.Request.Context(), r.App, sub, from, waiting)
}

// closeFrom closes the payment pages of what is invoiced from a moment on, and of
// further invoices; "" is none.
func (s *Subject) closeFrom(ctx context.Context, app core.App, sub *subscription, from time.Time, more ...string) error {
	invoices := []string{}
	invoiced, err := books.InvoicedAhead(app, ahead(sub, from))
	if err != nil {
		return err
	}
	for _, i := range invoiced {
		if i.Open {
			invoices = append(invoices, i.ID)
		}
	}
	for _, id := range append(invoices, more...) {
		if id == "" {
			continue
		}
		invoice, err := app.FindRecordById(collections.Invoices, id)
		if err == nil {
			_, err = s.Close(ctx, app, invoice)
		}
		if err != nil {
			app.Logger().Warn("The payment of an invoice that is to be taken back could not be closed", "invoice", id, "error", err)
		}
	}
	return nil
}
