package paypal

import (
	"encoding/json"
	"strings"
	"time"
)

// What is sent and read, as far as we use it. Members that are left out are not
// sent at all: PayPal's schema forbids nulls.

type wireOrderRequest struct {
	Intent string     `json:"intent"`
	Units  []wireUnit `json:"purchase_units"`
	Source wireSource `json:"payment_source"`
}

type wireUnit struct {
	Reference   string    `json:"reference_id"`
	CustomID    string    `json:"custom_id"`
	InvoiceID   string    `json:"invoice_id,omitempty"`
	Description string    `json:"description,omitempty"`
	Amount      wireMoney `json:"amount"`
	Payments    struct {
		Captures []wireCapture `json:"captures"`
	} `json:"payments,omitzero"`
}

type wireSource struct {
	PayPal wireWallet `json:"paypal"`
}

type wireWallet struct {
	VaultID    string          `json:"vault_id,omitempty"`
	Email      string          `json:"email_address,omitempty"`
	AccountID  string          `json:"account_id,omitempty"`
	Attributes *wireAttributes `json:"attributes,omitempty"`
	Experience *wireExperience `json:"experience_context,omitempty"`
	Stored     *wireStored     `json:"stored_credential,omitempty"`
}

type wireAttributes struct {
	Customer *wireID    `json:"customer,omitempty"`
	Vault    *wireVault `json:"vault,omitempty"`
}

type wireID struct {
	ID string `json:"id"`
}

// wireVault is the wish to save an account, and in answers what came of it.
type wireVault struct {
	Store        string  `json:"store_in_vault,omitempty"`
	UsageType    string  `json:"usage_type,omitempty"`
	CustomerType string  `json:"customer_type,omitempty"`
	ID           string  `json:"id,omitempty"`
	Status       string  `json:"status,omitempty"`
	Customer     *wireID `json:"customer,omitempty"`
}

type wireExperience struct {
	ReturnURL string `json:"return_url"`
	CancelURL string `json:"cancel_url"`
	Locale    string `json:"locale,omitempty"`
	Shipping  string `json:"shipping_preference,omitempty"`
	Action    string `json:"user_action,omitempty"`
	Method    string `json:"payment_method_preference,omitempty"`
}

type wireStored struct {
	Initiator string `json:"payment_initiator"`
	Usage     string `json:"usage"`
	Pattern   string `json:"usage_pattern"`
}

type wireOrder struct {
	ID      string     `json:"id"`
	Status  string     `json:"status"`
	Units   []wireUnit `json:"purchase_units"`
	Source  wireSource `json:"payment_source"`
	Created wireTime   `json:"create_time"`
	Updated wireTime   `json:"update_time"`
	Links   []wireLink `json:"links"`
}

type wireLink struct {
	Href string `json:"href"`
	Rel  string `json:"rel"`
}

func link(all []wireLink, rels ...string) string {
	for _, l := range all {
		for _, rel := range rels {
			if l.Rel == rel {
				return l.Href
			}
		}
	}
	return ""
}

type wireCapture struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	StatusDetails wireWhy   `json:"status_details"`
	Amount        wireMoney `json:"amount"`
	CustomID      string    `json:"custom_id"`
	Created       wireTime  `json:"create_time"`
	Updated       wireTime  `json:"update_time"`
	Supplement    struct {
		Related struct {
			OrderID string `json:"order_id"`
		} `json:"related_ids"`
	} `json:"supplementary_data"`
}

type wireWhy struct {
	Reason string `json:"reason"`
}

// wireTime reads PayPal's times: with Z, +00:00 or +0000, with and without
// fractions. The library reads some of them only. What is no time stays zero.
type wireTime struct{ time.Time }

// UnmarshalJSON never fails: a caller that needs the time asks IsZero.
func (t *wireTime) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	t.Time = time.Time{}
	return nil
}

// MarshalJSON writes UTC in whole seconds.
func (t wireTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(t.UTC().Format("2006-01-02T15:04:05Z"))
}

func firstTime(times ...wireTime) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.Time
		}
	}
	return time.Time{}
}
