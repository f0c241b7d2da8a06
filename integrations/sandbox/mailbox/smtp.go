package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// idleTimeout ends connections that say nothing.
const idleTimeout = time.Minute

// ServeSMTP answers SMTP (RFC 5321) on l until ctx ends, then closes l and every
// connection. AUTH PLAIN (RFC 4616) is offered and accepts everyone. It returns
// nil when ctx ended it, else why l failed.
func (b *Box) ServeSMTP(ctx context.Context, l net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{ctx: ctx, box: b, conn: c}, nil
	}))
	server.Domain = "mailbox.localhost"
	server.MaxMessageBytes = MaxMessageBytes
	server.MaxRecipients = 100
	server.AllowInsecureAuth = true // loopback, and any password will do
	server.EnableSMTPUTF8 = true
	server.ReadTimeout, server.WriteTimeout = idleTimeout, idleTimeout
	server.ErrorLog = log.New(io.Discard, "", 0)

	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(l)
	_ = server.Close()
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil // the caller asked for the end
	}
	if err != nil {
		return fmt.Errorf("mailbox: serve SMTP on %s: %w", l.Addr(), err)
	}
	return nil
}

// session is one connection of a client.
type session struct {
	ctx   context.Context // ends with the server, not with a call
	box   *Box
	conn  *smtp.Conn
	from  string
	to    []string
	fault Fault
}

var _ smtp.AuthSession = (*session)(nil)

// AuthMechanisms offers PLAIN.
func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth accepts every name and password and keeps neither.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}

// Mail starts a message; a fault that is on is meant for it.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to, s.fault = from, nil, s.box.takeFault()
	return nil
}

// Rcpt takes a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.fault.Kind == RefusePermanent {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox (sandbox fault)"}
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // as it is: an SMTP error carries the code that the client gets
	}
	switch s.fault.Kind {
	case RefuseTemporary:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later (sandbox fault)"}
	case Slow:
		select {
		case <-time.After(s.fault.Delay):
		case <-s.ctx.Done():
			return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Closing"}
		}
	case RefusePermanent, CutAfterData:
	}
	s.box.keep(s.from, s.to, raw)
	if s.fault.Kind == CutAfterData {
		_ = s.conn.Conn().Close() // the message is kept, its 250 never arrives
	}
	return nil
}

// Reset forgets a message that was begun.
func (s *session) Reset() { s.from, s.to, s.fault = "", nil, Fault{} }

// Logout ends the connection.
func (s *session) Logout() error { return nil }
