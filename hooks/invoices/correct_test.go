package invoices_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/einvoice"
	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/internal/testapp"
)

func TestDraftsBecomeInvoices(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	body := map[string]any{"customer": ada.Id, "currency": "EUR", "key": "the-same-key", "lines": []any{line("Work", 2, 1000)}, "note": "Thank you"}
	draft := d.Want(http.StatusCreated, d.staff("/invoices", body))
	again := d.Want(http.StatusCreated, d.staff("/invoices", body))
	same(t, "second submission", again.Text("id"), draft.Text("id"))
	id := draft.Text("id")
	same(t, "preview", draft.Int("total.minor"), 2380)
	same(t, "number", draft.Text("number"), "")
	same(t, "link", draft.Text("pdf_url"), "")
	if r := d.Do(http.MethodGet, "/api/v1/invoices/"+id, ada.Token, nil); r.Status != http.StatusNotFound {
		t.Errorf("the customer sees the draft: %s", r)
	}
	changed := d.Want(http.StatusOK, d.Do(http.MethodPut, "/api/v1/staff/invoices/"+id, d.Staff(), map[string]any{"lines": []any{line("Work", 3, 1000), line("Travel", 1, 50)}}))
	same(t, "changed", changed.Int("total.minor"), 3630) // 570 + 9.5 → 10
	issued := d.Want(http.StatusOK, d.staff("/invoices/"+id+"/issue", nil))
	same(t, "issued", issued.Text("status"), "open")
	same(t, "total", issued.Int("total.minor"), 3630)
	d.Want(http.StatusOK, d.staff("/invoices/"+id+"/issue", nil)) // a second click
	if r := d.Do(http.MethodPut, "/api/v1/staff/invoices/"+id, d.Staff(), map[string]any{"lines": []any{line("Less", 1, 1)}}); r.Status != http.StatusConflict {
		t.Errorf("an issued invoice was edited: %s", r)
	}
	if r := d.Do(http.MethodDelete, "/api/v1/staff/invoices/"+id, d.Staff(), nil); r.Status != http.StatusConflict {
		t.Errorf("an issued invoice was discarded: %s", r)
	}
	same(t, "currency of the customer", d.Record("users", ada.Id).GetString("currency"), "EUR")
	d.Eventually("the invoice is mailed", func() bool { return len(d.Mails(ada.Email)) == 1 })
	thrown := d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("No", 1, 1)}})).Text("id")
	d.Want(http.StatusNoContent, d.Do(http.MethodDelete, "/api/v1/staff/invoices/"+thrown, d.Staff(), nil))
	same(t, "invoices", d.Count("invoices", ""), 1)
	same(t, "lines", d.Count("invoice_items", ""), 2)
	same(t, "audit rows", d.Count("audit_logs", "`resource` = 'invoices'"), 5)
}

func TestBadInvoicesAreRefusedWithTheField(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	bob := d.Customer("bob")
	d.invoice(bob, line("Fixes the currency", 1, 100))
	text := strings.Repeat("x", 501)
	many := make([]any, 201)
	for i := range many {
		many[i] = line("x", 1, 1)
	}
	scenarios := map[string]struct {
		field string
		body  map[string]any
	}{
		"no customer":            {"customer", map[string]any{"lines": []any{line("x", 1, 1)}}},
		"unknown customer":       {"customer", map[string]any{"customer": "nosuchcustomer1", "currency": "EUR", "lines": []any{line("x", 1, 1)}}},
		"no lines":               {"lines", map[string]any{"customer": ada.Id, "currency": "EUR"}},
		"too many lines":         {"lines", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": many}},
		"no description":         {"lines.0.description", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line(" ", 1, 1)}}},
		"long description":       {"lines.0.description", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line(text, 1, 1)}}},
		"quantity below one":     {"lines.0.quantity", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", -1, 1)}}},
		"quantity too large":     {"lines.0.quantity", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1001, 1)}}},
		"no price":               {"lines.0.unit_minor", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"description": "x"}}}},
		"negative price":         {"lines.0.unit_minor", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1, -1)}}},
		"price beyond the bound": {"lines.0.unit_minor", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1, 2_000_000_000)}}},
		"sum beyond the bound":   {"lines", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1000, 999_999_999)}}},
		"period turned around":   {"lines.0.period_end", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"description": "x", "unit_minor": 1, "period_start": "2026-03-01", "period_end": "2026-02-01"}}}},
		"half a period":          {"lines.0.period_end", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"description": "x", "unit_minor": 1, "period_start": "2026-03-01"}}}},
		"a day that is none":     {"lines.0.period_start", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"description": "x", "unit_minor": 1, "period_start": "2027-02-29", "period_end": "2027-03-01"}}}},
		"discount that adds":     {"lines.1.unit_minor", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1, 100), map[string]any{"description": "y", "unit_minor": 5, "discount_of": 1}}}},
		"discount of more":       {"lines.1.unit_minor", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1, 100), map[string]any{"description": "y", "unit_minor": -101, "discount_of": 1}}}},
		"discount of nothing":    {"lines.0.discount_of", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"description": "y", "unit_minor": -1, "discount_of": 4}}}},
		"discount of a discount": {"lines.2.discount_of", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{line("x", 1, 100), map[string]any{"description": "y", "unit_minor": -1, "discount_of": 1}, map[string]any{"description": "z", "unit_minor": -1, "discount_of": 2}}}},
		"copy of nothing":        {"lines.0.copy", map[string]any{"customer": ada.Id, "currency": "EUR", "lines": []any{map[string]any{"copy": 1, "description": "y", "unit_minor": 1}}}},
		"due in the past":        {"due_on", map[string]any{"customer": ada.Id, "currency": "EUR", "due_on": "2020-01-01", "lines": []any{line("x", 1, 1)}}},
		"due in two years":       {"due_on", map[string]any{"customer": ada.Id, "currency": "EUR", "due_on": "2029-01-01", "lines": []any{line("x", 1, 1)}}},
		"due when?":              {"due_on", map[string]any{"customer": ada.Id, "currency": "EUR", "due_on": "soon", "lines": []any{line("x", 1, 1)}}},
		"no currency":            {"currency", map[string]any{"customer": ada.Id, "lines": []any{line("x", 1, 1)}}},
		"unknown currency":       {"currency", map[string]any{"customer": ada.Id, "currency": "eur", "lines": []any{line("x", 1, 1)}}},
		"another currency":       {"currency", map[string]any{"customer": bob.Id, "currency": "USD", "lines": []any{line("x", 1, 1)}}},
		"short key":              {"key", map[string]any{"customer": ada.Id, "currency": "EUR", "key": "x", "lines": []any{line("x", 1, 1)}}},
	}
	before := d.Rows()
	for name, s := range scenarios {
		for _, issue := range []bool{false, true} {
			s.body["issue"] = issue
			if r := d.staff("/invoices", s.body); r.Status != http.StatusUnprocessableEntity || !slices.Contains(r.Fields(), s.field) {
				t.Errorf("%s: got %s, want 422 for %s", name, r, s.field)
			}
		}
	}
	d.Unchanged(before)
}

// TestF2CorrectionsKeepNumbers: drafts, voids, credit notes, corrections and a
// change of format draw no number that is not issued, and reuse none.
func TestF2CorrectionsKeepNumbers(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	var ids []string
	for i := range 12 {
		ids = append(ids, d.invoice(ada, line(fmt.Sprintf("Work %d", i), 1, 1000)))
	}
	for _, id := range ids[:3] {
		d.Want(http.StatusOK, d.staff("/invoices/"+id+"/void", map[string]any{"reason": "wrong"}))
	}
	for i, id := range ids[3:6] {
		d.transfer(id, 1190, fmt.Sprintf("bank-%d", i))
		d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/credit-notes", map[string]any{"reason": "wrong"}))
	}
	for _, id := range ids[6:9] {
		d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/correct", map[string]any{"reason": "wrong"}))
	}
	for range 4 { // drafts that go: no number is drawn for them
		draft := d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "lines": []any{line("x", 1, 1)}})).Text("id")
		d.Want(http.StatusNoContent, d.Do(http.MethodDelete, "/api/v1/staff/invoices/"+draft, d.Staff(), nil))
		if r := d.staff("/invoices/"+ids[0]+"/correct", map[string]any{"reason": "void already"}); r.Status != http.StatusConflict {
			t.Errorf("a void invoice was corrected: %s", r)
		}
		d.staff("/invoices/"+ids[3]+"/credit-notes", map[string]any{"reason": "nothing is left"})
	}
	settings := collections.DefaultInvoicing()
	settings.Format = "R{year}/{seq:4}"
	d.setting("invoicing", settings)
	last := d.show(ada, d.invoice(ada, line("After the change", 1, 1))).Text("number")
	if !strings.HasSuffix(last, "/0016") {
		t.Errorf("after the change of format the number is %s, want the sixteenth", last)
	}
	for series, table := range map[string]string{"INV": "invoices", "CN": "credit_notes"} {
		top, rows := 0, 0
		if err := d.DB().NewQuery("SELECT MAX(`seq`), COUNT(DISTINCT `seq`) FROM `"+table+"` WHERE `series` = {:s}").Bind(dbx.Params{"s": series}).Row(&top, &rows); err != nil {
			t.Fatal(err)
		}
		same(t, "numbers of "+series, rows, top)
	}
}

// TestF6EveryDoorDoesTheThing: the interface never changes a label alone; what
// the label says has happened in the books, too.
func TestF6EveryDoorDoesTheThing(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Work", 1, 1000))
	for _, status := range []string{"paid", "void", "uncollectible", "draft", "piad", ""} {
		if r := d.Do(http.MethodPatch, "/api/collections/invoices/records/"+id, d.Staff(), map[string]any{"status": status}); r.Status != http.StatusForbidden {
			t.Errorf("status %q by the record API: got %s, want 403", status, r)
		}
	}
	d.Want(http.StatusOK, d.staff("/invoices/"+id+"/void", map[string]any{"reason": "wrong"}))
	same(t, "owed after voiding", d.Balance(ada.Id, "receivable", "EUR"), 0)
	same(t, "earned after voiding", d.Balance(ada.Id, "revenue", "EUR"), 0)
	off := d.invoice(ada, line("Work", 1, 1000))
	d.Want(http.StatusOK, d.staff("/invoices/"+off+"/write-off", map[string]any{"reason": "gone"}))
	same(t, "owed after writing off", d.Balance(ada.Id, "receivable", "EUR"), 0)
	same(t, "lost", d.Balance(ada.Id, "bad_debt", "EUR"), 1000)
	d.transfer(off, 1000, "late-1")
	same(t, "lost after all was paid", d.Balance(ada.Id, "bad_debt", "EUR"), 0)
	same(t, "status", d.show(ada, off).Text("status"), "paid")
}

func TestCorrectingInOneStep(t *testing.T) {
	d := begin(t, german)
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Server", 1, 10_000), map[string]any{"description": "Loyalty", "unit_minor": -1000, "discount_of": 1}, line("Disk", 2, 500))
	d.transfer(id, 11_900, "bank-1") // 119.00 of 119.00
	body := map[string]any{"key": "one-correction", "reason": "one disk only", "lines": []any{map[string]any{"copy": 1}, map[string]any{"copy": 2}, map[string]any{"copy": 3, "quantity": 1}, line("Cable", 1, 100)}}
	r := d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/correct", body))
	again := d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/correct", body))
	same(t, "repeated", again.Text("invoice.id"), r.Text("invoice.id"))
	same(t, "repeated note", again.Text("credit_note.id"), r.Text("credit_note.id"))
	fresh := d.show(ada, r.Text("invoice.id"))
	same(t, "kind", fresh.Text("kind"), "correction")
	same(t, "net", fresh.Int("subtotal.minor"), 9600)
	same(t, "status", fresh.Text("status"), "paid") // from what was paid on the old one
	same(t, "credit left", d.credit(ada), 11_900-11_424)
	same(t, "corrects", fresh.Text("related.0.relation"), "corrects")
	same(t, "the corrected one", fresh.Text("related.0.id"), id)
	old := d.show(ada, id)
	same(t, "old status", old.Text("status"), "paid")
	same(t, "documents of the old one", old.Len("related"), 2)
	note := d.Want(http.StatusOK, d.Do(http.MethodGet, "/api/v1/credit-notes/"+r.Text("credit_note.id"), ada.Token, nil))
	same(t, "credited", note.Int("total.minor"), 11_900)
	same(t, "lines of the note", note.Len("lines"), 3)
	d.file(note.Text("pdf_url"), "%PDF-")
	d.file(fresh.Text("pdf_url"), "%PDF-")
	for _, link := range []string{note.Text("xml_url"), fresh.Text("xml_url"), old.Text("xml_url")} {
		if faults, err := einvoice.Check([]byte(d.file(link, "<?xml"))); err != nil || len(faults) > 0 {
			t.Errorf("%s breaks %v (%v)", link, faults, err)
		}
	}
	if bad := d.staff("/invoices/"+r.Text("invoice.id")+"/correct", map[string]any{"reason": "a discount alone", "lines": []any{map[string]any{"copy": 2}}}); bad.Status != http.StatusUnprocessableEntity || !slices.Contains(bad.Fields(), "lines.0.copy") {
		t.Errorf("a discount without its line: got %s", bad)
	}
}

// TestAnOrderFollowsItsCorrectedInvoice: correcting the invoice of an order that
// is not paid yet neither cancels the order nor leaves it waiting for the old one.
func TestAnOrderFollowsItsCorrectedInvoice(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	o := d.Order(ada, testapp.Cart{Plan: "vps-m", Gateway: "manual"})
	r := d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+"/correct", map[string]any{"reason": "no set-up fee", "lines": []any{map[string]any{"copy": 1}}}))
	same(t, "old invoice", d.Record("invoices", o.Invoice).GetString("status"), "void")
	same(t, "order", d.Record("orders", o.ID).GetString("status"), "pending")
	d.transfer(r.Text("invoice.id"), 990, "bank-1")
	same(t, "order", d.Record("orders", o.ID).GetString("status"), "paid")
	d.Active(o)
}

// TestCreditingAnOrderPaidInPartStartsNothing: what was paid becomes credit and what is
// owed is taken off, which closes the invoice without paying for the server.
func TestCreditingAnOrderPaidInPartStartsNothing(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	for name, deed := range map[string]string{"corrected": "/correct", "credited": "/credit-notes"} {
		who := d.Customer(name)
		o := d.Order(who, testapp.Cart{Plan: "vps-m", Gateway: "manual"})
		d.transfer(o.Invoice, 700, "part-"+name)
		r := d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+deed, map[string]any{"reason": "a mistake", "key": "once-" + name}))
		d.Quiet()
		status := func() string { return d.One("services", dbx.HashExp{"user": who.Id}).GetString("status") }
		if name == "credited" {
			same(t, "order", d.Record("orders", o.ID).GetString("status"), "cancelled")
			same(t, "service", status(), "terminated")
			same(t, "credit", d.credit(who), int64(700))
			continue
		}
		same(t, "order", d.Record("orders", o.ID).GetString("status"), "pending")
		same(t, "service", status(), "pending")
		d.transfer(r.Text("invoice.id"), r.Int("invoice.due.minor"), "rest")
		same(t, "order", d.Record("orders", o.ID).GetString("status"), "paid")
		d.Active(o)
	}
}

// TestCreditingOneOfTwoServicesDeliversTheOther: what a customer thought better of is
// credited before all was paid, which closes the invoice; the same of an order that
// staff has yet to approve.
func TestCreditingOneOfTwoServicesDeliversTheOther(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	plan := d.Plan("vps-few")
	before := plan.GetInt("stock")
	for _, review := range []bool{false, true} {
		who := d.Customer(fmt.Sprint("ada-", review))
		o := d.Order(who, testapp.Cart{Plan: "vps-few", Gateway: "manual", Quantity: 2})
		paid := d.Record("invoices", o.Invoice).GetInt64("total_minor")
		if review {
			if err := d.Exec("UPDATE `orders` SET `review` = 'waiting' WHERE `id` = '" + o.ID + "'"); err != nil {
				t.Fatal(err)
			}
		} else {
			paid -= 100
		}
		d.transfer(o.Invoice, paid, "most of "+o.ID)
		d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+"/credit-notes", map[string]any{"reason": "one will do", "key": "one-of-" + o.ID, "lines": []any{map[string]any{"position": 2}}}))
		if review {
			d.Want(http.StatusOK, d.Do(http.MethodPost, "/api/v1/staff/orders/"+o.ID+"/approve", d.Staff(), map[string]any{"reason": "known"}))
		}
		d.Quiet()
		same(t, "services that run", d.Count("services", "`user` = '"+who.Id+"' AND `status` = 'active'"), 1)
		same(t, "services that are not to come", d.Count("services", "`user` = '"+who.Id+"' AND `status` = 'terminated'"), 1)
		same(t, "subscriptions", d.Count("subscriptions", "`user` = '"+who.Id+"' AND `status` IN ('active', 'cancelled')"), 2)
		before--
		same(t, "stock", d.Plan("vps-few").GetInt("stock"), before)
	}
}

// TestCorrectingAnOrderWithATrialPaidInPart: a trial costs nothing, so that no credit
// note takes its line back; it begins with the new invoice all the same, not with
// the one that this closes.
func TestCorrectingAnOrderWithATrialPaidInPart(t *testing.T) {
	d := begin(t)
	d.keepCredit()
	plan := d.Plan("vps-s")
	plan.Set("trial_days", 10)
	if err := collections.Save(d.App.App, plan); err != nil {
		t.Fatal(err)
	}
	ada := d.Customer("ada")
	o := d.Order(ada, testapp.Cart{Plan: "vps-s", Gateway: "manual", Quantity: 2, Total: 490})
	d.transfer(o.Invoice, 300, "part")
	r := d.Want(http.StatusCreated, d.staff("/invoices/"+o.Invoice+"/correct", map[string]any{"reason": "a mistake", "key": "once-and-for-all"}))
	d.Quiet()
	same(t, "order", d.Record("orders", o.ID).GetString("status"), "pending")
	same(t, "subscriptions that began", d.Count("subscriptions", "`status` != 'pending'"), 0)
	same(t, "services that began", d.Count("services", "`status` != 'pending'"), 0)
	d.transfer(r.Text("invoice.id"), r.Int("invoice.due.minor"), "rest")
	d.Active(o)
	same(t, "trials", d.Count("subscriptions", "`status` = 'trialing'"), 1)
	same(t, "paid ones", d.Count("subscriptions", "`status` = 'active'"), 1)
	d.Want(http.StatusCreated, d.staff("/invoices/"+r.Text("invoice.id")+"/correct", map[string]any{"reason": "another mistake", "key": "once-more-for-all"})) // of a paid one
	same(t, "live trial lines", d.Count("invoice_items", "`kind` = 'trial' AND `live`"), 1)
}

// TestD6ADocumentIsItsOwnCopy: a move, a new tax id, another seller and new rates
// change nothing that was issued; a correction has them.
func TestD6ADocumentIsItsOwnCopy(t *testing.T) {
	d := begin(t, german)
	d.keepCredit()
	ada := d.Customer("ada")
	id := d.invoice(ada, line("Work", 1, 1000))
	d.transfer(id, 1190, "bank-1")
	d.Quiet()
	before := d.show(ada, id)
	pdf, xml := d.file(before.Text("pdf_url"), "%PDF-"), d.file(before.Text("xml_url"), "<?xml")
	profile := d.One("user_profiles", dbx.HashExp{"user": ada.Id})
	profile.Load(map[string]any{"city": "Hamburg", "street": "9 New Street", "company": "Lovelace GmbH"})
	if err := collections.Save(d.App, profile); err != nil {
		t.Fatal(err)
	}
	d.setting("seller", collections.Seller{Name: "Sold Hosting Ltd", Country: "DE", VATID: "DE136695976", Address: []string{"Elsewhere"}})
	if _, err := collections.Insert(d.App, collections.TaxRates, map[string]any{"name": "USt.", "country": "DE", "level": 1, "ppm": 160_000, "valid_from": "2026-01-01 00:00:00.000Z"}); err != nil {
		t.Fatal(err)
	}
	after := d.show(ada, id)
	same(t, "city", after.Text("buyer.city"), "Berlin")
	same(t, "rate", after.Int("taxes.0.rate_ppm"), 190_000)
	same(t, "PDF", d.file(after.Text("pdf_url"), "%PDF-") == pdf, true)
	same(t, "XML", d.file(after.Text("xml_url"), "<?xml") == xml, true)
	r := d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/correct", map[string]any{"reason": "moved"}))
	same(t, "city of the correction", r.Text("invoice.buyer.city"), "Hamburg")
	same(t, "buyer of the correction", r.Text("invoice.buyer.company"), "Lovelace GmbH")
	same(t, "city of the note", d.Record("credit_notes", r.Text("credit_note.id")).GetString("buyer") == d.Record("invoices", id).GetString("buyer"), true)
	same(t, "what the note takes back", r.Int("credit_note.tax.minor"), 190)
}

// TestD5LinesAddUpToTheDocument: under both rounding rules and both kinds of
// prices the lines' taxes sum to the document's, the API, PDF and XML say the same
// rows, and a credit note of all of it takes back exactly that.
func TestD5LinesAddUpToTheDocument(t *testing.T) {
	for name, policy := range map[string]tax.Policy{"per line": german, "per document": perDocument, "inclusive": inclusive} {
		t.Run(name, func(t *testing.T) {
			d := begin(t, policy)
			ada := d.Customer("ada")
			lines := []map[string]any{}
			for i := range 11 {
				lines = append(lines, line(fmt.Sprintf("Item %d", i), 1+int64(i)%3, 33+7*int64(i)))
			}
			lines = append(lines, map[string]any{"description": "Rebate", "unit_minor": -13, "discount_of": 2})
			id := d.invoice(ada, lines...)
			v := d.show(ada, id)
			net, taxed := int64(0), int64(0)
			for i := range v.Len("lines") {
				net, taxed = net+v.Int(fmt.Sprintf("lines.%d.net.minor", i)), taxed+v.Int(fmt.Sprintf("lines.%d.tax.minor", i))
			}
			same(t, "net", net, v.Int("subtotal.minor"))
			same(t, "tax of the lines", taxed, v.Int("tax.minor"))
			same(t, "tax of the breakdown", v.Int("taxes.0.tax.minor"), v.Int("tax.minor"))
			same(t, "total", net+taxed, v.Int("total.minor"))
			d.file(v.Text("pdf_url"), "%PDF-") // refuses what does not add up
			if faults, err := einvoice.Check([]byte(d.file(v.Text("xml_url"), "<?xml"))); err != nil || len(faults) > 0 {
				t.Errorf("the XML breaks %v (%v)", faults, err)
			}
			d.transfer(id, v.Int("total.minor"), "bank-1")
			part := d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/credit-notes", map[string]any{"reason": "a part", "lines": []any{map[string]any{"position": 2, "net_minor": 17}, map[string]any{"position": 5, "net_minor": 19}}}))
			rest := d.Want(http.StatusCreated, d.staff("/invoices/"+id+"/credit-notes", map[string]any{"reason": "the rest"}))
			same(t, "credited tax", part.Int("tax.minor")+rest.Int("tax.minor"), v.Int("tax.minor"))
			same(t, "credited", part.Int("total.minor")+rest.Int("total.minor"), v.Int("total.minor"))
			same(t, "credit", d.credit(ada), v.Int("total.minor"))
			for _, n := range []*testapp.Answer{part, rest} {
				d.file(n.Text("pdf_url"), "%PDF-")
				if faults, err := einvoice.Check([]byte(d.file(n.Text("xml_url"), "<?xml"))); err != nil || len(faults) > 0 {
					t.Errorf("the XML of %s breaks %v (%v)", n.Text("number"), faults, err)
				}
			}
		})
	}
}
