package risk

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestPolicyCheckNamesTheField(t *testing.T) {
	scenarios := []struct {
		name   string
		change func(*Policy)
		want   string // beginning of the error, "" for none
	}{
		{"default", func(*Policy) {}, ""},
		{"everything waits", func(p *Policy) { p.Threshold = 1 }, ""},
		{"threshold of nothing", func(p *Policy) { p.Threshold = 0 }, "threshold "},
		{"threshold out of reach", func(p *Policy) { p.Threshold = 1001 }, "threshold "},
		{"no limits", func(p *Policy) { p.OrdersPerHour, p.CardsPerHour, p.AccountsPerHour, p.AccountsPerMailbox = 0, 0, 0, 0 }, ""},
		{"negative orders", func(p *Policy) { p.OrdersPerHour = -1 }, "orders_per_hour "},
		{"negative cards", func(p *Policy) { p.CardsPerHour = -1 }, "cards_per_hour "},
		{"negative accounts", func(p *Policy) { p.AccountsPerHour = -1 }, "accounts_per_hour "},
		{"negative mailboxes", func(p *Policy) { p.AccountsPerMailbox = -1 }, "accounts_per_mailbox "},
		{"signal off", func(p *Policy) { p.Weights = map[Code]int{HighAmount: 0} }, ""},
		{"unknown signal", func(p *Policy) { p.Weights = map[Code]int{"moon": 1} }, `weights: "moon" `},
		{"negative weight", func(p *Policy) { p.Weights = map[Code]int{HighAmount: -1} }, "weights: high_amount "},
		{"amount in no currency", func(p *Policy) { p.HighAmount = map[string]int64{"eur": 5} }, "high_amount_minor: "},
		{"amount of zero", func(p *Policy) { p.HighAmount = map[string]int64{"EUR": 0} }, "high_amount_minor: "},
		{"countries", func(p *Policy) { p.FlaggedCountries = []string{"DE", "US"} }, ""},
		{"country in words", func(p *Policy) { p.FlaggedCountries = []string{"Germany"} }, "flagged_countries: "},
		{"country in lower case", func(p *Policy) { p.FlaggedCountries = []string{"de"} }, "flagged_countries: "},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			p := Default()
			s.change(&p)
			err := p.Check()
			if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.HasPrefix(err.Error(), s.want)) {
				t.Errorf("error %v, want one that begins with %q", err, s.want)
			}
		})
	}
}

func TestPolicySurvivesStorage(t *testing.T) {
	p := Default()
	p.Weights, p.HighAmount, p.FlaggedCountries = map[Code]int{DedicatedServer: 100}, map[string]int64{"EUR": 50_000}, []string{"NG"}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Policy
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, p) {
		t.Errorf("read back %+v (%v), stored %+v", back, err, p)
	}
}
