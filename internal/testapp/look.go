package testapp

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
)

// Record reads a record that must exist.
func (a *App) Record(collection, id string) *core.Record {
	a.Helper()
	r, err := a.FindRecordById(collection, id)
	if err != nil {
		a.Fatalf("%s %q: %v", collection, id, err)
	}
	return r
}

// One reads the first record with the given values, which must exist; without
// values any record will do.
func (a *App) One(collection string, values dbx.HashExp) *core.Record {
	a.Helper()
	if len(values) == 0 {
		values = dbx.HashExp{"id": a.anyID(collection)}
	}
	r, err := collections.First(a.App, collection, values)
	if err != nil || r == nil {
		a.Fatalf("%s with %v: %v, found %t", collection, values, err, r != nil)
	}
	return r
}

func (a *App) anyID(collection string) string {
	a.Helper()
	id := ""
	if err := a.DB().NewQuery("SELECT `id` FROM `" + collection + "` LIMIT 1").Row(&id); err != nil {
		a.Fatalf("%s has no rows: %v", collection, err)
	}
	return id
}

// Count counts rows by a condition in SQL; "" counts all.
func (a *App) Count(collection, where string) int {
	a.Helper()
	if where != "" {
		where = " WHERE " + where
	}
	n := 0
	if err := a.DB().NewQuery("SELECT COUNT(*) FROM `" + collection + "`" + where).Row(&n); err != nil {
		a.Fatalf("count %s: %v", collection, err)
	}
	return n
}

// Exec runs a statement as somebody at the database would.
func (a *App) Exec(sql string) error {
	_, err := a.NonconcurrentDB().NewQuery(sql).Execute()
	return err
}

// Rows is the number of rows of each collection.
type Rows map[string]int

// Rows counts all collections of ours.
func (a *App) Rows() Rows {
	a.Helper()
	all, err := a.FindAllCollections()
	if err != nil {
		a.Fatal(err)
	}
	rows := Rows{}
	for _, c := range all {
		if !strings.HasPrefix(c.Name, "_") {
			rows[c.Name] = a.Count(c.Name, "")
		}
	}
	return rows
}

// Unchanged fails the test when a collection has other than before, except for
// those named.
func (a *App) Unchanged(before Rows, except ...string) {
	a.Helper()
	after := a.Rows()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] && !slices.Contains(except, name) {
			a.Errorf("%s has %d rows, want %d as before", name, after[name], before[name])
		}
	}
}

// Mails lists what a person was sent, oldest first.
func (a *App) Mails(to string) []mailbox.Message {
	found := []mailbox.Message{}
	for _, m := range a.Mail.Messages() {
		if slices.Contains(m.To, to) {
			found = append(found, m)
		}
	}
	return found
}

// Describe shows what is going on, for failure messages.
func (a *App) Describe() string {
	out := strings.Builder{}
	fmt.Fprintf(&out, "clock %s\n", a.clock.Now().Format(time.RFC3339))
	show := func(query string) {
		rows := []dbx.NullStringMap{}
		if err := a.DB().NewQuery(query).All(&rows); err != nil {
			fmt.Fprintln(&out, err)
		}
		for _, r := range rows {
			for _, k := range slices.Sorted(maps.Keys(r)) {
				fmt.Fprintf(&out, "%s=%s ", k, r[k].String)
			}
			fmt.Fprintln(&out)
		}
	}
	show("SELECT 'job' AS `0`, `key`, `state`, `attempts`, `next_at`, `in_flight`, `error` FROM `jobs` WHERE `state` != 'done' LIMIT 30")
	show("SELECT 'event' AS `0`, `type`, `status`, `error` FROM `webhook_events` WHERE `status` NOT IN ('done', 'ignored') LIMIT 30")
	show("SELECT 'payment' AS `0`, `id`, `kind`, `status`, `reason` FROM `payment_transactions` LIMIT 30")
	show("SELECT 'service' AS `0`, `id`, `status`, `action`, `action_note` FROM `services` LIMIT 30")
	return out.String()
}

func stamp(t time.Time) string { return collections.Stamp(t).String() }
