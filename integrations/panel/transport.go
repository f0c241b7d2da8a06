package panel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Client is a copy of hc, or a new one, for calls that carry a key: it follows no
// redirect, which would carry the key elsewhere, keeps no cookies, with which a
// panel would take us for a browser, and bounds a call where hc does not.
func Client(hc *http.Client, timeout time.Duration) *http.Client {
	own := http.Client{}
	if hc != nil {
		own = *hc
	}
	if own.Timeout == 0 {
		own.Timeout = timeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own
}

// ParseBase reads a panel's address: https, or http on a loopback address. The
// result has no trailing slash and ends in none of tails, each of which is taken
// off in turn.
func ParseBase(s string, tails ...string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return nil, errors.New("not a URL") // the parser's error repeats the text, which may hold a password
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("a host is missing")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("no user, query or fragment allowed")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("https is required, since an admin key travels there")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("scheme %q is not https", u.Scheme)
	}
	path := strings.TrimRight(u.Path, "/")
	for _, end := range tails {
		path = strings.TrimRight(strings.TrimSuffix(path, end), "/")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// CheckPrefix refuses what cannot start the ids of ours that a panel keeps.
func CheckPrefix(prefix string) error {
	odd := func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if strings.ContainsFunc(prefix, odd) || len(prefix) > 64 {
		return errors.New("the relation prefix may hold 64 letters, digits, '-' and '_'")
	}
	return nil
}

// unanswered classifies a call without a complete answer. The error of net/http
// repeats the whole address; only its reason is kept.
func (c *Caller) unanswered(call Call, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	e := &Error{Vendor: c.Vendor, Op: call.Op, Message: "no answer", Class: call.Effect.Lost(), Cause: err}
	switch {
	case neverSent(err):
		e.Message, e.Class = "the panel cannot be reached ("+Clean(err.Error())+")", provisioning.ErrTemporary
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer in time"
	}
	return e
}

// neverSent says whether the failure came before the request could leave.
func neverSent(err error) bool {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	if errors.As(err, &dns) || errors.As(err, &cert) || errors.As(err, &plain) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
