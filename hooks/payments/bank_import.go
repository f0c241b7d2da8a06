package payments

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/bankfile"
	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/op"
)

// bankImport is one import at work. Every entry is a transaction of its own: the
// first that fails stops no other, and whatever was reached stays when the
// import is interrupted. Importing the file again does the rest.
type bankImport struct {
	s     *Subject
	app   core.App
	r     *op.Request
	in    bankRequest
	file  bankfile.File
	sum   string // SHA-256 of the file
	notes []string

	accounts    []string
	first, last time.Time // days of its booked entries

	id     string
	finder *bankfile.Finder
	paid   map[string]int64 // by invoice: what a dry run would have paid so far, in minor units
	seen   map[string]bool  // references that a dry run has been through
}

func newBankImport(s *Subject, r *op.Request, in bankRequest, file bankfile.File) *bankImport {
	sum := sha256.Sum256(in.Content)
	imp := &bankImport{s: s, app: r.App, r: r, in: in, file: file, sum: hex.EncodeToString(sum[:]), notes: slices.Clone(file.Notes), paid: map[string]int64{}, seen: map[string]bool{}}
	for _, e := range file.Entries() {
		if !slices.Contains(imp.accounts, e.Account) {
			imp.accounts = append(imp.accounts, e.Account)
		}
		if e.Pending {
			continue
		}
		if imp.first.IsZero() || e.BookedAt.Before(imp.first) {
			imp.first = e.BookedAt
		}
		if e.BookedAt.After(imp.last) {
			imp.last = e.BookedAt
		}
	}
	return imp
}

func (imp *bankImport) note(format string, args ...any) {
	imp.notes = append(imp.notes, fmt.Sprintf(format, args...))
}

// run takes the entries one by one, in the order of the file.
func (imp *bankImport) run() (bankReport, error) {
	report := bankReport{DryRun: imp.in.DryRun, Format: imp.file.Format, Statements: viewStatements(imp.file), Entries: []bankEntry{}}
	var err error
	if imp.finder, err = numberFinder(imp.app); err != nil {
		return report, err
	}
	if !imp.in.DryRun {
		if err := imp.begin(); err != nil {
			return report, err
		}
	}
	for _, e := range imp.file.Entries() {
		v := imp.entry(e)
		report.Counts.add(v.Result)
		report.Entries = append(report.Entries, v)
	}
	report.Import, report.Notes = imp.id, append([]string{}, imp.notes...)
	if imp.in.DryRun {
		return report, nil
	}
	return report, imp.end(report.Counts)
}

// entry books an entry, or says what would become of it.
func (imp *bankImport) entry(e bankfile.Entry) bankEntry {
	v := viewEntry(e)
	var err error
	if imp.in.DryRun {
		err = imp.preview(&v, e)
	} else {
		err = imp.app.RunInTransaction(func(tx core.App) error {
			v = viewEntry(e)
			return imp.book(tx, &v, e)
		})
	}
	if err != nil {
		imp.app.Logger().Error("Bank entry could not be booked", slog.String("import", imp.id), slog.String("reference", e.Reference), slog.Any("error", err))
		v = viewEntry(e)
		v.Result, v.Reasons = resultFailed, []string{"It could not be booked: " + err.Error() + ". Import the file again once that is repaired."}
	}
	return v
}

// preview decides by what is stored and what earlier entries of the file would
// have paid, and writes nothing.
func (imp *bankImport) preview(v *bankEntry, e bankfile.Entry) error {
	m, err := imp.decide(imp.app, e)
	if err != nil {
		return err
	}
	if m.Result != bankfile.Ignored && imp.seen[e.Reference] {
		m = bankfile.Match{Result: resultKnown, Credit: e.Amount.Zero(), Reasons: []string{"Another statement of the file holds it."}}
	}
	imp.seen[e.Reference] = true
	v.decided(m)
	if m.Result != bankfile.Booked { // a suggestion has parts, too
		return nil
	}
	for _, p := range m.Parts {
		imp.paid[p.Invoice.ID] += p.Amount.Minor()
	}
	return nil
}

// book decides and writes, in one transaction. All money that came in is kept
// first, by its reference, which the database lets in once; what is matched goes
// from there the way that staff's own assignment takes.
func (imp *bankImport) book(tx core.App, v *bankEntry, e bankfile.Entry) error {
	m, err := imp.decide(tx, e)
	if err != nil {
		return err
	}
	v.decided(m)
	if m.Result == bankfile.Ignored || m.Result == resultKnown {
		return nil
	}
	now := imp.r.Now()
	kept := stray{User: m.Customer, Gateway: Manual, Reference: e.Reference, Currency: e.Amount.Currency(), Minor: e.Amount.Minor(), Why: why(m, e), Status: "open"}
	id, fresh, err := imp.s.keep(tx, now, kept)
	if err != nil {
		return err
	}
	if !fresh {
		return fmt.Errorf("%s is being imported already", e.Reference)
	}
	if kept.ID = id; m.Result != bankfile.Booked {
		v.Unmatched = id
		return imp.s.auditStray(tx, imp.r, "payment.unmatched", kept, map[string]any{"reference": e.Reference, "amount": e.Amount, "import": imp.id, "why": m.Reasons})
	}
	return imp.pay(tx, now, v, e, m, kept)
}

// pay settles the whole transfer on the first invoice, once; what it leaves is
// the customer's credit, and pays the other invoices from there.
func (imp *bankImport) pay(tx core.App, now time.Time, v *bankEntry, e bankfile.Entry, m bankfile.Match, kept stray) error {
	invoice := m.Closed
	if len(m.Parts) > 0 {
		invoice = &m.Parts[0].Invoice
	}
	if invoice == nil {
		return errors.New("a booking without an invoice")
	}
	var err error
	if v.Payment, err = imp.s.assign(tx, now, kept, m.Customer, invoice.ID, "staff:"+imp.r.Auth.Id); err != nil {
		return err
	}
	for i, p := range m.Parts[min(1, len(m.Parts)):] {
		spent, err := imp.s.Books.SpendCredit(tx, now, p.Invoice.ID, p.Amount)
		if err != nil {
			return err
		}
		if spent != p.Amount {
			v.Reasons = append(v.Reasons, fmt.Sprintf("Invoice %s cannot be paid from credit; %s stays the customer's credit.", p.Invoice.Number, p.Amount))
			v.Invoices[i+1].Amount = spent
		}
	}
	return audit.Write(tx, now, audit.Entry{
		ActorKind: audit.Staff, Actor: imp.r.Auth.Id, Action: "payment.import", Resource: collections.PaymentTransactions, ResourceID: v.Payment, IP: imp.r.RealIP(), UserAgent: imp.r.Agent(),
		Changes: map[string]any{"import": imp.id, "reference": e.Reference, "amount": e.Amount, "invoices": v.Invoices, "credit": m.Credit, "why": v.Reasons},
	})
}

// why is what staff reads beside unmatched money: the reasons, and what the bank
// says of the payer.
func why(m bankfile.Match, e bankfile.Entry) string {
	return fmt.Sprintf("%s Booked on %s, from %s %s: %q", strings.Join(m.Reasons, " "), e.BookedAt.Format(time.DateOnly), e.Name, e.IBAN, collections.Cut(e.Text, 200))
}

// begin remembers the import before it books anything.
func (imp *bankImport) begin() error {
	accounts, err := json.Marshal(append([]string{}, imp.accounts...))
	if err != nil {
		return fmt.Errorf("bank import %s: %w", imp.in.Name, err)
	}
	name := strings.TrimSpace(imp.in.Name)
	if name == "" {
		name = string(imp.file.Format)
	}
	now := imp.r.Now()
	imp.id, _, err = collections.Row(imp.app, collections.BankImports, now, dbx.Params{
		"name": name, "sha256": imp.sum, "format": string(imp.file.Format), "accounts": string(accounts), "status": "running", "actor": "staff:" + imp.r.Auth.Id,
		"first_day": collections.Stamp(imp.first).String(), "last_day": collections.Stamp(imp.last).String(), "at": collections.Stamp(now).String(), "done_at": "",
		"entries": 0, "booked": 0, "suggested": 0, "unmatched": 0, "ignored": 0, "known": 0, "failed": 0,
	})
	return err
}

// end writes down what became of the entries.
func (imp *bankImport) end(c bankCounts) error {
	return imp.app.RunInTransaction(func(tx core.App) error {
		now := imp.r.Now()
		_, err := tx.DB().Update(collections.BankImports, dbx.Params{
			"status": "done", "done_at": collections.Stamp(now).String(), "updated": collections.Stamp(now).String(), "entries": c.Entries, "booked": c.Booked,
			"suggested": c.Suggested, "unmatched": c.Unmatched, "ignored": c.Ignored, "known": c.Known, "failed": c.Failed,
		}, dbx.HashExp{"id": imp.id}).Execute()
		if err != nil {
			return fmt.Errorf("bank import %s: %w", imp.id, err)
		}
		return audit.Write(tx, now, audit.Entry{
			ActorKind: audit.Staff, Actor: imp.r.Auth.Id, Action: "bank.import", Resource: collections.BankImports, ResourceID: imp.id, IP: imp.r.RealIP(), UserAgent: imp.r.Agent(),
			Changes: map[string]any{"name": imp.in.Name, "sha256": imp.sum, "format": imp.file.Format, "counts": c, "other_format": imp.in.OtherFormat},
		})
	})
}

// importRow is a row of bank_imports.
type importRow struct {
	ID       string `db:"id"`
	Name     string `db:"name"`
	SHA256   string `db:"sha256"`
	Format   string `db:"format"`
	Accounts string `db:"accounts"`
	Status   string `db:"status"`
	First    string `db:"first_day"`
	Last     string `db:"last_day"`
	Actor    string `db:"actor"`
	At       string `db:"at"`

	Entries   int64 `db:"entries"`
	Booked    int64 `db:"booked"`
	Suggested int64 `db:"suggested"`
	Unmatched int64 `db:"unmatched"`
	Ignored   int64 `db:"ignored"`
	Known     int64 `db:"known"`
	Failed    int64 `db:"failed"`
}

func findImports(app core.App, where string, params dbx.Params) ([]importRow, error) {
	rows := []importRow{}
	err := app.DB().NewQuery("SELECT `id`, `name`, `sha256`, `format`, `accounts`, `status`, `first_day`, `last_day`, `actor`, `at`, `entries`, `booked`, `suggested`, `unmatched`, `ignored`, `known`, `failed` FROM `bank_imports` WHERE " + where).Bind(params).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("find bank imports: %w", err)
	}
	return rows, nil
}

func (row importRow) view() (importView, error) {
	v := importView{
		ID: row.ID, Name: row.Name, SHA256: row.SHA256, Format: bankfile.Format(row.Format), Status: row.Status, Actor: row.Actor,
		Counts: bankCounts{row.Entries, row.Booked, row.Suggested, row.Unmatched, row.Ignored, row.Known, row.Failed},
	}
	err := json.Unmarshal([]byte(row.Accounts), &v.Accounts)
	for into, stamp := range map[*time.Time]string{&v.At: row.At, &v.FirstDay: row.First, &v.LastDay: row.Last} {
		t, failed := collections.ParseStamp(stamp)
		*into, err = t, errors.Join(err, failed)
	}
	return v, err
}
