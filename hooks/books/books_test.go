package books_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/internal/testapp"
)

func eur(minor int64) money.Amount { return money.Must(minor, "EUR") }

// desk is the books of a test app with one customer, taxed at 19 %.
type desk struct {
	*testapp.App
	books *books.Books
	user  string
}

func open(t *testing.T, policy tax.Policy) *desk {
	t.Helper()
	a := testapp.New(t, testapp.Steady())
	if err := collections.SaveSetting(a.App, "tax", policy); err != nil {
		t.Fatal(err)
	}
	if _, err := collections.Insert(a.App, collections.TaxRates, map[string]any{"name": "USt.", "country": "DE", "level": 1, "ppm": 190_000, "valid_from": "2020-01-01 00:00:00.000Z"}); err != nil {
		t.Fatal(err)
	}
	return &desk{a, books.New(a.Clock().Now), a.Customer("ada").Id}
}

var german = tax.Policy{Enabled: true, EUVAT: true, Rounding: tax.PerLine}

// write runs f as one transaction.
func (d *desk) write(f func(tx core.App) error) error { return d.RunInTransaction(f) }

func (d *desk) issue(lines ...billing.Line) books.Document {
	d.Helper()
	var doc books.Document
	err := d.write(func(tx core.App) error {
		s, err := d.books.Open(tx, d.Clock().Now())
		if err != nil {
			return err
		}
		doc, err = s.Issue(books.Invoice{User: d.user, Kind: "manual", Currency: "EUR", Lines: lines, DueAt: d.Clock().Now().Add(72 * time.Hour)})
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
	return doc
}

func line(text string, quantity, unit int64) billing.Line {
	l, err := billing.NewLine(text, quantity, eur(unit), billing.Period{})
	if err != nil {
		panic(err)
	}
	return billing.Line{InvoiceLine: l, Kind: billing.LineManual}
}

func (d *desk) read(id string) books.Document {
	d.Helper()
	doc, err := books.Read(d.App, id)
	if err != nil {
		d.Fatal(err)
	}
	return doc
}

func (d *desk) credit() int64 {
	d.Helper()
	c, err := books.Credit(d.App, d.user, "EUR")
	if err != nil {
		d.Fatal(err)
	}
	return c.Minor()
}

func TestAnInvoiceIsTaxedNumberedAndBooked(t *testing.T) {
	d := open(t, german)
	doc := d.issue(line("Consulting", 3, 1000), line("Travel", 1, 333))
	if doc.Total != eur(3333+633) { // 570 + 63.27 → 63
		t.Errorf("total is %v, want 39.66 EUR", doc.Total)
	}
	if got := d.Balance(d.user, "tax_payable", "EUR"); got != -633 {
		t.Errorf("tax booked is %d, want -633", got)
	}
	if got := d.Balance(d.user, "receivable", "EUR"); got != 3966 {
		t.Errorf("receivable is %d, want 3966", got)
	}
}

func TestInclusivePricesAreTheTotal(t *testing.T) {
	policy := german
	policy.Inclusive = true
	d := open(t, policy)
	if doc := d.issue(line("Server", 1, 1190), line("Domain", 1, 999)); doc.Total != eur(2189) {
		t.Errorf("total is %v, want what was advertised, 21.89 EUR", doc.Total)
	}
}

// TestCorrections walks an invoice through partial credit, payment from credit,
// and credit of the rest.
func TestCorrections(t *testing.T) {
	d := open(t, german)
	doc := d.issue(line("Server", 1, 10_000)) // 119.00
	note := func(key string, lines ...billing.CreditRequest) books.CreditNote {
		t.Helper()
		var n books.CreditNote
		err := d.write(func(tx core.App) (err error) {
			n, err = d.books.CreditNote(tx, d.Clock().Now(), books.Correction{Invoice: doc.ID, Key: key, Reason: "test", Actor: "staff", Lines: lines})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := note("one", billing.CreditRequest{Position: 1, Net: eur(3000)})
	if first.Totals.Total != eur(3570) || first.ToDue != eur(3570) || first.Number[:2] != "CN" {
		t.Errorf("first note is %+v", first)
	}
	if again := note("one"); again.ID != first.ID || !again.Repeated {
		t.Errorf("the same key made %+v", again)
	}
	if got := d.read(doc.ID); got.Due != eur(8330) || got.Credited != eur(3570) {
		t.Errorf("after the first note: %+v", got)
	}
	err := d.write(func(tx core.App) error {
		if _, err := d.books.Adjust(tx, d.Clock().Now(), books.Adjustment{User: d.user, Key: "gift", Reason: "sorry", Actor: "staff", Amount: eur(10_000)}); err != nil {
			return err
		}
		spent, err := d.books.SpendCredit(tx, d.Clock().Now(), doc.ID, money.Amount{})
		if err == nil && spent != eur(8330) {
			t.Errorf("spent %v, want 83.30 EUR", spent)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.read(doc.ID); got.Status != billing.InvoicePaid || !got.Due.IsZero() || d.credit() != 1670 {
		t.Errorf("after paying from credit: %+v, credit %d", got, d.credit())
	}
	if rest := note("rest"); rest.Totals.Total != eur(8330) || rest.ToCredit != eur(8330) {
		t.Errorf("the rest is %+v", rest)
	}
	if d.credit() != 10_000 {
		t.Errorf("credit is %d, want all of it back", d.credit())
	}
	err = d.write(func(tx core.App) error {
		_, err := d.books.CreditNote(tx, d.Clock().Now(), books.Correction{Invoice: doc.ID, Key: "more", Reason: "test"})
		return err
	})
	if !errors.Is(err, billing.ErrCreditNothing) {
		t.Errorf("a third note: %v, want %v", err, billing.ErrCreditNothing)
	}
}

func TestAnUnpaidInvoiceCreditedWholeIsVoid(t *testing.T) {
	d := open(t, german)
	doc := d.issue(line("Server", 1, 10_000), line("Memory, as agreed", 1, 0)) // the second has nothing to credit
	err := d.write(func(tx core.App) error {
		_, err := d.books.CreditNote(tx, d.Clock().Now(), books.Correction{Invoice: doc.ID, Key: "all", Reason: "ordered by mistake"})
		return err
	})
	if got := d.read(doc.ID); err != nil || got.Status != billing.InvoiceVoid {
		t.Errorf("status %s, error %v", got.Status, err)
	}
	if n := d.Count("invoice_items", "`live`"); n != 0 {
		t.Errorf("%d lines of the void invoice still bill something, want none", n)
	}
}

// TestWrittenOffMoneyComesBack writes an invoice off and recovers it in two
// payments.
func TestWrittenOffMoneyComesBack(t *testing.T) {
	d := open(t, german)
	doc := d.issue(line("Server", 1, 10_000))
	if err := d.write(func(tx core.App) error { return d.books.WriteOff(tx, d.Clock().Now(), doc.ID) }); err != nil {
		t.Fatal(err)
	}
	if d.Balance(d.user, "bad_debt", "EUR") != 11_900 || d.Balance(d.user, "receivable", "EUR") != 0 {
		t.Error("the write-off is not booked")
	}
	staff := d.Staff()
	for i, amount := range []int64{5000, 6900} {
		d.Want(200, d.Do("POST", "/api/v1/staff/invoices/"+doc.ID+"/payments", staff, map[string]any{"amount_minor": amount, "currency": "EUR", "reference": "late " + string(rune('a'+i))}))
	}
	if got := d.read(doc.ID); got.Status != billing.InvoicePaid || !got.WrittenOff.IsZero() || d.Balance(d.user, "bad_debt", "EUR") != 0 {
		t.Errorf("after recovery: %+v", got)
	}
}

func TestVoidGivesBackWhatWasTaken(t *testing.T) {
	d := open(t, german)
	old := d.issue(line("Plan S", 1, 3000))
	lineID := d.One(collections.InvoiceItems, map[string]any{"invoice": old.ID}).Id
	unused := line("Plan S, unused", 1, -1000)
	unused.Kind, unused.Detail.Line = billing.LineUnused, lineID
	change := d.issue(line("Plan M", 1, 2000), unused)
	if change.Total != eur(1190) || d.Record(collections.InvoiceItems, lineID).GetInt64("credited_minor") != 1000 {
		t.Errorf("the change costs %v, want 11.90 EUR", change.Total)
	}
	if err := d.write(func(tx core.App) error { return d.books.Void(tx, d.Clock().Now(), change.ID) }); err != nil {
		t.Fatal(err)
	}
	if got := d.Record(collections.InvoiceItems, lineID).GetInt64("credited_minor"); got != 0 {
		t.Errorf("after the void %d of the earlier line are credited", got)
	}
}
