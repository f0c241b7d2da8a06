package virtbox

import (
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

// FuzzRequest: no body and no path makes the panel fall over or answer with a
// server error.
func FuzzRequest(f *testing.F) {
	f.Add("POST", "/api/v1/servers", `{"packageId":2,"userId":1,"hypervisorId":1,"ipv4":-1}`)
	f.Add("POST", "/api/v1/servers/1/build", `{"operatingSystemId":8,"sshKeys":[1e30]}`)
	f.Add("GET", "/api/v1/servers?results=200&page=99999999999999999999", "")
	f.Add("GET", "/api/v1/servers?results=200&page=9223372036854775807", "")
	f.Add("POST", "/api/v1/users", `null`)
	f.Add("GET", "/api/v1/servers/user/x", "")
	box := New(Options{Token: token})
	h := box.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		paneltest.Fuzz(t, h, method, path, body, "Authorization", "Bearer "+token)
	})
}
