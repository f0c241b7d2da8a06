package invoices

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/hooks/op"
)

// linkLife is how long a download link works.
const linkLife = 30 * time.Minute

// The files that a link leads to.
const (
	invoicePDF = "/api/v1/invoices/{id}/pdf"
	invoiceXML = "/api/v1/invoices/{id}/xml"
	notePDF    = "/api/v1/credit-notes/{id}/pdf"
	noteXML    = "/api/v1/credit-notes/{id}/xml"
)

// link is a download address that works without a header until it expires.
func (s *subject) link(file, id string, now time.Time) string {
	return s.signed(strings.Replace(file, "{id}", id, 1), url.Values{}, now)
}

// signed puts an expiry and our signature over path and query onto an address.
func (s *subject) signed(path string, q url.Values, now time.Time) string {
	q.Set("expires", strconv.FormatInt(now.Add(linkLife).Unix(), 10))
	q.Set("sig", s.sign(path, q))
	return path + "?" + q.Encode()
}

func (s *subject) sign(path string, q url.Values) string {
	m := hmac.New(sha256.New, s.Key)
	m.Write([]byte("download\n" + path + "\n" + q.Encode()))
	return hex.EncodeToString(m.Sum(nil))
}

// verify admits whoever holds a link that we signed and that has not expired.
// Anything else is as if there were nothing here.
func (s *subject) verify(r *op.Request) error {
	q := r.Request.URL.Query()
	sig := q.Get("sig")
	q.Del("sig")
	if !hmac.Equal([]byte(sig), []byte(s.sign(r.Request.URL.Path, q))) {
		return op.NotFound()
	}
	expires, err := strconv.ParseInt(q.Get("expires"), 10, 64)
	if err != nil || r.Now().After(time.Unix(expires, 0)) {
		return op.NewProblem(http.StatusGone, "link_expired", "This download link has expired. Open the document again for a new one.")
	}
	return nil
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// send answers with a file that browsers show or save under a name.
func send(r *op.Request, media, name string, body []byte) error {
	h := r.Response.Header()
	h.Set("Content-Disposition", `inline; filename="`+unsafeInName.ReplaceAllString(name, "-")+`"`)
	h.Set("Cache-Control", "private, no-store")
	return r.Blob(http.StatusOK, media, body)
}
