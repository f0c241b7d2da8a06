package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/hooks/audit"
	"github.com/ezscale/ezscale/hooks/books"
)

// law is what must hold after every day, whatever happened on it. Its check
// names each thing that breaks it. Laws look at what is new since the last
// proof, except at the end of a month and of the simulation.
type law struct {
	name  string
	check func(w *world, p *proof) ([]string, error)
}

var laws = []law{
	{"every posting sums to zero", query("SELECT `posting` || ' in ' || `currency` || ' by ' || SUM(`amount_minor`) FROM `ledger_entries` WHERE `rowid` > {:ledger} GROUP BY `posting`, `currency` HAVING SUM(`amount_minor`) != 0")},
	{"invoice numbers have no gap", numbersWithoutGap},
	{"each period of a subscription is billed once", billedOnce},
	{"no period is left out", nothingIsLeftOut},
	{"nobody runs on without being billed", billedToNow},
	{"no charge without its invoice, no succeeded charge unrecorded", chargesAreRecorded},
	{"each customer's money is where it belongs", moneyIsConserved},
	{"each order's subscriptions have one service each", query("SELECT `u`.`id` FROM `subscriptions` `u` WHERE `u`.`rowid` > {:subscriptions} AND (SELECT COUNT(*) FROM `services` WHERE `subscription` = `u`.`id`) != 1")},
	rule("a paid order's services were set in motion"),
	rule("an unpaid order's services were not"),
	{"each service has its one server", serversMatchServices},
	{"stock is exact", stockIsExact},
	rule("a coupon's uses are its redemptions, within its limit"),
	{"who pays is served", payersAreServed},
	{"suspended exactly while overdue past the grace", suspendedIffOverdue},
	{"what was asked for gets done", thingsGetDone},
	{"the audit chain is whole", auditChain},
	{"the audit of the books finds nothing", audited},
}

// proof remembers how far the books are proven.
type proof struct {
	whole    bool // everything is looked at, not the new rows alone
	final    bool // nothing is on its way any more
	marks    map[string]int64
	numbers  map[string]int64  // by series and year: the last proven
	charges  int               // of the gateway's list, those looked at
	awaited  map[string]int    // charges not yet recorded, by the day they were seen
	payments map[string]int64  // amounts the gateway took, by payment reference
	owners   map[string]string // customers by invoice
	failing  map[string]int    // the day on which jobs were first seen failed, by id
	offered  []string          // subscriptions with a change that may still be paid beside what is invoiced ahead
}

// tables are those whose rows only grow, with the name of their mark.
var tables = map[string]string{"invoices": "invoices", "ledger": "ledger_entries", "items": "invoice_items", "subscriptions": "subscriptions", "payments": "payment_transactions"}

// prove checks every law. final says that all is at rest. Errors: what is wrong.
func (w *world) prove(final bool) error {
	defer func(armed int) { w.fuse.armed = armed }(w.fuse.armed)
	w.fuse.armed = 0 // looking is no part of the process's life
	p := &w.proof
	if p.marks == nil {
		p.marks, p.numbers, p.awaited, p.payments = map[string]int64{}, map[string]int64{}, map[string]int{}, map[string]int64{}
		p.owners = map[string]string{}
	}
	p.whole, p.final = final || w.clock.world().Day() == 1, final
	if p.whole {
		clear(p.marks)
		clear(p.numbers)
		p.charges = 0
	}
	if final {
		clear(p.payments)
	}
	next, err := w.marks()
	if err != nil {
		return err
	}
	wrong := []error{}
	for _, l := range laws {
		broken, err := l.check(w, p)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("prove that %s: %w", l.name, err))
		}
		if len(broken) > 0 {
			wrong = append(wrong, fmt.Errorf("broken: %s: %s", l.name, strings.Join(broken[:min(len(broken), 5)], "; ")))
		}
	}
	p.marks = next
	return errors.Join(wrong...)
}

func (w *world) marks() (map[string]int64, error) {
	found := map[string]int64{}
	for name, table := range tables {
		last := int64(0)
		if err := w.app.DB().NewQuery("SELECT IFNULL(MAX(`rowid`), 0) FROM `" + table + "`").Row(&last); err != nil {
			return nil, fmt.Errorf("mark of %s: %w", table, err)
		}
		found[name] = last
	}
	return found, nil
}

// query is a law whose every row is a fault.
func query(text string) func(*world, *proof) ([]string, error) {
	return func(w *world, p *proof) ([]string, error) {
		params := dbx.Params{}
		for name := range tables {
			if strings.Contains(text, "{:"+name+"}") {
				params[name] = p.marks[name]
			}
		}
		found := []string{}
		err := w.app.DB().NewQuery(text).Bind(params).Column(&found)
		return found, err
	}
}

// numbersWithoutGap counts what was numbered since the last proof.
func numbersWithoutGap(w *world, p *proof) ([]string, error) {
	series := []struct {
		Series string `db:"series"`
		Year   int64  `db:"year"`
		Last   int64  `db:"last_seq"`
	}{}
	if err := w.app.DB().NewQuery("SELECT `series`, `year`, `last_seq` FROM `invoice_series`").All(&series); err != nil {
		return nil, err
	}
	broken := []string{}
	for _, s := range series {
		name := fmt.Sprintf("%s %d", s.Series, s.Year)
		if !p.whole && s.Last == p.numbers[name] {
			continue // the database allows each number once
		}
		count := int64(0)
		err := w.app.DB().NewQuery("SELECT (SELECT COUNT(*) FROM `invoices` WHERE `series` = {:series} AND `year` = {:year} AND `seq` > {:proven})" +
			" + (SELECT COUNT(*) FROM `credit_notes` WHERE `series` = {:series} AND `year` = {:year} AND `seq` > {:proven})").
			Bind(dbx.Params{"series": s.Series, "year": s.Year, "proven": p.numbers[name]}).Row(&count)
		if err != nil {
			return nil, err
		}
		if count != s.Last-p.numbers[name] {
			broken = append(broken, fmt.Sprintf("%s has %d documents after number %d, the series stands at %d", name, count, p.numbers[name], s.Last))
		}
		p.numbers[name] = s.Last
	}
	return broken, nil
}

// rule is a rule of the audit that is proven each day.
func rule(name string) law {
	rules := books.Rules()
	i := slices.IndexFunc(rules, func(r books.Rule) bool { return r.Name == name })
	if i < 0 {
		panic("sim: the audit has no rule " + name)
	}
	return law{name, func(w *world, _ *proof) ([]string, error) {
		found, err := rules[i].Check(w.app.DB())
		return texts(found), err
	}}
}

// audited runs the whole audit of the books, which looks at every row.
func audited(w *world, p *proof) ([]string, error) {
	if !p.whole {
		return nil, nil
	}
	found, err := books.Audit(w.app.DB())
	return texts(found), err
}

func texts(found []books.Finding) []string {
	list := []string{}
	for _, f := range found {
		list = append(list, f.String())
	}
	return list
}

func auditChain(w *world, p *proof) ([]string, error) {
	if !p.whole {
		return nil, nil
	}
	broken, err := audit.Verify(w.app.DB())
	if err != nil || broken == 0 {
		return nil, err
	}
	return []string{fmt.Sprintf("row %d", broken)}, nil
}
