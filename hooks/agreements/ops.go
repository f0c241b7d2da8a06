package agreements

import (
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

type byID struct {
	ID string `json:"-" path:"id"`
}

func (s *Subject) ops(t *op.Table) {
	const of = "/api/v1/staff/subscriptions/{id}/agreement"
	op.Add(t, op.Spec{ID: "staff.agreements.list", Method: http.MethodGet, Path: "/api/v1/staff/agreements", Access: op.Staff, Summary: "Subscriptions that a gateway bills; those that somebody has to look at come first"}, s.list)
	op.Add(t, op.Spec{ID: "staff.agreements.show", Method: http.MethodGet, Path: of, Access: op.Staff, Summary: "Who bills a subscription at a gateway, or last did"}, s.show)
	op.Add(t, op.Spec{ID: "staff.agreements.link", Method: http.MethodPost, Path: of, Access: op.Staff, Summary: "Have a gateway's subscription bill this one; it is read back and compared first"}, s.link)
	op.Add(t, op.Spec{ID: "staff.agreements.handover", Method: http.MethodPost, Path: of + "/handover", Access: op.Staff, Summary: "End the gateway's subscription with what is paid and bill here from then on; repeatable"}, s.handover)
	op.Add(t, op.Spec{ID: "staff.agreements.seen", Method: http.MethodPost, Path: of + "/seen", Access: op.Staff, Summary: "Note that somebody has looked at what an agreement's alert says"}, s.seen)
}

type view struct {
	ID            string       `json:"id"`
	Subscription  string       `json:"subscription"`
	Customer      string       `json:"customer"`
	Gateway       string       `json:"gateway"`
	Agreement     string       `json:"agreement"`
	Status        string       `json:"status"`
	Wish          string       `json:"wish"`
	State         string       `json:"state"`
	Ends          bool         `json:"ends"`
	Price         money.Amount `json:"price"`
	Next          *time.Time   `json:"next_payment_at"`
	BilledThrough *time.Time   `json:"billed_through"`
	PaidThrough   *time.Time   `json:"paid_through"`
	Linked        *time.Time   `json:"linked_at"`
	Closed        *time.Time   `json:"closed_at"`
	Checked       *time.Time   `json:"checked_at"`
	Alert         string       `json:"alert"`
	AlertText     string       `json:"alert_text"`
	AlertAt       *time.Time   `json:"alert_at"`
}

func show(row *core.Record) (view, error) {
	price, err := collections.Amount(row, "amount_minor")
	at := func(field string) *time.Time {
		t := collections.Time(row, field)
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	return view{
		ID: row.Id, Subscription: row.GetString("subscription"), Customer: row.GetString("user"), Gateway: row.GetString("gateway"), Agreement: row.GetString("agreement"),
		Status: row.GetString("status"), Wish: row.GetString("wish"), State: row.GetString("state"), Ends: row.GetBool("ends"), Price: price, Next: at("next_payment_at"),
		BilledThrough: at("billed_through"), PaidThrough: at("paid_through"), Linked: at("linked_at"), Closed: at("closed_at"), Checked: at("checked_at"),
		Alert: row.GetString("alert"), AlertText: row.GetString("alert_text"), AlertAt: at("alert_at"),
	}, err
}

type viewList struct {
	Items []view `json:"items"`
}

func (s *Subject) list(r *op.Request, _ op.None) (viewList, error) {
	list, rows := viewList{Items: []view{}}, []*core.Record{}
	err := r.App.RecordQuery(collections.Agreements).OrderBy("[[alert]] = '' ASC", "alert_at DESC", "status != 'following' ASC", "linked_at DESC").Limit(500).All(&rows)
	if err != nil {
		return list, err
	}
	for _, row := range rows {
		v, err := show(row)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

// newest is the agreement that bills a subscription, or the last that did.
func newest(app core.App, subscription string) (*core.Record, error) {
	rows, err := collections.All(app, collections.Agreements, dbx.HashExp{"subscription": subscription}, "linked_at DESC")
	if err == nil && len(rows) == 0 {
		err = op.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

func (s *Subject) show(r *op.Request, in byID) (view, error) {
	row, err := newest(r.App, in.ID)
	if err != nil {
		return view{}, err
	}
	return show(row)
}

// handover stores the wish; a job carries it out. Asking again while it is under
// way, or after it is done, changes nothing.
func (s *Subject) handover(r *op.Request, in byID) (view, error) {
	row := (*core.Record)(nil)
	err := r.App.RunInTransaction(func(tx core.App) (err error) {
		if row, err = newest(tx, in.ID); err != nil {
			return err
		}
		if row.GetString("status") == handedOver || row.GetString("wish") == wishHandover {
			return nil
		}
		if err := s.transferable(tx, row); err != nil {
			return err
		}
		row.Load(map[string]any{"wish": wishHandover, "wish_at": collections.Stamp(r.Now()), "wish_by": "staff:" + r.Auth.Id, "look_at": collections.Stamp(r.Now().AddDate(0, 0, 1))})
		if err := collections.Update(tx, row); err != nil {
			return err
		}
		if err := s.endSoon(tx, row, "staff:"+r.Auth.Id); err != nil {
			return err
		}
		return s.note(tx, r, "handover", row, nil)
	})
	if err != nil {
		return view{}, err
	}
	return show(row)
}

func (s *Subject) transferable(tx core.App, row *core.Record) error {
	sub, err := tx.FindRecordById(collections.Subscriptions, row.GetString("subscription"))
	if err != nil {
		return err
	}
	owed, err := unpaid(tx, row)
	switch {
	case err != nil:
		return err
	case row.GetString("status") != following || sub.GetString("status") == "cancelled":
		return refuse("over", "This subscription is over.")
	case row.GetString("wish") != "" || sub.GetBool("cancel_at_end") && sub.GetString("cancel_reason") != endedThere:
		return refuse("ends", "This subscription was cancelled.")
	case owed > 0:
		return refuse("unpaid", "A period is not paid yet and the gateway still tries to collect it. Hand over once it is.")
	}
	return nil
}

func (s *Subject) seen(r *op.Request, in byID) (view, error) {
	row := (*core.Record)(nil)
	err := r.App.RunInTransaction(func(tx core.App) (err error) {
		if row, err = newest(tx, in.ID); err != nil || row.GetString("alert") == "" {
			return err
		}
		was := row.GetString("alert")
		row.Load(map[string]any{"alert": "", "alert_text": "", "alert_at": ""})
		if err := collections.Update(tx, row); err != nil {
			return err
		}
		return s.note(tx, r, "seen", row, map[string]any{"alert": was})
	})
	if err != nil {
		return view{}, err
	}
	return show(row)
}
