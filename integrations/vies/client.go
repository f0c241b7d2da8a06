// Package vies asks the VAT Information Exchange System of the European
// Commission whether a VAT id is in use. It answers valid or invalid only if the
// member state's register has said so; whatever else happens is "could not
// check", which the engine never takes for a verdict.
//
// Paths, fields and codes: the Commission's contract "VIES on-the-Web", REST,
// https://ec.europa.eu/assets/taxud/vow-information/swagger_publicVAT.yaml, and
// the texts of the codes in checkVatService.wsdl. The service needs no account.
// It has no stated rate limit and refuses by code when it is busy.
package vies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/tax"
	"github.com/ezscale/ezscale/engine/tax/vatid"
)

var _ tax.IDChecker = (*Client)(nil)

const (
	// publicURL is the Commission's address.
	publicURL = "https://ec.europa.eu/taxation_customs/vies/rest-api"
	// by names the source in stored answers.
	by = "vies"
	// callTimeout bounds one call when the given HTTP client sets no bound. The
	// service waits for the member state itself and is slow at times.
	callTimeout = 30 * time.Second
	// maxAnswer bounds one answer in bytes.
	maxAnswer = 64 << 10
)

// Config says where to ask and in whose name.
type Config struct {
	// BaseURL is the address up to and including /rest-api; "" is the
	// Commission's. Only https, except on a loopback address.
	BaseURL string
	// Requester is the seller's own VAT id. With it each answer bears a
	// consultation number, the proof that the question was asked; "" asks
	// without.
	Requester string
}

// Client asks VIES. It is safe for concurrent use.
type Client struct {
	base      string
	requester vatid.ID
	http      *http.Client
}

// New checks the configuration; it makes no call. A nil hc means a client of its
// own. Redirects are not followed.
func New(cfg Config, hc *http.Client) (*Client, error) {
	c := &Client{base: strings.TrimRight(cfg.BaseURL, "/")}
	if c.base == "" {
		c.base = publicURL
	}
	if err := checkBase(c.base); err != nil {
		return nil, fmt.Errorf("vies: address: %w", err)
	}
	if cfg.Requester != "" {
		id, err := vatid.Parse(cfg.Requester, "")
		if err != nil {
			return nil, fmt.Errorf("vies: the seller's own VAT id: %w", err)
		}
		if !id.InVIES() {
			return nil, fmt.Errorf("vies: the seller's own VAT id: %w: %s is not of the Union", vatid.ErrCountry, id)
		}
		c.requester = id
	}
	own := http.Client{}
	if hc != nil {
		own = *hc
	}
	if own.Timeout == 0 {
		own.Timeout = callTimeout
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &own
	return c, nil
}

func checkBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return fmt.Errorf("not a URL: %w", err)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("a host and a path alone are expected")
	case u.Scheme == "http" && !isLoopback(u.Hostname()) || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("https is required")
	}
	return nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// CheckID asks about one id (POST /check-vat-number), once: repeating is the
// caller's, by the answer's Retry.
func (c *Client) CheckID(ctx context.Context, id string, now time.Time) tax.IDCheck {
	parsed, err := vatid.Parse(id, "")
	if err != nil {
		return unchecked(id, now, "not asked: "+err.Error(), false)
	}
	if !parsed.InVIES() {
		return unchecked(id, now, "not asked: VIES knows ids of the Union only", false)
	}
	status, body, err := c.post(ctx, c.question(parsed))
	if err != nil {
		return unchecked(id, now, reason(err), true)
	}
	v, why := read(status, body, parsed)
	if why != "" {
		return unchecked(id, now, why, retryable(status, why))
	}
	check := tax.IDCheck{
		ID: id, Status: tax.IDInvalid, At: now, By: by,
		Name: told(v.Name), Address: told(v.Address), Consultation: told(v.RequestIdentifier),
	}
	if *v.Valid {
		check.Status = tax.IDValid
	}
	return check
}

// unchecked is the answer without a verdict.
func unchecked(id string, now time.Time, why string, retry bool) tax.IDCheck {
	return tax.IDCheck{ID: id, Status: tax.IDUnchecked, By: by, Why: told(why), TriedAt: now, Retry: retry}
}

// question is the body for one id; numbers travel without their prefix, as VIES
// knows nothing of "BG" within a Bulgarian number and calls it invalid.
func (c *Client) question(id vatid.ID) request {
	return request{
		CountryCode: id.Prefix, VATNumber: id.Number,
		RequesterMemberStateCode: c.requester.Prefix, RequesterNumber: c.requester.Number,
	}
}

// post sends a question and returns the whole answer, whatever its status.
func (c *Client) post(ctx context.Context, q request) (status int, body []byte, err error) {
	raw, err := json.Marshal(q)
	if err != nil {
		return 0, nil, fmt.Errorf("encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/check-vat-number", bytes.NewReader(raw))
	if err != nil {
		return 0, nil, fmt.Errorf("request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "EZSCALE")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("answer broke off: %w", err)
	case len(body) > maxAnswer:
		return 0, nil, errors.New("the answer is too long")
	}
	return resp.StatusCode, body, nil
}

// reason says in short why no answer came. The error of net/http repeats the
// whole address.
func reason(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return "no answer in time"
		}
		err = wrapped.Err
	}
	return "no answer: " + err.Error()
}
