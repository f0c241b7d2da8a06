package panel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ezscale/ezscale/engine/provisioning"
)

// Exam is a test of the connection to a panel: a few calls that read what building
// reads, and what their answers say of address, encryption, keys and rights.
type Exam struct {
	Vendor Vendor
	Base   *url.URL
	Do     func(ctx context.Context, call Call, out any) error
	Probes []Probe
	// Unproven says what only use shows: rights to change something.
	Unproven string
}

// Probe is one call of an exam. The first one of each key proves the key.
type Probe struct {
	Call Call
	Out  any
	// Key is what the key is called: "API token"; "" where the call needs none.
	Key string
	// KeyHelp says what to do when the panel refuses the key, RightHelp when the key
	// lacks the right.
	KeyHelp, RightHelp string
	// Right is what the call needs: "read packages"; "" where a key alone will do.
	Right string
	// Check looks at what was read; its error says what is wrong, for people.
	Check func() error
	// Version is what was read of the panel's version, "" where the call tells none.
	Version func() string
	// Missing is what a 404 with the panel's own word means, for people; "" is that
	// the address is wrong.
	Missing string
}

// Run makes the calls, although a circuit breaker may be open: somebody wants to know.
func (e Exam) Run(ctx context.Context) provisioning.Report {
	ctx = Anyway(ctx)
	report, accepted := provisioning.Report{}, map[string]bool{}
	for i, p := range e.Probes {
		err := e.Do(ctx, p.Call, p.Out)
		if i == 0 {
			reach, there := e.reached(err)
			if report = append(report, reach...); !there {
				return append(report, e.skipped(e.Probes)...)
			}
		}
		lines, goOn := e.judge(p, err, accepted)
		report = append(report, lines...)
		if !goOn {
			return append(report, e.skipped(e.Probes[i+1:])...)
		}
	}
	if e.Unproven != "" {
		report = append(report, provisioning.Check{What: "Rights to change something", State: provisioning.CheckUnknown, Found: e.Unproven})
	}
	return report
}

// reached says whether the first call found the panel.
func (e Exam) reached(err error) (lines provisioning.Report, there bool) {
	var failed *Error
	if err == nil || !errors.As(err, &failed) {
		return e.secure(), true
	}
	addr := "The address " + e.Base.Host
	switch {
	case failed.Unsent:
		return provisioning.Report{e.failed("Address", "Nothing was sent: "+failed.Message+".", "Test again after that.", err)}, false
	case failed.Status == 0:
		return e.unreached(addr, failed), false
	case failed.Status >= http.StatusInternalServerError:
		return provisioning.Report{e.failed("Address", fmt.Sprintf("%s answers with an error of its own (%s).", addr, status(failed)), "Look whether the panel works in a browser, and into its log.", err)}, false
	case failed.Status < 400 || failed.Status == http.StatusNotFound && !isClass(failed, provisioning.ErrNotFound):
		return provisioning.Report{e.failed("Address", fmt.Sprintf("Something answers at %s, but not the panel's API (%s).", e.Base.Host, failed.Message), "Give the address of the panel as it stands in the browser, without a page behind it.", err)}, false
	}
	return e.secure(), true
}

func status(e *Error) string { return fmt.Sprintf("status %d: %s", e.Status, e.Message) }

func isClass(e *Error, class error) bool { return e.Class == class } //nolint:errorlint // the class itself

// secure says that address and encryption are well.
func (e Exam) secure() provisioning.Report {
	lines := provisioning.Report{{What: "Address", State: provisioning.CheckOK, Found: "The panel at " + e.Base.Host + " answers."}}
	found := "The connection is encrypted and the certificate is trusted."
	if e.Base.Scheme == "http" {
		found = "The connection is not encrypted; that is allowed, since the panel is on this machine."
	}
	return append(lines, provisioning.Check{What: "Encryption", State: provisioning.CheckOK, Found: found})
}

// unreached says why there was no answer.
func (e Exam) unreached(addr string, failed *Error) provisioning.Report {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	cause := failed.Cause
	switch {
	case errors.As(cause, &cert):
		return provisioning.Report{
			{What: "Address", State: provisioning.CheckOK, Found: addr + " answers."},
			e.failed("Encryption", certificate(cert), "Mend the certificate of the panel, such as by Let's Encrypt; the key is not sent without.", failed),
		}
	case errors.As(cause, &plain), errors.Is(cause, http.ErrSchemeMismatch):
		return provisioning.Report{
			{What: "Address", State: provisioning.CheckOK, Found: addr + " answers."},
			e.failed("Encryption", "What answers there does not speak TLS (https).", "Give the port on which the panel speaks https.", failed),
		}
	case errors.As(cause, &dns):
		return provisioning.Report{e.failed("Address", fmt.Sprintf("The name %s is not found in the DNS.", e.Base.Hostname()), "Look for a typing error; the panel's name must resolve on this machine.", failed)}
	case neverSent(cause):
		return provisioning.Report{e.failed("Address", addr+" takes no connection ("+Clean(cause.Error())+").", "Look whether the panel runs, whether the port is right, and whether a firewall lets this machine through.", failed)}
	}
	return provisioning.Report{e.failed("Address", addr+" took the connection and gave no answer ("+failed.Message+").", "Look whether the panel works in a browser, and whether a firewall or proxy is in between.", failed)}
}

// certificate says what is wrong with one.
func certificate(err error) string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("The certificate was valid until %s.", invalid.Cert.NotAfter.UTC().Format("2006-01-02"))
	case errors.As(err, &name):
		return fmt.Sprintf("The certificate is for %s, not for %s.", strings.Join(name.Certificate.DNSNames, ", "), name.Host)
	case errors.As(err, &unknown):
		return "The certificate is signed by nobody whom this machine trusts."
	}
	return "The certificate is not trusted (" + Clean(err.Error()) + ")."
}

// judge says what a probe's answer means for its key and right. goOn is false where
// all further calls would end the same.
func (e Exam) judge(p Probe, err error, accepted map[string]bool) (lines provisioning.Report, goOn bool) {
	if err == nil && p.Check != nil {
		if err = p.Check(); err != nil {
			return append(e.accept(p, accepted), e.failed(what(p), sentence(err), p.RightHelp, err)), true
		}
	}
	var failed *Error
	_ = errors.As(err, &failed)
	switch {
	case err == nil:
		lines = e.accept(p, accepted)
		if p.Right != "" {
			lines = append(lines, provisioning.Check{What: what(p), State: provisioning.CheckOK, Found: "The key may " + p.Right + "."})
		}
		if p.Version != nil && p.Version() != "" {
			lines = append(lines, provisioning.Check{What: "Version", State: provisioning.CheckOK, Found: "The panel is version " + Clean(p.Version()) + "."})
		}
		return lines, true
	case failed == nil:
		return provisioning.Report{e.failed(what(p), sentence(err), "", err)}, true
	case failed.Status == http.StatusForbidden:
		return append(e.accept(p, accepted), e.failed(what(p), fmt.Sprintf("The %s lacks the right to %s (%s).", p.Key, p.Right, failed.Message), p.RightHelp, err)), true
	case isClass(failed, provisioning.ErrCredentials):
		return provisioning.Report{e.failed(key(p), fmt.Sprintf("The panel refuses the %s: it is wrong, was deleted or has expired.", p.Key), p.KeyHelp, err)}, false
	case isClass(failed, provisioning.ErrNotFound) && p.Missing != "":
		return append(e.accept(p, accepted), e.failed(what(p), p.Missing, p.RightHelp, errors.Join(provisioning.ErrCredentials, Plain(err)))), false
	case failed.Status == http.StatusTooManyRequests || failed.Unsent:
		return provisioning.Report{e.failed(what(p), "The panel takes no more calls for now ("+failed.Message+").", "Test again in a minute.", err)}, false
	}
	return provisioning.Report{e.failed(what(p), "The panel did not give what was asked for ("+status(failed)+").", "Look into the panel's log; its version may be too old.", err)}, true
}

// accept says, once for each key, that the panel takes it.
func (Exam) accept(p Probe, accepted map[string]bool) provisioning.Report {
	if p.Key == "" || accepted[p.Key] {
		return nil
	}
	accepted[p.Key] = true
	return provisioning.Report{{What: key(p), State: provisioning.CheckOK, Found: "The panel takes the " + p.Key + "."}}
}

// skipped are the checks that were not made.
func (Exam) skipped(probes []Probe) provisioning.Report {
	lines, keys := provisioning.Report{}, map[string]bool{}
	add := func(what string) {
		lines = append(lines, provisioning.Check{What: what, State: provisioning.CheckUnknown, Found: "Not looked at, because of what is said above."})
	}
	for _, p := range probes {
		if p.Key != "" && p.Right == "" && !keys[p.Key] {
			keys[p.Key] = true
			add(key(p))
		}
		if p.Right != "" {
			add(what(p))
		}
	}
	return lines
}

func (e Exam) failed(what, found, do string, err error) provisioning.Check {
	return provisioning.Check{
		What: what, State: provisioning.CheckFailed, Found: found, Do: do,
		Err: fmt.Errorf("%s: %s: %w", e.Vendor, strings.TrimSpace(found+" "+do), err),
	}
}

// what names a probe's line; key that of its key.
func what(p Probe) string {
	if p.Right == "" {
		return key(p)
	}
	return "Right to " + p.Right
}

func key(p Probe) string {
	if p.Key == "" {
		return "Panel"
	}
	return strings.ToUpper(p.Key[:1]) + p.Key[1:]
}

// sentence makes an error's words one for people.
func sentence(err error) string {
	var e *Error
	s := err.Error()
	if errors.As(err, &e) {
		s = e.Message
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
