package vies

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/ezscale/ezscale/engine/tax/vatid"
)

// request is CheckVatRequest. The trader's name and address could be sent too
// for comparison; few member states compare them.
type request struct {
	CountryCode              string `json:"countryCode"` // EL for Greece, XI for Northern Ireland
	VATNumber                string `json:"vatNumber"`
	RequesterMemberStateCode string `json:"requesterMemberStateCode,omitempty"`
	RequesterNumber          string `json:"requesterNumber,omitempty"`
}

// answer is CheckVatResponse or, of a failure, CommonResponse. Both come with
// status 200.
type answer struct {
	CountryCode string `json:"countryCode"`
	VATNumber   string `json:"vatNumber"`
	Valid       *bool  `json:"valid"` // nil in a failure
	// RequestIdentifier is the consultation number; "" unless asked in a name.
	RequestIdentifier string `json:"requestIdentifier"`
	Name              string `json:"name"` // "---" where the state tells nobody, as Germany and Spain do
	Address           string `json:"address"`
	// UserError is set by the service's older path beside valid:false, which is
	// then no verdict.
	UserError     string `json:"userError"`
	ActionSucceed *bool  `json:"actionSucceed"` // false in a failure
	ErrorWrappers []struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	} `json:"errorWrappers"`
}

// permanent are the codes after which asking again does not help: something of
// ours is wrong or blocked. All others, and those not yet invented, may pass.
var permanent = []string{"INVALID_INPUT", "INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED"}

// read takes an answer apart. why is "" if it is a verdict about id.
func read(status int, body []byte, id vatid.ID) (a answer, why string) {
	err := json.Unmarshal(body, &a)
	switch code := a.code(); {
	case err == nil && code != "":
		return a, code
	case status != http.StatusOK:
		return a, fmt.Sprintf("status %d", status)
	case err != nil:
		return a, "the answer is not the documented JSON"
	case a.Valid == nil || a.ActionSucceed != nil && !*a.ActionSucceed:
		return a, "the answer says neither valid nor invalid"
	}
	about, err := vatid.Parse(a.CountryCode+a.VATNumber, "")
	if err != nil || about.String() != id.String() {
		return a, "the answer is about another VAT id"
	}
	return a, ""
}

// code is what a failure calls itself, "" in a verdict.
func (a answer) code() string {
	for _, w := range a.ErrorWrappers {
		if w.Error != "" {
			return w.Error
		}
	}
	if a.UserError != "" && a.UserError != "VALID" && a.UserError != "INVALID" {
		return a.UserError
	}
	return ""
}

// retryable says whether a later question may be answered.
func retryable(status int, why string) bool {
	if !strings.HasPrefix(why, "status ") {
		return !slices.Contains(permanent, why)
	}
	return status < 400 || status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// maxText bounds a stored text, in runes.
const maxText = 300

// told is a text of the register as it is stored: its lines, without control
// characters, and nothing where it says "---".
func told(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	kept := lines[:0]
	for _, l := range lines {
		l = strings.Join(strings.FieldsFunc(l, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar
		}), " ")
		if l != "" && l != "---" && l != "NOT_PROCESSED" {
			kept = append(kept, l)
		}
	}
	s = strings.Join(kept, "\n")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText]) + "…"
	}
	return s
}
