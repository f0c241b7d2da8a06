package payments_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/testapp"
)

const bankPath = "/api/v1/staff/bank-statements"

// bankCSV is a statement of account A1 in euros: "day;amount;name;text" a line.
func bankCSV(lines ...string) string {
	return "Buchungstag;Betrag;Auftraggeber/Empfänger;Verwendungszweck\n" + strings.Join(lines, "\n") + "\n"
}

func bankBody(file string, more map[string]any) map[string]any {
	body := map[string]any{"name": "march.csv", "content": base64.StdEncoding.EncodeToString([]byte(file)), "csv": map[string]any{"account": "A1", "currency": "EUR"}}
	for k, v := range more {
		body[k] = v
	}
	return body
}

// importBank imports a file and returns the report.
func importBank(app *testapp.App, file string, more map[string]any) *testapp.Answer {
	app.Helper()
	return app.Want(http.StatusOK, app.Do(http.MethodPost, bankPath, app.Staff(), bankBody(file, more)))
}

// results writes what became of the entries in one line.
func results(r *testapp.Answer) string {
	list := []string{}
	for i := range r.Len("entries") {
		list = append(list, r.Text(fmt.Sprintf("entries.%d.result", i)))
	}
	return strings.Join(list, " ")
}

func number(app *testapp.App, o *testapp.Order) string {
	app.Helper()
	return app.Record("invoices", o.Invoice).GetString("number")
}

func byTransfer(app *testapp.App, by *testapp.Person, plan string) *testapp.Order {
	app.Helper()
	return app.Order(by, testapp.Cart{Plan: plan, Gateway: "manual"})
}

func TestTransfersAreBooked(t *testing.T) {
	app := testapp.New(t)
	ada, bob, eve := app.Customer("ada"), app.Customer("bob"), app.Customer("eve")
	exact, first, second, partly, much := byTransfer(app, ada, ""), byTransfer(app, bob, ""), byTransfer(app, bob, "vps-m"), byTransfer(app, eve, ""), byTransfer(app, eve, "")
	file := bankCSV(
		"05.03.2026;4,90;Ada;"+strings.ToLower(strings.ReplaceAll(number(app, exact), "-", " ")),
		"05.03.2026;19,80;Bob;"+number(app, first)+", "+number(app, second),
		"05.03.2026;1,90;Eve;Anzahlung "+number(app, partly),
		"05.03.2026;10,00;Eve;"+number(app, much),
		"06.03.2026;-1.234,56;Power AG;rack",
	)
	dry := importBank(app, file, map[string]any{"dry_run": true})
	if got := results(dry); got != "booked booked booked booked ignored" || dry.Text("import") != "" || app.Count("payment_transactions", "`status` = 'succeeded'") != 0 || app.Count("bank_imports", "TRUE") != 0 {
		t.Fatalf("dry run: got %s, or it wrote", dry)
	}
	r := importBank(app, file, nil)
	if got := results(r); got != "booked booked booked booked ignored" || r.Int("counts.booked") != 4 || r.Int("counts.entries") != 5 {
		t.Fatalf("got %s", r)
	}
	for name, c := range map[string]struct {
		o    *testapp.Order
		want string
	}{"exact": {exact, "paid"}, "first of two": {first, "paid"}, "second of two": {second, "paid"}, "partly": {partly, "open"}, "too much": {much, "paid"}} {
		if got := app.InvoiceStatus(c.o); got != c.want {
			t.Errorf("%s: the invoice is %s, want %s", name, got, c.want)
		}
	}
	if got := app.Record("invoices", partly.Invoice).GetInt64("due_minor"); got != 300 {
		t.Errorf("partly: %d is due, want 300", got)
	}
	for who, want := range map[*testapp.Person][2]int64{ada: {490, 0}, bob: {1980, 0}, eve: {1190, -510}} {
		if cash, credit := app.Balance(who.Id, "cash:manual", "EUR"), app.Balance(who.Id, "credit", "EUR"); cash != want[0] || credit != want[1] {
			t.Errorf("%s: got cash %d and credit %d, want %v", who.Email, cash, credit, want)
		}
	}
	if r.Int("entries.3.credit.minor") != 510 || r.Text("entries.1.invoices.1.number") != number(app, second) {
		t.Errorf("the report says %s", r)
	}
	for _, o := range []*testapp.Order{exact, first, second, much} {
		app.Active(o)
	}
	if got := app.Count("audit_logs", "`action` = 'payment.import'"); got != 4 {
		t.Errorf("%d audit rows of payments, want 4", got)
	}
	list := app.Want(http.StatusOK, app.Do(http.MethodGet, bankPath, app.Staff(), nil))
	if list.Len("items") != 1 || list.Text("items.0.status") != "done" || list.Int("items.0.counts.booked") != 4 || list.Text("items.0.accounts.0") != "A1" || !strings.HasPrefix(list.Text("items.0.first_day"), "2026-03-05") {
		t.Errorf("past imports: %s", list)
	}
	app.Quiet()
	app.CheckBooks()
}

// TestDryRunSeesWhatItWouldHavePaid: the second transfer for an invoice is too
// much in the dry run as it is in the import.
func TestDryRunSeesWhatItWouldHavePaid(t *testing.T) {
	app := testapp.New(t)
	o := byTransfer(app, app.Customer("ada"), "")
	file := bankCSV("05.03.2026;4,00;Ada;"+number(app, o), "06.03.2026;4,00;Ada;"+number(app, o), "07.03.2026;4,00;Ada;"+number(app, o))
	for _, dry := range []bool{true, false} {
		r := importBank(app, file, map[string]any{"dry_run": dry})
		if r.Int("entries.1.credit.minor") != 310 || r.Int("entries.2.credit.minor") != 400 || r.Int("entries.0.credit.minor") != 0 {
			t.Errorf("dry run %v: got %s", dry, r)
		}
	}
}

// TestA6TheSameStatementTwice: the file again, one that overlaps, the same days
// with more in them, and a transfer that staff had entered: nothing is booked
// twice.
func TestA6TheSameStatementTwice(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	one, two, three := byTransfer(app, ada, ""), byTransfer(app, ada, ""), byTransfer(app, ada, "")
	a, b, lost := "05.03.2026;4,90;Ada;"+number(app, one), "06.03.2026;4,90;Ada;"+number(app, two), "06.03.2026;7,77;Nobody;hello"
	importBank(app, bankCSV(a, b, lost), nil)
	rows := app.Count("ledger_entries", "TRUE")
	again := importBank(app, bankCSV(a, b, lost), nil)
	if got := results(again); got != "known known known" || !strings.Contains(again.Text("notes.0"), "imported before") {
		t.Errorf("the same file: got %s", again)
	}
	overlap := importBank(app, bankCSV(b, lost, "07.03.2026;4,90;Ada;"+number(app, three)), nil)
	if got := results(overlap); got != "known known booked" {
		t.Errorf("an overlapping file: got %s", overlap)
	}
	if got := app.Count("ledger_entries", "TRUE") - rows; got != 2 {
		t.Errorf("%d ledger rows for one more payment, want 2", got)
	}
	twin := importBank(app, bankCSV(b, b), nil)
	if got := results(twin); got != "known booked" || twin.Int("entries.1.credit.minor") != 490 {
		t.Errorf("the same transfer twice on a day: got %s", twin)
	}
	app.Quiet()
	app.CheckBooks()
}

// TestA6StatementsInParallel: two people import overlapping files at once.
func TestA6StatementsInParallel(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	lines := []string{}
	for i := range 12 {
		o := byTransfer(app, ada, "")
		lines = append(lines, fmt.Sprintf("05.03.2026;%d,90;Ada;%s", 4+i%3, number(app, o)))
	}
	app.Staff()
	wg := sync.WaitGroup{}
	for i := range 4 {
		wg.Go(func() {
			part := append([]string{}, lines[i:]...)
			part = append(part, lines[:i]...)
			if r, err := app.Try(http.MethodPost, bankPath, app.Staff(), bankBody(bankCSV(part...), nil)); err != nil || r.Status != http.StatusOK || r.Int("counts.failed") != 0 {
				t.Errorf("got %v %v", r, err)
			}
		})
	}
	wg.Wait()
	if paid := app.Count("payment_transactions", "`status` = 'succeeded'"); paid != 12 {
		t.Errorf("%d payments, want 12", paid)
	}
	sum := int64(0)
	for i := range 12 {
		sum += int64(490 + 100*(i%3))
	}
	if got := app.Balance(ada.Id, "cash:manual", "EUR"); got != sum {
		t.Errorf("cash is %d, want %d", got, sum)
	}
	app.Quiet()
	app.CheckBooks()
}

// TestB3TransfersAreNeverGuessed: without a number a transfer waits, and holds
// the dunning of the customer whose it seems to be.
func TestB3TransfersAreNeverGuessed(t *testing.T) {
	app := testapp.New(t)
	ada, bob := app.Customer("ada"), app.Customer("bob")
	mine, his := byTransfer(app, ada, ""), byTransfer(app, bob, "vps-m")
	dana := app.Customer("dana")
	dollars := app.Order(dana, testapp.Cart{Gateway: "manual", Currency: "USD"})
	r := importBank(app, bankCSV(
		"05.03.2026;4,90;ADA;thanks",
		"05.03.2026;4,90;Carol;thanks",
		"05.03.2026;24,80;Carol;"+number(app, mine)+" "+number(app, his),
		"05.03.2026;5,90;Dana;"+number(app, dollars),
		"05.03.2026;3,33;Ada;INV-1999-999999",
	), nil)
	if got := results(r); got != "suggested unmatched suggested unmatched unmatched" {
		t.Fatalf("got %s", r)
	}
	if got := app.Count("payment_transactions", "`status` = 'succeeded'"); got != 0 {
		t.Errorf("%d payments were guessed", got)
	}
	if got := app.Count("unmatched_payments", "`status` = 'open'"); got != 5 {
		t.Errorf("%d transfers wait, want 5", got)
	}
	for who, want := range map[*testapp.Person]int{ada: 2, bob: 0, dana: 1} {
		if got := app.Count("unmatched_payments", "`user` = '"+who.Id+"' AND `status` = 'open'"); got != want {
			t.Errorf("%d of them hold the dunning of %s, want %d", got, who.Email, want)
		}
	}
	suggested := r.Text("entries.0.unmatched")
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/unmatched-payments/"+suggested+"/assign", app.Staff(), map[string]any{"invoice": r.Text("entries.0.invoices.0.id")}))
	if got := app.InvoiceStatus(mine); got != "paid" {
		t.Errorf("the suggestion that staff took left the invoice %s", got)
	}
	if got := results(importBank(app, bankCSV("05.03.2026;4,90;ADA;thanks"), nil)); got != "known" {
		t.Errorf("assigned by hand, then imported again: got %s", got)
	}
	app.Quiet()
	app.CheckBooks()
}

// TestB7TheAmountIsWhatTheBankSays: more than is due, less, nothing due, and in
// two parts.
func TestB7TheAmountIsWhatTheBankSays(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := byTransfer(app, ada, "")
	importBank(app, bankCSV("05.03.2026;0,01;Ada;"+number(app, o), "06.03.2026;5,00;Ada;"+number(app, o), "07.03.2026;123,45;Ada;"+number(app, o)), nil)
	rows := []struct {
		Amount  int64 `db:"amount_minor"`
		Applied int64 `db:"applied_minor"`
		Excess  int64 `db:"excess_minor"`
	}{}
	if err := app.DB().NewQuery("SELECT `amount_minor`, `applied_minor`, `excess_minor` FROM `payment_transactions` WHERE `status` = 'succeeded' ORDER BY `amount_minor`").All(&rows); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(rows); got != "[{1 1 0} {500 489 11} {12345 0 12345}]" {
		t.Errorf("got %s", got)
	}
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -12356 {
		t.Errorf("credit: got %d, want -12356", got)
	}
	app.CheckBooks()
}

// TestB10MoneyOnAClosedInvoice: for one that is paid or void the money becomes
// credit, staff is told, and nothing is switched on. Where staff has entered the
// same amount by hand it may be the same money, and waits.
func TestB10MoneyOnAClosedInvoice(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	void, paid, byHand := byTransfer(app, ada, ""), byTransfer(app, ada, ""), byTransfer(app, ada, "")
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/orders/"+void.ID+"/cancel", ada.Token, map[string]any{}))
	importBank(app, bankCSV("05.03.2026;4,90;Ada;"+number(app, paid)), nil)
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/v1/staff/invoices/"+byHand.Invoice+"/payments", app.Staff(), map[string]any{"amount_minor": 490, "currency": "EUR", "reference": "statement 12, line 3"}))
	r := importBank(app, bankCSV("06.03.2026;4,90;Ada;"+number(app, void), "06.03.2026;4,90;Ada;"+number(app, paid), "06.03.2026;4,90;Ada;"+number(app, byHand)), nil)
	if got := results(r); got != "booked booked unmatched" || !strings.Contains(r.Text("entries.0.reasons.0"), "is void") || !strings.Contains(r.Text("entries.2.reasons.0"), "statement 12, line 3") {
		t.Fatalf("got %s", r)
	}
	if got := app.Balance(ada.Id, "credit", "EUR"); got != -980 {
		t.Errorf("credit: got %d, want -980", got)
	}
	if got := app.Count("audit_logs", "`action` = 'payment.excess'"); got != 2 {
		t.Errorf("staff is told %d times, want 2", got)
	}
	app.Quiet()
	if got := app.Service(void).GetString("status"); got == "active" {
		t.Error("the cancelled order was switched on")
	}
	if got := app.InvoiceStatus(void); got != "void" {
		t.Errorf("the void invoice is %s", got)
	}
	app.CheckBooks()
}

// TestOneEntryFailsTheOthersDoNot: and importing the file again does the rest.
func TestOneEntryFailsTheOthersDoNot(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	a, b, c := byTransfer(app, ada, ""), byTransfer(app, ada, ""), byTransfer(app, ada, "")
	file := bankCSV("05.03.2026;4,90;Ada;"+number(app, a), "05.03.2026;4,91;Ada;"+number(app, b), "05.03.2026;4,90;Ada;"+number(app, c))
	if _, err := app.DB().NewQuery("CREATE TRIGGER `disk_full` BEFORE INSERT ON `ledger_entries` WHEN ABS(NEW.`amount_minor`) = 491 BEGIN SELECT RAISE(ABORT, 'disk full'); END").Execute(); err != nil {
		t.Fatal(err)
	}
	if r := importBank(app, file, nil); results(r) != "booked failed booked" || !strings.Contains(r.Text("entries.1.reasons.0"), "disk full") || app.InvoiceStatus(b) != "open" || app.Count("unmatched_payments", "`amount_minor` = 491") != 0 {
		t.Fatalf("got %s", r)
	}
	if _, err := app.DB().NewQuery("DROP TRIGGER `disk_full`").Execute(); err != nil {
		t.Fatal(err)
	}
	if r := importBank(app, file, nil); results(r) != "known booked known" || app.InvoiceStatus(b) != "paid" {
		t.Fatalf("again: got %s", r)
	}
	app.CheckBooks()
}

// TestOneEntryInTwoStatements: a file whose statements overlap holds it twice,
// with the bank's id.
func TestOneEntryInTwoStatements(t *testing.T) {
	app := testapp.New(t)
	o := byTransfer(app, app.Customer("ada"), "")
	statement := func(n int) string {
		return fmt.Sprintf(":20:X\n:25:A\n:28C:%d\n:60F:C260304EUR10,00\n:61:260305C4,90NTRFNONREF//B1\n:86:%s\n:62F:C260305EUR14,90\n-\n", n, number(app, o))
	}
	for _, dry := range []bool{true, false} {
		if r := importBank(app, statement(1)+statement(2), map[string]any{"dry_run": dry}); results(r) != "booked known" {
			t.Errorf("dry run %v: got %s", dry, r)
		}
	}
}

func TestStatementsThatCannotBeRead(t *testing.T) {
	app := testapp.New(t)
	before := app.Rows()
	for name, c := range map[string]struct {
		file   string
		more   map[string]any
		status int
		code   string
		says   string
	}{
		"garbage":      {"hello\nworld", nil, http.StatusUnprocessableEntity, "unknown_format", "headings"},
		"bad line":     {bankCSV("05.03.2026;4,90;Ada;x", "31.02.2026;1,00;Ada;y"), nil, http.StatusUnprocessableEntity, "unreadable", "line 3"},
		"unclear":      {bankCSV("05.03.2026;1.234;Ada;x"), nil, http.StatusUnprocessableEntity, "unclear", "decimal"},
		"balances":     {":20:X\n:25:A\n:28C:1\n:60F:C260304EUR10,00\n:62F:C260305EUR11,00\n-", nil, http.StatusUnprocessableEntity, "balance", "10.00 EUR"},
		"empty":        {"", nil, http.StatusUnprocessableEntity, "invalid", "base64"},
		"not base64":   {"x", map[string]any{"content": "%%%"}, http.StatusBadRequest, "malformed", ""},
		"eleven MB":    {strings.Repeat("x", 11<<20), nil, http.StatusRequestEntityTooLarge, "too_large", ""},
		"other column": {bankCSV("05.03.2026;1,00;Ada;x"), map[string]any{"csv": map[string]any{"account": "A1", "columns": map[string]any{"color": "1"}}}, http.StatusUnprocessableEntity, "unclear", "color"},
	} {
		r := app.Do(http.MethodPost, bankPath, app.Staff(), bankBody(c.file, c.more))
		if r.Status != c.status || c.code != "" && r.Code() != c.code || !strings.Contains(r.Text("detail"), c.says) {
			t.Errorf("%s: got %s, want %d %s with %q", name, r, c.status, c.code, c.says)
		}
	}
	app.Unchanged(before)
}

// TestOtherFormatIsAsked: the same days as CSV and as CAMT.053 hold the same
// transfers under other references.
func TestOtherFormatIsAsked(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := byTransfer(app, ada, "")
	raw, err := os.ReadFile("../../engine/bankfile/testdata/camt02.xml")
	if err != nil {
		t.Fatal(err)
	}
	camt := strings.ReplaceAll(string(raw), "INV-2026-0000</Ustrd><Ustrd>42", number(app, o)+"</Ustrd><Ustrd>")
	r := importBank(app, camt, nil)
	if got := results(r); got != "booked ignored unmatched unmatched ignored" || r.Int("statements.0.closing.minor") != 71423 {
		t.Fatalf("got %s", r)
	}
	csv := bankCSV("05.03.2026;19,90;Jörg Müller;" + number(app, o))
	account := map[string]any{"csv": map[string]any{"account": "12030000/202051", "currency": "EUR"}}
	if r := app.Do(http.MethodPost, bankPath, app.Staff(), bankBody(csv, account)); r.Status != http.StatusConflict || r.Code() != "other_format" {
		t.Fatalf("got %s, want 409 other_format", r)
	}
	account["other_format"] = true
	if got := results(importBank(app, csv, account)); got != "booked" {
		t.Errorf("insisted: got %s", got)
	}
	app.One("bank_imports", dbx.HashExp{"format": "csv"})
	app.CheckBooks()
}
