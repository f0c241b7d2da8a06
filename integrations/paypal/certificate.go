package paypal

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	certLimit = 64 << 10 // bytes of a certificate's file
	certsKept = 32       // how many are remembered
)

// certHosts are the hosts a webhook's certificate may come from, by the API we
// talk to: a sandbox certificate must not vouch for live events. Any other API is
// a stand-in that serves its own.
var certHosts = map[string][]string{
	"api.paypal.com":           {"api.paypal.com", "api-m.paypal.com"},
	"api-m.paypal.com":         {"api.paypal.com", "api-m.paypal.com"},
	"api.sandbox.paypal.com":   {"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"},
	"api-m.sandbox.paypal.com": {"api.sandbox.paypal.com", "api-m.sandbox.paypal.com"},
}

var certPath = regexp.MustCompile(`^/v1/notifications/certs/[A-Za-z0-9._-]{1,128}$`)

// certificate is a chain that was verified once and is again for each use, as
// time passes.
type certificate struct {
	leaf          *x509.Certificate
	intermediates *x509.CertPool
}

// certificates fetches and remembers PayPal's certificates by address.
type certificates struct {
	client *Client
	mu     sync.Mutex
	known  map[string]certificate
}

// key returns the public key of the certificate at an address that anyone may
// have written into a header. Errors: billing.ErrGatewayTemporary when it cannot
// be fetched now; any other means that it is not PayPal's.
func (s *certificates) key(ctx context.Context, address string, now time.Time) (*rsa.PublicKey, error) {
	if err := s.client.allowed(address); err != nil {
		return nil, err
	}
	s.mu.Lock()
	cert, known := s.known[address]
	s.mu.Unlock()
	if !known {
		var err error
		if cert, err = s.fetch(ctx, address); err != nil {
			return nil, err
		}
	}
	key, err := s.client.trusted(cert, now)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= certsKept {
		clear(s.known)
	}
	s.known[address] = cert
	return key, nil
}

// allowed checks the address of a certificate against the list.
func (c *Client) allowed(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || !certPath.MatchString(u.EscapedPath()) {
		return fmt.Errorf("certificate address %.100q is not one of PayPal", address)
	}
	api, err := url.Parse(c.base)
	if err != nil {
		return fmt.Errorf("API address: %w", err)
	}
	hosts, genuine := certHosts[api.Host]
	if !genuine {
		if u.Scheme == api.Scheme && u.Host == api.Host {
			return nil
		}
		return fmt.Errorf("certificate address %.100q is not at %s", address, c.base)
	}
	for _, host := range hosts {
		if u.Scheme == "https" && u.Host == host {
			return nil
		}
	}
	return fmt.Errorf("certificate address %.100q is not at %s", address, strings.Join(hosts, " or "))
}

// fetch reads a certificate's file. A redirect is not followed.
func (s *certificates) fetch(ctx context.Context, address string) (certificate, error) {
	x := s.client.begin("fetch the certificate "+address, false)
	req, err := http.NewRequestWithContext(x.watch(ctx), http.MethodGet, address, nil)
	if err != nil {
		return certificate{}, x.fail(billing.ErrGatewayRefused, "", err)
	}
	res, err := s.client.http.Do(req)
	if err == nil {
		_ = res.Body.Close() // the exchange has read it
	}
	if x.status == http.StatusNotFound || x.status == http.StatusGone {
		return certificate{}, errors.New("there is no such certificate")
	}
	if err := x.failure(err); err != nil {
		return certificate{}, err
	}
	if len(x.body) > certLimit {
		return certificate{}, errors.New("the certificate's file is too long")
	}
	return readChain(x.body)
}

// readChain reads PEM: the signer's certificate first, what leads to an authority
// after it.
func readChain(raw []byte) (certificate, error) {
	cert := certificate{intermediates: x509.NewCertPool()}
	for range 10 {
		block, rest := pem.Decode(raw)
		if block == nil {
			break
		}
		raw = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return certificate{}, fmt.Errorf("the certificate cannot be read: %w", err)
		}
		if cert.leaf == nil {
			cert.leaf = parsed
		} else {
			cert.intermediates.AddCert(parsed)
		}
	}
	if cert.leaf == nil {
		return certificate{}, errors.New("the certificate's file holds none")
	}
	return cert, nil
}

// trusted checks chain, dates and name of a certificate and returns its key.
func (c *Client) trusted(cert certificate, now time.Time) (*rsa.PublicKey, error) {
	_, err := cert.leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: cert.intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return nil, fmt.Errorf("the certificate is not trusted: %w", err)
	}
	if !paypalName(cert.leaf) {
		return nil, fmt.Errorf("the certificate is of %.60q, not of PayPal", cert.leaf.Subject.CommonName)
	}
	key, ok := cert.leaf.PublicKey.(*rsa.PublicKey)
	if !ok || key.Size() < 256 {
		return nil, errors.New("the certificate's key is not RSA of 2048 bits or more")
	}
	return key, nil
}

// paypalName reports whether a certificate is of a name within paypal.com.
func paypalName(cert *x509.Certificate) bool {
	names := cert.DNSNames
	if len(names) == 0 {
		names = []string{cert.Subject.CommonName}
	}
	for _, name := range names {
		if strings.HasSuffix(strings.ToLower(name), ".paypal.com") {
			return true
		}
	}
	return false
}
