package risk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/money"
)

// Code names a signal.
type Code string

// The signals.
const (
	DisposableMail   Code = "disposable_mail"
	CountryOfIP      Code = "country_ip"       // differs from the billing country
	CountryOfCard    Code = "country_card"     // differs from the billing country
	OrdersAtAddress  Code = "orders_address"   // too many in an hour from one address
	CardsAtAddress   Code = "cards_address"    // too many cards tried from one address
	AccountsAtIP     Code = "accounts_address" // too many new accounts from one address
	AccountsAtDomain Code = "accounts_domain"  // too many new accounts of one mail domain
	SharedMailbox    Code = "shared_mailbox"   // other accounts reach the same mailbox
	HighAmount       Code = "high_amount"
	FlaggedCountry   Code = "flagged_country"
	DedicatedServer  Code = "dedicated_server"
)

var defaultWeights = map[Code]int{
	DisposableMail: 100, CountryOfIP: 50, CountryOfCard: 60, OrdersAtAddress: 60, CardsAtAddress: 100, AccountsAtIP: 60,
	AccountsAtDomain: 50, SharedMailbox: 60, HighAmount: 100, FlaggedCountry: 100, DedicatedServer: 0,
}

// Hour counts what happened within the hour before the order, the order itself
// included.
type Hour struct {
	Orders   int
	Cards    int // different ones that were tried
	Accounts int // that signed up
}

// Facts are what is known of an order. Countries are ISO 3166 codes; "" and what
// is no such code (XX, T1 of a CDN) say nothing.
type Facts struct {
	Email          string
	BillingCountry string
	IPCountry      string
	CardCountry    string
	Total          money.Amount
	Dedicated      bool // a dedicated server is among the items
	// Address is the hour at AddressKey of the customer's IP address.
	Address Hour
	// Domain is the hour at Domain(Email); ignored for domains the public shares.
	Domain Hour
	// MailboxAccounts is how many accounts, this one included, have the same
	// Mailbox.
	MailboxAccounts int
}

// Signal is one reason to look at an order. Text is plain English for staff.
type Signal struct {
	Code   Code   `json:"code"`
	Text   string `json:"text"`
	Weight int    `json:"weight"`
}

// Verdict says whether staff should look before anything is delivered.
type Verdict struct {
	Review  bool     `json:"review"`
	Signals []Signal `json:"signals"` // heaviest first
}

// Assess weighs an order. Signals of weight 0 are not reported.
func Assess(p Policy, f Facts) Verdict {
	v, sum := Verdict{Signals: []Signal{}}, 0
	for _, s := range slices.Concat(mailSigns(p, f), countrySigns(p, f), velocitySigns(p, f), orderSigns(p, f)) {
		if s.Weight = p.weight(s.Code); s.Weight > 0 {
			v.Signals = append(v.Signals, s)
			sum += s.Weight
		}
	}
	slices.SortStableFunc(v.Signals, func(a, b Signal) int { return b.Weight - a.Weight })
	v.Review = len(v.Signals) > 0 && sum >= p.Threshold
	return v
}

func sign(c Code, text string, args ...any) Signal {
	return Signal{Code: c, Text: fmt.Sprintf(text, args...)}
}

func mailSigns(p Policy, f Facts) (found []Signal) {
	if domain := Domain(f.Email); IsDisposable(domain) {
		found = append(found, sign(DisposableMail, "%s gives out throw-away mail addresses", domain))
	}
	if over(f.MailboxAccounts, p.AccountsPerMailbox) {
		found = append(found, sign(SharedMailbox, "%d accounts have addresses that reach the mailbox %s", f.MailboxAccounts, Mailbox(f.Email)))
	}
	return found
}

func countrySigns(p Policy, f Facts) (found []Signal) {
	billing, ip, card := country(f.BillingCountry), country(f.IPCountry), country(f.CardCountry)
	if billing != "" && ip != "" && ip != billing {
		found = append(found, sign(CountryOfIP, "the IP address is in %s, the billing address in %s", ip, billing))
	}
	if billing != "" && card != "" && card != billing {
		found = append(found, sign(CountryOfCard, "the card is from %s, the billing address in %s", card, billing))
	}
	var flagged []string
	for _, c := range []string{billing, ip, card} {
		if c != "" && slices.Contains(p.FlaggedCountries, c) && !slices.Contains(flagged, c) {
			flagged = append(flagged, c)
		}
	}
	if len(flagged) > 0 {
		found = append(found, sign(FlaggedCountry, "on the list of countries to look at: %s", strings.Join(flagged, ", ")))
	}
	return found
}

func velocitySigns(p Policy, f Facts) (found []Signal) {
	if over(f.Address.Orders, p.OrdersPerHour) {
		found = append(found, sign(OrdersAtAddress, "%d orders within an hour from the same IP address", f.Address.Orders))
	}
	if over(f.Address.Cards, p.CardsPerHour) {
		found = append(found, sign(CardsAtAddress, "%d cards tried within an hour from the same IP address", f.Address.Cards))
	}
	if over(f.Address.Accounts, p.AccountsPerHour) {
		found = append(found, sign(AccountsAtIP, "%d accounts opened within an hour from the same IP address", f.Address.Accounts))
	}
	if domain := Domain(f.Email); over(f.Domain.Accounts, p.AccountsPerHour) && !IsShared(domain) {
		found = append(found, sign(AccountsAtDomain, "%d accounts opened within an hour with addresses at %s", f.Domain.Accounts, domain))
	}
	return found
}

func orderSigns(p Policy, f Facts) (found []Signal) {
	if limit, set := p.HighAmount[f.Total.Currency()]; set && f.Total.Minor() >= limit {
		found = append(found, sign(HighAmount, "the total of %s is at or above the limit of %s", f.Total, money.Must(limit, f.Total.Currency())))
	}
	if f.Dedicated {
		found = append(found, sign(DedicatedServer, "a dedicated server was ordered"))
	}
	return found
}

// over says whether a count is beyond a limit that is set.
func over(got, limit int) bool { return limit > 0 && got > limit }

// country returns the code, or "" where it names no country: XX is unknown, ZZ
// too, and T1 is how a CDN writes Tor.
func country(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !isCountry(code) || code == "XX" || code == "ZZ" {
		return ""
	}
	return code
}
