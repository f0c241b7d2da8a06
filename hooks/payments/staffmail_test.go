package payments_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/internal/testapp"
)

const office = "office@hosting.test"

// staffed has staff read mail, in a language.
func staffed(app *testapp.App, locale string) {
	app.Helper()
	brand, err := collections.LoadBrand(app)
	if err != nil {
		app.Fatal(err)
	}
	brand.Support, brand.StaffLocale = office, locale
	if err := collections.SaveSetting(app, "brand", brand); err != nil {
		app.Fatal(err)
	}
}

// toStaff are the mails to staff that were sent by a quarter of an hour from now.
func toStaff(app *testapp.App) []string {
	app.Helper()
	app.Clock().Advance(15 * time.Minute)
	app.Quiet()
	all := []string{}
	for _, m := range app.Mails(office) {
		all = append(all, m.Subject+"\n"+m.Text)
	}
	return all
}

// TestStaffGetOneMailAboutManyDeadLetters, however many there are on a day, and none
// about those that were settled meanwhile.
func TestStaffGetOneMailAboutManyDeadLetters(t *testing.T) {
	for locale, want := range map[string]string{"": "Stripe: deliveries were given up (3)", "de": "Stripe: Meldungen wurden aufgegeben (3)"} {
		t.Run(locale, func(t *testing.T) {
			app := testapp.New(t)
			app.Clock().ToNoon()
			staffed(app, locale)
			for i := range 3 {
				if r, err := deliver(app, incomplete(fmt.Sprint("evt_dead_", i))); err != nil || r.Status != http.StatusOK {
					t.Fatalf("got %v %v", r, err)
				}
			}
			app.Eventually("they are given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 3 })
			if got := toStaff(app); len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.Contains(got[0], "payment_intent.succeeded") {
				t.Errorf("staff got %q, want one mail: %s", got, want)
			}
			if _, err := deliver(app, incomplete("evt_dead_late")); err != nil {
				t.Fatal(err)
			}
			app.Eventually("another is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 4 })
			if got := toStaff(app); len(got) != 1 {
				t.Errorf("staff got %d mails on one day", len(got))
			}
			app.Clock().Advance(24 * time.Hour)
			if _, err := deliver(app, incomplete("evt_dead_next_day")); err != nil {
				t.Fatal(err)
			}
			app.Eventually("one more is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 5 })
			if err := app.Exec("UPDATE `webhook_events` SET `status` = 'done' WHERE `status` = 'failed'"); err != nil {
				t.Fatal(err)
			}
			if got := toStaff(app); len(got) != 1 {
				t.Errorf("staff got %d mails, want none about what is settled", len(got))
			}
		})
	}
}

// TestStaffGetOneMailAboutManyFindings names how many there are of each kind.
func TestStaffGetOneMailAboutManyFindings(t *testing.T) {
	app := testapp.New(t)
	app.Clock().ToNoon()
	staffed(app, "de")
	ada := card(app, "ada")
	silent(app)
	for range 3 {
		foreign(app, ada, 700)
	}
	app.Clock().Advance(26 * time.Hour)
	compared(app, "stripe")
	if n := app.Count("reconcile_findings", "`status` = 'open'"); n != 3 {
		t.Fatalf("%d findings, want 3", n)
	}
	got := toStaff(app)
	if len(got) != 1 || !strings.HasPrefix(got[0], "Stripe: Die Bücher weichen ab (3)") || !strings.Contains(got[0], "Dort bezahlt, hier unbekannt:  3") {
		t.Errorf("staff got %q", got)
	}
	compared(app, "stripe")
	if got := toStaff(app); len(got) != 1 {
		t.Errorf("after the same was found again staff got %d mails", len(got))
	}
}

// TestNobodyIsToldWhereNobodyReads: without an address for staff nothing is written,
// and nothing fails.
func TestNobodyIsToldWhereNobodyReads(t *testing.T) {
	app := testapp.New(t)
	if r, err := deliver(app, incomplete("evt_dead")); err != nil || r.Status != http.StatusOK {
		t.Fatalf("got %v %v", r, err)
	}
	app.Eventually("it is given up", func() bool { return app.Count("webhook_events", "`status` = 'failed'") == 1 })
	if n := app.Count("mails", "`kind` LIKE 'staff_%'"); n != 0 {
		t.Errorf("%d mails to nobody", n)
	}
}
