// Package notify tells people what happened. A mail is a row with its state,
// written in the transaction of its cause and sent by a job, so that no mail is
// lost or sent twice by us and nothing waits for a mail server.
package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
)

// Deps is what notify needs from outside.
type Deps struct {
	Now   func() time.Time
	Books *books.Books
	// InvoicePDF renders the attachment of an invoice mail.
	InvoicePDF func(app core.App, invoice *core.Record) ([]byte, error)
}

// Subject is notify bound to one app.
type Subject struct{ Deps }

// New makes notify, which writes mails from now on and sends them once it is
// registered.
func New(deps Deps) *Subject { return &Subject{deps} }

// Register binds notify's hooks and jobs.
func (s *Subject) Register(app core.App, worker *jobs.Worker) {
	s.onRecords(app)
	s.onSubscriptions(app)
	s.onAccountMails(app)
	worker.Handle(jobMail, s.send)
}

// letter is a mail about to be written.
type letter struct {
	key     string // "receipt:<invoice id>"; the same key is one mail
	kind    mail.Kind
	user    *core.Record
	to      string // "" is the user's address
	invoice string
	attach  bool // the invoice as PDF
	secret  bool // holds a token: the body is erased once sent
	data    mail.Data
}

// write saves a mail and the job that sends it. The same key again changes
// nothing. A mail that cannot be composed, as with a brand color that is none,
// never holds up what it tells of: it is composed again when its turn comes, and
// staff sees the job that cannot.
func (s *Subject) write(tx core.App, l letter) error {
	late := (*mail.Data)(nil)
	m, err := s.text(tx, l)
	if err != nil {
		if l.secret {
			return err // its link is kept nowhere but in the text
		}
		tx.Logger().Error("A mail cannot be composed and is tried again", "mail", l.key, "error", err)
		l.data.Zone = nil
		late = &l.data
	}
	user := ""
	if l.user != nil {
		user = l.user.Id
		if l.to == "" {
			l.to = l.user.Email()
		}
	}
	now := s.Now()
	id, inserted, err := collections.Row(tx, collections.Mails, now, dbx.Params{
		"key": l.key, "kind": string(l.kind), "user": user, "recipient": l.to, "subject": m.Subject, "body_text": m.Text, "body_html": m.HTML,
		"invoice": l.invoice, "attach_pdf": l.attach, "secret": l.secret, "status": "queued", "message_id": "", "error": "", "sent_at": "",
	})
	if err != nil || !inserted {
		return err
	}
	_, err = jobs.Enqueue(tx, now, jobs.Job{Kind: jobMail, Key: jobMail + ":" + id, User: user, Actor: "system", Payload: mailPayload{id, late}})
	return err
}

// text composes a letter in the brand's name and the language of the customer, or
// of staff.
func (s *Subject) text(app core.App, l letter) (mail.Message, error) {
	brand, err := collections.LoadBrand(app)
	if err != nil {
		return mail.Message{}, err
	}
	l.data.Brand, l.data.Accent = brand.Name, brand.Accent
	lang := brand.StaffLocale
	if l.user != nil {
		lang, l.data.Name = l.user.GetString("locale"), l.user.GetString("name")
	}
	m, err := mail.Compose(l.kind, lang, l.data)
	if err != nil {
		return m, fmt.Errorf("mail of kind %s: %w", l.kind, err)
	}
	return m, nil
}

// portal is an absolute address in the portal.
func portal(app core.App, path string) (string, error) {
	brand, err := collections.LoadBrand(app)
	return strings.TrimSuffix(brand.URL, "/") + "/portal" + path, err
}
