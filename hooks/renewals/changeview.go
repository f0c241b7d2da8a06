package renewals

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// termsView is one side of a change.
type termsView struct {
	Plan  planRef      `json:"plan"`
	Price string       `json:"price_id"`
	Cycle string       `json:"cycle"`
	Unit  money.Amount `json:"unit_price"`
	Items []itemView   `json:"items"`
}

// changeView is a change of a subscription as its customer sees it.
type changeView struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"`
	Timing      string       `json:"timing"`
	Status      string       `json:"status"`
	Invoice     string       `json:"invoice_id"`
	Total       money.Amount `json:"total"`
	From        termsView    `json:"from"`
	To          termsView    `json:"to"`
	RequestedAt time.Time    `json:"requested_at"`
	EffectiveAt *time.Time   `json:"effective_at"`
	AppliedAt   *time.Time   `json:"applied_at"`
	ExpiresAt   *time.Time   `json:"expires_at"`
	Note        string       `json:"note"`
}

type changeList struct {
	Items []changeView `json:"items"`
}

func viewChange(_ core.App, change *core.Record) (changeView, error) {
	v := changeView{
		ID: change.Id, Kind: change.GetString("kind"), Timing: change.GetString("timing"), Status: change.GetString("status"), Invoice: change.GetString("invoice"),
		RequestedAt: collections.Time(change, "requested_at"), EffectiveAt: optional(collections.Time(change, "effective_at")), AppliedAt: optional(collections.Time(change, "applied_at")),
		ExpiresAt: optional(collections.Time(change, "expires_at")), Note: change.GetString("note"),
	}
	var err error
	if v.Total, err = collections.Amount(change, "total_minor"); err != nil {
		return v, err
	}
	from, to, err := readTerms(change)
	if err != nil {
		return v, err
	}
	if v.From, err = from.view(change.GetString("currency")); err != nil {
		return v, err
	}
	v.To, err = to.view(change.GetString("currency"))
	return v, err
}

func (t terms) view(currency string) (termsView, error) {
	v := termsView{Plan: planRef{t.Plan, t.PlanName}, Price: t.Price, Cycle: t.Cycle, Items: []itemView{}}
	var err error
	if v.Unit, err = money.New(t.Amount, currency); err != nil {
		return v, fmt.Errorf("terms: %w", err)
	}
	for _, o := range t.Options {
		unit, err := money.New(o.Unit, currency)
		if err != nil {
			return v, fmt.Errorf("terms: %w", err)
		}
		v.Items = append(v.Items, itemView{o.Name, o.Label, o.Value, o.Quantity, unit})
	}
	return v, nil
}

// changes lists the changes of a subscription, announced prices among them.
func (s *Subject) changes(r *op.Request, _ actor, id string, _ byID) (changeList, error) {
	list := changeList{Items: []changeView{}}
	found := []*core.Record{}
	err := r.App.RecordQuery(collections.SubscriptionChanges).AndWhere(dbx.HashExp{"subscription": id}).OrderBy("created DESC", "id DESC").Limit(100).All(&found)
	if err != nil {
		return list, fmt.Errorf("changes of subscription %s: %w", id, err)
	}
	for _, change := range found {
		v, err := viewChange(r.App, change)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

type previewRequest struct {
	ID string `json:"-" path:"id"`
	wish
}

func (in previewRequest) subscription() string { return in.ID }

// Check refuses what no change could make right.
func (in previewRequest) Check(f *op.Fields) { in.check(f) }

type previewLine struct {
	Description string       `json:"description"`
	Kind        string       `json:"kind"`
	Quantity    int64        `json:"quantity"`
	Unit        money.Amount `json:"unit_price"`
	Amount      money.Amount `json:"amount"`
	Period      *periodView  `json:"period"`
	Days        int64        `json:"days"` // charged or credited, of TotalDays
	TotalDays   int64        `json:"total_days"`
}

// proposalView is what a change would cost and do.
type proposalView struct {
	Kind        string        `json:"kind"`
	Timing      string        `json:"timing"`
	EffectiveAt *time.Time    `json:"effective_at"` // absent: once it is paid
	ExpiresAt   *time.Time    `json:"expires_at"`   // of an invoice that nobody pays
	From        termsView     `json:"from"`
	To          termsView     `json:"to"`
	Lines       []previewLine `json:"lines"`
	Subtotal    money.Amount  `json:"subtotal"`
	Tax         money.Amount  `json:"tax"`
	Total       money.Amount  `json:"total"`
	// Due is what of the total is left to pay, by the customer or from credit they
	// have: less than the total only where what is given back pays that at once.
	Due    money.Amount `json:"due"`
	Credit money.Amount `json:"credit"` // given back besides
	// Lowered is what open invoices are lowered by; Replaced are invoices for later
	// periods that are taken back and made again on the new terms.
	Lowered  money.Amount `json:"lowered"`
	Replaced []string     `json:"replaced_invoices"`
	Next     *nextView    `json:"next_invoice"`
	// ByStaff says that people make the change at the platform, so that it takes
	// longer than a moment.
	ByStaff bool `json:"by_staff"`
}

// preview says what a change would cost, without agreeing anything.
func (s *Subject) preview(r *op.Request, _ actor, id string, in previewRequest) (proposalView, error) {
	now := r.Now()
	record, err := r.App.FindRecordById(collections.Subscriptions, id)
	if err != nil {
		return proposalView{}, fmt.Errorf("subscription %s: %w", id, err)
	}
	sub, err := loadOne(r.App, id, now)
	if err != nil {
		return proposalView{}, err
	}
	is, err := standing(r.App, sub, record)
	if err != nil {
		return proposalView{}, err
	}
	if err := refused(is.Refuse(billing.ActChange)); err != nil {
		return proposalView{}, err
	}
	settings, err := collections.LoadInvoicing(r.App)
	if err != nil {
		return proposalView{}, err
	}
	pricer, err := books.NewPricer(r.App)
	if err != nil {
		return proposalView{}, err
	}
	p, err := s.propose(r.App, pricer, settings.ChangeDays, sub, record, in.wish, now)
	if err != nil {
		return proposalView{}, err
	}
	byStaff, err := s.feasible(r, sub.ID, p.from, p.to)
	if err != nil {
		return proposalView{}, err
	}
	v, err := s.viewProposal(r.App, sub, p)
	v.ByStaff = byStaff
	return v, err
}

func (s *Subject) viewProposal(app core.App, sub *subscription, p proposal) (proposalView, error) {
	t := p.priced.Totals
	v := proposalView{
		Kind: p.kind, Timing: p.Timing, EffectiveAt: optional(p.effects), Lines: []previewLine{}, Subtotal: t.Subtotal, Tax: t.Tax, Total: t.Total,
		Due: p.due, Credit: p.returned, Lowered: p.lowered, Replaced: []string{},
	}
	if p.due.Sign() > 0 {
		v.ExpiresAt = optional(p.expires)
	}
	var err error
	if v.From, err = p.stored[0].view(sub.Currency); err != nil {
		return v, err
	}
	if v.To, err = p.stored[1].view(sub.Currency); err != nil {
		return v, err
	}
	for _, l := range p.priced.Lines {
		line := previewLine{l.Description, string(l.Kind), l.Quantity, l.UnitPrice, l.Amount, nil, l.Detail.Days, l.Detail.TotalDays}
		if !l.Period.Start.IsZero() {
			line.Period = &periodView{l.Period.Start, l.Period.End}
		}
		v.Lines = append(v.Lines, line)
	}
	if to := p.stored[1]; !to.Ahead.IsZero() {
		replaced, err := books.InvoicedAhead(app, books.Ahead{Subscription: sub.ID, From: to.Ahead})
		if err != nil {
			return v, err
		}
		for _, i := range replaced {
			v.Replaced = append(v.Replaced, i.Number)
		}
	}
	changed, err := sub.as(p.stored[1])
	if err != nil {
		return v, err
	}
	at := p.now
	if !p.effects.IsZero() {
		at = p.effects
	}
	v.Next, err = s.next(app, changed, at)
	return v, err
}
