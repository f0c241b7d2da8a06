package collections_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/money"
	"github.com/ezscale/ezscale/internal/testapp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestInvoiceNumbersAreDrawnInTransactionsAlone(t *testing.T) {
	app := testapp.Bare(t)
	if _, err := collections.NextInvoiceSeq(app, noon, "INV", 2026); err == nil {
		t.Error("a number was drawn outside a transaction")
	}
	draw := func(series string, year int, keep bool) (seq int64) {
		t.Helper()
		undone := errors.New("undone")
		err := app.RunInTransaction(func(tx core.App) error {
			var err error
			if seq, err = collections.NextInvoiceSeq(tx, noon, series, year); err == nil && !keep {
				err = undone
			}
			return err
		})
		if keep && err != nil || !keep && !errors.Is(err, undone) {
			t.Fatal(err)
		}
		return seq
	}
	steps := []struct {
		series string
		year   int
		keep   bool
		want   int64
	}{{"INV", 2026, true, 1}, {"INV", 2026, false, 2}, {"INV", 2026, true, 2}, {"INV", 2027, true, 1}, {"CN", 2026, true, 1}, {"INV", 2026, true, 3}}
	for i, s := range steps {
		if got := draw(s.series, s.year, s.keep); got != s.want {
			t.Errorf("step %d, %s %d: got %d, want %d", i, s.series, s.year, got, s.want)
		}
	}
}

func TestPostings(t *testing.T) {
	app := testapp.Bare(t)
	entries := func(a, b int64) []billing.Entry {
		return []billing.Entry{{Account: billing.Receivable, Amount: money.Must(a, "EUR")}, {Account: billing.Revenue, Amount: money.Must(b, "EUR")}}
	}
	if err := collections.Post(app, noon, "invoice:1", "user1", "inv1", "", entries(100, -99)); !errors.Is(err, billing.ErrUnbalanced) {
		t.Errorf("unbalanced: got %v, want ErrUnbalanced", err)
	}
	for range 3 { // the same posting again changes nothing
		if err := collections.Post(app, noon, "invoice:1", "user1", "inv1", "", entries(100, -100)); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := app.CountRecords(collections.LedgerEntries); n != 2 {
		t.Errorf("%d entries, want 2", n)
	}
	balance, err := collections.Balance(app, "user1", billing.Receivable, "EUR")
	if err != nil || balance.Minor() != 100 {
		t.Errorf("balance: got %v, %v; want 100", balance, err)
	}
	if other, err := collections.Balance(app, "user2", billing.Receivable, "EUR"); err != nil || other.Minor() != 0 {
		t.Errorf("another customer's balance: got %v, %v; want 0", other, err)
	}
}

func TestOwnedHidesWhetherARecordExists(t *testing.T) {
	app := testapp.Bare(t)
	u1, u2 := newUser(t, app, "a@customer.test"), newUser(t, app, "b@customer.test")
	p, err := collections.Insert(app, collections.UserProfiles, map[string]any{"user": u1.Id})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := collections.Owned(app, collections.UserProfiles, p.Id, u1.Id); err != nil || r.Id != p.Id {
		t.Errorf("the owner: got %v, %v", r, err)
	}
	for name, c := range map[string][2]string{"somebody else": {p.Id, u2.Id}, "nobody": {p.Id, ""}, "no id": {"", u1.Id}, "unknown id": {"nosuchrecord123", u1.Id}} {
		if _, err := collections.Owned(app, collections.UserProfiles, c[0], c[1]); !errors.Is(err, collections.ErrNotYours) {
			t.Errorf("%s: got %v, want ErrNotYours", name, err)
		}
	}
}

func newUser(t *testing.T, app core.App, email string) *core.Record {
	t.Helper()
	u, err := collections.New(app, collections.Users)
	if err != nil {
		t.Fatal(err)
	}
	u.SetEmail(email)
	u.SetPassword("long-enough-1")
	u.Set("status", "active")
	if err := collections.Save(app, u); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRowReportsWhatIsThereAlready(t *testing.T) {
	app := testapp.Bare(t)
	row := dbx.Params{"series": "INV", "year": 2026, "last_seq": 0}
	first, inserted, err := collections.Row(app, collections.InvoiceSeries, noon, row)
	if err != nil || !inserted || first == "" {
		t.Fatalf("first: %q, %t, %v", first, inserted, err)
	}
	if _, inserted, err := collections.Row(app, collections.InvoiceSeries, noon, row); err != nil || inserted {
		t.Errorf("second: %t, %v; want neither inserted nor an error", inserted, err)
	}
	if _, _, err := collections.Row(app, collections.InvoiceSeries, noon, dbx.Params{"nosuchcolumn": 1}); err == nil {
		t.Error("an unknown column was taken")
	}
}

func TestSaveMakesWhatWasSavedTheOriginal(t *testing.T) {
	app := testapp.Bare(t)
	plan, err := collections.First(app, collections.Plans, dbx.HashExp{"slug": "vps-s"})
	if err != nil || plan == nil {
		t.Fatal(err)
	}
	plan.Set("name", "New name")
	if err := collections.Save(app, plan); err != nil {
		t.Fatal(err)
	}
	if got := plan.Original().GetString("name"); got != "New name" {
		t.Errorf("original: got %q, want what was saved", got)
	}
}

func TestSettingsFallBackToDefaultsAndNameFaults(t *testing.T) {
	app := testapp.Bare(t)
	inv, err := collections.LoadInvoicing(app)
	if err != nil || inv.Series != "INV" || inv.DueDays != 14 {
		t.Errorf("defaults: got %+v, %v", inv, err)
	}
	if err := collections.SaveSetting(app, "invoicing", map[string]any{"due_days": 30}); err != nil {
		t.Fatal(err)
	}
	if inv, err = collections.LoadInvoicing(app); err != nil || inv.Series != "INV" || inv.DueDays != 30 {
		t.Errorf("partly set: got %+v, %v; want the default series and 30 days", inv, err)
	}
	if err := collections.SaveSetting(app, "invoicing", "not an object"); err != nil {
		t.Fatal(err)
	}
	if _, err = collections.LoadInvoicing(app); err == nil {
		t.Error("a setting that is no object was read")
	}
}
