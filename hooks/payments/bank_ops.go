package payments

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/bankfile"
	"github.com/ezscale/ezscale/hooks/op"
)

// maxStatement is the body of an import: a file of bankfile.MaxSize in base64,
// and what is said of it.
const maxStatement = bankfile.MaxSize/3*4 + 64<<10

func (s *Subject) bankOps(t *op.Table) {
	const path = "/api/v1/staff/bank-statements"
	op.Add(t, op.Spec{ID: "staff.bank.list", Method: http.MethodGet, Path: path, Access: op.Staff, Summary: "Imported bank statements, the latest first"}, s.listImports)
	op.Add(t, op.Spec{ID: "staff.bank.import", Method: http.MethodPost, Path: path, Access: op.Staff, MaxBody: maxStatement, Summary: "Import a bank statement (CSV, CAMT.053, MT940): match its transfers to invoices and book each once; repeatable"}, s.importStatement)
}

// bankRequest is a file and what it does not say itself.
type bankRequest struct {
	Name    string `json:"name,omitzero"`
	Content []byte `json:"content"` // the file, in base64
	DryRun  bool   `json:"dry_run,omitzero"`
	// OtherFormat imports days of an account that were imported in another format
	// before, in which the same entry has another reference.
	OtherFormat bool             `json:"other_format,omitzero"`
	Format      bankfile.Format  `json:"format,omitzero"`
	Charset     bankfile.Charset `json:"charset,omitzero"`
	CSV         bankLayout       `json:"csv,omitzero"`
}

type bankLayout struct {
	Delimiter  string                     `json:"delimiter,omitzero"`
	Columns    map[bankfile.Column]string `json:"columns,omitzero"`
	Headerless bool                       `json:"headerless,omitzero"`
	Dates      string                     `json:"dates,omitzero"`
	Decimal    string                     `json:"decimal,omitzero"`
	Currency   string                     `json:"currency,omitzero"`
	Account    string                     `json:"account,omitzero"`
}

// Check refuses an import without a file.
func (in bankRequest) Check(f *op.Fields) {
	f.Check(len(in.Content) > 0, "content", "required", "Send the bank's file in base64.")
	f.Check(len(in.Name) <= 200, "name", "too_long", "The name of the file is longer than 200 characters.")
	f.Check(len(in.CSV.Account) <= 60, "csv.account", "too_long", "The account is longer than 60 characters.")
}

func (in bankRequest) options() bankfile.Options {
	return bankfile.Options{Format: in.Format, Charset: in.Charset, CSV: bankfile.Layout{
		Delimiter: in.CSV.Delimiter, Columns: in.CSV.Columns, Headerless: in.CSV.Headerless, Dates: in.CSV.Dates,
		Decimal: in.CSV.Decimal, Currency: strings.ToUpper(in.CSV.Currency), Account: in.CSV.Account,
	}}
}

func (s *Subject) importStatement(r *op.Request, in bankRequest) (bankReport, error) {
	file, err := bankfile.Parse(in.Content, in.options())
	if err != nil {
		return bankReport{}, unreadable(err)
	}
	imp := newBankImport(s, r, in, file)
	if err := imp.checkEarlier(); err != nil {
		return bankReport{}, err
	}
	return imp.run()
}

// unreadable is what staff is told of a file: the line or element, and what to
// say about a file that leaves something open.
func unreadable(err error) error {
	status, code, field := http.StatusUnprocessableEntity, "unreadable", "content"
	switch {
	case errors.Is(err, bankfile.ErrTooLarge):
		status, code = http.StatusRequestEntityTooLarge, "too_large"
	case errors.Is(err, bankfile.ErrUnclear):
		code, field = "unclear", "csv"
	case errors.Is(err, bankfile.ErrBalance):
		code = "balance"
	case errors.Is(err, bankfile.ErrFormat):
		code = "unknown_format"
	}
	text := err.Error()
	p := op.NewProblem(status, code, strings.ToUpper(text[:1])+text[1:]+".").Because(err)
	p.Errors = []op.FieldError{{Field: field, Message: p.Detail, Code: code}}
	return p
}

type importList struct {
	Items []importView `json:"items"`
}

// importView is an import as it is remembered.
type importView struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	SHA256   string          `json:"sha256"`
	Format   bankfile.Format `json:"format"`
	Accounts []string        `json:"accounts"`
	Status   string          `json:"status"`
	FirstDay time.Time       `json:"first_day"`
	LastDay  time.Time       `json:"last_day"`
	Counts   bankCounts      `json:"counts"`
	Actor    string          `json:"actor"`
	At       time.Time       `json:"at"`
}

func (s *Subject) listImports(r *op.Request, _ op.None) (importList, error) {
	list := importList{Items: []importView{}}
	rows, err := findImports(r.App, "1 = 1 ORDER BY `at` DESC, `rowid` DESC LIMIT 200", nil)
	if err != nil {
		return list, err
	}
	for _, row := range rows {
		v, err := row.view()
		if err != nil {
			return list, fmt.Errorf("bank import %s: %w", row.ID, err)
		}
		list.Items = append(list.Items, v)
	}
	return list, nil
}

// checkEarlier looks for the days of the file among earlier imports. The same
// file is only noted, since nothing is booked twice; days that came in another
// format are refused unless staff insists, because there the same transfer has
// another reference.
func (imp *bankImport) checkEarlier() error {
	if imp.first.IsZero() {
		return nil
	}
	rows, err := findImports(imp.app, "`sha256` = {:sha} OR `format` != {:format} AND `last_day` >= {:first} AND `first_day` <= {:last} ORDER BY `at`", dbx.Params{
		"sha": imp.sum, "format": string(imp.file.Format), "first": collections.Stamp(imp.first).String(), "last": collections.Stamp(imp.last).String(),
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		v, err := row.view()
		if err != nil {
			return fmt.Errorf("bank import %s: %w", row.ID, err)
		}
		if v.SHA256 == imp.sum {
			imp.note("This file was imported before, on %s; nothing is booked twice.", v.At.Format(time.DateOnly))
			continue
		}
		if account := imp.shared(v.Accounts); account != "" && !imp.in.OtherFormat {
			p := op.NewProblem(http.StatusConflict, "other_format", fmt.Sprintf("Days of account %s between %s and %s were imported as %s before (%s). In another format the same transfer cannot be recognized and would be booked again. Import these days in that format, or insist with other_format.",
				account, v.FirstDay.Format(time.DateOnly), v.LastDay.Format(time.DateOnly), v.Format, v.Name))
			p.Errors = []op.FieldError{{Field: "other_format", Message: p.Detail, Code: p.Code}}
			return p
		}
	}
	return nil
}

// shared is an account of the file that is among those, "" if none is.
func (imp *bankImport) shared(accounts []string) string {
	for _, ours := range imp.accounts {
		for _, theirs := range accounts {
			if bankfile.SameAccount(ours, theirs) {
				return ours
			}
		}
	}
	return ""
}
