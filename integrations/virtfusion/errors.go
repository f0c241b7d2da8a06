package virtfusion

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/panel"
)

// judge reads an answer outside 2xx.
func judge(call panel.Call, e *panel.Error, body []byte) {
	e.Message = parseMessage(body)
	e.Class = classOf(call.Effect, e.Status, e.Message)
}

// classOf is the table of answers. A 404 proves absence only with the panel's
// own text; a bare one may be a proxy or a wrong address.
func classOf(e panel.Effect, status int, msg string) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return provisioning.ErrCredentials
	case status == http.StatusNotFound && isServerNotFound(msg):
		return provisioning.ErrNotFound
	case status == http.StatusLocked || status == http.StatusTooManyRequests:
		return provisioning.ErrTemporary
	case status >= 500 || status == http.StatusRequestTimeout:
		return e.Lost()
	case e == panel.Grows && status == http.StatusUnprocessableEntity && isCapacity(msg):
		return provisioning.ErrCapacity
	}
	return provisioning.ErrPermanent
}

func isServerNotFound(msg string) bool {
	return strings.EqualFold(strings.TrimRight(strings.TrimSpace(msg), "."), "server not found")
}

// isCapacity recognizes a refusal for want of room. The panel's texts are not
// documented, so a scarce thing and a word of want must both appear.
func isCapacity(msg string) bool {
	msg = " " + strings.ToLower(msg)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(msg, w) })
	}
	things := has("hypervisor", "resource", "capacity", "memory", "storage", "disk", "cpu", "ipv4", "ip address")
	want := has(" no ", "not enough", "insufficient", "out of ", "unavailable", "exhausted", " full", "no available")
	return things && want
}

// parseMessage finds the first message in an error body. The panel has three
// shapes: {"errors":[…]}, {"errors":{"field":[…]}} and {"msg":…} or
// {"message":…}. Anything else, an HTML page or nothing, gives "".
func parseMessage(body []byte) string { return panel.Message(body, "errors", "msg", "message") }
