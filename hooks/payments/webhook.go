package payments

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

// maxEvent bounds a webhook's body, in bytes.
const maxEvent = 1_000_000

func (s *Subject) webhookOps(t *op.Table) {
	op.AddRaw(t, op.Spec{
		ID: "webhooks.receive", Method: http.MethodPost, Path: "/webhooks/{gateway}", Access: op.Gateway, MaxBody: maxEvent,
		Summary: "Deliveries of payment gateways, verified by their signature", Produces: "application/json",
	}, s.receiveWebhook)
}

// receiveWebhook verifies the raw body, stores it once and answers. What it
// means is found out from the stored row afterwards.
func (s *Subject) receiveWebhook(r *op.Request) error {
	kind := r.Path("gateway")
	if _, known := s.Factories[kind]; !known {
		return op.NotFound()
	}
	gateway, err := s.gateway(r.App, kind)
	if err != nil {
		return unready(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(r.Response, r.Request.Body, maxEvent))
	if err != nil {
		return fmt.Errorf("read delivery: %w", err)
	}
	event, err := gateway.ParseWebhook(body, r.Request.Header, r.Now())
	switch {
	case errors.Is(err, billing.ErrNotConfigured):
		return unready(err)
	case errors.Is(err, billing.ErrGatewayTemporary):
		return op.NewProblem(http.StatusServiceUnavailable, "not_verified", "The delivery cannot be verified now; please deliver it again.").Because(err)
	case err != nil:
		r.App.Logger().Warn("Webhook refused", slog.String("gateway", kind), slog.String("ip", r.RealIP()), slog.Any("error", err))
		return op.NewProblem(http.StatusBadRequest, "bad_signature", "The delivery is not signed by the gateway.").Because(err)
	}
	if err := s.intake.store(r.Request.Context(), stored{kind, event, body}); err != nil {
		return err
	}
	return r.JSON(http.StatusOK, map[string]bool{"received": true})
}

// unready asks the gateway to deliver again later: the fault is ours.
func unready(err error) error {
	return op.NewProblem(http.StatusServiceUnavailable, "not_configured", "This gateway is not set up here yet.").Because(err)
}

// stored is a verified delivery on its way to its row.
type stored struct {
	gateway string
	event   billing.Event
	body    []byte
}

// insert writes the row; a delivery that is there already changes nothing.
func (d stored) insert(tx core.App, now string) error {
	_, err := collections.Statement(tx, "INSERT INTO `webhook_events` (`id`, `gateway`, `event_id`, `type`, `object`, `status`, `refetch`, `body`, `received_at`, `done_at`, `error`, `created`, `updated`)"+
		" VALUES ({:id}, {:gateway}, {:event}, {:type}, {:object}, 'new', {:refetch}, {:body}, {:now}, '', '', {:now}, {:now}) ON CONFLICT DO NOTHING").
		Bind(dbx.Params{
			"id": core.GenerateDefaultRandomId(), "gateway": d.gateway, "event": d.event.ID, "type": collections.Cut(d.event.Type, 120), "object": collections.Cut(d.event.Object, 255),
			"refetch": d.event.Refetch, "body": string(d.body), "now": now,
		}).Execute()
	if err != nil {
		return fmt.Errorf("store %s delivery %s in %s: %w", d.gateway, d.event.ID, collections.WebhookEvents, err)
	}
	return nil
}
