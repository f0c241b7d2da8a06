package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/op"
)

type planRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type serviceRef struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Status string `json:"status"`
}

type itemView struct {
	Name     string       `json:"name"`
	Label    string       `json:"label"`
	Value    string       `json:"value"`
	Quantity int64        `json:"quantity"`
	Unit     money.Amount `json:"unit_price"`
}

type periodView struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type discountView struct {
	Code        string        `json:"code"`
	Kind        string        `json:"kind"`
	BasisPoints int64         `json:"basis_points"`
	Amount      *money.Amount `json:"amount"`
	// PeriodsLeft is how many periods are still to be invoiced with it; nil means
	// all.
	PeriodsLeft *int `json:"periods_left"`
}

// can says whether something can be done now, and if not why.
type can struct {
	Act     string `json:"act"`
	Allowed bool   `json:"allowed"`
	Code    string `json:"code"`
	Why     string `json:"why"`
}

type subscriptionView struct {
	ID          string         `json:"id"`
	Plan        planRef        `json:"plan"`
	Price       string         `json:"price_id"`
	Service     *serviceRef    `json:"service"`
	Status      string         `json:"status"`
	Access      string         `json:"access"`
	BilledBy    string         `json:"billed_by"` // "platform", or the gateway that bills by its own calendar
	Cycle       string         `json:"cycle"`
	Unit        money.Amount   `json:"unit_price"`
	Cap         *money.Amount  `json:"cap"`
	Items       []itemView     `json:"items"`
	Discounts   []discountView `json:"discounts"`
	Period      *periodView    `json:"current_period"`
	TrialEndsAt *time.Time     `json:"trial_ends_at"`
	EndsAt      *time.Time     `json:"ends_at"`
	PausesAt    *time.Time     `json:"pauses_at"`
	Change      *changeView    `json:"change"`
	PriceChange *priceView     `json:"price_change"`
	Next        *nextView      `json:"next_invoice"`
	Can         []can          `json:"can"`
	Created     time.Time      `json:"created"`
}

// priceView is a new price that was announced.
type priceView struct {
	Unit money.Amount `json:"unit_price"`
	From time.Time    `json:"from"`
}

type subscriptionList struct {
	Items []subscriptionView `json:"items"`
}

func (s *Subject) list(r *op.Request, _ op.None) (subscriptionList, error) {
	list := subscriptionList{Items: []subscriptionView{}}
	ids := []string{}
	err := r.App.DB().NewQuery("SELECT `id` FROM `subscriptions` WHERE `user` = {:user} ORDER BY `status` = 'cancelled', `created` DESC LIMIT 200").Bind(dbx.Params{"user": r.Auth.Id}).Column(&ids)
	if err != nil {
		return list, fmt.Errorf("list subscriptions: %w", err)
	}
	for _, id := range ids {
		v, err := s.view(r.App, id, r.Now())
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

func (s *Subject) show(r *op.Request, _ actor, id string, _ byID) (subscriptionView, error) {
	return s.view(r.App, id, r.Now())
}

// view is a subscription as its customer sees it.
func (s *Subject) view(app core.App, id string, now time.Time) (subscriptionView, error) {
	record, err := app.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return subscriptionView{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	sub, err := loadOne(app, id, now)
	if err != nil {
		return subscriptionView{}, err
	}
	v := subscriptionView{
		ID: id, Plan: planRef{sub.Plan, sub.PlanName}, Price: record.GetString("price"), Status: sub.Status, Access: record.GetString("access"), BilledBy: biller(sub), Cycle: sub.Cycle,
		Unit: sub.renewal.Items[0].Unit, Items: []itemView{}, Discounts: []discountView{}, Can: []can{}, Created: collections.Time(record, "created"),
		TrialEndsAt: optional(collections.Time(record, "trial_ends_at")), EndsAt: optional(sub.renewal.EndsAt), PausesAt: optional(sub.renewal.PauseFrom),
	}
	if start, end := collections.Time(record, "current_period_start"), collections.Time(record, "current_period_end"); !start.IsZero() {
		v.Period = &periodView{start, end}
	}
	if sub.Cap > 0 {
		if v.Cap, err = amount(sub.Cap, sub.Currency); err != nil {
			return v, err
		}
	}
	for _, fill := range []func(core.App, *subscription, *subscriptionView) error{viewService, viewItems, viewDiscounts, viewScheduled} {
		if err := fill(app, sub, &v); err != nil {
			return v, fmt.Errorf("subscription %s: %w", id, err)
		}
	}
	is, err := standing(app, sub, record)
	if err != nil {
		return v, err
	}
	for _, act := range billing.Acts() {
		why := is.Refuse(act)
		v.Can = append(v.Can, can{string(act), why.Code == "", why.Code, why.Text})
	}
	v.Next, err = s.next(app, sub, now)
	return v, err
}

func biller(sub *subscription) string {
	if sub.renewal.GatewayOwned {
		return sub.Gateway
	}
	return sub.Owner
}

func viewService(app core.App, sub *subscription, v *subscriptionView) error {
	svc, err := collections.First(app, collections.Services, dbx.HashExp{"subscription": sub.ID})
	if err != nil || svc == nil {
		return err
	}
	v.Service = &serviceRef{svc.Id, svc.GetString("label"), svc.GetString("status")}
	return nil
}

func viewItems(app core.App, sub *subscription, v *subscriptionView) error {
	items, err := collections.All(app, collections.SubscriptionItems, dbx.HashExp{"subscription": sub.ID, "active": true}, "created ASC, name ASC")
	if err != nil {
		return err
	}
	for _, it := range items {
		unit, err := collections.Amount(it, "unit_minor")
		if err != nil {
			return err
		}
		v.Items = append(v.Items, itemView{it.GetString("name"), it.GetString("label"), it.GetString("value"), it.GetInt64("quantity"), unit})
	}
	return nil
}

// viewDiscounts shows what the next periods are discounted by.
func viewDiscounts(_ core.App, sub *subscription, v *subscriptionView) error {
	for _, d := range billing.RebaseAll(sub.renewal.Discounts, sub.NextPeriod) {
		view := discountView{Code: d.Code, Kind: string(d.Kind), BasisPoints: d.BasisPoints}
		if d.Minor > 0 {
			var err error
			if view.Amount, err = amount(d.Minor, d.Currency); err != nil {
				return err
			}
		}
		if d.Periods > 0 {
			view.PeriodsLeft = &d.Periods
		}
		v.Discounts = append(v.Discounts, view)
	}
	return nil
}

// viewScheduled shows what is agreed and has not taken effect.
func viewScheduled(app core.App, sub *subscription, v *subscriptionView) error {
	change, err := openChange(app, sub.ID)
	if err != nil {
		return err
	}
	if change != nil {
		c, err := viewChange(app, change)
		if err != nil {
			return err
		}
		v.Change = &c
	}
	if len(sub.prices) == 0 {
		return nil
	}
	v.PriceChange = &priceView{sub.renewal.Items[0].Announced, sub.renewal.Items[0].AnnouncedFrom}
	return nil
}

func amount(minor int64, currency string) (*money.Amount, error) {
	a, err := money.New(minor, currency)
	return &a, err
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
