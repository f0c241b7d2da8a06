package renewals

import (
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
)

// changeView is a change of a subscription as its customer sees it.
type changeView struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"`
	Timing      string       `json:"timing"`
	Status      string       `json:"status"`
	Invoice     string       `json:"invoice_id"`
	Total       money.Amount `json:"total"`
	RequestedAt time.Time    `json:"requested_at"`
	EffectiveAt *time.Time   `json:"effective_at"`
	AppliedAt   *time.Time   `json:"applied_at"`
	ExpiresAt   *time.Time   `json:"expires_at"`
	Note        string       `json:"note"`
}

func viewChange(_ core.App, change *core.Record) (changeView, error) {
	total, err := collections.Amount(change, "total_minor")
	return changeView{
		ID: change.Id, Kind: change.GetString("kind"), Timing: change.GetString("timing"), Status: change.GetString("status"), Invoice: change.GetString("invoice"), Total: total,
		RequestedAt: collections.Time(change, "requested_at"), EffectiveAt: optional(collections.Time(change, "effective_at")), AppliedAt: optional(collections.Time(change, "applied_at")),
		ExpiresAt: optional(collections.Time(change, "expires_at")), Note: change.GetString("note"),
	}, err
}
