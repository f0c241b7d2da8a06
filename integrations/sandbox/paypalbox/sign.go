package paypalbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// signer signs webhooks: a key, and the chain from its certificate to an
// authority of our own. One is made for the whole process, as keys take time.
type signer struct {
	key       *rsa.PrivateKey
	chain     []byte // PEM: leaf, then authority
	authority []byte // PEM
}

var oneSigner = sync.OnceValue(func() *signer {
	s, err := newSigner("messageverificationcerts.sandbox.paypal.com", nil)
	if err != nil { // only randomness can fail
		panic("paypalbox: " + err.Error())
	}
	return s
})

// Years for which certificates are good, so that simulated years fit.
var (
	notBefore = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// newSigner makes a key with a certificate for a name. change, if given, alters
// the certificate before it is signed.
func newSigner(name string, change func(*x509.Certificate)) (*signer, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the authority: %w", err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "PayPal sandbox authority"}, NotBefore: notBefore, NotAfter: notAfter,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caRaw, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of the authority: %w", err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("key of the signer: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name, Organization: []string{"PayPal, Inc."}}, NotBefore: notBefore, NotAfter: notAfter,
		DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(leaf)
	}
	leafRaw, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of the signer: %w", err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caRaw})
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leafRaw}), authority...)
	return &signer{key: key, chain: chain, authority: authority}, nil
}

// Authority is the certificate, in PEM, of the authority that vouches for the
// sandbox's webhooks.
func Authority() string { return string(oneSigner().authority) }

// certificateName is the last part of the certificate's address.
const certificateName = "CERT-SANDBOX-0001"

// SignedHeader returns the headers of a delivery signed at a time, as PayPal signs
// it (developer.paypal.com/api/rest/webhooks/rest): over the transmission's id and
// time, the id of our registration, and the CRC-32 of the raw body.
func (b *Box) SignedHeader(body []byte, at time.Time) http.Header {
	b.mu.Lock()
	base, id := b.public, b.newID("")
	b.mu.Unlock()
	return oneSigner().header(body, at, id, b.opts.WebhookID, base+"/v1/notifications/certs/"+certificateName)
}

func (s *signer) header(body []byte, at time.Time, transmission, webhookID, certURL string) http.Header {
	message := fmt.Sprintf("%s|%s|%s|%d", transmission, stamp(at), webhookID, crc32.ChecksumIEEE(body))
	digest := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil { // the key is of our making
		panic("paypalbox: " + err.Error())
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "PayPal/AUHD-214.0-56843069 sandbox")
	h.Set("Paypal-Transmission-Id", transmission)
	h.Set("Paypal-Transmission-Time", stamp(at))
	h.Set("Paypal-Transmission-Sig", base64.StdEncoding.EncodeToString(signature))
	h.Set("Paypal-Cert-Url", certURL)
	h.Set("Paypal-Auth-Algo", "SHA256withRSA")
	return h
}

func (b *Box) serveCertificate(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("name") != certificateName {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(oneSigner().chain)
}

// verifyWebhook is the online check: over the event's bytes as they were sent.
func verifyWebhook(b *Box, c *call) (reply, *apiError) {
	var raw struct {
		Event json.RawMessage `json:"webhook_event"`
	}
	if err := json.Unmarshal(c.raw, &raw); err != nil {
		return reply{}, invalid("", "MALFORMED_REQUEST_JSON", "The request body is not JSON.")
	}
	message := fmt.Sprintf("%s|%s|%s|%d", str(c.body, "transmission_id"), str(c.body, "transmission_time"), str(c.body, "webhook_id"), crc32.ChecksumIEEE(raw.Event))
	digest := sha256.Sum256([]byte(message))
	signature, err := base64.StdEncoding.DecodeString(str(c.body, "transmission_sig"))
	status := "SUCCESS"
	if err != nil || str(c.body, "webhook_id") != b.opts.WebhookID || rsa.VerifyPKCS1v15(&oneSigner().key.PublicKey, crypto.SHA256, digest[:], signature) != nil {
		status = "FAILURE"
	}
	return reply{status: http.StatusOK, body: object{"verification_status": status}}, nil
}

func readWebhook(b *Box, c *call) (reply, *apiError) {
	if b.opts.WebhookID != "" && c.id != b.opts.WebhookID {
		return reply{}, notFound(c.id)
	}
	return reply{status: http.StatusOK, body: object{"id": c.id, "url": "https://portal.example/webhooks/paypal", "event_types": []object{{"name": "*"}}}}, nil
}
