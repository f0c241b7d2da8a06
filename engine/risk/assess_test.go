package risk

import (
	"slices"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/money"
)

func TestAssess(t *testing.T) {
	p := Default()
	p.HighAmount = map[string]int64{"EUR": 50_000, "JPY": 80_000}
	p.FlaggedCountries = []string{"KP", "NG"}
	wary := p
	wary.Weights = map[Code]int{DedicatedServer: 100, CountryOfIP: 0}
	strict := p
	strict.Threshold = 50
	blind := p
	blind.OrdersPerHour, blind.CardsPerHour, blind.AccountsPerHour, blind.AccountsPerMailbox = 0, 0, 0, 0
	storm := Facts{Email: "a@firm.example", Address: Hour{6, 4, 4}, Domain: Hour{Accounts: 4}, MailboxAccounts: 2}
	scenarios := []struct {
		name   string
		policy Policy
		facts  Facts
		review bool
		want   []Code
	}{
		{"an ordinary order", p, Facts{
			Email: "anna@firm.example", BillingCountry: "DE", IPCountry: "DE", CardCountry: "DE", Total: money.Must(2000, "EUR"),
			Address: Hour{Orders: 5, Cards: 3, Accounts: 3}, Domain: Hour{Accounts: 3}, MailboxAccounts: 1,
		}, false, nil},
		{"nothing known", p, Facts{}, false, nil},
		{"throw-away mail", p, Facts{Email: "x@Mailinator.com"}, true, []Code{DisposableMail}},
		{"throw-away mail below a known domain", p, Facts{Email: "x@eu.mailinator.com."}, true, []Code{DisposableMail}},
		{"a name that only ends alike", p, Facts{Email: "x@notmailinator.com"}, false, nil},
		{"on a journey", p, Facts{BillingCountry: "DE", IPCountry: "ES", CardCountry: "DE"}, false, []Code{CountryOfIP}},
		{"a foreign card", p, Facts{BillingCountry: "DE", IPCountry: "DE", CardCountry: "US"}, false, []Code{CountryOfCard}},
		{"three countries", p, Facts{BillingCountry: "DE", IPCountry: "ES", CardCountry: "US"}, true, []Code{CountryOfCard, CountryOfIP}},
		{"lower case is the same country", p, Facts{BillingCountry: "de", IPCountry: "DE"}, false, nil},
		{"countries that are none", p, Facts{BillingCountry: "DE", IPCountry: "T1", CardCountry: "XX"}, false, nil},
		{"a difference needs a billing country", p, Facts{IPCountry: "ES", CardCountry: "US"}, false, nil},
		{"flagged country of the card", p, Facts{BillingCountry: "DE", CardCountry: "NG"}, true, []Code{FlaggedCountry, CountryOfCard}},
		{"flagged once", p, Facts{BillingCountry: "NG", IPCountry: "NG", CardCountry: "NG"}, true, []Code{FlaggedCountry}},
		{"just below the limit", p, Facts{Total: money.Must(49_999, "EUR")}, false, nil},
		{"at the limit", p, Facts{Total: money.Must(50_000, "EUR")}, true, []Code{HighAmount}},
		{"limit of its own currency", p, Facts{Total: money.Must(50_000, "JPY")}, false, nil},
		{"no limit in this currency", p, Facts{Total: money.Must(1_000_000, "USD")}, false, nil},
		{"orders", p, Facts{Address: Hour{Orders: 6}}, false, []Code{OrdersAtAddress}},
		{"cards", p, Facts{Address: Hour{Cards: 4}}, true, []Code{CardsAtAddress}},
		{"accounts", p, Facts{Address: Hour{Accounts: 4}}, false, []Code{AccountsAtIP}},
		{"accounts of a domain of their own", p, Facts{Email: "a@firm.example", Domain: Hour{Accounts: 4}}, false, []Code{AccountsAtDomain}},
		{"accounts of a domain the public shares", p, Facts{Email: "a@gmail.com", Domain: Hour{Accounts: 400}}, false, nil},
		{"second account by a plus sign", p, Facts{Email: "a+b@firm.example", MailboxAccounts: 2}, false, []Code{SharedMailbox}},
		{"a storm", p, storm, true, []Code{CardsAtAddress, SharedMailbox, OrdersAtAddress, AccountsAtIP, AccountsAtDomain}},
		{"counting off", blind, storm, false, nil},
		{"dedicated server, by default ordinary", p, Facts{Dedicated: true}, false, nil},
		{"dedicated server by weight", wary, Facts{Dedicated: true}, true, []Code{DedicatedServer}},
		{"a signal switched off", wary, Facts{BillingCountry: "DE", IPCountry: "ES"}, false, nil},
		{"a lower threshold", strict, Facts{BillingCountry: "DE", IPCountry: "ES"}, true, []Code{CountryOfIP}},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			got := Assess(s.policy, s.facts)
			var codes []Code
			for _, sig := range got.Signals {
				codes = append(codes, sig.Code)
				if sig.Text == "" || sig.Weight <= 0 || strings.Contains(sig.Text, "%!") {
					t.Errorf("signal says too little: %+v", sig)
				}
			}
			if got.Review != s.review || !slices.Equal(codes, s.want) {
				t.Errorf("review %v because of %v, want %v because of %v", got.Review, codes, s.review, s.want)
			}
		})
	}
}

func TestSignalsSayWhy(t *testing.T) {
	p := Default()
	p.HighAmount = map[string]int64{"EUR": 50_000}
	p.FlaggedCountries = []string{"KP", "NG"}
	got := Assess(p, Facts{
		Email: "A.b+c@yopmail.com", BillingCountry: "NG", IPCountry: "KP", Total: money.Must(60_000, "EUR"), MailboxAccounts: 3, Address: Hour{Orders: 9},
	})
	want := []string{
		"yopmail.com gives out throw-away mail addresses",
		"on the list of countries to look at: NG, KP",
		"the total of 600.00 EUR is at or above the limit of 500.00 EUR",
		"3 accounts have addresses that reach the mailbox a.b@yopmail.com",
		"9 orders within an hour from the same IP address",
		"the IP address is in KP, the billing address in NG",
	}
	for i, s := range got.Signals {
		if i >= len(want) || s.Text != want[i] {
			t.Errorf("signal %d says %q, want %q", i, s.Text, want[min(i, len(want)-1)])
		}
	}
	if len(got.Signals) != len(want) {
		t.Errorf("%d signals, want %d", len(got.Signals), len(want))
	}
}
