package renewals

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// The jobs that work announcements.
const (
	jobAnnounce = "renewals.announce"
	jobCallOff  = "renewals.call_off"
)

type announcementPayload struct {
	Announcement string `json:"announcement"`
}

// announce tells the customers of an announcement, in small commits. Each notes
// in the announcement how far it came, so that a job that was cut off goes on
// there, and two at once do not tell anybody twice.
func (s *Subject) announce(r *jobs.Run) error {
	return s.batches(r, s.AnnounceBatch)
}

// batches repeats one step of an announcement, as many customers at a time as fit
// in a commit, until nothing is left.
func (s *Subject) batches(r *jobs.Run, step func(app core.App, id string, most int) (bool, error)) error {
	p := announcementPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	for batch := leastBatch; ; {
		if err := r.Context().Err(); err != nil {
			return jobs.Later(time.Second) // what is left goes on there
		}
		began := s.Now()
		more, err := step(r.App, p.Announcement, batch)
		if err != nil || !more {
			return err
		}
		batch = fit(batch, s.Now().Sub(began))
	}
}

// AnnounceBatch tells the next customers of an announcement, so many at most, in
// one commit, and reports whether there may be more.
func (s *Subject) AnnounceBatch(app core.App, id string, most int) (bool, error) {
	row, err := app.FindRecordById(collections.PriceAnnouncements, id)
	if err != nil {
		return false, fmt.Errorf("announcement %s: %w", id, err)
	}
	if row.GetString("status") != announceRunning {
		return false, nil
	}
	a, err := readAnnounced(row)
	if err != nil {
		return false, err
	}
	cursor := row.GetString("cursor")
	users, err := a.nextCustomers(app, cursor, most)
	if err != nil {
		return false, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		next := dbx.Params{"status": announceDone, "done_at": collections.Stamp(s.Now()).String(), "updated": collections.Stamp(s.Now()).String()}
		if len(users) > 0 {
			next = dbx.Params{"cursor": users[len(users)-1], "updated": collections.Stamp(s.Now()).String()}
		}
		res, err := tx.DB().Update(collections.PriceAnnouncements, next, dbx.HashExp{"id": id, "status": announceRunning, "cursor": cursor}).Execute()
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // somebody else went on, or it was called off meanwhile
		}
		return s.tell(tx, a, users)
	})
	if err != nil {
		return false, fmt.Errorf("announce a price: %w", err)
	}
	return len(users) > 0, nil
}

// tell schedules the new price for all that some customers have at the old one,
// and writes each customer one mail about it.
func (s *Subject) tell(tx core.App, a announced, users []string) error {
	rows, err := a.of(tx, users)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := s.scheduleNewPrice(tx, a, row); err != nil {
			return fmt.Errorf("subscription %s: %w", row.ID, err)
		}
	}
	if s.PriceMail == nil {
		return nil
	}
	for _, user := range users {
		if err := s.PriceMail(tx, a.ID, user, false); err != nil {
			return fmt.Errorf("mail to customer %s: %w", user, err)
		}
	}
	return nil
}

// scheduleNewPrice schedules the new price of one subscription. Its key makes a
// second one of the same announcement impossible.
func (s *Subject) scheduleNewPrice(tx core.App, a announced, row concernedRow) error {
	now := s.Now()
	at, err := row.starts(a.Cycle, a.from(now))
	if err != nil {
		return err
	}
	from := terms{Price: row.Price, Plan: row.Plan, PlanName: row.PlanName, Cycle: string(a.Cycle), Amount: row.Amount, Cap: row.Cap, Options: []termOption{}}
	to := from
	to.Amount = a.Amount
	if a.ToPrice != "" {
		to.Price = a.ToPrice
	}
	if a.Cap > 0 {
		to.Cap = a.Cap
	}
	_, _, err = collections.Row(tx, collections.SubscriptionChanges, now, dbx.Params{
		"user": row.User, "subscription": row.ID, "client_key": "price:" + a.ID + ":" + row.ID, "kind": kindPrice, "timing": atPeriodEnd, "status": string(billing.ChangeScheduled),
		"from": jsonText(from), "to": jsonText(to), "invoice": "", "currency": a.Currency, "total_minor": 0, "announcement": a.ID, "requested_at": collections.Stamp(now).String(),
		"effective_at": collections.Stamp(at).String(), "announced_at": collections.Stamp(now).String(), "applied_at": "", "expires_at": "", "actor": "system", "note": "",
	})
	return err
}

// kindPrice is the kind of changes that staff announced.
const kindPrice = "price"

// jsonText is a value as json fields store it.
func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // texts and numbers of ours
		panic("renewals: " + err.Error())
	}
	return string(raw)
}
