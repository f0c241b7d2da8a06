package paypalbox

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"time"
)

// Chain is a certificate chain with the authority that signed it, both in PEM.
type Chain struct {
	PEM       string
	Authority string
	Genuine   bool // a verifier should trust it
}

// ForeignChains are chains to try a verifier with: one that is as it should be,
// and others that an authority vouches for though they are not PayPal's, or not
// any more.
func ForeignChains() map[string]Chain {
	const name = "messageverificationcerts.paypal.com"
	all := map[string]Chain{}
	for title, c := range map[string]struct {
		name   string
		change func(*x509.Certificate)
	}{
		"as it should be":            {name, nil},
		"of somebody else":           {"mail.example.com", nil},
		"of a name that looks so":    {"notpaypal.com", nil},
		"of a name that begins so":   {"www.paypal.com.evil.example", nil},
		"PayPal in the subject only": {"evil.example", func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name} }},
		"out of date":                {name, func(c *x509.Certificate) { c.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"not yet":                    {name, func(c *x509.Certificate) { c.NotBefore = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		s, err := newSigner(c.name, c.change)
		if err != nil { // only randomness can fail
			panic("paypalbox: " + err.Error())
		}
		all[title] = Chain{PEM: string(s.chain), Authority: string(s.authority), Genuine: title == "as it should be"}
	}
	return all
}
