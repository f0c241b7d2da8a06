package books

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/dunning"
)

// Invoice is what is to be issued.
type Invoice struct {
	ID       string // "" makes one; an order names it beforehand
	User     string
	Kind     string // of invoices.kind
	Currency string
	Lines    []billing.Line
	DueAt    time.Time
	// AutoCharge lets dunning charge a saved method when the invoice is due.
	AutoCharge bool
	// NoCredit leaves the customer's credit alone: somebody else pays the invoice.
	NoCredit bool
	// NextStep is when dunning looks at the invoice first; zero follows its policy.
	NextStep time.Time
	Parent   string // invoice that this one corrects or is a fee for
	Note     string // printed below the lines
}

// Session issues invoices in one transaction with the settings read once.
type Session struct {
	*Books
	tx        core.App
	now       time.Time
	invoicing collections.Invoicing
	seller    string
	pricer    *Pricer
	policy    dunning.Policy
	customers map[string]collections.Customer // whom Know has read
}

// Open begins a session in a transaction. It ends with the transaction.
func (b *Books) Open(tx core.App, now time.Time) (*Session, error) {
	if err := inTransaction(tx); err != nil {
		return nil, err
	}
	s := &Session{Books: b, tx: tx, now: now}
	var err error
	if s.invoicing, err = collections.LoadInvoicing(tx); err != nil {
		return nil, err
	}
	seller, err := collections.LoadSeller(tx)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(seller)
	if err != nil {
		return nil, fmt.Errorf("seller: %w", err)
	}
	s.seller = string(raw)
	if s.policy, err = collections.LoadDunning(tx); err != nil {
		return nil, err
	}
	s.pricer, err = NewPricer(tx)
	return s, err
}

// Invoicing are the settings of the session.
func (s *Session) Invoicing() collections.Invoicing { return s.invoicing }

// Pricer adds the tax to lines as Issue does.
func (s *Session) Pricer() *Pricer { return s.pricer }

// Know reads the details of customers, all at once, whose invoices follow.
func (s *Session) Know(users []string) (err error) {
	s.customers, err = collections.LoadCustomers(s.tx, users)
	return err
}

// customer is a customer as documents need them.
func (s *Session) customer(user string) (collections.Customer, error) {
	if c, known := s.customers[user]; known {
		return c, nil
	}
	return collections.LoadCustomer(s.tx, user)
}

// Issue writes an invoice with its lines, draws its number, freezes seller and
// buyer, books it and tells followers. An invoice over nothing is paid at once,
// and the customer's credit pays what it can unless the settings keep it.
// Errors: those of pricing, and the database's refusal to bill a period twice.
func (s *Session) Issue(in Invoice) (Document, error) {
	customer, err := s.customer(in.User)
	if err != nil {
		return Document{}, fmt.Errorf("issue invoice: %w", err)
	}
	priced, err := s.pricer.Price(s.tx, customer, in.Lines, s.now)
	if err != nil {
		return Document{}, fmt.Errorf("issue invoice: %w", err)
	}
	if in.ID == "" {
		in.ID = collections.NewID(s.now)
	}
	d := Document{
		ID: in.ID, User: in.User, Kind: in.Kind, Parent: in.Parent, Status: billing.InvoiceOpen, IssuedAt: s.now, DueAt: in.DueAt,
		Total: priced.Totals.Total, Due: priced.Totals.Total, Paid: priced.Totals.Total.Zero(), Credited: priced.Totals.Total.Zero(), WrittenOff: priced.Totals.Total.Zero(),
	}
	if d.Total.Sign() < 0 {
		return Document{}, fmt.Errorf("issue invoice over %s: an invoice is never negative; give a credit note", d.Total)
	}
	if d.Total.IsZero() {
		d.Status = billing.InvoicePaid
	}
	year := s.now.UTC().Year()
	seq, err := collections.NextInvoiceSeq(s.tx, s.now, s.invoicing.Series, year)
	if err != nil {
		return Document{}, err
	}
	if d.Number, err = billing.FormatNumber(s.invoicing.Format, year, seq); err != nil {
		return Document{}, fmt.Errorf("issue invoice: %w", err)
	}
	if err := s.write(in, d, customer, priced, seq, year); err != nil {
		return Document{}, fmt.Errorf("issue invoice %s: %w", d.Number, err)
	}
	if err := collections.Post(s.tx, s.now, "invoice:"+d.ID, d.User, d.ID, "", postIssue(in.Kind, priced.Totals)); err != nil {
		return Document{}, err
	}
	if err := tell(s.tx, s.issued, d); err != nil {
		return Document{}, err
	}
	if d.Status == billing.InvoicePaid {
		return d, tell(s.tx, s.paid, d)
	}
	if in.NoCredit {
		return d, nil
	}
	return s.useCredit(d)
}

// write saves lines first and the invoice after them, issued as it is: from then
// on the database takes no further line for it.
func (s *Session) write(in Invoice, d Document, customer collections.Customer, priced Priced, seq int64, year int) error {
	if err := takeUnused(s.tx, priced.Lines, s.now); err != nil {
		return err
	}
	for i := range priced.Lines {
		if err := s.writeLine(d, i, &priced.Lines[i]); err != nil {
			return err
		}
	}
	buyer, err := json.Marshal(customer.Buyer)
	if err != nil {
		return fmt.Errorf("buyer: %w", err)
	}
	taxes, err := json.Marshal(priced.Taxes)
	if err != nil {
		return fmt.Errorf("taxes: %w", err)
	}
	evidence, err := json.Marshal(priced.Evidence)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	next, paidAt := in.NextStep, ""
	if next.IsZero() {
		next = dunning.FirstLook(s.policy, s.now, in.DueAt)
	}
	if d.Status == billing.InvoicePaid {
		next, paidAt = time.Time{}, stamp(s.now)
	}
	_, err = collections.Statement(s.tx, "INSERT INTO `invoices` (`id`, `user`, `kind`, `parent`, `status`, `number`, `series`, `year`, `seq`, `currency`, `subtotal_minor`, `tax_minor`, `total_minor`, `due_minor`,"+
		" `issued_at`, `due_at`, `paid_at`, `next_step_at`, `auto_charge`, `seller`, `buyer`, `language`, `taxes`, `evidence`, `tax_inclusive`, `tax_rounding`, `note`, `created`, `updated`)"+
		" VALUES ({:id}, {:user}, {:kind}, {:parent}, {:status}, {:number}, {:series}, {:year}, {:seq}, {:currency}, {:subtotal}, {:tax}, {:total}, {:total},"+
		" {:now}, {:due}, {:paidAt}, {:next}, {:auto}, {:seller}, {:buyer}, {:language}, {:taxes}, {:evidence}, {:inclusive}, {:rounding}, {:note}, {:now}, {:now})").
		Bind(dbx.Params{
			"id": d.ID, "user": d.User, "kind": d.Kind, "parent": d.Parent, "status": string(d.Status), "number": d.Number, "series": s.invoicing.Series, "year": year, "seq": seq,
			"currency": d.Total.Currency(), "subtotal": priced.Totals.Subtotal.Minor(), "tax": priced.Totals.Tax.Minor(), "total": d.Total.Minor(),
			"now": stamp(s.now), "due": stamp(in.DueAt), "paidAt": paidAt, "next": stamp(next), "auto": in.AutoCharge, "seller": s.seller, "buyer": string(buyer), "language": customer.Language,
			"taxes": string(taxes), "evidence": string(evidence), "inclusive": s.pricer.Inclusive(), "rounding": string(s.pricer.policy.Rounding), "note": in.Note,
		}).Execute()
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return nil
}

func (s *Session) writeLine(d Document, i int, l *PricedLine) error {
	detail, err := json.Marshal(l.Detail)
	if err != nil {
		return fmt.Errorf("line %d: %w", i+1, err)
	}
	taxes, err := json.Marshal(l.Taxes)
	if err != nil {
		return fmt.Errorf("line %d: %w", i+1, err)
	}
	_, err = collections.Statement(s.tx, "INSERT INTO `invoice_items` (`id`, `user`, `invoice`, `position`, `kind`, `description`, `quantity`, `unit_minor`, `amount_minor`, `net_minor`, `tax_minor`, `taxes`, `live`,"+
		" `subscription`, `item`, `period_start`, `period_end`, `tax_date`, `parent`, `detail`, `created`, `updated`)"+
		" VALUES ({:id}, {:user}, {:invoice}, {:position}, {:kind}, {:description}, {:quantity}, {:unit}, {:amount}, {:net}, {:tax}, {:taxes}, TRUE,"+
		" {:subscription}, {:item}, {:start}, {:end}, {:taxDate}, {:parent}, {:detail}, {:now}, {:now})").
		Bind(dbx.Params{
			"id": collections.NewID(s.now), "user": d.User, "invoice": d.ID, "position": i + 1, "kind": string(l.Kind), "description": collections.Cut(l.Description, 500), "quantity": l.Quantity,
			"unit": l.UnitPrice.Minor(), "amount": l.Amount.Minor(), "net": l.Net.Minor(), "tax": l.Tax.Minor(), "taxes": string(taxes), "subscription": l.Subscription, "item": l.Item,
			"start": stamp(l.Period.Start), "end": stamp(l.Period.End), "taxDate": stamp(l.TaxPoint(s.now)), "parent": l.Parent, "detail": string(detail), "now": stamp(s.now),
		}).Execute()
	if err != nil {
		return fmt.Errorf("line %d (%s): %w", i+1, l.Description, err)
	}
	return nil
}

// takeUnused notes on earlier lines what unused parts take off them. It comes
// before the new lines: a period that was invoiced ahead and is credited whole is
// billed again by them.
func takeUnused(tx core.App, lines []PricedLine, now time.Time) error {
	for i, l := range lines {
		if l.Detail.Line == "" {
			continue
		}
		if err := takeFrom(tx, l.Detail.Line, l.Net.Neg().Minor(), l.Tax.Neg().Minor(), now); err != nil {
			return fmt.Errorf("line %d (%s): %w", i+1, l.Description, err)
		}
		if l.Detail.Days != l.Detail.TotalDays {
			continue
		}
		// Not one day of it is used. With a discount that is less than all of the
		// line, which bills its period no more all the same.
		if err := release(tx, l.Detail.Line, now); err != nil {
			return fmt.Errorf("line %d (%s): %w", i+1, l.Description, err)
		}
	}
	return nil
}

// takeFrom notes on an issued line what was credited of it; the database refuses
// more than the line holds. Figures of the other sign give it back. A line that
// is credited whole bills its period no more.
func takeFrom(tx core.App, line string, net, tax int64, now time.Time) error {
	_, err := collections.Statement(tx, "UPDATE `invoice_items` SET `credited_minor` = `credited_minor` + {:net}, `credited_tax_minor` = `credited_tax_minor` + {:tax},"+
		" `live` = ((`credited_minor` + {:net} != `net_minor` OR `net_minor` = 0) AND (SELECT `status` FROM `invoices` WHERE `id` = `invoice_items`.`invoice`) != 'void'), `updated` = {:now} WHERE `id` = {:id}").
		Bind(dbx.Params{"id": line, "net": net, "tax": tax, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("credit of line %s: %w", line, err)
	}
	return nil
}

// release makes a line bill nothing: neither its period counts as billed nor
// does the line stand for anything later.
func release(tx core.App, line string, now time.Time) error {
	_, err := collections.Statement(tx, "UPDATE `invoice_items` SET `live` = FALSE, `updated` = {:now} WHERE `id` = {:id}").Bind(dbx.Params{"id": line, "now": stamp(now)}).Execute()
	if err != nil {
		return fmt.Errorf("release line %s: %w", line, err)
	}
	return nil
}
