package stripebox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// checkoutView is what the hosted page shows.
type checkoutView struct {
	View, Title, ID, Description, Amount, Email, Problem, CancelURL, Chosen string

	Cards []testCard
	back  []string // addresses the form may lead to
}

// servePages adds the hosted pages. Forms from other sites are refused.
func (b *Box) servePages(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /checkout/page.css", serveCSS)
	mux.Handle("GET /checkout/{id}", http.HandlerFunc(b.showCheckout))
	mux.Handle("POST /checkout/{id}", guard.Handler(http.HandlerFunc(b.payCheckout)))
	mux.Handle("GET /authenticate/{id}", http.HandlerFunc(b.showAuthenticate))
	mux.Handle("POST /authenticate/{id}", guard.Handler(http.HandlerFunc(b.answerAuthenticate)))
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
// form-action names where a paid form redirects, as browsers check that too.
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

func (v checkoutView) draw(w http.ResponseWriter, status int) {
	draw(w, status, "checkout.html", v, v.back...)
}

func (b *Box) showCheckout(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.sweep()
	s, ok := b.sessions.get(r.PathValue("id"))
	v, status := b.viewOf(s, ok)
	b.mu.Unlock()
	v.draw(w, status)
}

// viewOf shows a page by its state. The box is locked.
func (b *Box) viewOf(s *session, there bool) (checkoutView, int) {
	switch {
	case !there:
		return checkoutView{View: "note", Title: "No such page", Problem: "This payment page does not exist."}, http.StatusNotFound
	case s.status == "complete":
		return checkoutView{View: "note", Title: "Already paid", Problem: "This payment page has been paid.", CancelURL: s.successAddress()}, http.StatusOK
	case s.status == "expired":
		return checkoutView{View: "note", Title: "Page expired", Problem: "This payment page is closed. Nothing was charged.", CancelURL: s.cancelURL}, http.StatusGone
	}
	v := checkoutView{
		View: "pay", Title: s.description, ID: s.id, Description: s.description, Amount: s.toPay(),
		Email: s.email, CancelURL: s.cancelURL, Cards: testCards, Chosen: testCards[0].Number,
		back: []string{s.successURL, s.cancelURL},
	}
	if p, ok := b.intents.get(s.intent); ok && p.lastError != nil {
		v.Problem, _ = p.lastError["message"].(string)
	}
	return v, http.StatusOK
}

// toPay is what the page takes, "" where it only saves a method.
func (s *session) toPay() string {
	if s.mode == "setup" {
		return ""
	}
	return display(s.amount, s.currency)
}

func (s *session) successAddress() string {
	return strings.ReplaceAll(s.successURL, "{CHECKOUT_SESSION_ID}", s.id)
}

func (b *Box) payCheckout(w http.ResponseWriter, r *http.Request) {
	number := strings.TrimSpace(r.PostFormValue("number"))
	if number == "" {
		number = r.PostFormValue("card")
	}
	card, known := cardByNumber(number)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	s, ok := b.sessions.get(r.PathValue("id"))
	if !ok || s.status != "open" {
		v, status := b.viewOf(s, ok)
		v.draw(w, status)
		return
	}
	if !known {
		v, _ := b.viewOf(s, true)
		v.Problem = "This is not one of the test cards."
		v.draw(w, http.StatusUnprocessableEntity)
		return
	}
	next, problem := b.pay(s, card, &call{base: b.base(r), req: b.newID("req")})
	if problem == "" {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	v, _ := b.viewOf(s, true)
	v.Problem, v.Chosen = problem, card.Number
	v.draw(w, http.StatusPaymentRequired)
}

// pay tries a card on an open page. It returns where the customer goes next, or
// what went wrong.
func (b *Box) pay(s *session, card testCard, c *call) (next, problem string) {
	if s.mode == "setup" {
		return b.saveOn(s, card, c)
	}
	p := b.sessionIntent(s, c)
	m := b.addMethod(card)
	p.method = m.id
	if fault := b.confirm(p, false, c); fault != nil {
		return "", card.message()
	}
	if p.status == "requires_action" {
		return p.actionURL, ""
	}
	b.complete(s, p, c)
	return s.successAddress(), ""
}

// sessionIntent is the payment of a page, begun with the first try.
func (b *Box) sessionIntent(s *session, c *call) *intent {
	if p, ok := b.intents.get(s.intent); ok {
		return p
	}
	if s.customer == "" && (s.creation == "always" || s.setup != "") {
		cu := b.addCustomer(s.email, "", map[string]string{})
		s.customer = cu.id
		b.emit("customer.created", cu.render(), c)
	}
	p := &intent{
		id: b.newID("pi"), amount: s.amount, currency: s.currency, customer: s.customer, description: s.description,
		metadata: s.intentMetadata, setup: s.setup, session: s.id, created: b.unix(), status: "requires_payment_method",
	}
	p.secret = p.id + "_secret_" + b.opts.NewID()
	b.intents.put(p.id, p)
	s.intent = p.id
	b.emit("payment_intent.created", p.render(), c)
	return p
}

// complete closes a page whose payment went through or is on its way.
func (b *Box) complete(s *session, p *intent, c *call) {
	s.status = "complete"
	if p.status == "succeeded" {
		s.paymentStatus = "paid"
	}
	b.emit("checkout.session.completed", s.render(), c)
}

func (b *Box) showAuthenticate(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	p, ok := b.intents.get(r.PathValue("id"))
	if !ok || p.status != "requires_action" {
		nothingToConfirm(w)
		return
	}
	v := checkoutView{View: "authenticate", Title: "Confirm", ID: p.id, Description: p.description, Amount: display(p.amount, p.currency), back: []string{p.returnURL}}
	if s, ok := b.sessions.get(p.session); ok {
		v.back = []string{s.successURL}
	}
	v.draw(w, http.StatusOK)
}

func nothingToConfirm(w http.ResponseWriter) {
	checkoutView{View: "note", Title: "Nothing to confirm", Problem: "There is no payment waiting for you here."}.draw(w, http.StatusNotFound)
}

func (b *Box) answerAuthenticate(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	p, ok := b.intents.get(r.PathValue("id"))
	if !ok || p.status != "requires_action" {
		nothingToConfirm(w)
		return
	}
	c := &call{base: b.base(r), req: b.newID("req")}
	m, _ := b.methods.get(p.method)
	var fault *apiError
	if r.PostFormValue("answer") == "yes" {
		m.setUp = p.setup != ""
		fault = b.take(p, m, false, c)
	} else {
		fault = b.decline(p, m, "payment_intent_authentication_failure", "",
			"We are unable to authenticate your payment method. Please choose a different payment method and try again.", c)
	}
	s, paged := b.sessions.get(p.session)
	if paged && fault == nil {
		b.complete(s, p, c)
	}
	http.Redirect(w, r, afterAuthentication(p, s, fault == nil), http.StatusSeeOther)
}

func afterAuthentication(p *intent, s *session, done bool) string {
	switch {
	case s != nil && done:
		return s.successAddress()
	case s != nil:
		return "/checkout/" + s.id
	case p.returnURL != "":
		return p.returnURL
	}
	return "/authenticate/" + p.id
}
