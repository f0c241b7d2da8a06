package synergycp

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// What a refusal carries besides its text, as codes of its faults.
const (
	faultIgnored = "ignored" // the client is exempt from automatic actions
	faultExists  = "exists"  // a client is there already; Detail is its id
)

// envelope is what every answer of the panel comes in.
type envelope struct {
	Error    json.RawMessage `json:"error"`
	Data     json.RawMessage `json:"data"`
	Messages panel.Many[struct {
		Text panel.Text `json:"text"`
	}] `json:"messages"`
}

// words are the panel's first sentence.
func (e envelope) words() string {
	for _, m := range e.Messages {
		if m.Text != "" {
			return panel.Clean(string(m.Text))
		}
	}
	return "the panel says no more than that it failed"
}

func (e envelope) faults() []panel.Fault {
	var data panel.Maybe[struct {
		ID      panel.Number `json:"id"`
		Ignored panel.Flag   `json:"ignored"`
	}]
	var list []panel.Fault
	if len(e.Data) == 0 || json.Unmarshal(e.Data, &data) != nil {
		return nil
	}
	if data.V.Ignored {
		list = append(list, panel.Fault{Code: faultIgnored})
	}
	if id := data.V.ID.ID(); id != "" {
		list = append(list, panel.Fault{Code: faultExists, Detail: id})
	}
	return list
}

// judge reads an answer outside 2xx. No 404 proves that anything is gone: that
// is for the lists to say.
func judge(call panel.Call, e *panel.Error, body []byte) {
	e.Message = panel.Message(body, "messages", "errors", "message")
	var got envelope
	if json.Unmarshal(body, &got) == nil {
		e.Faults = got.faults()
	}
	switch status := e.Status; {
	case status == http.StatusUnauthorized:
		e.Class, e.Message = provisioning.ErrCredentials, "the panel refuses the key, or our address ("+said(e)+")"
	case status == http.StatusForbidden:
		e.Class, e.Message = provisioning.ErrCredentials, "the key lacks a permission for this ("+said(e)+")"
	case status == http.StatusConflict || status == http.StatusLocked || status == http.StatusTooManyRequests:
		e.Class = provisioning.ErrTemporary
	case status >= http.StatusInternalServerError || status == http.StatusRequestTimeout:
		e.Class = call.Effect.Lost()
	case status >= 300 && status < 400:
		e.Class, e.Message = provisioning.ErrPermanent, "the panel redirects elsewhere; is the address that of the API (https://api.…)?"
	default:
		e.Class = provisioning.ErrPermanent
	}
}

func said(e *panel.Error) string {
	if e.Message == "" {
		return http.StatusText(e.Status)
	}
	return e.Message
}

// faultOf is the detail of a refusal's fault, and whether it has one.
func faultOf(err error, code string) (detail string, ok bool) {
	var e *panel.Error
	if !errors.As(err, &e) {
		return "", false
	}
	i := slices.IndexFunc(e.Faults, func(f panel.Fault) bool { return f.Code == code })
	if i < 0 {
		return "", false
	}
	return e.Faults[i].Detail, true
}

// isRefused says whether the panel itself said no, and nothing happened.
func isRefused(err error) bool {
	return provisioning.Classify(err) == provisioning.ClassPermanent
}
