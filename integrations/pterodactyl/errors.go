package pterodactyl

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// judge reads an answer outside 2xx.
func judge(call panel.Call, e *panel.Error, body []byte) {
	e.Faults = parseFaults(body)
	e.Class, e.Message = classOf(call.Effect, e), words(e)
	switch {
	case e.Status >= 300 && e.Status < 400:
		e.Message = "the panel redirects elsewhere; is its address right?"
	case e.Class == provisioning.ErrCredentials: //nolint:errorlint // the class itself
		e.Message = "the panel refuses the " + call.API + " key (" + e.Message + ")"
	}
}

// words are the panel's sentences, or those of the protocol.
func words(e *panel.Error) string {
	list := []string{}
	for _, f := range e.Faults {
		text := f.Detail
		if f.Field != "" {
			text = f.Field + ": " + text
		}
		if text != "" && len(list) < 4 {
			list = append(list, text)
		}
	}
	if len(list) == 0 {
		return strings.ToLower(http.StatusText(e.Status))
	}
	return panel.Clean(strings.Join(list, "; "))
}

// has says whether the answer names an exception.
func has(e *panel.Error, code string) bool {
	return slices.ContainsFunc(e.Faults, func(f panel.Fault) bool { return strings.Contains(f.Code, code) })
}

// classOf is the table of answers. A 404 proves absence only with the panel's own
// sentence; a bare one may be a proxy or a wrong address. A node's daemon may
// answer anything, which the panel passes on: only the panel's own refusals
// count as such.
func classOf(e panel.Effect, failed *panel.Error) error {
	status := failed.Status
	switch {
	case status == http.StatusConflict || status == http.StatusLocked || status == http.StatusTooManyRequests:
		return provisioning.ErrTemporary
	case status >= 500 || status == http.StatusRequestTimeout || has(failed, "DaemonConnectionException"):
		return e.Lost()
	case status == http.StatusUnauthorized || status == http.StatusForbidden || has(failed, "TwoFactorAuthRequired"):
		return provisioning.ErrCredentials
	case status == http.StatusNotFound && provesAbsence(failed):
		return provisioning.ErrNotFound
	case status == http.StatusBadRequest && has(failed, "NoViable"):
		return provisioning.ErrCapacity
	}
	return provisioning.ErrPermanent
}

func provesAbsence(e *panel.Error) bool {
	return slices.ContainsFunc(e.Faults, func(f panel.Fault) bool {
		return strings.Contains(f.Code, "NotFound") && strings.Contains(f.Detail, "requested resource could not be found")
	})
}

// taken says whether a call was refused because another object has the value of
// a field that must be unique.
func taken(err error, field string) bool {
	var failed *panel.Error
	return errors.As(err, &failed) && failed.Status == http.StatusUnprocessableEntity &&
		slices.ContainsFunc(failed.Faults, func(f panel.Fault) bool { return f.Field == field && strings.EqualFold(f.Rule, "unique") })
}

// parseFaults reads an error body. Anything else, an HTML page or nothing, gives
// none.
func parseFaults(body []byte) []panel.Fault {
	var shape struct {
		Errors panel.Many[struct {
			Code   panel.Text `json:"code"`
			Detail panel.Text `json:"detail"`
			Meta   panel.Maybe[struct {
				Field panel.Text `json:"source_field"`
				Rule  panel.Text `json:"rule"`
			}] `json:"meta"`
		}] `json:"errors"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return nil
	}
	list := []panel.Fault{}
	for _, e := range shape.Errors {
		list = append(list, panel.Fault{Code: panel.Clean(string(e.Code)), Detail: panel.Clean(string(e.Detail)), Field: panel.Clean(string(e.Meta.V.Field)), Rule: panel.Clean(string(e.Meta.V.Rule))})
	}
	return list
}
