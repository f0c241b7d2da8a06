package notify_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/internal/testapp"
)

// TestAColourThatIsNoneIsRefused by the settings, with the field that is wrong.
func TestAColourThatIsNoneIsRefused(t *testing.T) {
	app := testapp.New(t)
	for _, accent := range []string{"red", "#12345", "#1234567", "#zzzzzz", "red;x:y"} {
		r := app.Do(http.MethodPost, "/api/collections/settings/records", app.Staff(), map[string]any{"key": "brand", "value": map[string]any{"name": "X", "accent": accent}})
		if r.Status != http.StatusBadRequest || !strings.Contains(strings.ToLower(r.Text("message")), "accent") {
			t.Errorf("%s: got %s, want 400 about accent", accent, r)
		}
	}
	app.Want(http.StatusOK, app.Do(http.MethodPost, "/api/collections/settings/records", app.Staff(), map[string]any{"key": "brand", "value": map[string]any{"name": "X", "accent": "#0a5fd0"}}))
}

// TestAMailThatCannotBeComposedHoldsNothingUp has a color in the database that no
// setting would take: the service becomes active, and its mail follows once the
// color is mended.
func TestAMailThatCannotBeComposedHoldsNothingUp(t *testing.T) {
	app := testapp.New(t)
	if err := app.Exec("INSERT INTO `settings` (`id`, `key`, `value`, `created`, `updated`) VALUES ('brandbrandbrand', 'brand', '{\"name\": \"X\", \"accent\": \"red\"}', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z') ON CONFLICT DO UPDATE SET `value` = excluded.`value`"); err != nil {
		t.Fatal(err)
	}
	ada := app.Customer("ada")
	app.Buy(ada, testapp.Cart{})
	if row := app.One("mails", dbx.HashExp{"user": ada.Id, "kind": "service_ready"}); row.GetString("status") != "queued" || row.GetString("body_text") != "" {
		t.Fatalf("the mail is %s, want one that waits to be composed", row.GetString("status"))
	}
	if err := app.Exec("UPDATE `settings` SET `value` = '{\"name\": \"X\"}' WHERE `key` = 'brand'"); err != nil {
		t.Fatal(err)
	}
	for _, j := range []string{"failed", "parked"} {
		if err := app.Exec("UPDATE `jobs` SET `state` = 'queued', `next_at` = '' WHERE `kind` = 'mail.send' AND `state` = '" + j + "'"); err != nil {
			t.Fatal(err)
		}
	}
	if m := arrives(app, ada.Email, "is ready"); m.Text == "" || m.HTML == "" {
		t.Errorf("the mail is empty: %+v", m)
	}
}
