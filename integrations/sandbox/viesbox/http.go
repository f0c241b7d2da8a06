package viesbox

import (
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// maxBody bounds a request in bytes.
const maxBody = 1 << 16

// question is CheckVatRequest.
type question struct {
	CountryCode              string `json:"countryCode"`
	VATNumber                string `json:"vatNumber"`
	RequesterMemberStateCode string `json:"requesterMemberStateCode"`
	RequesterNumber          string `json:"requesterNumber"`
	TraderName               string `json:"traderName"`
	TraderStreet             string `json:"traderStreet"`
	TraderPostalCode         string `json:"traderPostalCode"`
	TraderCity               string `json:"traderCity"`
	TraderCompanyType        string `json:"traderCompanyType"`
}

func (b *Box) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /taxation_customs/vies/rest-api/check-vat-number", func(w http.ResponseWriter, r *http.Request) {
		var q question
		if !readJSON(w, r, &q) {
			return
		}
		a, code := b.check(q)
		if code != "" {
			writeJSON(w, map[string]any{"actionSucceed": false, "errorWrappers": []map[string]string{{"error": code}}})
			return
		}
		writeJSON(w, a)
	})
	return mux
}

// control adds the page and switches under /_sandbox/:
//
//	GET    /_sandbox/           the state as a page
//	GET    /_sandbox/state      the state as JSON
//	POST   /_sandbox/companies  {"id":"DE136695976","name":"…","address":"…"} enters one
//	DELETE /_sandbox/companies/{id}
//	POST   /_sandbox/failing    {"state":"DE","code":"MS_UNAVAILABLE"}; state "" is all, code "" ends it
//	POST   /_sandbox/faults     {"match":"","kind":"html_502","times":1}
//	DELETE /_sandbox/faults     clears them
func (b *Box) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sandbox/{$}", b.servePage)
	mux.HandleFunc("GET /_sandbox/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.Snapshot()) })
	mux.HandleFunc("POST /_sandbox/companies", func(w http.ResponseWriter, r *http.Request) {
		var c Company
		if readJSON(w, r, &c) {
			b.Register(c)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("DELETE /_sandbox/companies/{id}", func(w http.ResponseWriter, r *http.Request) {
		b.Withdraw(r.PathValue("id"))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_sandbox/failing", b.switchFailing)
	mux.HandleFunc("POST /_sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		var f fault.Fault
		if readJSON(w, r, &f) {
			b.opts.Faults.Add(f)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("DELETE /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		b.opts.Faults.Clear()
		w.WriteHeader(http.StatusNoContent)
	})
}

func (b *Box) switchFailing(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State string `json:"state"`
		Code  string `json:"code"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.State != "" && !slices.Contains(states, in.State) || in.Code != "" && !slices.Contains(Codes, in.Code) {
		http.Error(w, "there is no such state or code", http.StatusBadRequest)
		return
	}
	b.Fail(in.State, in.Code)
	w.WriteHeader(http.StatusNoContent)
}

// readJSON decodes a body strictly. Its Content-Type keeps forms of other sites
// out.
func readJSON(w http.ResponseWriter, r *http.Request, out any) bool {
	if mime, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); mime != "application/json" {
		http.Error(w, "the Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		http.Error(w, "the body is not the documented JSON", http.StatusBadRequest)
		return false
	}
	return true
}

func writeJSON(w http.ResponseWriter, payload any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(payload) // the client may have gone
}

func (b *Box) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	_ = page.Execute(w, b.Snapshot()) // the client may have gone
}

var page = template.Must(template.New("state").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>VIES sandbox</title></head><body><main>
<h1>VIES sandbox</h1>
<p>{{.Asked}} questions answered, {{.Named}} with a consultation number.</p>
<h2>VAT ids in use</h2>
<table><thead><tr><th>Id</th><th>Name</th><th>Address</th></tr></thead><tbody>
{{range .Companies}}<tr><td>{{.ID}}</td><td>{{.Name}}</td><td>{{.Address}}</td></tr>
{{end}}</tbody></table>
<h2>Member states that fail</h2>
<table><thead><tr><th>State</th><th>Code</th></tr></thead><tbody>
{{range $state, $code := .Failing}}<tr><td>{{if $state}}{{$state}}{{else}}all{{end}}</td><td>{{$code}}</td></tr>
{{else}}<tr><td colspan="2">All answer.</td></tr>{{end}}</tbody></table>
</main></body></html>
`))
