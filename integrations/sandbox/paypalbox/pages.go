package paypalbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
)

//go:embed page
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// approveView is what a hosted page shows. Without an Action it is a note.
type approveView struct {
	Title, Amount, Note, Problem, Action, Button, CancelURL, Chosen string

	Payers []testPayer
	back   []string // addresses the form may lead to
}

// servePages adds the hosted pages at the paths PayPal has them. Forms from other
// sites are refused.
func (b *Box) servePages(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	for path, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"/checkoutnow": b.pageOrder, "/agreements/approve": b.pageSetup, "/webapps/billing/subscriptions": b.pageAgreement,
	} {
		mux.Handle("GET "+path, http.HandlerFunc(answer))
		mux.Handle("POST "+path, guard.Handler(http.HandlerFunc(answer)))
	}
	mux.HandleFunc("GET /webapps/page.css", serveCSS)
}

func serveCSS(w http.ResponseWriter, _ *http.Request) {
	css, err := pageFiles.ReadFile("page/checkout.css")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(css)
}

// draw writes a page under a policy without scripts, inline styles and frames.
// form-action names where an answered form redirects, as browsers check that too.
func draw(w http.ResponseWriter, status int, name string, view any, back ...string) {
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	targets := "'self'"
	for _, address := range back {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			targets += " " + u.Scheme + "://" + u.Host
		}
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "+targets)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

func note(w http.ResponseWriter, status int, title, problem, back string) {
	draw(w, status, "approve.html", approveView{Title: title, Problem: problem, CancelURL: back}, back)
}

// ask shows a page that waits for the payer, or takes the payer's answer: agree
// is called with the chosen account.
func (v approveView) ask(w http.ResponseWriter, r *http.Request, returnURL string, agree func(testPayer) bool) {
	v.Payers, v.Action, v.back = testPayers, r.URL.RequestURI(), []string{returnURL, v.CancelURL}
	if v.Chosen == "" {
		v.Chosen = testPayers[0].Email
	}
	if r.Method != http.MethodPost {
		draw(w, http.StatusOK, "approve.html", v, v.back...)
		return
	}
	if r.PostFormValue("answer") == "no" {
		http.Redirect(w, r, v.CancelURL, http.StatusSeeOther)
		return
	}
	p, known := payerByEmail(r.PostFormValue("payer"))
	if !known || !agree(p) {
		v.Problem = "This is not one of the test accounts."
		draw(w, http.StatusUnprocessableEntity, "approve.html", v, v.back...)
		return
	}
	http.Redirect(w, r, returnURL, http.StatusSeeOther)
}

// with adds a parameter to an address, as PayPal does on return.
func with(address, name, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func (b *Box) pageOrder(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ok := b.orders.get(r.URL.Query().Get("token"))
	switch {
	case !ok || b.now().Sub(o.created) >= orderLife:
		note(w, http.StatusNotFound, "No such page", "This payment page does not exist any more. Nothing was charged.", "")
		return
	case o.status == "COMPLETED":
		note(w, http.StatusOK, "Already paid", "This payment has been made.", o.returnURL)
		return
	}
	v := approveView{
		Title: o.description, Amount: o.amount.String(), Note: o.email, Button: "Pay " + o.amount.String(),
		CancelURL: with(o.cancelURL, "token", o.id), Chosen: o.payer, Problem: refusals[o.problem],
	}
	back := with(with(o.returnURL, "token", o.id), "PayerID", "SANDBOXPAYER1")
	v.ask(w, r, back, func(p testPayer) bool { return b.approve(o, p) })
}

func (b *Box) pageSetup(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.setups.get(r.URL.Query().Get("approval_session_id"))
	if !ok || s.status != "PAYER_ACTION_REQUIRED" {
		note(w, http.StatusNotFound, "No such page", "Nothing waits for you here.", "")
		return
	}
	v := approveView{Title: "Save PayPal for later payments", Amount: "No payment now", Button: "Save", CancelURL: s.cancelURL}
	v.ask(w, r, with(s.returnURL, "approval_token_id", s.id), func(p testPayer) bool {
		s.status, s.payer = "APPROVED", p.Email
		return true
	})
}

func (b *Box) pageAgreement(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, ok := b.agreements.get(r.URL.Query().Get("ba_token"))
	if !ok || a.status != "APPROVAL_PENDING" && a.revised == nil {
		note(w, http.StatusNotFound, "No such page", "Nothing waits for you here.", "")
		return
	}
	terms := a
	if a.revised != nil {
		terms = a.revised
	}
	v := approveView{
		Title: "Agree to a subscription", Amount: sum{terms.price.currency, terms.price.units * int64(terms.quantity)}.String(), Button: "Agree",
		CancelURL: with(terms.cancelURL, "subscription_id", a.id),
	}
	v.ask(w, r, with(terms.returnURL, "subscription_id", a.id), func(p testPayer) bool { return b.agree(a, p) })
}
