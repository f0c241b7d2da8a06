package sim

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
)

// answer collects what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header is of http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader is of http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write is of http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// errCut is a connection that ended without an answer.
var errCut = errors.New("the connection was cut")

// serve calls a handler. Errors: errCut when it hung up.
func serve(h http.Handler, r *http.Request) (a *answer, err error) {
	a = newAnswer()
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint // net/http compares the panic's value the same way
				panic(p)
			}
			err = errCut
		}
	}()
	h.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return a, nil
}

// wire is the network between the product and one vendor: a call is a call of
// the vendor's handler. The process can die before the call leaves and before
// its answer is read; the vendor has then done its work all the same.
type wire struct {
	vendor http.Handler
	fuse   *fuse
	down   bool // nobody answers
}

// RoundTrip is of http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := w.fuse.pass("before %s %s", r.Method, r.URL.Path); err != nil {
		return nil, err
	}
	trace := httptrace.ContextClientTrace(r.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn(r.URL.Host)
	}
	if w.down {
		return nil, errCut
	}
	if trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	inbound := r.Clone(r.Context())
	inbound.RequestURI = r.URL.RequestURI()
	inbound.Host, inbound.RemoteAddr = r.URL.Host, "127.0.0.1:1"
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	a, err := serve(w.vendor, inbound)
	if dead := w.fuse.pass("after %s %s", r.Method, r.URL.Path); dead != nil {
		return nil, dead
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}
