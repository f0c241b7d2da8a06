// Package viesbox is a small VIES for tests and the demo: a register of VAT ids
// that can be entered and withdrawn, with the service's own failures by member
// state and the transport's by package fault. It serves POST /check-vat-number
// with the shapes of the Commission's contract (swagger_publicVAT.yaml), refuses
// what that lacks, and knows nothing of the adapter.
package viesbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

// states are the country codes that the service takes: Greece is EL, Northern
// Ireland XI.
var states = strings.Fields(`AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI`)

// Codes are the failures that the service names. They come with status 200.
var Codes = strings.Fields(`INVALID_INPUT INVALID_REQUESTER_INFO SERVICE_UNAVAILABLE MS_UNAVAILABLE TIMEOUT VAT_BLOCKED IP_BLOCKED
	GLOBAL_MAX_CONCURRENT_REQ GLOBAL_MAX_CONCURRENT_REQ_TIME MS_MAX_CONCURRENT_REQ MS_MAX_CONCURRENT_REQ_TIME`)

// Options configure a Box.
type Options struct {
	// Now is the service's clock; nil is time.Now.
	Now func() time.Time
	// Faults may be shared with the caller; nil is a set of its own.
	Faults *fault.Set
}

// Company is what the register tells of an id.
type Company struct {
	ID      string `json:"id"` // with prefix
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Box is one service. All methods are safe for concurrent use.
type Box struct {
	opts Options

	mu        sync.Mutex
	companies map[string]Company
	failing   map[string]string // code by state, "" is all of them
	asked     int
	named     int
}

// New makes a service that knows a few companies.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Faults == nil {
		o.Faults = &fault.Set{}
	}
	b := &Box{opts: o, companies: map[string]Company{}, failing: map[string]string{}}
	for _, c := range seeded {
		b.companies[c.ID] = c
	}
	return b
}

// seeded are well-formed ids of companies that do not exist under these names.
var seeded = []Company{
	{"ATU13585627", "ALPENHOST GMBH", "Ringstraße 1\nAT-1010 Wien"},
	{"DE136695976", "---", "---"}, // Germany tells neither
	{"EL094259216", "ΦΙΛΟΞΕΝΙΑ ΑΕ", "ΕΡΜΟΥ 1\n10563 ΑΘΗΝΑ"},
	{"ESB58378431", "---", "---"}, // nor does Spain
	{"FR40303265045", "SA HEBERGEMENT", "1 RUE DE LA PAIX\n75002 PARIS"},
	{"IT00743110157", "OSPITALITA SPA", "VIA ROMA 1\n20121 MILANO MI"},
	{"NL004495445B01", "GASTHEER BV", "DAM 1\n1012 JS AMSTERDAM"},
	{"PL8567346215", "GOSPODARZ SP. Z O.O.", "PROSTA 1\n00-001 WARSZAWA"},
}

// Register enters a company; an id is in use from now on.
func (b *Box) Register(c Company) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.companies[c.ID] = c
}

// Withdraw takes an id out of use.
func (b *Box) Withdraw(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.companies, id)
}

// Fail makes questions about a state's ids fail with a code, until code "". The
// state "" is all of them.
func (b *Box) Fail(state, code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if code == "" {
		delete(b.failing, state)
		return
	}
	b.failing[state] = code
}

// Faults are the switches of the transport.
func (b *Box) Faults() *fault.Set { return b.opts.Faults }

// Snapshot is the state of the service at one moment.
type Snapshot struct {
	Companies []Company         `json:"companies"` // by id
	Failing   map[string]string `json:"failing"`
	Asked     int               `json:"asked"` // questions that were answered with a verdict
	Named     int               `json:"named"` // of these with a consultation number
}

// Snapshot shows the state of the service.
func (b *Box) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{Companies: []Company{}, Failing: maps.Clone(b.failing), Asked: b.asked, Named: b.named}
	for _, id := range slices.Sorted(maps.Keys(b.companies)) {
		s.Companies = append(s.Companies, b.companies[id])
	}
	return s
}

// answer is CheckVatResponse.
type answer struct {
	CountryCode            string `json:"countryCode"`
	VATNumber              string `json:"vatNumber"`
	RequestDate            string `json:"requestDate"`
	Valid                  bool   `json:"valid"`
	RequestIdentifier      string `json:"requestIdentifier"`
	Name                   string `json:"name"`
	Address                string `json:"address"`
	TraderName             string `json:"traderName"`
	TraderStreet           string `json:"traderStreet"`
	TraderPostalCode       string `json:"traderPostalCode"`
	TraderCity             string `json:"traderCity"`
	TraderCompanyType      string `json:"traderCompanyType"`
	TraderNameMatch        string `json:"traderNameMatch"`
	TraderStreetMatch      string `json:"traderStreetMatch"`
	TraderPostalCodeMatch  string `json:"traderPostalCodeMatch"`
	TraderCityMatch        string `json:"traderCityMatch"`
	TraderCompanyTypeMatch string `json:"traderCompanyTypeMatch"`
}

// check answers a question, or names the failure.
func (b *Box) check(q question) (answer, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	named := q.RequesterMemberStateCode != "" || q.RequesterNumber != ""
	switch {
	case !slices.Contains(states, q.CountryCode) || q.VATNumber == "":
		return answer{}, "INVALID_INPUT"
	case named && (!slices.Contains(states, q.RequesterMemberStateCode) || len(q.RequesterNumber) < 2):
		return answer{}, "INVALID_REQUESTER_INFO"
	case b.failing[""] != "":
		return answer{}, b.failing[""]
	case b.failing[q.CountryCode] != "":
		return answer{}, b.failing[q.CountryCode]
	}
	b.asked++
	none, skipped := "---", "NOT_PROCESSED"
	a := answer{
		CountryCode: q.CountryCode, VATNumber: q.VATNumber, RequestDate: b.opts.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Name: none, Address: none, TraderName: none, TraderStreet: none, TraderPostalCode: none, TraderCity: none, TraderCompanyType: none,
		TraderNameMatch: skipped, TraderStreetMatch: skipped, TraderPostalCodeMatch: skipped, TraderCityMatch: skipped, TraderCompanyTypeMatch: skipped,
	}
	if c, ok := b.companies[q.CountryCode+q.VATNumber]; ok {
		a.Valid, a.Name, a.Address = true, c.Name, c.Address
	}
	if named {
		b.named++
		a.RequestIdentifier = fmt.Sprintf("WAPIAAAA%08d", b.named)
	}
	return a, ""
}

// Handler serves the API under /taxation_customs/vies/rest-api/ and the control
// page under /_sandbox/.
func (b *Box) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/taxation_customs/vies/rest-api/", b.opts.Faults.Wrap(b.routes()))
	b.control(mux)
	return mux
}
