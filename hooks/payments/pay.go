package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// ErrPending says that money for this invoice is on its way, so that no second
// attempt may begin.
var ErrPending = errors.New("a payment is on its way")

// ErrTooSmall reports an amount that no gateway takes.
var ErrTooSmall = errors.New("less than a gateway takes")

// checkSize reports ErrTooSmall.
func (a *attempt) checkSize() error {
	if a.Gateway != Manual && a.Minor < billing.SmallestPayment(a.Currency) {
		return fmt.Errorf("invoice %s: %w", a.Invoice, ErrTooSmall)
	}
	return nil
}

// pageLife is how long a payment page stays open. Gateways bound it to their
// own limits; Stripe's shortest is 30 minutes, to which our adapter adds one for
// clocks that differ. Ours is longer still, since the call comes a moment later.
const pageLife = 32 * time.Minute

// OpenPage returns the hosted page on which an open invoice is paid: the one
// that is open already, or a new one. An invoice has at most one live attempt;
// an attempt that cannot be used any more is closed at the gateway first, and
// if it turns out to be paid that is settled instead. Errors: ErrPending, ErrTooSmall,
// billing's gateway errors.
func (s *Subject) OpenPage(ctx context.Context, app core.App, invoice *core.Record, kind string) (string, error) {
	gateway, err := s.gateway(app, kind)
	if err != nil {
		return "", err
	}
	for range 3 { // close what is stale, then begin anew
		a, fresh, err := s.begin(app, invoice.Id, kind)
		switch {
		case err != nil:
			return "", err
		case a == nil:
			return "", nil // paid meanwhile
		case fresh:
			return s.open(ctx, app, gateway, a)
		case a.PageURL != "" && s.usable(a, kind):
			return a.PageURL, nil
		case a.Status == attemptNeedsAction && a.Gateway == kind && a.ActionURL != "":
			return a.ActionURL, nil // confirming pays the attempt that is open
		case a.Status == attemptPending || a.Status == attemptUnknown:
			return "", ErrPending
		}
		if err := s.closeOne(ctx, app, a); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("invoice %s: %w", invoice.GetString("number"), billing.ErrGatewayTemporary)
}

// usable reports whether an open page can still be paid for the right amount.
func (s *Subject) usable(a *attempt, kind string) bool {
	expires, _ := time.Parse("2006-01-02 15:04:05.000Z", a.Expires)
	return a.Gateway == kind && (a.Status == attemptOpen || a.Status == attemptNeedsAction) && s.Now().Add(time.Minute).Before(expires)
}

// begin writes the intent: the attempt with its idempotency key, before any
// call. fresh says that the page is still to be opened, by this call or because
// an earlier one was interrupted.
func (s *Subject) begin(app core.App, invoiceID, kind string) (a *attempt, fresh bool, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		invoice, err := tx.FindRecordById(collections.Invoices, invoiceID)
		if err != nil {
			return fmt.Errorf("invoice %s: %w", invoiceID, err)
		}
		if collections.InvoiceStatus(invoice) != billing.InvoiceOpen {
			return nil
		}
		if err := elsewhere(tx, invoiceID); err != nil {
			return err
		}
		a, err = liveAttempt(tx, invoiceID)
		if err != nil {
			return err
		}
		now := s.Now()
		if a != nil {
			fits := a.Minor == invoice.GetInt64("due_minor") && a.Gateway == kind && a.Kind == "page" && !a.part()
			fresh = fits && a.Status == attemptCreated
			if !fits && a.Status == attemptOpen {
				a.PageURL = "" // for another amount or gateway: not to be used
			}
			return nil
		}
		begun := pageAttempt(invoice, kind, now)
		if err := begun.checkSize(); err != nil {
			return err
		}
		a, fresh = &begun, true
		a.ID, _, err = collections.Row(tx, collections.PaymentTransactions, now, row(*a))
		return err
	})
	return a, fresh, err
}

// pageAttempt is the intent to have what is due on an invoice paid on a page.
func pageAttempt(invoice *core.Record, kind string, now time.Time) attempt {
	return attempt{
		User: invoice.GetString("user"), Invoice: invoice.Id, Gateway: kind, Kind: "page", Status: attemptCreated,
		Key: "page:" + core.GenerateDefaultRandomId(), Expires: collections.Stamp(now.Add(pageLife)).String(),
		Currency: invoice.GetString("currency"), Minor: invoice.GetInt64("due_minor"),
	}
}

func liveAttempt(app core.App, invoiceID string) (*attempt, error) {
	return findAttempt(app, "`invoice` = {:invoice} AND `status` IN ('created', 'open', 'pending', 'needs_action', 'unknown')", dbx.Params{"invoice": invoiceID})
}

// open calls the gateway for a page and keeps what it says.
func (s *Subject) open(ctx context.Context, app core.App, gateway billing.Gateway, a *attempt) (string, error) {
	req, err := s.pageRequest(ctx, app, gateway, a)
	if err != nil {
		return "", err
	}
	page, err := gateway.OpenPage(ctx, req)
	if errors.Is(err, billing.ErrGatewayRefused) {
		// Nobody ever saw a page under this key: the attempt is over.
		_ = s.mark(app, a.ID, attemptFailed, err.Error())
	}
	if err != nil {
		return "", fmt.Errorf("open payment page of invoice %s: %w", a.Invoice, err)
	}
	kept := int64(0)
	err = app.RunInTransaction(func(tx core.App) error {
		now := s.Now()
		if err := a.opened(tx, page, now); err != nil {
			return err
		}
		res, err := tx.DB().Update(collections.PaymentTransactions, dbx.Params{
			"status": attemptOpen, "page_reference": page.Reference, "page_url": page.URL,
			"page_expires_at": collections.Stamp(page.ExpiresAt).String(), "updated": collections.Stamp(now).String(),
		}, dbx.HashExp{"id": a.ID, "status": attemptCreated}).Execute()
		if err != nil {
			return fmt.Errorf("keep payment page: %w", err)
		}
		if kept, err = res.RowsAffected(); err != nil || kept == 0 {
			return err
		}
		_, err = jobs.Enqueue(tx, now, jobs.Job{
			Kind: jobWatch, Key: jobWatch + ":" + a.ID, Serial: "invoice:" + a.Invoice, User: a.User, Actor: audit.System,
			At: now.Add(watchEvery), Payload: attemptPayload{a.ID},
		})
		return err
	})
	if err != nil || kept > 0 {
		return page.URL, err
	}
	// Somebody else wrote the attempt meanwhile: the same request at the same time,
	// which has opened this very page, or what has ended the attempt.
	now, err := liveAttempt(app, a.Invoice)
	if err != nil {
		return "", err
	}
	if now != nil && now.ID == a.ID && now.Page == page.Reference {
		return page.URL, nil
	}
	return "", s.discard(ctx, app, gateway, a, page)
}

// discard closes a page whose attempt was ended while it was being opened, for
// example because the saved card was charged meanwhile: it must not be paid, too.
func (s *Subject) discard(ctx context.Context, app core.App, gateway billing.Gateway, a *attempt, page billing.Page) error {
	rep, err := gateway.ClosePage(ctx, page.Reference)
	if err != nil {
		return fmt.Errorf("close the needless payment page of invoice %s: %w", a.Invoice, err)
	}
	rep.AttemptID = a.ID
	if err := app.RunInTransaction(func(tx core.App) error { return s.settle(tx, s.Now(), a.Gateway, rep) }); err != nil {
		return err
	}
	return fmt.Errorf("invoice %s: %w", a.Invoice, ErrPending)
}

// pageRequest is the same for the same attempt, so that a repeated call is
// recognized by the gateway as a repetition.
func (s *Subject) pageRequest(ctx context.Context, app core.App, gateway billing.Gateway, a *attempt) (billing.PageRequest, error) {
	req := billing.PageRequest{}
	invoice, err := app.FindRecordById(collections.Invoices, a.Invoice)
	if err != nil {
		return req, fmt.Errorf("invoice %s: %w", a.Invoice, err)
	}
	user, err := app.FindRecordById(collections.Users, a.User)
	if err != nil {
		return req, fmt.Errorf("customer %s: %w", a.User, err)
	}
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return req, err
	}
	customer, err := s.customer(ctx, app, gateway, a.Gateway, user)
	if err != nil {
		return req, err
	}
	amount, err := money.New(a.Minor, a.Currency)
	if err != nil {
		return req, fmt.Errorf("attempt %s: %w", a.ID, err)
	}
	expires, err := time.Parse("2006-01-02 15:04:05.000Z", a.Expires)
	if err != nil {
		return req, fmt.Errorf("attempt %s: %w", a.ID, err)
	}
	back := brand.URL + "/portal/invoices/" + invoice.Id
	if order, err := collections.First(app, collections.Orders, dbx.HashExp{"invoice": invoice.Id}); err == nil && order != nil {
		back = brand.URL + "/portal/orders/" + order.Id
	}
	title := "Invoice " + invoice.GetString("number")
	if a.mass() {
		if title, err = a.title(app, title); err != nil {
			return req, err
		}
		back = brand.URL + "/portal/invoices"
	}
	return billing.PageRequest{
		Key: a.Key, AttemptID: a.ID, InvoiceID: invoice.Id, Customer: customer, Email: user.Email(), Amount: amount,
		Description: title, SaveMethod: true,
		ReturnURL: back + "?payment=returned", CancelURL: back + "?payment=cancelled",
		ExpiresAt: expires, Locale: user.GetString("locale"),
	}, nil
}

// customer returns the gateway's id of our customer, made on first use.
func (s *Subject) customer(ctx context.Context, app core.App, gateway billing.Gateway, kind string, user *core.Record) (string, error) {
	known, err := collections.First(app, collections.GatewayCustomers, dbx.HashExp{"user": user.Id, "gateway": kind})
	if err != nil {
		return "", err
	}
	if known != nil {
		return known.GetString("customer_id"), nil
	}
	id, err := gateway.EnsureCustomer(ctx, "customer:"+user.Id, user.Id, user.Email(), user.GetString("name"))
	if err != nil {
		return "", fmt.Errorf("customer %s at %s: %w", user.Id, kind, err)
	}
	if _, _, err := collections.Row(app, collections.GatewayCustomers, s.Now(), dbx.Params{"user": user.Id, "gateway": kind, "customer_id": id}); err != nil {
		return "", err
	}
	return id, nil
}

// mark ends a live attempt that moved no money.
func (s *Subject) mark(app core.App, id, status, reason string) error {
	_, err := app.DB().Update(collections.PaymentTransactions,
		dbx.Params{"status": status, "reason": collections.Cut(reason, 200), "updated": collections.Stamp(s.Now()).String()},
		dbx.HashExp{"id": id, "status": live}).Execute()
	if err != nil {
		return fmt.Errorf("payment attempt %s: %w", id, err)
	}
	return (&attempt{ID: id}).lead(app, s.Now(), status)
}
