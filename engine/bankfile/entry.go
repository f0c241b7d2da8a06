package bankfile

import (
	"errors"
	"fmt"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Errors that callers act on. Each is wrapped in words that name the line or
// the element.
var (
	// ErrFormat reports bytes that are none of the formats.
	ErrFormat = errors.New("not a bank statement")
	// ErrContent reports a file of a known format that is damaged or holds what
	// the format does not allow.
	ErrContent = errors.New("the bank statement cannot be read")
	// ErrBalance reports entries that do not lead from the opening to the closing
	// balance: some are missing or doubled.
	ErrBalance = errors.New("the balances of the bank statement do not add up")
	// ErrUnclear reports a CSV that can be read in more than one way. Options say
	// which is meant.
	ErrUnclear = errors.New("the file can be read in more than one way")
	// ErrTooLarge reports a file beyond MaxSize or MaxEntries.
	ErrTooLarge = errors.New("the file is too large")
)

// Bounds of a file.
const (
	MaxSize    = 10 << 20 // bytes
	MaxEntries = 50_000
)

// Format is a kind of file.
type Format string

// The formats.
const (
	FormatCSV   Format = "csv"
	FormatCAMT  Format = "camt.053"
	FormatMT940 Format = "mt940"
)

// Entry is one movement on an account. Of a batch that the bank booked as one
// sum it is one of the parts, where the file tells them.
type Entry struct {
	Account  string    // ours: an IBAN, or what the bank calls the account
	BookedAt time.Time // a day, at midnight UTC
	ValueAt  time.Time // a day; zero where the file has none
	Amount   money.Amount
	// Reference identifies the entry: the same movement has the same in every file
	// of the same format, and no other entry has it. At most 100 characters.
	Reference  string
	BankID     string // the bank's own id, "" where it gave none
	Text       string // what the payer wrote
	Name       string // the other side
	IBAN       string // of the other side
	EndToEnd   string // the payer's id of the transfer, "" where not provided
	Structured string // creditor reference, such as "RF18…"
	Reversal   bool   // takes back an earlier entry, or is money of ours that came back
	Pending    bool   // announced and not booked: it may never be
	Where      string // "line 12", "entry 3 of statement 1"
}

// Statement is a part of a file that the bank closed with a balance, or the
// whole file where it has no such parts.
type Statement struct {
	Account  string
	Number   string
	Page     int // from 1; 0 where statements have no pages
	Opening  Balance
	Closing  Balance
	Entries  []Entry
	boundary bool // the opening or closing balance continues on another page
}

// Balance is an account's balance; Known is false where the file has none.
type Balance struct {
	Amount money.Amount
	Known  bool
}

// File is what a file holds.
type File struct {
	Format     Format
	Statements []Statement
	Notes      []string // what was passed over, and why
}

// Entries lists the entries of all statements in the order of the file.
func (f File) Entries() []Entry {
	all := []Entry{}
	for _, s := range f.Statements {
		all = append(all, s.Entries...)
	}
	return all
}

// check compares the balances with the booked entries. Errors: ErrBalance with
// the figures.
func (s Statement) check() error {
	if !s.Opening.Known || !s.Closing.Known {
		return nil
	}
	sum := s.Opening.Amount.Zero()
	var err error
	for _, e := range s.Entries {
		if e.Pending {
			continue
		}
		if sum, err = sum.Add(e.Amount); err != nil {
			return fmt.Errorf("%w: %s of statement %s: %w", ErrContent, e.Where, s.title(), err)
		}
	}
	want, err := s.Opening.Amount.Add(sum)
	if err != nil {
		return fmt.Errorf("%w: statement %s: %w", ErrContent, s.title(), err)
	}
	if want != s.Closing.Amount {
		return fmt.Errorf("%w: statement %s opens with %s, its entries sum to %s, which makes %s, but it closes with %s",
			ErrBalance, s.title(), s.Opening.Amount, sum, want, s.Closing.Amount)
	}
	return nil
}

// title is how errors name a statement.
func (s Statement) title() string {
	name := s.Number
	if name == "" {
		name = "without number"
	}
	if s.Page > 0 {
		name += fmt.Sprintf(" page %d", s.Page)
	}
	return name + " of account " + s.Account
}
