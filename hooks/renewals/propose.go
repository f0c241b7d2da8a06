package renewals

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/op"
)

// wish is what a customer wants a subscription to become.
type wish struct {
	Timing string `json:"timing"`
	// Price is the id of the wanted plan's price; "" keeps the present one.
	Price string `json:"price,omitzero"`
	// Options by name; absent, those it has go along as far as the plan offers them.
	Options map[string]billing.OptionWish `json:"options,omitzero"`
}

// proposal is what a change costs and what it makes of the subscription. Preview
// and change are both made from it, so that they cannot differ.
type proposal struct {
	wish
	kind     string
	from, to billing.Bargain
	now      time.Time
	stored   [2]terms // from, to
	lines    billedLines
	invoice  []billing.Line // nothing is invoiced where there are none
	priced   books.Priced
	give     []billing.CreditPart // given back by credit notes when it takes effect
	due      money.Amount         // of the invoice, once what is given back has paid it
	returned money.Amount         // of what is given back, what stays as the customer's credit
	lowered  money.Amount         // and what lowers open invoices
	effects  time.Time            // of a change for later
	expires  time.Time            // of one that is to be paid first
}

// proposing is one run of propose.
type proposing struct {
	*Subject
	app      core.App
	pricer   *books.Pricer
	days     int // that an unpaid change stays on offer
	customer collections.Customer
	sub      *subscription
	proposal
}

// propose computes a change. Faults of the wish are a Problem.
func (s *Subject) propose(app core.App, pricer *books.Pricer, days int, sub *subscription, record *core.Record, in wish, now time.Time) (proposal, error) {
	p := &proposing{Subject: s, app: app, pricer: pricer, days: days, sub: sub, proposal: proposal{wish: in, now: now}}
	var err error
	if p.customer, err = collections.LoadCustomer(app, sub.User); err != nil {
		return p.proposal, err
	}
	if p.from, err = agreement(app, sub, record); err != nil {
		return p.proposal, err
	}
	if err = p.aim(); err != nil {
		return p.proposal, err
	}
	if p.lines, err = loadLines(app, sub.ID, now); err != nil {
		return p.proposal, err
	}
	switch {
	case sub.renewal.Status == billing.SubscriptionTrialing:
		err = p.onTrial()
	case in.Timing == atPeriodEnd:
		err = p.later()
	default:
		err = p.atOnce()
	}
	if err != nil {
		return p.proposal, err
	}
	return p.proposal, p.price()
}

// aim decides what the subscription is to become, and refuses what it cannot.
func (p *proposing) aim() error {
	price := p.Price
	if price == "" {
		price = p.from.Price
	}
	var err error
	p.to, err = p.Target(p.app, billing.ChangeWish{Currency: p.sub.Currency, Price: price, Options: p.Options, Kept: p.from})
	if err != nil {
		return err
	}
	p.kind = "options"
	switch {
	case p.to.Plan != p.from.Plan:
		p.kind = "plan"
		if err := p.allowed(); err != nil {
			return err
		}
	case p.to.Cycle != p.from.Cycle:
		p.kind = "cycle"
	}
	if p.to.Cycle == billing.OneTime {
		return op.Fields{{Field: "price", Message: "A price that is paid once cannot be changed to.", Code: "one_time"}}.Problem()
	}
	if p.to.Same(p.from) {
		return op.NewProblem(http.StatusConflict, "nothing_changes", "This is what the subscription has already.")
	}
	p.stored[0] = termsOf(p.from, p.from, false)
	return nil
}

// planRow is what decides whether a plan may be changed to.
type planRow struct {
	ID       string `db:"id"`
	Status   string `db:"status"`
	Group    string `db:"upgrade_group"`
	Platform string `db:"platform"`
	Limited  bool   `db:"stock_limited"`
	Stock    int64  `db:"stock"`
	Most     int64  `db:"customer_limit"`
	Policy   string `db:"change_policy"`
}

func loadPlan(app core.App, id string) (planRow, error) {
	row := planRow{}
	err := collections.Statement(app, "SELECT `id`, `status`, `upgrade_group`, `platform`, `stock_limited`, `stock`, `customer_limit`, `change_policy` FROM `plans` WHERE `id` = {:id}").Bind(dbx.Params{"id": id}).One(&row)
	if err != nil {
		return row, fmt.Errorf("plan %s: %w", id, err)
	}
	return row, nil
}

// allowed refuses plans that the subscription cannot be changed to.
func (p *proposing) allowed() error {
	from, err := loadPlan(p.app, p.from.Plan)
	if err != nil {
		return err
	}
	to, err := loadPlan(p.app, p.to.Plan)
	if err != nil {
		return err
	}
	switch {
	case to.Group == "" || to.Group != from.Group || to.Platform != from.Platform:
		return op.NewProblem(http.StatusConflict, "not_in_group", "This service cannot be changed to that plan. Please order it as a new one.")
	case to.Limited && to.Stock < 1:
		return op.NewProblem(http.StatusConflict, "sold_out", p.to.Name+" is sold out just now.")
	case to.Most > 0:
		return p.within(to)
	}
	return nil
}

// within refuses more of a plan than one customer may have.
func (p *proposing) within(to planRow) error {
	has := int64(0)
	err := collections.Statement(p.app, "SELECT COUNT(*) FROM `subscriptions` WHERE `user` = {:user} AND `plan` = {:plan} AND `status` != 'cancelled'").Bind(dbx.Params{"user": p.sub.User, "plan": to.ID}).Row(&has)
	if err != nil {
		return fmt.Errorf("plans of customer %s: %w", p.sub.User, err)
	}
	if has >= to.Most {
		return op.NewProblem(http.StatusConflict, "limit", fmt.Sprintf("One customer may have at most %d of %s.", to.Most, p.to.Name))
	}
	return nil
}

// onTrial changes what the trial leads to, at once and for nothing.
func (p *proposing) onTrial() error {
	if p.to.Cycle == billing.Hourly {
		return op.NewProblem(http.StatusConflict, "trial", "A trial cannot be changed to payment by the hour. Wait until it is over.")
	}
	p.Timing = atOnce
	schedule := p.sub.renewal.Schedule
	to := termsOf(p.to, p.from, true)
	to.Anchor, to.Discounts, to.Ahead, to.Setup = schedule.Anchor, p.sub.renewal.Discounts, schedule.Anchor, p.sub.PendingSetup
	if p.to.Plan != p.from.Plan {
		to.Setup = p.to.Setup.Minor()
	}
	p.stored[1] = to
	return nil
}

// later changes at the end of what is paid, at the prices of today.
func (p *proposing) later() error {
	at, err := p.sub.paidThrough(p.now)
	if err != nil {
		return err
	}
	if !at.After(p.now) {
		return refusedBehind()
	}
	schedule, terms := p.sub.renewal.Schedule, p.sub.renewal.Discounts
	n := 0
	if schedule.Cycle != billing.Hourly {
		if n, _, err = schedule.At(at); err != nil {
			return fmt.Errorf("subscription %s: %w", p.sub.ID, err)
		}
	}
	p.effects = at
	to := termsOf(p.to, p.from, true)
	to.Anchor, to.NextPeriod, to.Discounts, to.Ahead = schedule.Anchor, n, terms, at
	if p.to.Cycle != schedule.Cycle {
		to.Restarted, to.Anchor, to.NextPeriod = true, at.UTC(), 0
		to.Discounts = billing.TermsInCycle(terms, n)
	}
	if schedule.Cycle == billing.Hourly {
		to.Ahead = time.Time{}
		if p.to.Cycle == billing.Hourly {
			to.Anchor, to.Hours = at.UTC(), at.UTC()
		}
	}
	p.stored[1] = to
	return nil
}

func refusedBehind() error {
	return op.NewProblem(http.StatusConflict, "behind", "The period that has begun is not invoiced or paid yet. Please try again once it is.")
}

// atOnce changes now, with credit for what is unused.
func (p *proposing) atOnce() error {
	schedule := p.sub.renewal.Schedule
	n, current, err := schedule.At(p.now)
	if errors.Is(err, billing.ErrBeforeAnchor) { // a trial whose first period is paid ahead
		return op.NewProblem(http.StatusConflict, "not_begun", "The first period is paid and begins on "+schedule.Anchor.Format(time.DateOnly)+". Change the subscription from then on, or at the end of that period.")
	}
	if err != nil {
		return fmt.Errorf("subscription %s: %w", p.sub.ID, err)
	}
	end := current.End
	if schedule.Cycle == billing.Hourly {
		end = billing.CalendarMonth(p.now).End
	} else if n >= schedule.NextPeriod {
		return refusedBehind()
	}
	plan, err := loadPlan(p.app, p.to.Plan)
	if err != nil {
		return err
	}
	change, err := p.compute(n, current, billing.ChangePolicy(plan.Policy))
	if err != nil {
		return fmt.Errorf("subscription %s: %w", p.sub.ID, err)
	}
	if p.expires = p.now.AddDate(0, 0, p.days); p.expires.After(end) {
		p.expires = end // it was computed for this period
	}
	to := termsOf(p.to, p.from, false)
	to.Anchor, to.NextPeriod, to.Discounts, to.Restarted = change.Schedule.Anchor, change.Schedule.NextPeriod, change.Terms, change.Restarted
	to.Paid = change.Restarted && p.to.Cycle != billing.Hourly
	if schedule.Cycle == billing.Hourly {
		to.Hours = p.now.UTC()
		if p.to.Cycle == billing.Hourly {
			to.Anchor, to.NextPeriod = p.now.UTC(), 0
		}
	} else {
		to.Ahead = end
	}
	p.stored[1] = to
	return p.fit(change)
}

// compute asks the engine. What is invoiced ahead of the current period is no
// part of it: that is taken back when the change takes effect and invoiced again
// on the new terms.
func (p *proposing) compute(n int, current billing.Period, policy billing.ChangePolicy) (billing.Change, error) {
	if policy == "" {
		policy = billing.ChangeProrate
	}
	all, err := p.lines.segments(p.pricer.Inclusive())
	if err != nil {
		return billing.Change{}, err
	}
	segments := []billing.Segment{}
	for _, s := range all {
		if s.Period.Start.Before(current.End) {
			segments = append(segments, s)
		}
	}
	schedule := p.sub.renewal.Schedule
	if schedule.Cycle != billing.Hourly {
		schedule.NextPeriod = n + 1
	}
	change, err := billing.PlanChange(billing.ChangeRequest{
		Now: p.now, Currency: p.sub.Currency, Policy: policy, Cycle: p.to.Cycle, Schedule: schedule, Segments: segments,
		Before: p.from.Items(p.sub.Hostname, p.from), After: p.to.Items(p.sub.Hostname, p.from), Discounts: p.sub.renewal.Discounts,
	})
	if errors.Is(err, billing.ErrNoChange) { // another plan or value at the same price
		return billing.Change{Schedule: schedule, Terms: p.sub.renewal.Discounts}, nil
	}
	return change, err
}

// fit makes the lines of the change's invoice and what is given back besides.
func (p *proposing) fit(change billing.Change) error {
	document := change.Document(p.sub.ID)
	for i := range document {
		document[i].Detail.Plan = p.to.Plan
	}
	room, err := money.New(0, p.sub.Currency)
	if err != nil {
		return err
	}
	if len(document) > 0 {
		charged, err := p.pricer.Price(p.app, p.customer, document, p.now)
		if err != nil {
			return untaxable(err)
		}
		room = charged.Totals.Total
	}
	on, rest, err := billing.FitCredits(change.Credits, room, func(c billing.CreditPart, amount money.Amount) (money.Amount, error) {
		taken, err := p.pricer.Price(p.app, p.customer, []billing.Line{c.Document(p.sub.ID, amount)}, p.now)
		return taken.Totals.Total.Neg(), err
	})
	if err != nil {
		return err
	}
	for i, c := range change.Credits {
		nothing := c.Whole && c.Amount.IsZero()
		if len(document) > 0 && (on[i].Sign() > 0 || nothing) {
			p.invoice = append(p.invoice, c.Document(p.sub.ID, on[i]))
		}
		if rest[i].Sign() > 0 || nothing {
			c.Amount = rest[i]
			p.give = append(p.give, c)
			p.stored[1].Credits = append(p.stored[1].Credits, termCredit{c.Line, rest[i].Minor()})
		}
	}
	p.invoice = billing.AppendLines(document, p.invoice)
	return nil
}

// price adds the tax and foretells what is given back.
func (p *proposing) price() error {
	zero, err := money.New(0, p.sub.Currency)
	if err != nil {
		return err
	}
	p.due, p.returned, p.lowered = zero, zero, zero
	p.priced.Totals = billing.Totals{Subtotal: zero, Tax: zero, Total: zero}
	if len(p.invoice) > 0 {
		if p.priced, err = p.pricer.Price(p.app, p.customer, p.invoice, p.now); err != nil {
			return untaxable(err)
		}
	}
	notes, err := p.lines.after(p.priced.Lines).corrections(p.give, p.pricer.Inclusive())
	if err != nil {
		return err
	}
	for _, n := range notes {
		note, err := books.Foresee(p.app, n, p.priced.Lines)
		if errors.Is(err, billing.ErrCreditNothing) {
			continue
		}
		if err != nil {
			return err
		}
		if p.returned, err = p.returned.Add(note.ToCredit); err != nil {
			return err
		}
		if p.lowered, err = p.lowered.Add(note.ToDue); err != nil {
			return err
		}
	}
	return p.settle()
}

// settle says what is left to pay. Tax is rounded, so that a unit or two may be
// left on the invoice where much more is given back: that pays it at once. Where
// it would not pay all, nothing is given back before the customer has paid.
func (p *proposing) settle() (err error) {
	p.due = p.priced.Totals.Total
	if p.due.Sign() <= 0 || p.returned.Minor() < p.due.Minor() {
		return nil
	}
	p.returned, err = p.returned.Sub(p.due)
	p.due = p.due.Zero()
	return err
}

// untaxable makes a problem of what only the customer's address can mend.
func untaxable(err error) error {
	if errors.Is(err, tax.ErrNoRate) || errors.Is(err, tax.ErrVATID) {
		return op.NewProblem(http.StatusConflict, "untaxable", "Your address or VAT id does not let us bill this. Please check them, or contact us.").Because(err)
	}
	return err
}
