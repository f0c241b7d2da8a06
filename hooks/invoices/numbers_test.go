package invoices_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestF1FinalisedTwiceAtOnceIsOneNumber: several members of staff issue the same
// drafts at the same time, the first of their year; each gets one number, and the
// numbers are the first so many.
func TestF1FinalisedTwiceAtOnceIsOneNumber(t *testing.T) {
	d := begin(t)
	now := d.Clock().Now()
	d.Clock().Advance(time.Date(now.Year()+1, 1, 1, 9, 0, 0, 0, time.UTC).Sub(now))
	ada, drafts := d.Customer("ada"), []string{}
	for n := range 6 {
		r := d.Want(http.StatusCreated, d.staff("/invoices", map[string]any{"customer": ada.Id, "currency": "EUR", "issue": false, "lines": []any{line("Work", 1, int64(1000+n))}}))
		drafts = append(drafts, r.Text("id"))
	}
	staff, all := d.Staff(), sync.WaitGroup{}
	for _, id := range slices.Concat(drafts, drafts, drafts) {
		all.Go(func() {
			if r, err := d.Try(http.MethodPost, "/api/v1/staff/invoices/"+id+"/issue", staff, nil); err != nil || r.Status != http.StatusOK {
				t.Errorf("issue: %v %v, want the issued invoice each time", r, err)
			}
		})
	}
	all.Wait()
	numbers := []string{}
	for _, id := range drafts {
		numbers = append(numbers, d.Record("invoices", id).GetString("number"))
	}
	slices.Sort(numbers)
	for n, number := range numbers {
		if want := fmt.Sprintf("INV-%d-%06d", now.Year()+1, n+1); number != want {
			t.Errorf("number %d is %s, want %s", n+1, number, want)
		}
	}
	same(t, "postings", d.Count("ledger_entries", "`account` = 'receivable'"), len(drafts))
}

// TestF1ANumberIsTakenOnce: what goes around the operations is refused by the
// database.
func TestF1ANumberIsTakenOnce(t *testing.T) {
	d := begin(t)
	ada := d.Customer("ada")
	first, second := d.invoice(ada, line("Work", 1, 1000)), d.invoice(ada, line("Work", 1, 1000))
	number := d.Record("invoices", first).GetString("number")
	for _, change := range []string{
		"UPDATE `invoices` SET `number` = '" + number + "' WHERE `id` = '" + second + "'",
		"UPDATE `invoices` SET `seq` = 1 WHERE `id` = '" + second + "'",
		"DELETE FROM `invoices` WHERE `id` = '" + second + "'",
	} {
		if err := d.Exec(change); err == nil {
			t.Errorf("the database took %q", change)
		}
	}
	for _, path := range []string{"/api/collections/invoices/records/" + second} {
		if r := d.Do(http.MethodPatch, path, d.Staff(), map[string]any{"number": number}); r.Status/100 != 4 {
			t.Errorf("the admin area took the number: %s", r)
		}
		if r := d.Do(http.MethodDelete, path, d.Staff(), nil); r.Status/100 != 4 {
			t.Errorf("the admin area deleted an invoice: %s", r)
		}
	}
	same(t, "its number", d.Record("invoices", second).GetString("seq"), "2")
}
