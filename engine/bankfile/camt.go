package bankfile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// The versions of camt.053.001 that are read.
const oldestCAMT, newestCAMT = 2, 10

const isoNamespace = "urn:iso:std:iso:20022:tech:xsd:"

// declared is the character set that an XML declaration names.
var declared = regexp.MustCompile(`^<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']`)

func parseCAMT(data []byte, set Charset) (File, error) {
	if m := declared.FindSubmatch(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))); m != nil && set == "" {
		switch strings.ToLower(string(m[1])) {
		case "utf-8", "us-ascii":
			set = UTF8
		case "windows-1252", "iso-8859-1", "latin1":
			set = Windows1252
		case "iso-8859-15":
			set = ISO8859_15
		}
	}
	text, err := decode(data, set)
	if err != nil {
		return File{}, err
	}
	c := camt{r: newReader(text)}
	if err := c.document(); err != nil {
		return File{}, err
	}
	if len(c.file.Statements) == 0 {
		return File{}, fmt.Errorf("%w: the document holds no statement (Stmt)", ErrFormat)
	}
	return c.file, nil
}

// camt reads a message. Entries are turned over one at a time, so that a large
// file is never held as a tree.
type camt struct {
	r    *reader
	file File
}

// document reads the root and walks to each statement.
func (c *camt) document() error {
	root := false
	for {
		t, err := c.r.next()
		if errors.Is(err, io.EOF) {
			if !root {
				return fmt.Errorf("%w: no XML element was found", ErrFormat)
			}
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case !root:
			if err := checkVersion(start); err != nil {
				return err
			}
			root = true
		case start.Name.Local == "Stmt":
			if err := c.statement(); err != nil {
				return err
			}
		}
	}
}

// checkVersion wants the root of a camt.053 message.
func checkVersion(root xml.StartElement) error {
	message, ok := strings.CutPrefix(root.Name.Space, isoNamespace)
	if root.Name.Local != "Document" || !ok {
		return fmt.Errorf("%w: the root is %s of %q, and not the Document of an ISO 20022 message", ErrFormat, root.Name.Local, root.Name.Space)
	}
	version, ok := strings.CutPrefix(message, "camt.053.001.")
	if !ok {
		return fmt.Errorf("%w: the message is %s; only statements, camt.053, are read: reports of the day may still change", ErrFormat, message)
	}
	if n, err := strconv.Atoi(version); err != nil || n < oldestCAMT || n > newestCAMT {
		return fmt.Errorf("%w: version %s of camt.053 is not known; %02d to %d are", ErrFormat, version, oldestCAMT, newestCAMT)
	}
	return nil
}

// statement reads one Stmt. What comes before its entries is its head.
func (c *camt) statement() error {
	number := len(c.file.Statements) + 1
	s, head, entries := Statement{}, &node{name: "Stmt"}, 0
	for {
		t, err := c.r.next()
		if errors.Is(err, io.EOF) {
			err = c.r.fault("the file ends within statement %d", number)
		}
		if err != nil {
			return err
		}
		if _, end := t.(xml.EndElement); end {
			break
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		n, err := c.r.tree(start)
		if err != nil {
			return err
		}
		if n.name != "Ntry" {
			head.children = append(head.children, n)
			continue
		}
		entries++
		where := fmt.Sprintf("entry %d of statement %d", entries, number)
		parts, notes, err := readNtry(n, where)
		if err != nil {
			return fmt.Errorf("%w: %s (line %d): %w", ErrContent, where, c.r.line(), err)
		}
		s.Entries = append(s.Entries, parts...)
		c.file.Notes = append(c.file.Notes, notes...)
		if len(s.Entries) > MaxEntries {
			return fmt.Errorf("%w: more than %d entries", ErrTooLarge, MaxEntries)
		}
	}
	if err := s.fill(head); err != nil {
		return fmt.Errorf("%w: statement %d: %w", ErrContent, number, err)
	}
	c.file.Statements = append(c.file.Statements, s)
	return nil
}

// fill reads the head of a statement.
func (s *Statement) fill(head *node) error {
	if s.Account = strings.ReplaceAll(head.get("Acct", "Id", "IBAN"), " ", ""); s.Account == "" {
		s.Account = head.get("Acct", "Id", "Othr", "Id")
	}
	if s.Account == "" {
		return errors.New("it names no account (Acct/Id)")
	}
	if s.Number = head.get("Id"); s.Number == "" {
		return errors.New("it has no Id")
	}
	if page := head.get("StmtPgntn", "PgNb"); page != "" {
		n, err := strconv.Atoi(page)
		if err != nil || n < 0 {
			return fmt.Errorf("page number (StmtPgntn/PgNb) %q is no number", page)
		}
		s.Page = n
	}
	for i := range s.Entries {
		s.Entries[i].Account = s.Account
	}
	return s.balances(head)
}

// balances reads the booked balances. A page that is not the first opens with an
// interim balance, one that is not the last closes with one.
func (s *Statement) balances(head *node) error {
	by := map[string]Balance{}
	interim := []Balance{}
	for _, n := range head.all("Bal") {
		code := n.get("Tp", "CdOrPrtry", "Cd")
		amount, err := signed(n, n.get("CdtDbtInd"))
		if err != nil {
			return fmt.Errorf("balance %s: %w", code, err)
		}
		b := Balance{amount, true}
		if code == "ITBD" {
			interim = append(interim, b)
		}
		if _, twice := by[code]; !twice {
			by[code] = b
		}
	}
	s.Opening, s.Closing = by["OPBD"], by["CLBD"]
	if !s.Opening.Known {
		s.Opening = by["PRCD"]
	}
	if !s.Opening.Known && len(interim) > 0 {
		s.Opening, interim = interim[0], interim[1:]
	}
	if !s.Closing.Known && len(interim) > 0 {
		s.Closing = interim[len(interim)-1]
	}
	return nil
}

// signed reads the Amt of n with the sign of a CdtDbtInd.
func signed(n *node, side string) (money.Amount, error) {
	text := n.get("Amt")
	if strings.HasPrefix(text, "-") {
		return money.Amount{}, fmt.Errorf("amount (Amt) %q has a sign", text)
	}
	code := n.first("Amt").attr("Ccy")
	if exp, ok := money.Exponent(code); ok { // the schema allows five decimals
		if whole, decimals, point := strings.Cut(text, "."); point && len(decimals) > exp {
			text = strings.TrimSuffix(whole+"."+decimals[:exp]+strings.TrimRight(decimals[exp:], "0"), ".")
		}
	}
	amount, err := money.Parse(text, code)
	if err != nil {
		return amount, fmt.Errorf("amount (Amt): %w", err)
	}
	switch side {
	case "CRDT":
		return amount, nil
	case "DBIT":
		return amount.Neg(), nil
	}
	return amount, fmt.Errorf("CdtDbtInd %q is neither CRDT nor DBIT", side)
}
