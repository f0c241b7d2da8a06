package bankfile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// readNtry turns an entry into one Entry, or into one for each transaction of a
// batch. The amount of the entry is what moved on the account; parts that do not
// sum to it are not believed, and the batch stays whole.
func readNtry(n *node, where string) (entries []Entry, notes []string, err error) {
	e, err := entryHead(n)
	if err != nil {
		return nil, nil, err
	}
	e.Where = where
	details := []*node{}
	for _, d := range n.all("NtryDtls") {
		details = append(details, d.all("TxDtls")...)
	}
	if len(details) <= 1 {
		if len(details) == 1 {
			e.detail(details[0])
		}
		e.fallback(n)
		return []Entry{e}, nil, nil
	}
	parts, ok := batch(e, details, n.get("CdtDbtInd"))
	if ok {
		return parts, nil, nil
	}
	texts := []string{}
	for _, d := range details {
		part := Entry{}
		part.detail(d)
		texts = append(texts, part.Name, part.Text, part.EndToEnd, part.Structured)
	}
	e.Text = joined(texts...)
	e.fallback(n)
	return []Entry{e}, []string{fmt.Sprintf("The %d parts of %s do not sum to its %s; it was read as one entry.", len(details), where, e.Amount)}, nil
}

// entryHead reads what is true of the whole entry.
func entryHead(n *node) (Entry, error) {
	e := Entry{}
	status := n.get("Sts")
	if code := n.get("Sts", "Cd"); code != "" { // since version 08
		status = code
	}
	switch status {
	case "BOOK":
	case "PDNG", "INFO", "FUTR":
		e.Pending = true
	default:
		return e, fmt.Errorf("status (Sts) %q is not known", status)
	}
	var err error
	if e.Amount, err = signed(n, n.get("CdtDbtInd")); err != nil {
		return e, err
	}
	reversal := n.get("RvslInd")
	if e.Reversal = reversal == "true" || reversal == "1"; !e.Reversal && reversal != "" && reversal != "false" && reversal != "0" {
		return e, fmt.Errorf("reversal indicator (RvslInd) %q is neither true nor false", reversal)
	}
	if e.BookedAt, err = day(n, "BookgDt"); err != nil {
		return e, err
	}
	if e.ValueAt, err = day(n, "ValDt"); err != nil {
		return e, err
	}
	if e.BookedAt.IsZero() {
		e.BookedAt = e.ValueAt
	}
	if e.BookedAt.IsZero() {
		return e, errors.New("it has neither a booking date (BookgDt) nor a value date (ValDt)")
	}
	e.BankID = given(n.get("AcctSvcrRef"))
	return e, nil
}

func day(n *node, name string) (time.Time, error) {
	text := n.get(name, "Dt")
	if text == "" {
		text = n.get(name, "DtTm")
	}
	if text == "" {
		return time.Time{}, nil
	}
	t, err := isoDay(text)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// batch splits an entry into its transactions, if each has an amount and they
// sum to the entry's.
func batch(whole Entry, details []*node, side string) (parts []Entry, ok bool) {
	sum := whole.Amount.Zero()
	for i, d := range details {
		e := whole
		e.Where = fmt.Sprintf("part %d of %s", i+1, whole.Where)
		amount, err := detailAmount(d, side)
		if err != nil {
			return nil, false
		}
		if sum, err = sum.Add(amount); err != nil {
			return nil, false
		}
		e.Amount = amount
		e.detail(d)
		parts = append(parts, e)
	}
	return parts, sum == whole.Amount
}

// detailAmount is the amount of a transaction: Amt since version 03, before that
// only among the details.
func detailAmount(d *node, side string) (money.Amount, error) {
	if own := d.get("CdtDbtInd"); own != "" {
		side = own
	}
	if d.first("Amt") != nil {
		return signed(d, side)
	}
	if tx := d.first("AmtDtls", "TxAmt"); tx != nil {
		return signed(tx, side)
	}
	return money.Amount{}, errors.New("the transaction has no amount")
}

// detail reads a transaction: ids, the other side, what the payer wrote, and
// whether it is money that came back.
func (e *Entry) detail(d *node) {
	if id := given(d.get("Refs", "AcctSvcrRef")); id != "" {
		e.BankID = id
	}
	e.EndToEnd = given(d.get("Refs", "EndToEndId"))
	e.Reversal = e.Reversal || d.first("RtrInf") != nil
	party := "Dbtr"
	if e.Amount.Sign() < 0 {
		party = "Cdtr"
	}
	parties := d.first("RltdPties")
	for _, p := range []string{party, "Ultmt" + party} {
		if e.Name == "" {
			e.Name = parties.get(p, "Nm")
		}
		if e.Name == "" { // since version 08
			e.Name = parties.get(p, "Pty", "Nm")
		}
	}
	e.IBAN = strings.ReplaceAll(parties.get(party+"Acct", "Id", "IBAN"), " ", "")
	if e.IBAN == "" {
		e.IBAN = parties.get(party+"Acct", "Id", "Othr", "Id")
	}
	e.remittance(d.first("RmtInf"))
}

// remittance reads what the payer wrote. Free text comes in pieces of 140
// characters; structured information may name a creditor reference, documents
// and more text.
func (e *Entry) remittance(r *node) {
	texts := []string{}
	for _, u := range r.all("Ustrd") {
		texts = append(texts, u.text.String())
	}
	for _, s := range r.all("Strd") {
		if ref := s.get("CdtrRefInf", "Ref"); ref != "" && e.Structured == "" {
			e.Structured = ref
		} else if ref != "" {
			texts = append(texts, ref)
		}
		for _, doc := range s.all("RfrdDocInf") {
			texts = append(texts, doc.get("Nb"))
		}
		for _, more := range s.all("AddtlRmtInf") {
			texts = append(texts, more.text.String())
		}
	}
	e.Text = joined(texts...)
}

// fallback takes the bank's own words where the payer's are missing.
func (e *Entry) fallback(n *node) {
	if e.Text == "" && e.Structured == "" {
		e.Text = joined(n.get("NtryDtls", "TxDtls", "AddtlTxInf"), n.get("AddtlNtryInf"))
	}
}

// joined puts the parts that say anything behind each other.
func joined(parts ...string) string {
	said := []string{}
	for _, p := range parts {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " ")
}
