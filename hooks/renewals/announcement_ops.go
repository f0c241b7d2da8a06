package renewals

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

func (s *Subject) announcementOps(t *op.Table) {
	const base = "/api/v1/staff/price-announcements"
	op.Add(t, op.Spec{ID: "staff.prices.announcements.preview", Method: http.MethodPost, Path: "/api/v1/staff/prices/{id}/announcements/preview", Access: op.Staff, MaxBody: 1 << 20, Summary: "Whom a new price would concern and what they pay before and after; nothing is announced"}, s.previewAnnouncement)
	op.Add(t, op.Spec{ID: "staff.prices.announcements.create", Method: http.MethodPost, Path: "/api/v1/staff/prices/{id}/announcements", Access: op.Staff, Status: http.StatusAccepted, MaxBody: 1 << 20, Summary: "Announce a new price to the customers who pay an older one; repeatable by client_key"}, s.createAnnouncement)
	op.Add(t, op.Spec{ID: "staff.prices.announcements.list", Method: http.MethodGet, Path: base, Access: op.Staff, Summary: "Announced prices, newest first, and how far each has come"}, s.listAnnouncements)
	op.Add(t, op.Spec{ID: "staff.prices.announcements.show", Method: http.MethodGet, Path: base + "/{id}", Access: op.Staff, Summary: "One announced price and how far it has come"}, s.showAnnouncement)
	op.Add(t, op.Spec{ID: "staff.prices.announcements.cancel", Method: http.MethodPost, Path: base + "/{id}/cancel", Access: op.Staff, Summary: "Call an announced price off before its day; whoever was told of it is told so"}, s.cancelAnnouncement)
}

// announceView is what staff sees of a new price before it is announced.
type announceView struct {
	Price  string       `json:"price_id"`
	Scope  string       `json:"scope"`
	Cycle  string       `json:"cycle"`
	Amount money.Amount `json:"amount"`
	From   time.Time    `json:"effective_from"`
	sums
}

func (s *Subject) previewAnnouncement(r *op.Request, in announcePreview) (announceView, error) {
	a, err := resolve(r.App, in.announcing, r.Now())
	if err != nil {
		return announceView{}, err
	}
	v := announceView{Price: a.Price, Scope: a.Scope, Cycle: string(a.Cycle), From: a.From}
	if v.Amount, err = money.New(a.Amount, a.Currency); err != nil {
		return v, fmt.Errorf("announce a price: %w", err)
	}
	v.sums, err = a.count(r.App)
	return v, err
}

// createAnnouncement stores what is announced and leaves telling the customers to
// a job. The same client key again is the same announcement.
func (s *Subject) createAnnouncement(r *op.Request, in announceRequest) (announcementView, error) {
	known, err := collections.First(r.App, collections.PriceAnnouncements, dbx.HashExp{"client_key": in.ClientKey})
	if err != nil {
		return announcementView{}, err
	}
	if known != nil {
		return again(r.App, known, in)
	}
	a, err := resolve(r.App, in.announcing, r.Now())
	if err != nil {
		return announcementView{}, err
	}
	concerns, err := a.count(r.App)
	if err != nil {
		return announcementView{}, err
	}
	if concerns.Subscriptions == 0 {
		return announcementView{}, op.NewProblem(http.StatusConflict, "nobody", "This would concern nobody. Look at the preview for the reasons.")
	}
	by := who(r, audit.Staff)
	err = r.App.RunInTransaction(func(tx core.App) error {
		id, inserted, err := collections.Row(tx, collections.PriceAnnouncements, r.Now(), dbx.Params{
			"price": a.Price, "scope": a.Scope, "client_key": in.ClientKey, "amount_minor": a.Amount, "cap_minor": a.Cap, "to_price": a.ToPrice, "currency": a.Currency, "cycle": string(a.Cycle),
			"effective_from": collections.Stamp(a.From).String(), "notice_days": a.NoticeDays, "exclude": jsonText(a.Exclude), "note": strings.TrimSpace(in.Note), "status": announceRunning, "cursor": "",
			"customers": concerns.Customers, "subscriptions": concerns.Subscriptions, "before_minor": concerns.Before.Minor(), "after_minor": concerns.After.Minor(), "actor": by.String(),
			"at": collections.Stamp(a.At).String(), "done_at": "", "cancelled_at": "", "cancelled_by": "", "cancel_reason": "",
		})
		if err != nil || !inserted {
			return err // the same request came twice at once
		}
		err = audit.Write(tx, r.Now(), audit.Entry{
			ActorKind: by.kind, Actor: by.id, Action: "price.announce", Resource: collections.PriceAnnouncements, ResourceID: id, IP: by.ip, UserAgent: by.agent,
			Changes: map[string]any{
				"price": a.Price, "scope": a.Scope, "amount_minor": a.Amount, "cap_minor": a.Cap, "to_price": a.ToPrice, "currency": a.Currency, "cycle": a.Cycle, "effective_from": in.From,
				"customers": concerns.Customers, "subscriptions": concerns.Subscriptions, "excluded": len(a.Exclude), "note": strings.TrimSpace(in.Note),
			},
		})
		if err != nil {
			return err
		}
		return s.enqueueAnnouncement(tx, r.Now(), jobAnnounce, id, by.String())
	})
	if err != nil {
		return announcementView{}, fmt.Errorf("announce a price: %w", err)
	}
	made, err := collections.First(r.App, collections.PriceAnnouncements, dbx.HashExp{"client_key": in.ClientKey})
	if err != nil {
		return announcementView{}, err
	}
	return again(r.App, made, in)
}

// again answers with an announcement that exists, unless its key was used for
// another price.
func again(app core.App, known *core.Record, in announceRequest) (announcementView, error) {
	if known.GetString("price") != in.ID {
		return announcementView{}, op.NewProblem(http.StatusConflict, "key_used", "This client_key was used for another price before.")
	}
	return viewAnnouncement(app, known)
}

func (s *Subject) enqueueAnnouncement(tx core.App, now time.Time, kind, id, actor string) error {
	_, err := jobs.Enqueue(tx, now, jobs.Job{Kind: kind, Key: kind + ":" + id, Serial: "renewals.announcement:" + id, Actor: actor, Payload: announcementPayload{id}})
	return err
}

// announcementView is an announced price as staff sees it.
type announcementView struct {
	ID            string       `json:"id"`
	Price         string       `json:"price_id"`
	Scope         string       `json:"scope"`
	Cycle         string       `json:"cycle"`
	Amount        money.Amount `json:"amount"`
	From          time.Time    `json:"effective_from"`
	Status        string       `json:"status"`
	Note          string       `json:"note"`
	Customers     int          `json:"customers"` // as counted when it was made
	Subscriptions int          `json:"subscriptions"`
	Before        money.Amount `json:"before"`
	After         money.Amount `json:"after"`
	Progress      progressView `json:"progress"`
	Actor         string       `json:"actor"`
	At            time.Time    `json:"at"`
	DoneAt        *time.Time   `json:"done_at"`
	CancelledAt   *time.Time   `json:"cancelled_at"`
	CancelReason  string       `json:"cancel_reason"`
}

// progressView counts subscriptions: told of the price so far, and of those at
// the old price still, at the new one, and those for which it fell away.
type progressView struct {
	Told      int `json:"told"`
	Scheduled int `json:"scheduled"`
	Applied   int `json:"applied"`
	FellAway  int `json:"fell_away"`
}

type announcementList struct {
	Items []announcementView `json:"items"`
}

func viewAnnouncement(app core.App, r *core.Record) (announcementView, error) {
	v := announcementView{
		ID: r.Id, Price: r.GetString("price"), Scope: r.GetString("scope"), Cycle: r.GetString("cycle"), From: collections.Time(r, "effective_from"), Status: r.GetString("status"), Note: r.GetString("note"),
		Customers: r.GetInt("customers"), Subscriptions: r.GetInt("subscriptions"), Actor: r.GetString("actor"), At: collections.Time(r, "at"), DoneAt: optional(collections.Time(r, "done_at")),
		CancelledAt: optional(collections.Time(r, "cancelled_at")), CancelReason: r.GetString("cancel_reason"),
	}
	for field, into := range map[string]*money.Amount{"amount_minor": &v.Amount, "before_minor": &v.Before, "after_minor": &v.After} {
		var err error
		if *into, err = collections.Amount(r, field); err != nil {
			return v, err
		}
	}
	rows := []struct {
		Status string `db:"status"`
		Count  int    `db:"count"`
	}{}
	err := app.DB().NewQuery("SELECT `status`, COUNT(*) AS `count` FROM `subscription_changes` WHERE `announcement` = {:id} GROUP BY `status`").Bind(dbx.Params{"id": r.Id}).All(&rows)
	if err != nil {
		return v, fmt.Errorf("progress of announcement %s: %w", r.Id, err)
	}
	for _, row := range rows {
		v.Progress.Told += row.Count
		switch row.Status {
		case "scheduled":
			v.Progress.Scheduled = row.Count
		case "applied":
			v.Progress.Applied = row.Count
		default:
			v.Progress.FellAway += row.Count
		}
	}
	return v, nil
}

func (s *Subject) listAnnouncements(r *op.Request, _ op.None) (announcementList, error) {
	list := announcementList{Items: []announcementView{}}
	found := []*core.Record{}
	if err := r.App.RecordQuery(collections.PriceAnnouncements).OrderBy("at DESC", "id DESC").Limit(100).All(&found); err != nil {
		return list, fmt.Errorf("list announced prices: %w", err)
	}
	for _, a := range found {
		v, err := viewAnnouncement(r.App, a)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *Subject) showAnnouncement(r *op.Request, in byID) (announcementView, error) {
	found, err := collections.First(r.App, collections.PriceAnnouncements, dbx.HashExp{"id": in.ID})
	if err == nil && found == nil {
		err = op.NotFound()
	}
	if err != nil {
		return announcementView{}, err
	}
	return viewAnnouncement(r.App, found)
}
