package paypal

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"time"

	"github.com/ezscale/ezscale/engine/billing"
)

const (
	// webhookLimit bounds a delivery, in bytes. PayPal's longest events stay far
	// below it; what is longer is refused before anything is computed.
	webhookLimit = 1 << 20
	// oldest is how old a transmission may be. PayPal repeats for three days and
	// does not say whether the repeat has a new time; that an event has one effect
	// is the guard against replay.
	oldest = 4 * 24 * time.Hour
	// ahead is how far a transmission's time may lie in the future.
	ahead = 5 * time.Minute
	// verifyTimeout bounds the calls that verifying may need, together.
	verifyTimeout = 15 * time.Second
)

// transmission is what the headers of a delivery say.
type transmission struct {
	id, sent, certURL, algorithm, signature string
	at                                      time.Time
	raw                                     []byte // the signature
}

func readTransmission(header http.Header) (transmission, error) {
	t := transmission{}
	for name, into := range map[string]*string{
		"Paypal-Transmission-Id": &t.id, "Paypal-Transmission-Time": &t.sent, "Paypal-Transmission-Sig": &t.signature,
		"Paypal-Cert-Url": &t.certURL, "Paypal-Auth-Algo": &t.algorithm,
	} {
		values := header.Values(name)
		if len(values) != 1 || values[0] == "" || len(values[0]) > 1000 || !printable(values[0]) {
			return t, fmt.Errorf("one %s header is needed", name)
		}
		*into = values[0]
	}
	if t.algorithm != "SHA256withRSA" {
		return t, fmt.Errorf("the algorithm %.40q is not SHA256withRSA", t.algorithm)
	}
	var err error
	if t.at, err = time.Parse(time.RFC3339, t.sent); err != nil {
		return t, errors.New("the transmission time is not a time")
	}
	if t.raw, err = base64.StdEncoding.DecodeString(t.signature); err != nil {
		return t, errors.New("the signature is not base64")
	}
	return t, nil
}

// message is what PayPal signs: CRC-32 of the raw body, as it came, in decimals.
func (t transmission) message(webhookID string, body []byte) string {
	return t.id + "|" + t.sent + "|" + webhookID + "|" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
}

// verify proves that PayPal sent a body for our registration, and not long ago.
// Another body with the same CRC-32 is easily made, so a signature is a secret
// between PayPal and us: it travels in headers over TLS and is stored nowhere.
func (c *Client) verify(body []byte, header http.Header, now time.Time) error {
	if len(body) > webhookLimit {
		return fmt.Errorf("%w: body of %d bytes is longer than any event", billing.ErrBadSignature, len(body))
	}
	t, err := readTransmission(header)
	if err != nil {
		return fmt.Errorf("%w: %w", billing.ErrBadSignature, err)
	}
	if age := now.Sub(t.at); age > oldest || age < -ahead {
		return fmt.Errorf("%w: sent %s before now, more than %s or less than -%s", billing.ErrBadSignature, age.Round(time.Second), oldest, ahead)
	}
	// ParseWebhook has no context: the deadline is ours.
	ctx, cancel := context.WithTimeout(context.Background(), verifyTimeout)
	defer cancel()
	key, err := c.certs.key(ctx, t.certURL, now)
	switch {
	case errors.Is(err, billing.ErrGatewayTemporary):
		return c.verifyOnline(ctx, t, body, err)
	case err != nil:
		return fmt.Errorf("%w: %w", billing.ErrBadSignature, err)
	}
	digest := sha256.Sum256([]byte(t.message(c.config.WebhookID, body)))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], t.raw) != nil {
		return fmt.Errorf("%w: the signature does not fit", billing.ErrBadSignature)
	}
	return nil
}

// verifyOnline asks PayPal (POST /v1/notifications/verify-webhook-signature). The
// event is spliced in byte by byte: written anew, as the library does, spaces and
// "&" change and a genuine event looks forged.
func (c *Client) verifyOnline(ctx context.Context, t transmission, body []byte, why error) error {
	if !json.Valid(body) {
		return fmt.Errorf("%w: the body is not JSON", billing.ErrBadSignature)
	}
	x := c.begin("verify a webhook, as its certificate cannot be had ("+why.Error()+")", false)
	var answer struct {
		Status string `json:"verification_status"`
	}
	ask := map[string]any{
		"auth_algo": t.algorithm, "cert_url": t.certURL, "transmission_id": t.id, "transmission_sig": t.signature,
		"transmission_time": t.sent, "webhook_id": c.config.WebhookID,
	}
	err := x.send(ctx, http.MethodPost, "/v1/notifications/verify-webhook-signature", "", spliced{ask, body}, &answer)
	switch {
	case err != nil && errors.Is(err, billing.ErrGatewayRefused):
		return fmt.Errorf("%w: %w", billing.ErrBadSignature, err)
	case err != nil:
		return fmt.Errorf("%w: %w", billing.ErrGatewayTemporary, err)
	case answer.Status == "SUCCESS":
		return nil
	case answer.Status == "FAILURE":
		return fmt.Errorf("%w: PayPal did not sign it", billing.ErrBadSignature)
	}
	return x.lost("the answer has no status", ErrPayload)
}

// spliced is a JSON object with one member whose bytes are kept as they are.
// json.RawMessage would be compacted by the encoder.
type spliced struct {
	members map[string]any
	event   []byte
}

func (s spliced) bytes() ([]byte, error) {
	head, err := json.Marshal(s.members)
	if err != nil {
		return nil, fmt.Errorf("write the question: %w", err)
	}
	out := append(head[:len(head)-1], `,"webhook_event":`...)
	return append(append(out, s.event...), '}'), nil
}
