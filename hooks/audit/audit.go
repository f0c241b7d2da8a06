// Package audit writes the audit log: who did what to which thing, from where,
// with before and after. Rows are append-only (a trigger sees to it) and each
// carries the hash of the one before, so that a removed or altered row shows.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
)

// Kinds of actors.
const (
	System   = "system"
	Customer = "customer"
	Staff    = "staff"
)

// Entry is one row of the audit log. Changes must hold no secrets: callers pass
// an allow list of fields.
type Entry struct {
	ActorKind  string
	Actor      string // record id, "" for the system
	Action     string // "service.power"
	Resource   string // collection
	ResourceID string
	IP         string
	UserAgent  string
	Changes    map[string]any
}

// Write appends an entry in the transaction of app; the caller's effect and its
// audit row stand or fall together.
func Write(app core.App, now time.Time, e Entry) error {
	changes, err := json.Marshal(e.Changes)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	last := struct {
		Seq  int64  `db:"seq"`
		Hash string `db:"hash"`
	}{}
	write := func(tx core.App) error {
		err := tx.DB().NewQuery("SELECT IFNULL(MAX(`seq`), 0) AS `seq`, IFNULL((SELECT `hash` FROM `audit_logs` ORDER BY `seq` DESC LIMIT 1), '') AS `hash` FROM `audit_logs`").One(&last)
		if err != nil {
			return err
		}
		row := dbx.Params{
			"seq": last.Seq + 1, "at": collections.Stamp(now).String(), "actor_kind": e.ActorKind, "actor": e.Actor,
			"action": e.Action, "resource": e.Resource, "resource_id": e.ResourceID, "ip": e.IP,
			"user_agent": collections.Cut(e.UserAgent, 400), "changes": string(changes), "prev_hash": last.Hash,
		}
		row["hash"] = Hash(row)
		_, inserted, err := collections.Row(tx, collections.AuditLogs, now, row)
		if err == nil && !inserted {
			err = fmt.Errorf("row %d is taken", last.Seq+1)
		}
		return err
	}
	if err := app.RunInTransaction(write); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// hashed are the columns a row's hash covers, in this order.
var hashed = []string{"seq", "at", "actor_kind", "actor", "action", "resource", "resource_id", "ip", "user_agent", "changes", "prev_hash"}

// Hash computes a row's hash from its columns, the previous hash included.
func Hash(row map[string]any) string {
	h := sha256.New()
	for _, c := range hashed {
		v := fmt.Sprint(row[c])
		fmt.Fprintf(h, "%s:%d:%s\n", c, len(v), v)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Verify walks the whole log and returns the sequence number of the first row
// that is missing, moved or altered, or 0 when the chain holds.
func Verify(db dbx.Builder) (int64, error) {
	rows, err := db.NewQuery("SELECT * FROM `audit_logs` ORDER BY `seq`").Rows()
	if err != nil {
		return 0, fmt.Errorf("read audit log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	prev, want := "", int64(1)
	for rows.Next() {
		raw := dbx.NullStringMap{}
		if err := rows.ScanMap(raw); err != nil {
			return 0, fmt.Errorf("read audit row %d: %w", want, err)
		}
		row := map[string]any{}
		for k, v := range raw {
			row[k] = v.String
		}
		if row["seq"] != fmt.Sprint(want) || row["prev_hash"] != prev || row["hash"] != Hash(row) {
			return want, nil
		}
		prev, want = raw["hash"].String, want+1
	}
	return 0, rows.Err()
}
