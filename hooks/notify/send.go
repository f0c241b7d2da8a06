package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"net/textproto"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/jobs"
)

const jobMail = "mail.send"

type mailPayload struct {
	Mail string `json:"mail"`
	// Late is what a mail says that could not be composed at once.
	Late *mail.Data `json:"late,omitempty"`
}

// send hands one mail to the mail server. Its Message-ID is fixed by the row, so
// that a repetition after a lost answer is recognizable as the same mail.
func (s *Subject) send(r *jobs.Run) error {
	p := mailPayload{}
	if err := r.Payload(&p); err != nil {
		return err
	}
	row, err := collections.First(r.App, collections.Mails, dbx.HashExp{"id": p.Mail})
	if err != nil || row == nil || row.GetString("status") == "sent" {
		return err
	}
	// Before it is written: a text that no server can have seen says what holds when
	// there is one.
	if !r.App.Settings().SMTP.Enabled {
		_ = s.note(r.App, row.Id, "no mail server is set up")
		return fmt.Errorf("mail %s: no mail server is set up (settings, or SMTP_HOST): %w", row.GetString("kind"), provisioning.ErrCredentials)
	}
	if row.GetString("body_text") == "" {
		err := s.written(r.App, row, p)
		if errors.Is(err, errSettled) || errors.Is(err, errNothingToTell) {
			return dropped(r.App, row.Id, err)
		}
		if err != nil {
			return err
		}
	}
	message, err := s.message(r.App, row)
	if err != nil {
		return err
	}
	if err := r.App.NewMailClient().Send(message); err != nil {
		err = classed(err)
		_ = s.note(r.App, row.Id, err.Error())
		return fmt.Errorf("mail %s to the mail server: %w", row.Id, err)
	}
	return s.sent(r, row, message.Headers["Message-ID"])
}

// written composes a mail whose text was left for later.
func (s *Subject) written(app core.App, row *core.Record, p mailPayload) error {
	if p.Late != nil {
		return s.composeLate(app, row, *p.Late)
	}
	return s.compose(app, row)
}

// message builds what the mail client sends.
func (s *Subject) message(app core.App, row *core.Record) (*mailer.Message, error) {
	meta := app.Settings().Meta
	_, domain, _ := strings.Cut(meta.SenderAddress, "@")
	m := &mailer.Message{
		From:    netmail.Address{Name: meta.SenderName, Address: meta.SenderAddress},
		To:      []netmail.Address{{Address: row.GetString("recipient")}},
		Subject: row.GetString("subject"), Text: row.GetString("body_text"), HTML: row.GetString("body_html"),
		Headers: map[string]string{"Message-ID": "<" + row.Id + "@" + domain + ">", "Auto-Submitted": "auto-generated"},
	}
	if !row.GetBool("attach_pdf") {
		return m, nil
	}
	invoice, err := app.FindRecordById(collections.Invoices, row.GetString("invoice"))
	if err != nil {
		return nil, fmt.Errorf("mail %s: invoice: %w", row.Id, err)
	}
	pdf, err := s.InvoicePDF(app, invoice)
	if err != nil {
		return nil, fmt.Errorf("mail %s: %w", row.Id, err)
	}
	m.Attachments = map[string]io.Reader{invoice.GetString("number") + ".pdf": bytes.NewReader(pdf)}
	return m, nil
}

// sent notes success. A body with a token is erased: whoever reads the database
// later must not find a working link.
func (s *Subject) sent(r *jobs.Run, row *core.Record, messageID string) error {
	now := collections.Stamp(r.Now()).String()
	change := dbx.Params{"status": "sent", "sent_at": now, "updated": now, "message_id": messageID, "error": ""}
	if row.GetBool("secret") {
		change["body_text"], change["body_html"] = "", ""
	}
	err := r.Complete(func(tx core.App) error {
		if _, err := tx.DB().Update(collections.Mails, change, dbx.HashExp{"id": row.Id}).Execute(); err != nil {
			return err
		}
		return delivered(tx, row, now)
	})
	if err != nil {
		return fmt.Errorf("mail %s was sent but not noted: %w", row.Id, err)
	}
	return nil
}

// dropped ends a mail that is not needed any more.
func dropped(app core.App, id string, why error) error {
	_, err := app.DB().Update(collections.Mails, dbx.Params{"status": "failed", "error": why.Error()}, dbx.HashExp{"id": id}).Execute()
	if err != nil {
		return fmt.Errorf("mail %s: %w", id, err)
	}
	return nil
}

// delivered notes that a customer was sent an invoice, or the mail of a step of
// dunning: nothing is suspended for an invoice that nobody got, or without the
// notices before it. Dunning looks again, since more may follow.
func delivered(tx core.App, row *core.Record, now string) error {
	params := dbx.Params{"id": row.GetString("invoice"), "now": now, "step": strings.TrimPrefix(row.GetString("key"), ofStep)}
	statements := []string{}
	switch {
	case strings.HasPrefix(row.GetString("key"), ofStep):
		statements = append(statements, "UPDATE `dunning_steps` SET `at` = {:now} WHERE `id` = {:step} AND `at` = ''", "UPDATE `invoices` SET `next_step_at` = {:now} WHERE `id` = {:id} AND `status` IN ('open', 'uncollectible')")
	case row.GetString("kind") == string(mail.Invoice):
		statements = append(statements, "UPDATE `invoices` SET `delivered_at` = {:now} WHERE `id` = {:id} AND `delivered_at` = ''")
	}
	for _, text := range statements {
		if _, err := collections.Statement(tx, text).Bind(params).Execute(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Subject) note(app core.App, id, problem string) error {
	if len(problem) > 900 {
		problem = problem[:900]
	}
	_, err := app.DB().Update(collections.Mails, dbx.Params{"error": problem}, dbx.HashExp{"id": id}).Execute()
	return err
}

// classed reads the mail server's answer: 5xx is final, all else may pass.
func classed(err error) error {
	var said *textproto.Error
	if errors.As(err, &said) && said.Code >= 500 && said.Code != 535 {
		return fmt.Errorf("%w: %w", provisioning.ErrPermanent, err)
	}
	return fmt.Errorf("%w: %w", provisioning.ErrTemporary, err)
}
