package payments

import (
	"time"

	"github.com/ezscale/ezscale/engine/bankfile"
	"github.com/ezscale/ezscale/engine/money"
)

// What becomes of an entry besides bankfile's results.
const (
	resultKnown  bankfile.Result = "known"  // booked, or waiting, since an earlier import or by hand
	resultFailed bankfile.Result = "failed" // could not be booked; importing the file again tries anew
)

// bankReport is what an import did, or would do.
type bankReport struct {
	Import     string          `json:"import"` // "" of a dry run
	DryRun     bool            `json:"dry_run"`
	Format     bankfile.Format `json:"format"`
	Statements []statementView `json:"statements"`
	Counts     bankCounts      `json:"counts"`
	Notes      []string        `json:"notes"`
	Entries    []bankEntry     `json:"entries"`
}

// bankCounts counts entries by what became of them.
type bankCounts struct {
	Entries   int64 `json:"entries"`
	Booked    int64 `json:"booked"`
	Suggested int64 `json:"suggested"`
	Unmatched int64 `json:"unmatched"`
	Ignored   int64 `json:"ignored"`
	Known     int64 `json:"known"`
	Failed    int64 `json:"failed"`
}

type statementView struct {
	Account string        `json:"account"`
	Number  string        `json:"number"`
	Page    int           `json:"page"`
	Opening *money.Amount `json:"opening"`
	Closing *money.Amount `json:"closing"`
	Entries int           `json:"entries"`
}

// bankEntry is an entry of the statement and what became of it.
type bankEntry struct {
	Where      string          `json:"where"`
	Account    string          `json:"account"`
	BookedAt   time.Time       `json:"booked_at"`
	Amount     money.Amount    `json:"amount"`
	Reference  string          `json:"reference"`
	BankID     string          `json:"bank_id"`
	Name       string          `json:"name"`
	IBAN       string          `json:"iban"`
	Text       string          `json:"text"`
	EndToEnd   string          `json:"end_to_end"`
	Structured string          `json:"structured"`
	Result     bankfile.Result `json:"result"`
	Reasons    []string        `json:"reasons"`
	Customer   string          `json:"customer"`
	Invoices   []bankPart      `json:"invoices"` // paid, or suggested
	Credit     *money.Amount   `json:"credit"`   // of the customer, from what was too much
	Payment    string          `json:"payment"`
	Unmatched  string          `json:"unmatched"` // the row of unmatched money that waits
}

// bankPart is what an invoice gets.
type bankPart struct {
	ID     string       `json:"id"`
	Number string       `json:"number"`
	Amount money.Amount `json:"amount"`
}

func (c *bankCounts) add(r bankfile.Result) {
	c.Entries++
	switch r {
	case bankfile.Booked:
		c.Booked++
	case bankfile.Suggested:
		c.Suggested++
	case bankfile.Unmatched:
		c.Unmatched++
	case bankfile.Ignored:
		c.Ignored++
	case resultKnown:
		c.Known++
	case resultFailed:
		c.Failed++
	}
}

func viewStatements(f bankfile.File) []statementView {
	list := []statementView{}
	for _, s := range f.Statements {
		v := statementView{Account: s.Account, Number: s.Number, Page: s.Page, Entries: len(s.Entries)}
		if s.Opening.Known {
			v.Opening = &s.Opening.Amount
		}
		if s.Closing.Known {
			v.Closing = &s.Closing.Amount
		}
		list = append(list, v)
	}
	return list
}

func viewEntry(e bankfile.Entry) bankEntry {
	return bankEntry{
		Where: e.Where, Account: e.Account, BookedAt: e.BookedAt, Amount: e.Amount, Reference: e.Reference, BankID: e.BankID, Name: e.Name, IBAN: e.IBAN,
		Text: e.Text, EndToEnd: e.EndToEnd, Structured: e.Structured, Reasons: []string{}, Invoices: []bankPart{},
	}
}

// decided writes down what a match says.
func (v *bankEntry) decided(m bankfile.Match) {
	v.Result, v.Customer, v.Reasons = m.Result, m.Customer, m.Reasons
	for _, p := range m.Parts {
		v.Invoices = append(v.Invoices, bankPart{p.Invoice.ID, p.Invoice.Number, p.Amount})
	}
	if m.Credit.Sign() > 0 {
		v.Credit = &m.Credit
	}
}
