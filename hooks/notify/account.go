package notify

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/document/mail"
	"github.com/ezscale/ezscale/engine/provisioning"
)

// onAccountMails takes over the mails that PocketBase would send within the
// request: they become rows like all others.
func (s *Subject) onAccountMails(app core.App) {
	app.OnMailerRecordVerificationSend(collections.Users).Bind(s.instead("verification", mail.Verification, "/verify", func(c *core.Collection) int64 { return c.VerificationToken.Duration }))
	app.OnMailerRecordPasswordResetSend(collections.Users).Bind(s.instead("password_reset", mail.PasswordReset, "/reset", func(c *core.Collection) int64 { return c.PasswordResetToken.Duration }))
	app.OnMailerRecordAuthAlertSend(collections.Users).Bind(&hook.Handler[*core.MailerRecordEvent]{Id: "notifyNewDevice", Func: func(e *core.MailerRecordEvent) error {
		return s.newDevice(e)
	}})
}

// instead writes our mail with the token's link. PocketBase's own sending is
// skipped by not calling Next.
func (s *Subject) instead(name string, kind mail.Kind, path string, life func(c *core.Collection) int64) *hook.Handler[*core.MailerRecordEvent] {
	return &hook.Handler[*core.MailerRecordEvent]{Id: "notify_" + name, Func: func(e *core.MailerRecordEvent) error {
		token, _ := e.Meta["token"].(string)
		link, err := portal(e.App, path+"?token="+token)
		if err != nil {
			return err
		}
		l := letter{
			key: fmt.Sprintf("%s:%s:%d", name, e.Record.Id, s.Now().UnixNano()), kind: kind, user: e.Record, secret: true,
			data: mail.Data{Link: link, ValidFor: time.Duration(life(e.Record.Collection())) * time.Second},
		}
		return e.App.RunInTransaction(func(tx core.App) error { return s.write(tx, l) })
	}}
}

// newDevice tells of a sign-in from an unknown browser.
func (s *Subject) newDevice(e *core.MailerRecordEvent) error {
	link, err := portal(e.App, "/reset")
	if err != nil {
		return err
	}
	info, _ := e.Meta["info"].(string)
	address, agent := splitAlert(html.UnescapeString(info))
	zone, err := time.LoadLocation(e.Record.GetString("time_zone"))
	if err != nil {
		zone = time.UTC
	}
	l := letter{
		key: fmt.Sprintf("new_device:%s:%d", e.Record.Id, s.Now().UnixNano()), kind: mail.NewDevice, user: e.Record,
		data: mail.Data{Link: link, At: s.Now(), Zone: zone, Address: address, Agent: agent},
	}
	return e.App.RunInTransaction(func(tx core.App) error { return s.write(tx, l) })
}

// AlreadyRegistered writes to the owner of an address with which somebody tried
// to sign up again, at most once an hour.
func (s *Subject) AlreadyRegistered(app core.App, user *core.Record) error {
	link, err := portal(app, "/sign-in")
	if err != nil {
		return err
	}
	hour := s.Now().UTC().Format("2006010215")
	l := letter{key: "already_registered:" + user.Id + ":" + hour, kind: mail.AlreadyRegistered, user: user, data: mail.Data{Link: link}}
	return app.RunInTransaction(func(tx core.App) error { return s.write(tx, l) })
}

// splitAlert reads PocketBase's "address - agent" line of a sign-in alert.
func splitAlert(info string) (address, agent string) {
	address, agent, found := strings.Cut(info, " - ")
	if !found || strings.TrimSpace(address) == "" {
		return "unknown", info
	}
	return strings.TrimSpace(address), strings.TrimSpace(agent)
}

// builtAddresses reads the addresses that a finished build stored with its
// service; a service built by hand has those that staff typed.
func builtAddresses(svc *core.Record) ([]string, error) {
	b := provisioning.Build{}
	if raw := svc.GetString("build"); raw != "" && raw != "null" {
		if err := json.Unmarshal([]byte(raw), &b); err != nil {
			return nil, fmt.Errorf("service %s: build: %w", svc.Id, err)
		}
	}
	ips := []string{}
	for _, a := range b.Addresses {
		ips = append(ips, a.IP)
	}
	for _, typed := range []string{svc.GetString("ipv4"), svc.GetString("ipv6")} {
		if len(b.Addresses) == 0 && typed != "" {
			ips = append(ips, typed)
		}
	}
	if len(ips) == 0 {
		ips = append(ips, "—")
	}
	return ips, nil
}
