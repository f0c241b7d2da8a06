package viesbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

const check = "/taxation_customs/vies/rest-api/check-vat-number"

// send makes a request with a JSON body.
func send(b *Box, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w
}

func TestCheck(t *testing.T) {
	scenarios := []struct {
		name, body string
		status     int
		want       string // within the answer
	}{
		{"in use", `{"countryCode":"FR","vatNumber":"40303265045"}`, 200, `"valid":true,"requestIdentifier":""`},
		{"in somebody's name", `{"countryCode":"FR","vatNumber":"40303265045","requesterMemberStateCode":"DE","requesterNumber":"136695976"}`, 200, `"requestIdentifier":"WAPIAAAA00000001"`},
		{"not in use", `{"countryCode":"FR","vatNumber":"1"}`, 200, `"valid":false`},
		{"with its prefix it is another number", `{"countryCode":"FR","vatNumber":"FR40303265045"}`, 200, `"valid":false`},
		{"Greece by its ISO code", `{"countryCode":"GR","vatNumber":"094259216"}`, 200, `"error":"INVALID_INPUT"`},
		{"the United Kingdom", `{"countryCode":"GB","vatNumber":"980780684"}`, 200, `"error":"INVALID_INPUT"`},
		{"no number", `{"countryCode":"FR"}`, 200, `"error":"INVALID_INPUT"`},
		{"half a requester", `{"countryCode":"FR","vatNumber":"40303265045","requesterNumber":"136695976"}`, 200, `"error":"INVALID_REQUESTER_INFO"`},
		{"an unknown field", `{"countryCode":"FR","vatNumber":"40303265045","requester":"DE"}`, 400, "not the documented JSON"},
		{"no JSON", `countryCode=FR`, 400, "not the documented JSON"},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if got := send(New(Options{}), "POST", check, s.body); got.Code != s.status || !strings.Contains(got.Body.String(), s.want) {
				t.Errorf("got %d %s, want %d with %s", got.Code, got.Body, s.status, s.want)
			}
		})
	}
}

func TestControl(t *testing.T) {
	b := New(Options{})
	question := `{"countryCode":"LU","vatNumber":"15027442"}`
	steps := []struct {
		name, method, path, body string
		status                   int
		want                     string // within the next answer about the Luxembourg id
	}{
		{"a company is entered", "POST", "/_sandbox/companies", `{"id":"LU15027442","name":"A","address":"B"}`, 204, `"valid":true`},
		{"its state fails", "POST", "/_sandbox/failing", `{"state":"LU","code":"MS_UNAVAILABLE"}`, 204, "MS_UNAVAILABLE"},
		{"all fail", "POST", "/_sandbox/failing", `{"state":"","code":"TIMEOUT"}`, 204, "TIMEOUT"},
		{"all but its state answer", "POST", "/_sandbox/failing", `{"state":"","code":""}`, 204, "MS_UNAVAILABLE"},
		{"its state answers", "POST", "/_sandbox/failing", `{"state":"LU","code":""}`, 204, `"valid":true`},
		{"no such state", "POST", "/_sandbox/failing", `{"state":"US","code":"TIMEOUT"}`, 400, `"valid":true`},
		{"no such code", "POST", "/_sandbox/failing", `{"state":"LU","code":"METEOR"}`, 400, `"valid":true`},
		{"a broken proxy", "POST", "/_sandbox/faults", `{"kind":"html_502"}`, 204, "<html>"},
		{"which is repaired", "DELETE", "/_sandbox/faults", ``, 204, `"valid":true`},
		{"the company is gone", "DELETE", "/_sandbox/companies/LU15027442", ``, 204, `"valid":false`},
	}
	for _, s := range steps {
		if got := send(b, s.method, s.path, s.body); got.Code != s.status {
			t.Errorf("%s: got %d %s, want %d", s.name, got.Code, got.Body, s.status)
		}
		if got := send(b, "POST", check, question).Body.String(); !strings.Contains(got, s.want) {
			t.Errorf("%s: the next answer is %s, want %s", s.name, got, s.want)
		}
	}
	var state Snapshot
	if err := json.Unmarshal(send(b, "GET", "/_sandbox/state", "").Body.Bytes(), &state); err != nil || len(state.Companies) != len(seeded) || state.Asked != 6 {
		t.Errorf("got state %+v, error %v, want the seeded companies and 6 answers", state, err)
	}
	form := httptest.NewRequest(http.MethodPost, "/_sandbox/failing", strings.NewReader(`{"state":"LU","code":"TIMEOUT"}`))
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, form)
	if w.Code != 415 {
		t.Errorf("a form of another site: got %d, want 415", w.Code)
	}
}

func TestPage(t *testing.T) {
	b := New(Options{Faults: &fault.Set{}})
	b.Register(Company{ID: "LU15027442", Name: "<script>alert(1)</script>"})
	b.Fail("", "TIMEOUT")
	got := send(b, "GET", "/_sandbox/", "").Body.String()
	if !strings.Contains(got, "&lt;script&gt;") || strings.Contains(got, "<script") || !strings.Contains(got, "<td>all</td><td>TIMEOUT</td>") {
		t.Errorf("got page %s", got)
	}
}
