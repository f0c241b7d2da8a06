package billing

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/engine/risk"
	"github.com/ezscale/ezscale/hooks/op"
)

// planApproval is the signal of a plan that always asks for approval.
const planApproval risk.Code = "plan_approval"

// countryHeader is where a CDN that is trusted for the address tells its country.
const countryHeader = "CF-IPCountry"

// evidence gathers what is known of who orders, before the order's transaction:
// none of it must be exact to the last order, and the one writer does not wait
// for it.
func evidence(r *op.Request, now time.Time) (risk.Facts, error) {
	f := risk.Facts{Email: r.Auth.Email(), IPCountry: ipCountry(r)}
	customer, err := collections.LoadCustomer(r.App, r.Auth.Id)
	if err != nil {
		return f, err
	}
	f.BillingCountry = customer.Buyer.Country
	if f.IPCountry == "" {
		f.IPCountry = customer.Profile.IPCountry
	}
	if f.Address.Orders, f.Address.Cards, err = ordersAt(r.App, r.RealIP(), now); err != nil {
		return f, err
	}
	if f.Address.Accounts, f.Domain.Accounts, err = accountsAt(r.App, r.RealIP(), f.Email, now); err != nil {
		return f, err
	}
	if !public(r.RealIP()) {
		f.Address = risk.Hour{}
	}
	f.MailboxAccounts, err = accountsOf(r.App, f.Email)
	return f, err
}

// public reports whether an address tells one caller from another. One of a
// private network is a proxy's, behind which is everybody.
func public(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// ipCountry is the country of the caller's address, as the CDN in front says;
// "" where none is trusted.
func ipCountry(r *op.Request) string {
	trusted := r.App.Settings().TrustedProxy.Headers
	if !slices.ContainsFunc(trusted, func(h string) bool { return strings.EqualFold(h, "CF-Connecting-IP") }) {
		return ""
	}
	code := strings.ToUpper(strings.TrimSpace(r.Request.Header.Get(countryHeader)))
	if !country.MatchString(code) {
		return ""
	}
	return code
}

// ordersAt counts the orders of the last hour from an address, with the one that
// is being placed, and the different cards that were saved by who ordered there.
func ordersAt(app core.App, ip string, now time.Time) (orders, cards int, err error) {
	rows := []struct {
		IP   string `db:"ip"`
		User string `db:"user"`
	}{}
	hour := collections.Stamp(now.Add(-time.Hour)).String()
	err = app.DB().NewQuery("SELECT `ip`, `user` FROM `orders` WHERE `review` IN ('none', 'waiting', 'approved', 'rejected') AND `placed_at` > {:hour}").Bind(dbx.Params{"hour": hour}).All(&rows)
	if err != nil {
		return 0, 0, fmt.Errorf("orders of the last hour: %w", err)
	}
	users, here := []string{}, risk.AddressKey(ip)
	for _, o := range rows {
		if risk.AddressKey(o.IP) == here {
			orders, users = orders+1, append(users, o.User)
		}
	}
	if len(users) == 0 {
		return 1, 0, nil
	}
	err = those(app, "SELECT COUNT(DISTINCT CASE WHEN `fingerprint` != '' THEN `fingerprint` ELSE `id` END) FROM `payment_methods` WHERE `created` > {:hour} AND `user` IN (SELECT `value` FROM json_each({:ids}))",
		users, dbx.Params{"hour": hour}).Row(&cards)
	if err != nil {
		return 0, 0, fmt.Errorf("cards of the last hour: %w", err)
	}
	return orders + 1, cards, nil
}

// recent is how many rows of the audit log are looked at for sign-ups.
const recent = 5000

// accountsAt counts the accounts of the last hour that were opened from an
// address, and those of a mail domain.
func accountsAt(app core.App, ip, email string, now time.Time) (atAddress, ofDomain int, err error) {
	rows := []struct {
		IP    string `db:"ip"`
		Email string `db:"email"`
	}{}
	err = app.DB().NewQuery("SELECT `a`.`ip`, `u`.`email` FROM `audit_logs` `a` JOIN `users` `u` ON `u`.`id` = `a`.`actor`" +
		" WHERE `a`.`seq` > (SELECT IFNULL(MAX(`seq`), 0) FROM `audit_logs`) - {:recent} AND `a`.`action` = 'account.sign_up' AND `a`.`at` > {:hour}").
		Bind(dbx.Params{"recent": recent, "hour": collections.Stamp(now.Add(-time.Hour)).String()}).All(&rows)
	if err != nil {
		return 0, 0, fmt.Errorf("accounts of the last hour: %w", err)
	}
	for _, a := range rows {
		if risk.AddressKey(a.IP) == risk.AddressKey(ip) {
			atAddress++
		}
		if risk.Domain(a.Email) == risk.Domain(email) {
			ofDomain++
		}
	}
	return atAddress, ofDomain, nil
}

// accountsOf counts the accounts whose addresses reach the same mailbox: those
// that begin as it does, up to a tag, or with the same letter where dots do not
// count.
func accountsOf(app core.App, email string) (int, error) {
	mailbox := risk.Mailbox(email)
	from, domain, ok := strings.Cut(mailbox, "@")
	if !ok {
		return 1, nil
	}
	to := from + "A" // after the tag's plus and the at sign, before any letter
	if domain == "gmail.com" {
		from, to = from[:1], from[:1]+"~"
	}
	emails := []string{}
	err := app.DB().NewQuery("SELECT `email` FROM `users` WHERE `email` != '' AND `email` >= {:from} AND `email` < {:to}").Bind(dbx.Params{"from": from, "to": to}).Column(&emails)
	if err != nil {
		return 0, fmt.Errorf("accounts of %s: %w", mailbox, err)
	}
	n := 0
	for _, e := range emails {
		if risk.Mailbox(e) == mailbox {
			n++
		}
	}
	return max(n, 1), nil
}

// review decides whether an order waits for staff, and why. What staff itself
// offered does not.
func review(tx core.App, cart pricedCart, facts risk.Facts, quote string) (billing.ReviewStatus, []risk.Signal, error) {
	if quote != "" {
		return billing.ReviewNone, []risk.Signal{}, nil
	}
	policy, err := collections.LoadReview(tx)
	if err != nil {
		return "", nil, err
	}
	facts.Total = cart.Priced.Totals.Total
	asks := ""
	for _, u := range cart.Units {
		facts.Dedicated = facts.Dedicated || u.ServiceType == "dedicated"
		if u.NeedsApproval {
			asks = u.Name
		}
	}
	verdict := risk.Assess(policy, facts)
	if asks != "" {
		verdict.Review = true
		verdict.Signals = append(verdict.Signals, risk.Signal{Code: planApproval, Text: asks + " is delivered after approval alone", Weight: policy.Threshold})
	}
	if verdict.Review {
		return billing.ReviewWaiting, verdict.Signals, nil
	}
	return billing.ReviewNone, verdict.Signals, nil
}
