package books

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
)

// PricedLine is a line with its tax.
type PricedLine struct {
	billing.Line
	Net   money.Amount
	Tax   money.Amount
	Taxes tax.LineTaxes
}

// Priced are the lines of a document with their taxes and sums. Quotes show it
// and invoices are made from it, by the same function.
type Priced struct {
	Lines    []PricedLine
	Totals   billing.Totals
	Taxes    []tax.Group
	Evidence tax.Evidence
}

// Pricer adds the tax to lines. It holds the settings and rates of one moment.
type Pricer struct {
	policy tax.Policy
	rates  []tax.Rate
}

// NewPricer reads the tax settings and the table of rates.
func NewPricer(app core.App) (*Pricer, error) {
	policy, err := collections.LoadTaxing(app)
	if err != nil {
		return nil, err
	}
	rates, err := collections.LoadTaxRates(app)
	return &Pricer{policy, rates}, err
}

// Inclusive reports whether prices of the catalog include tax.
func (p *Pricer) Inclusive() bool { return p.policy.Inclusive && p.policy.Enabled }

// Price computes the tax of each line, of a document for this customer. An
// unused part of an earlier line carries that line's own taxes, whatever the
// rates are today. Errors: those of engine/tax; they name the line.
func (p *Pricer) Price(app core.App, customer collections.Customer, lines []billing.Line, now time.Time) (Priced, error) {
	j := pricing{Pricer: p, app: app, buyer: customer.TaxBuyer(), now: now, decided: map[string]tax.Treatment{}}
	out := Priced{Lines: make([]PricedLine, len(lines))}
	asked := make([]tax.Line, len(lines))
	for i, l := range lines {
		var err error
		if asked[i], err = j.line(&l); err != nil {
			return out, fmt.Errorf("line %d (%s): %w", i+1, l.Description, err)
		}
		out.Lines[i].Line = l
	}
	res, err := tax.Compute(p.policy.Rounding, p.Inclusive(), asked)
	if err != nil {
		return out, err
	}
	for i, split := range res.Lines {
		out.Lines[i].Net, out.Lines[i].Tax, out.Lines[i].Taxes = split.Net, split.Tax, split.Taxes
	}
	out.Totals, out.Taxes, out.Evidence = billing.Totals{Subtotal: res.Net, Tax: res.Tax, Total: res.Total}, res.Groups, j.evidence
	return out, nil
}

// pricing is one run of Price.
type pricing struct {
	*Pricer
	app      core.App
	buyer    tax.Buyer
	now      time.Time
	decided  map[string]tax.Treatment // by day
	evidence tax.Evidence
}

// line decides how one line is taxed. Where inclusive prices are lowered for a
// buyer who bears no tax, the line is changed to what it costs that buyer.
func (j *pricing) line(l *billing.Line) (tax.Line, error) {
	if l.Detail.Line != "" {
		given, err := unusedSplit(j.app, *l, j.Inclusive())
		return tax.Line{Amount: l.Amount, Given: &given}, err
	}
	point := l.TaxPoint(j.now)
	day := point.UTC().Format(time.DateOnly)
	if noSupply(l.Kind) {
		day += ", no supply"
	}
	t, known := j.decided[day]
	if !known {
		var err error
		if t, err = j.decide(l.Kind, point); err != nil {
			return tax.Line{}, err
		}
		j.decided[day] = t
	}
	j.evidence = t.Evidence
	if noSupply(l.Kind) {
		t = tax.Treatment{Category: tax.OutOfScope, Reason: tax.ReasonNotTaxable, Date: t.Date}
	}
	var err error
	if l.UnitPrice, err = t.Price(l.UnitPrice); err != nil {
		return tax.Line{}, err
	}
	if l.Amount, err = t.Price(l.Amount); err != nil {
		return tax.Line{}, err
	}
	return tax.Line{Amount: l.Amount, Treatment: t, Of: l.Parent}, nil
}

// noSupply says of what kind of line no tax is due. Credit is taxed when it buys
// something. A late fee is compensation and pays for no supply (CJEU 222/81, BAZ
// Bausystem).
func noSupply(kind billing.LineKind) bool {
	return kind == billing.LineTopUp || kind == billing.LineLateFee
}

// decide says how a sale is taxed: by our own table, or as the policy's tax service
// said. That was asked outside of the transaction; where it was not yet, the error is
// a *tax.UnaskedError, and who began the work asks it and begins anew.
func (j *pricing) decide(kind billing.LineKind, point time.Time) (tax.Treatment, error) {
	question, needed, err := tax.Ask(j.policy, j.buyer)
	switch {
	case err != nil:
		return tax.Treatment{}, err
	case !needed:
		return tax.Decide(j.policy, j.buyer, j.rates, point)
	case noSupply(kind):
		return tax.NotTaxable(j.buyer, point), nil
	}
	kept, err := collections.LoadTaxAnswer(j.app, j.policy.Calculator, question)
	switch {
	case err != nil:
		return tax.Treatment{}, err
	case kept.Known:
		return tax.DecideAs(j.policy, j.buyer, j.rates, kept.Answer, point)
	case kept.Failed && j.policy.WithoutAnswer == tax.OwnTable:
		t, err := tax.Decide(j.policy, j.buyer, j.rates, point)
		t.Evidence.By = tax.ByTable
		return t, err
	}
	return tax.Treatment{}, &tax.UnaskedError{Question: question}
}

type lineRow struct {
	ID          string `db:"id"`
	Invoice     string `db:"invoice"`
	Position    int    `db:"position"`
	Parent      int    `db:"parent"`
	Kind        string `db:"kind"`
	Description string `db:"description"`
	Net         int64  `db:"net_minor"`
	Tax         int64  `db:"tax_minor"`
	Credited    int64  `db:"credited_minor"`
	CreditedTax int64  `db:"credited_tax_minor"`
	Taxes       string `db:"taxes"`
	Start       string `db:"period_start"`
	End         string `db:"period_end"`
	Earlier     string `db:"earlier"` // id of the line that an unused part was taken from
	Currency    string `db:"currency"`
}

const lineColumns = "SELECT `l`.`id`, `l`.`invoice`, `l`.`position`, `l`.`parent`, `l`.`kind`, `l`.`description`, `l`.`net_minor`, `l`.`tax_minor`, `l`.`credited_minor`, `l`.`credited_tax_minor`, IFNULL(`l`.`taxes`, '') AS `taxes`," +
	" `l`.`period_start`, `l`.`period_end`, IFNULL(json_extract(`l`.`detail`, '$.line'), '') AS `earlier`, `i`.`currency` FROM `invoice_items` `l` CROSS JOIN `invoices` `i` ON `i`.`id` = `l`.`invoice`"

// split is an issued line with its taxes, and what of its net is credited.
func (r lineRow) split() (whole tax.Split, credited money.Amount, err error) {
	if whole.Net, err = money.New(r.Net, r.Currency); err == nil {
		whole.Tax, err = money.New(r.Tax, r.Currency)
	}
	if err == nil {
		credited, err = money.New(r.Credited, r.Currency)
	}
	if err != nil {
		return whole, credited, fmt.Errorf("line %s: %w", r.ID, err)
	}
	if r.Taxes != "" && r.Taxes != "null" {
		if err := json.Unmarshal([]byte(r.Taxes), &whole.Taxes); err != nil {
			return whole, credited, fmt.Errorf("line %s: taxes: %w", r.ID, err)
		}
	}
	return whole, credited, nil
}

// issued is the line as the rules of credit notes see it.
func (r lineRow) issued() (billing.IssuedLine, error) {
	whole, credited, err := r.split()
	if err != nil {
		return billing.IssuedLine{}, err
	}
	creditedTax, err := money.New(r.CreditedTax, r.Currency)
	return billing.IssuedLine{
		ID: r.ID, Position: r.Position, Parent: r.Parent, Description: r.Description, Split: whole, Credited: credited, CreditedTax: creditedTax,
	}, err
}

// unusedSplit is the net and tax that a negative line takes off an earlier one.
// Its amount is in the sense of prices, see billing.CreditPriced.
func unusedSplit(app core.App, l billing.Line, inclusive bool) (tax.Split, error) {
	row := lineRow{}
	if err := collections.Statement(app, lineColumns+" WHERE `l`.`id` = {:id}").Bind(dbx.Params{"id": l.Detail.Line}).One(&row); err != nil {
		return tax.Split{}, fmt.Errorf("earlier line %s: %w", l.Detail.Line, err)
	}
	issued, err := row.issued()
	if err != nil {
		return tax.Split{}, err
	}
	part, err := billing.CreditPriced(issued, inclusive, l.Amount.Neg())
	return part.Neg(), err
}
