package einvoice

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// Violation is a rule that a file breaks, and where.
type Violation struct {
	Rule  string // id of the rule, such as "BR-CO-15"
	Where string // the element it holds for, by path and count: "cac:InvoiceLine 2"
	Text  string // what the rule wants
}

// String is the rule, the place and what is wanted.
func (v Violation) String() string {
	if v.Where == "" {
		return v.Rule + ": " + v.Text
	}
	return v.Rule + " (" + v.Where + "): " + v.Text
}

// Check reads a UBL invoice or credit note and returns the business rules of EN
// 16931 that it breaks, in the order of the rules. Left out are rules that only
// a person can judge (BR-CO-05 to 08), those of the categories L, M and B
// (Canary Islands, Ceuta and Melilla, Italian split payment), and of the lists
// of codes those that this package never writes. The error wraps ErrXML.
func Check(file []byte) ([]Violation, error) {
	root, err := parse(file)
	if err != nil {
		return nil, err
	}
	d := &parsed{root: root, lines: root.all("cac:InvoiceLine|cac:CreditNoteLine"), currency: root.get("cbc:DocumentCurrencyCode")}
	var found []Violation
	for _, set := range ruleSets {
		for _, r := range set {
			found = append(found, r.check(d)...)
		}
	}
	return found, nil
}

// parsed is a file being checked.
type parsed struct {
	root     *element
	lines    []*element
	currency string
}

// rule is one business rule.
type rule struct {
	id    string
	at    string // path of the elements it holds for; "" is the document
	text  string
	holds test
}

// test reports whether e, an element of d, keeps a rule.
type test func(d *parsed, e *element) bool

// ruleSets are all rules, in the order in which violations are reported.
var ruleSets = [][]rule{documentRules, decimalRules(), partyRules, lineRules, allowanceRules, paymentRules, totalRules, breakdownRules, categoryRules(), outOfScopeRules, codeRules}

func (r rule) check(d *parsed) (found []Violation) {
	for i, e := range d.root.all(r.at) {
		if r.holds(d, e) {
			continue
		}
		where := ""
		if r.at != "" {
			where = fmt.Sprintf("%s %d", e.name, i+1)
		}
		found = append(found, Violation{r.id, where, r.text})
	}
	return found
}

// exists wants an element at path.
func exists(path string) test {
	return func(_ *parsed, e *element) bool { return e.has(path) }
}

// filled wants an element with a text at path.
func filled(path string) test {
	return func(_ *parsed, e *element) bool {
		for _, found := range e.all(path) {
			if found.text != "" {
				return true
			}
		}
		return false
	}
}

// decimalForm is how XML Schema writes a decimal.
var decimalForm = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)$`)

// number reads a decimal exactly; ok is false for anything else.
func number(s string) (n *big.Rat, ok bool) {
	if s = strings.TrimSpace(s); !decimalForm.MatchString(s) || len(s) > 40 {
		return new(big.Rat), false
	}
	n, ok = new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat), false
	}
	return n, true
}

// num is the number at path; ok is false where there is none.
func (e *element) num(path string) (n *big.Rat, ok bool) { return number(e.get(path)) }

// sum adds the numbers at path of every element; ok is false where one is none.
func sum(all []*element, path string) (total *big.Rat, ok bool) {
	total, ok = new(big.Rat), true
	for _, e := range all {
		n, isNumber := e.num(path)
		total, ok = total.Add(total, n), ok && isNumber
	}
	return total, ok
}

// cents rounds to two decimals, half away from zero.
func cents(n *big.Rat) *big.Rat {
	hundredfold := new(big.Rat).Mul(new(big.Rat).Abs(n), big.NewRat(100, 1))
	twice := new(big.Int).Mul(hundredfold.Num(), big.NewInt(2))
	twice.Add(twice, hundredfold.Denom())
	whole := twice.Quo(twice, new(big.Int).Mul(hundredfold.Denom(), big.NewInt(2)))
	rounded := new(big.Rat).SetFrac(whole, big.NewInt(100))
	if n.Sign() < 0 {
		rounded.Neg(rounded)
	}
	return rounded
}

// near reports whether two amounts differ by less than one unit of the
// currency: the tolerance of the norm's published validation.
func near(a, b *big.Rat) bool {
	diff := new(big.Rat).Sub(a, b)
	return diff.Abs(diff).Cmp(big.NewRat(1, 1)) < 0
}

func equal(a, b *big.Rat) bool { return a.Cmp(b) == 0 }

// percentOf is rate % of base, to the cent.
func percentOf(base, rate *big.Rat) *big.Rat {
	return cents(new(big.Rat).Quo(new(big.Rat).Mul(base, rate), big.NewRat(100, 1)))
}

// ordered wants the end of a period not before its start. Dates compare as
// texts.
func ordered(_ *parsed, e *element) bool {
	start, end := e.get("cbc:StartDate"), e.get("cbc:EndDate")
	return start == "" || end == "" || start <= end
}

// isVAT reports whether a tax category or scheme is of VAT.
func isVAT(e *element) bool { return strings.EqualFold(e.get("cac:TaxScheme/cbc:ID"), "VAT") }

// vatCategory returns the code of the VAT category at path, or "".
func vatCategory(e *element, path string) string {
	for _, c := range e.all(path) {
		if isVAT(c) {
			return c.get("cbc:ID")
		}
	}
	return ""
}
