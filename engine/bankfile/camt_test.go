package bankfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// camtOf is a message of one statement in a version.
func camtOf(version, inner string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.` + version + `"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>` + inner + `</Stmt></BkToCstmrStmt></Document>`
}

const ntry = `<Ntry><Amt Ccy="EUR">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-05</Dt></BookgDt></Ntry>`

func balanceOf(code, side, amount string) string {
	return fmt.Sprintf(`<Bal><Tp><CdOrPrtry><Cd>%s</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Dt><Dt>2026-03-05</Dt></Dt></Bal>`, code, amount, side)
}

func TestCAMTVersions(t *testing.T) {
	for n := range 15 {
		version := fmt.Sprintf("%02d", n)
		_, err := Parse([]byte(camtOf(version, ntry)), Options{})
		if known := n >= 2 && n <= 10; known != (err == nil) {
			t.Errorf("version %s: got %v", version, err)
		}
	}
}

func TestCAMTBalances(t *testing.T) {
	for name, c := range map[string]struct {
		inner, says string
	}{
		"add up":              {balanceOf("OPBD", "CRDT", "5.00") + balanceOf("CLBD", "CRDT", "15.00") + ntry, ""},
		"from the day before": {balanceOf("PRCD", "DBIT", "5.00") + balanceOf("CLBD", "CRDT", "5.00") + ntry, ""},
		"none":                {ntry, ""},
		"closing only":        {balanceOf("CLBD", "CRDT", "15.00") + ntry, ""},
		"available ones":      {balanceOf("CLAV", "CRDT", "99.00") + balanceOf("FWAV", "CRDT", "99.00") + ntry, ""},
		"entry missing":       {balanceOf("OPBD", "CRDT", "5.00") + balanceOf("CLBD", "CRDT", "25.00") + ntry, "opens with 5.00 EUR, its entries sum to 10.00 EUR, which makes 15.00 EUR, but it closes with 25.00 EUR"},
		"sign":                {balanceOf("OPBD", "DBIT", "5.00") + balanceOf("CLBD", "CRDT", "15.00") + ntry, "opens with -5.00 EUR"},
	} {
		_, err := Parse([]byte(camtOf("08", c.inner)), Options{})
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, ErrBalance) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

func TestCAMTRefused(t *testing.T) {
	change := func(from, to string) string { return camtOf("02", strings.Replace(ntry, from, to, 1)) }
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"no amount":        {change(`<Amt Ccy="EUR">10.00</Amt>`, ""), ErrContent, "entry 1 of statement 1"},
		"three decimals":   {change("10.00", "10.005"), ErrContent, "10.005"},
		"negative":         {change("10.00", "-10.00"), ErrContent, "sign"},
		"no currency":      {change(` Ccy="EUR"`, ""), ErrContent, "currency"},
		"no side":          {change("CRDT", ""), ErrContent, "CdtDbtInd"},
		"status":           {change("BOOK", "DONE"), ErrContent, "DONE"},
		"no date":          {change("<BookgDt><Dt>2026-03-05</Dt></BookgDt>", ""), ErrContent, "BookgDt"},
		"bad date":         {change("2026-03-05", "2026-02-30"), ErrContent, "BookgDt"},
		"reversal":         {change("<Sts>", "<RvslInd>maybe</RvslInd><Sts>"), ErrContent, "RvslInd"},
		"cut off":          {camtOf("02", ntry)[:320], ErrContent, "line 1"},
		"no account":       {strings.Replace(camtOf("02", ntry), "<IBAN>DE02120300000000202051</IBAN>", "", 1), ErrContent, "statement 1"},
		"no id":            {strings.Replace(camtOf("02", ntry), "<Id>1</Id>", "", 1), ErrContent, "no Id"},
		"page":             {camtOf("08", "<StmtPgntn><PgNb>x</PgNb></StmtPgntn>"), ErrContent, "PgNb"},
		"report":           {strings.ReplaceAll(camtOf("02", ntry), "camt.053", "camt.052"), ErrFormat, "camt.052"},
		"other XML":        {"<html><body>Session expired</body></html>", ErrFormat, "html"},
		"no statement":     {`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"></Document>`, ErrFormat, "no statement"},
		"nothing":          {"<!-- -->", ErrFormat, "no XML"},
		"not text":         {"<\x00", ErrContent, "line 1"},
		"ends in an entry": {camtOf("02", ntry)[:strings.Index(camtOf("02", ntry), "<Sts>")], ErrContent, "line 1"},
	} {
		if _, err := Parse([]byte(c.text), Options{}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
}

// TestXMLIsBounded: nothing is fetched, nothing expands, nothing nests without
// end.
func TestXMLIsBounded(t *testing.T) {
	laughs := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><Document>&lol2;</Document>`
	outside := `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>`
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"billion laughs":  {laughs, ErrContent, "document type"},
		"external entity": {outside, ErrContent, "document type"},
		"entity alone":    {camtOf("02", "<X>&lol;</X>"), ErrContent, "entity"},
		"deep":            {camtOf("02", strings.Repeat("<a>", 1000)), ErrContent, "nested deeper than 40"},
		"deep entry":      {camtOf("02", "<Ntry>"+strings.Repeat("<a>", 100)), ErrContent, "nested deeper than 40"},
		"wide":            {camtOf("02", "<Ntry>"+strings.Repeat("<a/>", maxNodes+1)), ErrTooLarge, "more than"},
	} {
		if _, err := Parse([]byte(c.text), Options{}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", name, err, c.want, c.says)
		}
	}
	pieces := camtOf("02", strings.Replace(ntry, "<Sts>", "<AddtlNtryInf>"+strings.Repeat("a<!---->", 100_000)+"</AddtlNtryInf><Sts>", 1))
	if _, err := Parse([]byte(pieces), Options{}); err != nil {
		t.Errorf("a text in many pieces: got %v", err)
	}
}
