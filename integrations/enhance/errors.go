package enhance

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// The panel's words for what is wrong, as codes of faults.
const (
	codeNotFound     = "not_found"
	codeExists       = "already_exists"
	codeUnauthorized = "unauthorized"
	codeMasterOnly   = "only_mo_allowed"
)

// judge reads an answer outside 2xx. A 404 proves absence only with the panel's
// own word: one in plain text is about an id that is none, or a proxy's.
func judge(call panel.Call, e *panel.Error, body []byte) {
	var got struct {
		Code   panel.Text `json:"code"`
		Detail panel.Text `json:"detail"`
	}
	code := ""
	if json.Unmarshal(body, &got) == nil && got.Code != "" {
		code = string(got.Code)
		e.Faults = []panel.Fault{{Code: panel.Clean(code), Detail: panel.Clean(string(got.Detail))}}
		e.Message = panel.Clean(code + " " + string(got.Detail))
	}
	if text := panel.Message(body, "message"); text != "" {
		e.Message = text
	}
	switch status := e.Status; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden && (code == "" || code == codeUnauthorized || code == codeMasterOnly):
		e.Class = provisioning.ErrCredentials
	case status == http.StatusNotFound && code == codeNotFound:
		e.Class = provisioning.ErrNotFound
	case status == http.StatusConflict && code != codeExists, status == http.StatusLocked, status == http.StatusTooManyRequests:
		e.Class = provisioning.ErrTemporary
	case status >= http.StatusInternalServerError || status == http.StatusRequestTimeout:
		e.Class = call.Effect.Lost()
	default:
		e.Class = provisioning.ErrPermanent
	}
}

// hasCode says whether the panel gave a word for a refusal.
func hasCode(err error, code string) bool {
	var e *panel.Error
	return errors.As(err, &e) && slices.ContainsFunc(e.Faults, func(f panel.Fault) bool { return f.Code == code })
}
