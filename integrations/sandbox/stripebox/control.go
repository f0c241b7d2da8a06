package stripebox

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/integrations/sandbox/fault"
)

var faultKinds = []fault.Kind{
	fault.Slow, fault.LostAnswer, fault.RefuseConn, fault.Error500, fault.After500,
	fault.HTML502, fault.Truncated, fault.RateLimited, fault.Unavailable,
}

// serveControl adds the control page and its JSON twins:
//
//	GET    /_sandbox/          the page
//	GET    /_sandbox/state     Snapshot
//	GET    /_sandbox/faults    []fault.Fault
//	POST   /_sandbox/faults    adds one fault.Fault (JSON), or the page's form
//	DELETE /_sandbox/faults    clears them (the page: POST …/faults/clear)
//	GET    /_sandbox/switches  Switches; PUT replaces them
//	POST   /_sandbox/settle    delayed payments and refunds reach their end
//	POST   /_sandbox/payments/{id}/dispute?status=…&reason=…
//	POST   /_sandbox/payments/{id}/refund?amount=…  as from the dashboard
//	POST   /_sandbox/disputes/{id}?status=…
//	POST   /_sandbox/refunds/{id}/fail?reason=…
//	POST   /_sandbox/events/{id}/resend
//
// It is for the operator of the sandbox, so it has no login: bind it to loopback.
func (b *Box) serveControl(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	on := func(route string, h http.HandlerFunc) { mux.Handle(route, guard.Handler(h)) }
	on("GET /_sandbox/{$}", func(w http.ResponseWriter, _ *http.Request) {
		draw(w, http.StatusOK, "control.html", map[string]any{"State": b.Snapshot(), "Faults": b.liveFaults(), "Kinds": faultKinds})
	})
	on("GET /_sandbox/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.Snapshot()) })
	on("GET /_sandbox/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.liveFaults()) })
	on("POST /_sandbox/faults", b.addFault)
	clearFaults := func(w http.ResponseWriter, r *http.Request) { b.faults.Clear(); done(w, r) }
	on("DELETE /_sandbox/faults", clearFaults)
	on("POST /_sandbox/faults/clear", clearFaults)
	on("GET /_sandbox/switches", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, b.Switches()) })
	on("PUT /_sandbox/switches", b.putSwitches)
	on("POST /_sandbox/settle", func(w http.ResponseWriter, r *http.Request) { b.Settle(); done(w, r) })
	b.serveMoney(on)
	on("POST /_sandbox/events/{id}/resend", func(w http.ResponseWriter, r *http.Request) {
		if !b.Resend(r.PathValue("id")) {
			http.Error(w, "no such event", http.StatusNotFound)
			return
		}
		done(w, r)
	})
}

// liveFaults are the faults that are not spent.
func (b *Box) liveFaults() []fault.Fault {
	return slices.DeleteFunc(b.faults.List(), func(f fault.Fault) bool { return f.Times == 0 })
}

func (b *Box) addFault(w http.ResponseWriter, r *http.Request) {
	f, problem := readFault(r)
	switch {
	case problem != "":
	case !slices.Contains(faultKinds, f.Kind):
		problem = "kind must be one of the known faults"
	case f.Times < 0 || f.Delay < 0 || f.Delay > 10*time.Minute:
		problem = "times must not be negative, the delay at most ten minutes"
	}
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	b.faults.Add(f)
	done(w, r)
}

func readFault(r *http.Request) (f fault.Fault, problem string) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return f, readJSON(r, &f)
	}
	times, err := strconv.Atoi(r.PostFormValue("times"))
	if err != nil {
		return f, "times must be a number"
	}
	ms, err := strconv.Atoi(r.PostFormValue("delay_ms"))
	if err != nil {
		return f, "the delay must be a number of milliseconds"
	}
	return fault.Fault{
		Match: strings.TrimSpace(r.PostFormValue("match")), Kind: fault.Kind(r.PostFormValue("kind")),
		Times: times, Delay: time.Duration(ms) * time.Millisecond,
	}, ""
}

func (b *Box) putSwitches(w http.ResponseWriter, r *http.Request) {
	var s Switches
	problem := readJSON(r, &s)
	if problem == "" && (s.Duplicate < 0 || s.Duplicate > 100 || s.Drop < 0 || s.StoredErrors < 0 || s.Delay < 0) {
		problem = "counts must not be negative, duplicates at most 100"
	}
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	b.Set(s)
	done(w, r)
}

func readJSON(r *http.Request, v any) (problem string) {
	dec := json.NewDecoder(io.LimitReader(r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return "the body must be JSON: " + err.Error()
	}
	return ""
}

func writeJSON(w http.ResponseWriter, v any) { write(w, answer{http.StatusOK, encode(v)}) }

// done sends a browser back to the control page and a program nothing.
func done(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		http.Redirect(w, r, "/_sandbox/", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
