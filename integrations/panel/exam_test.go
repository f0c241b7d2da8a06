package panel

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/integrations/sandbox/paneltest"
)

// examine tests the connection to an address with two probes: one that proves the key,
// one that needs a right.
func examine(t *testing.T, address string) provisioning.Report {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t, paneltest.NewClock(), func(http.ResponseWriter, *http.Request) {})
	c.Root = func(Call) string { return address }
	c.Judge = func(call Call, e *Error, body []byte) {
		if judge(call, e, body); e.Status == http.StatusUnauthorized {
			e.Class = provisioning.ErrCredentials
		}
	}
	probe := func(path, right string) Probe {
		return Probe{Call: Call{Op: "test", Method: http.MethodGet, Path: path}, Key: "token", Right: right, KeyHelp: "Make a token.", RightHelp: "Give it the right."}
	}
	return Exam{Vendor: c.Vendor, Base: base, Do: c.Do, Probes: []Probe{probe("/whoami", ""), probe("/things", "read things")}, Unproven: "Only use shows the rest."}.Run(t.Context())
}

// lines are a report as one reads it.
func lines(r provisioning.Report) string {
	all := []string{}
	for _, c := range r {
		all = append(all, c.What+": "+string(c.State))
	}
	return strings.Join(all, ", ")
}

// TestAnExamSaysLineByLineWhatIsWrong and what to do about it.
func TestAnExamSaysLineByLineWhatIsWrong(t *testing.T) {
	answer := func(first, second int) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(map[string]int{"/whoami": first, "/things": second}[r.URL.Path])
			_, _ = w.Write([]byte(`{"message":"so it is"}`))
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Welcome</html>"))
	}))
	t.Cleanup(page.Close)
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	const rest = "Token: unknown, Right to read things: unknown"
	for _, s := range []struct{ name, address, want, says string }{
		{"all is well", answer(200, 200), "Address: ok, Encryption: ok, Token: ok, Right to read things: ok, Rights to change something: unknown", ""},
		{"nobody listens", gone.URL, "Address: failed, " + rest, "takes no connection"},
		{"no such name", "https://nowhere.invalid", "Address: failed, " + rest, "not found in the DNS"},
		{"nobody trusts it", untrusted.URL, "Address: ok, Encryption: failed, " + rest, "signed by nobody"},
		{"no TLS", strings.Replace(page.URL, "http:", "https:", 1), "Address: ok, Encryption: failed, " + rest, "does not speak TLS"},
		{"a page, not the panel", page.URL, "Address: failed, " + rest, "not the panel's API"},
		{"it fails", answer(500, 200), "Address: failed, " + rest, "answers with an error of its own"},
		{"the key is wrong", answer(401, 200), "Address: ok, Encryption: ok, Token: failed, Right to read things: unknown", "refuses the token"},
		{"a right is missing", answer(200, 403), "Address: ok, Encryption: ok, Token: ok, Right to read things: failed, Rights to change something: unknown", "lacks the right to read things"},
	} {
		t.Run(s.name, func(t *testing.T) {
			r := examine(t, s.address)
			if got := lines(r); got != s.want {
				t.Errorf("got %s\nwant %s", got, s.want)
			}
			if r.OK() != (s.says == "") || !r.OK() && !strings.Contains(r.Err().Error(), s.says) {
				t.Errorf("it says %v, want %q", r.Err(), s.says)
			}
			for _, c := range r {
				if c.State == provisioning.CheckFailed && c.Do == "" {
					t.Errorf("%s: nobody is told what to do: %s", c.What, c.Found)
				}
			}
		})
	}
}
