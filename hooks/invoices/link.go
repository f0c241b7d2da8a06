package invoices

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/pocketbase/dbx"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/billing"
	"github.com/ezscale/ezscale/hooks/op"
)

// linkLife is how long a download link works.
const linkLife = 30 * time.Minute

// link is a download address that works without a header until it expires.
func (s *subject) link(invoice string, until time.Time) string {
	expires := strconv.FormatInt(until.Unix(), 10)
	return "/api/v1/invoices/" + invoice + "/pdf?expires=" + expires + "&sig=" + s.sign(invoice, expires)
}

func (s *subject) sign(invoice, expires string) string {
	m := hmac.New(sha256.New, s.Key)
	m.Write([]byte("invoice pdf\n" + invoice + "\n" + expires))
	return hex.EncodeToString(m.Sum(nil))
}

// pdf serves the document to whoever holds a link that we signed and that has
// not expired. Anything else is as if there were no such invoice.
func (s *subject) pdf(r *op.Request) error {
	id, q := r.Path("id"), r.Request.URL.Query()
	if !hmac.Equal([]byte(q.Get("sig")), []byte(s.sign(id, q.Get("expires")))) {
		return op.NotFound()
	}
	expires, err := strconv.ParseInt(q.Get("expires"), 10, 64)
	if err != nil || r.Now().After(time.Unix(expires, 0)) {
		return op.NewProblem(http.StatusGone, "link_expired", "This download link has expired. Open the invoice again for a new one.")
	}
	inv, err := collections.First(r.App, collections.Invoices, dbx.HashExp{"id": id})
	if err != nil {
		return err
	}
	if inv == nil || collections.InvoiceStatus(inv) == billing.InvoiceDraft {
		return op.NotFound()
	}
	body, err := RenderPDF(r.App, inv)
	if err != nil {
		return err
	}
	h := r.Response.Header()
	h.Set("Content-Disposition", `inline; filename="`+fileName(inv)+`"`)
	h.Set("Cache-Control", "private, no-store")
	return r.Blob(http.StatusOK, "application/pdf", body)
}
