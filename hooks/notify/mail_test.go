package notify_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/integrations/sandbox/mailbox"
	"github.com/ezscale/ezscale/internal/testapp"
)

// arrives waits for a mail whose subject or text has a word.
func arrives(app *testapp.App, to, word string) mailbox.Message {
	app.Helper()
	found := mailbox.Message{}
	app.Eventually("a mail about "+word+" arrives", func() bool {
		for _, m := range app.Mails(to) {
			if strings.Contains(m.Subject+m.Text, word) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// token is the one in a mail's link to the portal.
func token(app *testapp.App, m mailbox.Message, path string) string {
	app.Helper()
	for _, l := range m.Links {
		u, err := url.Parse(l)
		if err == nil && strings.HasPrefix(l, app.URL) && u.Path == path {
			return u.Query().Get("token")
		}
	}
	app.Fatalf("no link to %s in %v", path, m.Links)
	return ""
}

func TestMailsWithTokensWorkOnceAndAreErased(t *testing.T) {
	app := testapp.New(t)
	body := map[string]any{"email": "Ada@Customer.test", "password": "long-enough-1", "name": "Ada", "terms": true, "locale": "de", "time_zone": "Europe/Berlin"}
	app.Want(http.StatusCreated, app.Do(http.MethodPost, "/api/v1/account/sign-up", "", body))
	mail := ""
	app.Eventually("the mail to verify arrives", func() bool {
		for _, m := range app.Mails("ada@customer.test") {
			mail = token(app, m, "/portal/verify")
			return true
		}
		return false
	})
	erased := func() bool {
		return app.Count("mails", "`secret` = TRUE AND (`status` != 'sent' OR `body_text` != '' OR `body_html` != '')") == 0
	}
	app.Eventually("the token is erased once it was sent", erased)
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/collections/users/confirm-verification", "", map[string]string{"token": mail}))
	if !app.One("users", dbx.HashExp{"email": "ada@customer.test"}).Verified() {
		t.Error("the customer is not verified")
	}

	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/collections/users/request-password-reset", "", map[string]string{"email": "ada@customer.test"}))
	reset := ""
	app.Eventually("the mail to reset arrives", func() bool {
		for _, m := range app.Mails("ada@customer.test") {
			for _, l := range m.Links {
				if strings.Contains(l, "/portal/reset?token=") {
					reset = token(app, m, "/portal/reset")
					return true
				}
			}
		}
		return false
	})
	app.Eventually("that token is erased, too", erased)
	change := map[string]string{"token": reset, "password": "another-long-1", "passwordConfirm": "another-long-1"}
	app.Want(http.StatusNoContent, app.Do(http.MethodPost, "/api/collections/users/confirm-password-reset", "", change))
	if r := app.Do(http.MethodPost, "/api/collections/users/confirm-password-reset", "", change); r.Status != http.StatusBadRequest {
		t.Errorf("the token again: got %s, want 400", r)
	}
	if r := app.Do(http.MethodPost, "/api/collections/users/auth-with-password", "", map[string]string{"identity": "ada@customer.test", "password": "another-long-1"}); r.Status != http.StatusOK {
		t.Errorf("sign-in with the new password: got %s, want 200", r)
	}
	for _, table := range []string{"jobs", "mails", "audit_logs"} {
		rows := []dbx.NullStringMap{}
		if err := app.DB().NewQuery("SELECT * FROM `" + table + "`").All(&rows); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for column, v := range r {
				if strings.Contains(v.String, reset) || strings.Contains(v.String, mail) {
					t.Errorf("%s.%s still holds a token", table, column)
				}
			}
		}
	}
}

func TestAMailServerThatRefuses(t *testing.T) {
	scenarios := []struct {
		name   string
		fault  mailbox.Fault
		copies int
		status string
	}{
		{"for a while", mailbox.Fault{Kind: mailbox.RefuseTemporary, Times: 3}, 1, "sent"},
		{"for good", mailbox.Fault{Kind: mailbox.RefusePermanent, Times: 1}, 0, "queued"},
		{"and loses its answer", mailbox.Fault{Kind: mailbox.CutAfterData, Times: 1}, 2, "sent"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			app := testapp.New(t)
			if err := app.Mail.AddFault(s.fault); err != nil {
				t.Fatal(err)
			}
			ada := app.Customer("ada")
			app.Order(ada, testapp.Cart{Gateway: "manual"}) // the invoice is mailed
			if s.status == "sent" {
				app.Eventually("it is sent", func() bool {
					app.Clock().Advance(time.Second)
					return app.Count("mails", "`status` = 'sent'") == 1
				})
			} else {
				app.Eventually("it is given up", func() bool { return app.Count("jobs", "`kind` = 'mail.send' AND `state` = 'failed'") == 1 })
			}
			row := app.One("mails", dbx.HashExp{"kind": "invoice"})
			if row.GetString("status") == "sent" != (s.status == "sent") || (row.GetString("error") == "") != (s.status == "sent") {
				t.Errorf("the mail is %s with error %q", row.GetString("status"), row.GetString("error"))
			}
			got, ids := app.Mails(ada.Email), []string{}
			for _, m := range got {
				for _, h := range m.Headers {
					if strings.EqualFold(h.Name, "Message-ID") {
						ids = append(ids, h.Value)
					}
				}
			}
			if len(got) != s.copies || len(slices.Compact(ids)) > 1 {
				t.Errorf("%d copies with the ids %v, want %d with one id", len(got), ids, s.copies)
			}
		})
	}
}

func TestWhatAPurchaseSends(t *testing.T) {
	app := testapp.New(t)
	ada := app.Customer("ada")
	o := app.Buy(ada, testapp.Cart{Hostname: "web.example.com"})
	app.Quiet()
	number := app.Record("invoices", o.Invoice).GetString("number")
	receipt := arrives(app, ada.Email, number)
	if len(receipt.Attachments) != 1 || receipt.Attachments[0].Name != number+".pdf" || !strings.HasPrefix(string(receipt.Attachments[0].Content), "%PDF-") {
		t.Errorf("the receipt's attachments: %+v", receipt.Attachments)
	}
	ready := arrives(app, ada.Email, "web.example.com")
	password := app.Do(http.MethodPost, "/api/v1/services/"+o.Services[0]+"/credentials", ada.Token, map[string]any{}).Text("password")
	if password == "" || strings.Contains(string(ready.Raw), password) {
		t.Error("the mail shows the password")
	}
	if got := len(app.Mails(ada.Email)); got != 2 {
		t.Errorf("%d mails, want receipt and readiness", got)
	}
	for _, m := range app.Mails(ada.Email) {
		if m.Problem != "" || m.Text == "" || m.HTML == "" {
			t.Errorf("mail %q: problem %q, %d of text, %d of HTML", m.Subject, m.Problem, len(m.Text), len(m.HTML))
		}
	}
}
