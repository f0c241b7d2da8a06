package collections

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/engine/dunning"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// LoadDunning reads the settings group "dunning".
func LoadDunning(app core.App) (dunning.Policy, error) {
	return load(app, "dunning", dunning.Default())
}

// Collecting is what was agreed with one customer about collecting money.
type Collecting struct {
	Overrides   dunning.Overrides
	ExemptUntil time.Time // end of an exemption
	// ByHand customers are never charged without their doing.
	ByHand bool
}

// LoadCollecting reads it from the customer's billing profile; one without a
// profile has agreed nothing.
func LoadCollecting(app core.App, user string) (Collecting, error) {
	row := struct {
		Dunning string `db:"dunning"`
		Until   string `db:"exempt_until"`
		ByHand  bool   `db:"no_auto_charge"`
	}{}
	err := Statement(app, "SELECT IFNULL(`dunning`, '') AS `dunning`, `exempt_until`, `no_auto_charge` FROM `billing_profiles` WHERE `user` = {:user}").Bind(dbx.Params{"user": user}).One(&row)
	if errors.Is(err, sql.ErrNoRows) {
		return Collecting{}, nil
	}
	if err != nil {
		return Collecting{}, fmt.Errorf("billing profile of %s: %w", user, err)
	}
	c := Collecting{ByHand: row.ByHand}
	if row.Dunning != "" && row.Dunning != "null" {
		if err := json.Unmarshal([]byte(row.Dunning), &c.Overrides); err != nil {
			return c, fmt.Errorf("billing profile of %s: dunning: %w", user, err)
		}
	}
	if c.ExemptUntil, err = ParseStamp(row.Until); err != nil {
		return c, fmt.Errorf("billing profile of %s: %w", user, err)
	}
	return c, nil
}

// Servicing says what becomes of services that billing has ended, and of what
// differs at a platform.
type Servicing struct {
	// DeleteAfterDays is how long the data of an ended service is kept, switched
	// off, before it is deleted.
	DeleteAfterDays int `json:"delete_after_days"`
	// DriftRepair are the kinds of drift that are repaired by themselves; none by
	// default.
	DriftRepair []provisioning.DriftKind `json:"drift_repair"`
	// LiveSeconds is how often the state of a service is read at its platform while
	// its customer looks at it, 10 to 3600; 30 by default.
	LiveSeconds int `json:"live_seconds"`
}

// LiveEvery is the interval of LiveSeconds, within its bounds.
func (s Servicing) LiveEvery() time.Duration {
	return time.Duration(min(max(s.LiveSeconds, 10), 3600)) * time.Second
}

// LoadServicing reads the settings group "services".
func LoadServicing(app core.App) (Servicing, error) {
	return load(app, "services", Servicing{DeleteAfterDays: 7, LiveSeconds: 30})
}
