package books

import (
	"fmt"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
)

// Finding is one difference that the audit found.
type Finding struct {
	Rule string // what should hold
	What string // number, id or name of what breaks it
	Off  int64  // by how much, in minor units or pieces, where that says anything
}

// String is the finding as operators read it.
func (f Finding) String() string { return fmt.Sprintf("%s: %s (%d)", f.Rule, f.What, f.Off) }

// Rule is something that always holds. Its query returns a row for each fault,
// with the columns what and off.
type Rule struct {
	Name  string
	Query string
}

// Most bounds how many faults of one rule are named.
const Most = 100

// Rules lists what Audit checks, in order.
func Rules() []Rule {
	return slices.Concat(documentRules, moneyRules, salesRules, timeRules)
}

// Audit checks every rule of the books and names each difference. Each rule is
// one statement and so sees one moment of the database, also while the product
// runs; rules are checked two at a time and change nothing.
func Audit(db dbx.Builder) ([]Finding, error) {
	rules := Rules()
	found, failed := make([][]Finding, len(rules)), make([]error, len(rules))
	next := make(chan int)
	workers := sync.WaitGroup{}
	for range 2 {
		workers.Go(func() {
			for i := range next {
				found[i], failed[i] = rules[i].Check(db)
			}
		})
	}
	for i := range rules {
		next <- i
	}
	close(next)
	workers.Wait()
	all := []Finding{}
	for i := range rules {
		if failed[i] != nil {
			return nil, failed[i]
		}
		all = append(all, found[i]...)
	}
	return all, nil
}

// Check runs one rule.
func (r Rule) Check(db dbx.Builder) ([]Finding, error) {
	rows := []struct {
		What string `db:"what"`
		Off  int64  `db:"off"`
	}{}
	if err := db.NewQuery(r.Query + fmt.Sprintf(" LIMIT %d", Most)).All(&rows); err != nil {
		return nil, fmt.Errorf("audit %q: %w", r.Name, err)
	}
	found := make([]Finding, len(rows))
	for i, f := range rows {
		found[i] = Finding{r.Name, f.What, f.Off}
	}
	return found, nil
}
